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

}  // namespace sluice
