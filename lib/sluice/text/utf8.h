#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "sluice/core/bytes.h"
#include "sluice/core/utf8_character.h"

namespace sluice {

/// Looks for the first place in a text, which comes in pieces, where it is no UTF-8.
class Utf8Checker {
 public:
  void feed(ConstBytes in);
  /// The text is over: the beginning of a character is none.
  void finish();
  /// The offset of the first byte that is part of no character, as far as is known.
  std::optional<std::uint64_t> invalid_at() const { return invalid_at_; }

 private:
  void check(ConstBytes text);

  std::array<char, 4> held_{};  ///< the beginning of a character
  std::size_t held_size_ = 0;
  std::uint64_t checked_ = 0;  ///< bytes before `held_`
  std::optional<std::uint64_t> invalid_at_;
};

/// Whether a text is UTF-8.
bool is_utf8(ConstBytes text);

}  // namespace sluice
