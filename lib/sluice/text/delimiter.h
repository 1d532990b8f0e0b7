#pragma once

#include <optional>
#include <string_view>

namespace sluice {

/// The byte that a text names: itself, or an escape: `\n`, `\r`, `\t`, `\0`, `\\` or `\xHH` with two
/// hexadecimal digits. A lone backslash is itself. Nothing if the text is none of these.
std::optional<char> delimiter_of(std::string_view text);

}  // namespace sluice
