#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Splits the command line of EXEC into words: at spaces, but not inside '...' or "..."; a backslash takes
/// the next character as it is (not inside '...'). Throws UsageError for a quote that is not closed.
std::vector<std::string> split_command_line(std::string_view text);

}  // namespace sluice
