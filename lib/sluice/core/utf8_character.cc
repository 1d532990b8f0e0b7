#include "sluice/core/utf8_character.h"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

/// What may follow a first byte: the range of the second, and how long the character is.
struct Row {
  unsigned char first, last;  // of the first byte
  unsigned char low, high;    // of the second
  std::uint8_t length;
};
constexpr std::array rows = {
    Row{0xC2, 0xDF, 0x80, 0xBF, 2}, Row{0xE0, 0xE0, 0xA0, 0xBF, 3}, Row{0xE1, 0xEC, 0x80, 0xBF, 3},
    Row{0xED, 0xED, 0x80, 0x9F, 3}, Row{0xEE, 0xEF, 0x80, 0xBF, 3}, Row{0xF0, 0xF0, 0x90, 0xBF, 4},
    Row{0xF1, 0xF3, 0x80, 0xBF, 4}, Row{0xF4, 0xF4, 0x80, 0x8F, 4},
};

}  // namespace

Decoded decode_utf8(ConstBytes text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {Decoded::character, 1, first};
  const auto* const row = std::ranges::find_if(rows, [first](const Row& one) { return first <= one.last; });
  if (row == rows.end() || first < row->first) return {Decoded::invalid, 1, 0};
  char32_t code = first & (0x7F >> row->length);
  for (std::uint8_t i = 1; i < row->length; ++i) {
    if (i == text.size()) return {Decoded::incomplete, i, 0};
    const bool fits = i == 1 ? byte(i) >= row->low && byte(i) <= row->high : (byte(i) & 0xC0) == 0x80;
    if (!fits) return {Decoded::invalid, i, 0};
    code = code << 6 | (byte(i) & 0x3F);
  }
  return {Decoded::character, row->length, code};
}

}  // namespace sluice
