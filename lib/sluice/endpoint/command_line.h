#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/address/address.h"

namespace sluice {

/// Splits the command line of EXEC into words, at spaces, by the lexical rules of the language itself (see
/// Lexer): what '...', "..." and brackets hold together stays so, brackets stay in the word, a backslash
/// takes the meaning from the next character or makes a control character of it. Throws UsageError for what
/// is not closed.
std::vector<std::string> split_command_line(std::string_view text);

/// A command line that splits into these words again.
std::string joined_command_line(std::span<const std::string> words);

/// What is wrong with the quotes in the parameter of EXEC, SYSTEM, SHELL or TEXT, if it means something else
/// without them: they are the address's own and have gone (`EXEC:sh -c "echo a b"`, `SYSTEM:echo "a  b"`).
/// Says what is left, and how to write what was probably meant. Quotes around all of the parameter, and
/// those around plain words, change nothing. Nothing if all is well.
std::optional<std::string> lost_quotes(const Address& address);
/// The same of both halves of an argument.
std::vector<std::string> lost_quotes(const Specification& specification);

}  // namespace sluice
