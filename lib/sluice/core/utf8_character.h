#pragma once

#include <cstdint>

#include "sluice/core/bytes.h"

namespace sluice {

/// What is at the beginning of a text that should be UTF-8.
struct Decoded {
  enum What : std::uint8_t {
    character,
    invalid,    ///< bytes that are not a character, whatever follows
    incomplete  ///< the beginning of a character; the text is too short to tell
  } what;
  std::uint8_t length;  ///< in bytes, 1 to 4; of what is invalid, as much as could have begun a character
  char32_t code;        ///< of a character
};

/// Looks at a text of at least one byte. Source: Unicode, table 3-7 and section 3.9, "maximal subpart".
Decoded decode_utf8(ConstBytes text);

}  // namespace sluice
