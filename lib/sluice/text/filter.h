#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "sluice/core/bytes.h"

namespace sluice {

/// Where a filter puts its bytes: a buffer that grows and is emptied by whoever runs the filter.
class Output {
 public:
  /// At least `count` writable bytes behind what is there; `added` says how many were used.
  Bytes room(std::size_t count) {
    if (capacity_ - size_ < count) grow(count);
    return {buffer_.get() + size_, capacity_ - size_};
  }
  void added(std::size_t count) { size_ += count; }
  void append(ConstBytes bytes);

  ConstBytes data() const { return {buffer_.get(), size_}; }
  bool empty() const { return size_ == 0; }
  void clear() { size_ = 0; }

 private:
  void grow(std::size_t count);

  std::unique_ptr<char[]> buffer_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Turns a stream of bytes into another. It may grow, shrink or hold back what it is fed.
class Filter {
 public:
  virtual ~Filter() = default;
  /// Takes all of `in`; what is ready goes to `out`.
  virtual void feed(ConstBytes in, Output& out) = 0;
  /// The text is over: what was held back goes to `out`, and the filter stands at its beginning again.
  virtual void finish(Output& out) = 0;
  /// Whether what it is fed comes out again, changed or not; else it only says something about it in the end.
  virtual bool passes_on() const { return true; }
};

}  // namespace sluice
