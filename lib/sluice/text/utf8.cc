#include "sluice/text/utf8.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sluice {
namespace {

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
