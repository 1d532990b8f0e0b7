#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "sluice/core/bytes.h"
#include "sluice/core/fd.h"

namespace sluice {

/// Buffers for which somebody has just waited, kept for the next one: whoever waits for input holds none, so
/// that thousands of idle sessions share a few.
class BufferPool {
 public:
  struct GiveBack {
    BufferPool* pool = nullptr;
    std::size_t size = 0;
    void operator()(char* buffer) const;
  };
  using Buffer = std::unique_ptr<char[], GiveBack>;

  BufferPool() = default;
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// Its bytes are not initialised. It begins on a page if it is as large as one: that is quicker to read
  /// into, and what O_DIRECT needs.
  Buffer take(std::size_t size);
  /// One of no pool.
  static Buffer make(std::size_t size);

  std::size_t kept() const { return kept_.size(); }

 private:
  static constexpr std::size_t most_kept = 16;
  static Buffer allocate(std::size_t size, BufferPool* pool);
  static void free(char* buffer, std::size_t size);

  struct Free {
    std::size_t size;
    void operator()(char* buffer) const { free(buffer, size); }
  };
  using Kept = std::unique_ptr<char[], Free>;
  std::vector<Kept> kept_;
};

/// A pipe between two descriptors that splice(2) cannot join.
struct Middle {
  Fd in, out;
  std::size_t size = 0;  ///< what it holds at most
  std::size_t held = 0;
};

/// Middle pipes, kept for the next flow. Only empty ones come back.
class PipePool {
 public:
  PipePool() = default;
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;

  /// Nothing if the process or the system has no more descriptors.
  std::optional<Middle> take();
  void give(Middle middle);

  std::size_t kept() const { return kept_.size(); }
  /// Closes those that are kept: their descriptors are wanted elsewhere.
  void clear() { kept_.clear(); }

 private:
  static constexpr std::size_t most_kept = 16;
  std::vector<Middle> kept_;
  /// What a new pipe is asked to hold; less, once the user's limit has been met (pipe(7):
  /// pipe-user-pages-soft).
  std::size_t wanted_ = mib(1);
};

}  // namespace sluice
