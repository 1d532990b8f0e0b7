#include "sluice/stream/pools.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <utility>

namespace sluice {

namespace {

constexpr std::size_t page = 4096;

constexpr std::align_val_t alignment_of(std::size_t size) {
  return std::align_val_t(size < page ? alignof(std::max_align_t) : page);
}

}  // namespace

BufferPool::Buffer BufferPool::allocate(std::size_t size, BufferPool* pool) {
  return Buffer(static_cast<char*>(::operator new[](size, alignment_of(size))), {pool, size});
}

void BufferPool::free(char* buffer, std::size_t size) { ::operator delete[](buffer, alignment_of(size)); }

void BufferPool::GiveBack::operator()(char* buffer) const {
  Kept owned(buffer, {size});
  if (pool != nullptr && pool->kept_.size() < most_kept) pool->kept_.push_back(std::move(owned));
}

BufferPool::Buffer BufferPool::take(std::size_t size) {
  // The one that was given last is the warmest.
  const auto found = std::find_if(kept_.rbegin(), kept_.rend(),
                                  [size](const Kept& one) { return one.get_deleter().size == size; });
  if (found == kept_.rend()) return allocate(size, this);
  Buffer buffer(found->release(), {this, size});
  kept_.erase(std::prev(found.base()));
  return buffer;
}

BufferPool::Buffer BufferPool::make(std::size_t size) { return allocate(size, nullptr); }

std::optional<Middle> PipePool::take() {
  if (!kept_.empty()) {
    Middle middle = std::move(kept_.back());
    kept_.pop_back();
    return middle;
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return std::nullopt;
  Middle middle{Fd(ends[1]), Fd(ends[0])};
  // More is better, but what all pipes of an ordinary user may hold is limited: what there is will do.
  constexpr std::array sizes = {mib(1), kib(512), kib(256)};
  for (const std::size_t size : sizes) {
    if (size > wanted_) continue;
    const int granted = ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(size));
    if (granted < 0) continue;
    wanted_ = size;
    middle.size = static_cast<std::size_t>(granted);
    return middle;
  }
  middle.size = static_cast<std::size_t>(std::max(::fcntl(ends[1], F_GETPIPE_SZ), 0));
  return middle;
}

void PipePool::give(Middle middle) {
  if (middle.held == 0 && kept_.size() < most_kept) kept_.push_back(std::move(middle));
}

}  // namespace sluice
