#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// A text as a JSON string, quotes included (RFC 8259). Each byte that is no part of well-formed UTF-8
/// becomes U+FFFD, since JSON has Unicode text only.
std::string json_string(std::string_view text);

/// Bytes as hexadecimal digits, two a byte.
std::string hex_text(std::string_view bytes);

}  // namespace sluice
