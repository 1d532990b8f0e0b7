#include "sluice/text/filter.h"

#include <algorithm>

namespace sluice {

void Output::append(ConstBytes bytes) {
  std::copy(bytes.begin(), bytes.end(), room(bytes.size()).begin());
  added(bytes.size());
}

void Output::grow(std::size_t count) {
  const std::size_t capacity = std::max({size_ + count, capacity_ * 2, kib(4)});
  // Not value-initialised: a fresh buffer's pages stay untouched until they are used.
  std::unique_ptr<char[]> larger(new char[capacity]);
  std::copy_n(buffer_.get(), size_, larger.get());
  buffer_ = std::move(larger);
  capacity_ = capacity;
}

}  // namespace sluice
