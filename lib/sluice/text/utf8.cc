#include "sluice/text/utf8.h"

#include <algorithm>
#include <cstring>
#include <utility>

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

/// How many bytes at the beginning are ASCII, eight at a time.
std::size_t leading_ascii(ConstBytes text) {
  std::size_t count = 0;
  for (std::uint64_t eight = 0; count + sizeof eight <= text.size(); count += sizeof eight) {
    std::memcpy(&eight, text.data() + count, sizeof eight);
    if ((eight & 0x8080808080808080) != 0) break;
  }
  return count;
}

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

void Utf8Checker::feed(ConstBytes in) {
  while (held_size_ > 0 && !in.empty() && !invalid_at_) {
    held_[held_size_++] = in.front();
    in = in.subspan(1);
    check(ConstBytes(held_).first(std::exchange(held_size_, 0)));
  }
  if (!invalid_at_) check(in);
}

void Utf8Checker::check(ConstBytes text) {
  while (!text.empty()) {
    const std::size_t ascii = leading_ascii(text);
    checked_ += ascii;
    text = text.subspan(ascii);
    if (text.empty()) return;
    const Decoded next = decode_utf8(text);
    if (next.what == Decoded::invalid) {
      invalid_at_ = checked_;
      return;
    }
    if (next.what == Decoded::incomplete) {
      held_size_ = std::min(text.size(), held_.size());  // it is the smaller one
      std::copy_n(text.begin(), held_size_, held_.begin());
      return;
    }
    checked_ += next.length;
    text = text.subspan(next.length);
  }
}

void Utf8Checker::finish() {
  if (held_size_ > 0 && !invalid_at_) invalid_at_ = checked_;
}

bool is_utf8(ConstBytes text) {
  Utf8Checker checker;
  checker.feed(text);
  checker.finish();
  return !checker.invalid_at();
}

}  // namespace sluice
