#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Splits the command line of EXEC into words, at spaces, by the lexical rules of the language itself (see
/// Lexer): what '...', "..." and brackets hold together stays so, brackets stay in the word, a backslash
/// takes the meaning from the next character or makes a control character of it. Throws UsageError for what
/// is not closed.
std::vector<std::string> split_command_line(std::string_view text);

/// Whether a command line loses the script of its shell: the quotes around it are those of the address
/// (`EXEC:sh -c "echo a b"`), which have gone before the line is split, so `-c` gets the first word alone.
/// `written` is the parameter as it stands in the address.
bool loses_its_script(std::string_view written);

}  // namespace sluice
