#pragma once

#include <cstddef>
#include <vector>

#include "sluice/stream/batch.h"

namespace sluice {

/// Messages in the order in which they came, in one piece of memory. While it is empty it holds none: there
/// may be thousands of queues of which few have something in them.
class MessageQueue {
 public:
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  /// All bytes that are in it, edges aside.
  std::size_t bytes() const { return bytes_; }
  /// What it takes of the process's memory.
  std::size_t memory() const { return records_.capacity(); }

  void put(ConstBytes message);
  /// The oldest one, which is there.
  ConstBytes front() const;
  void pop();
  /// Moves the oldest ones into an empty batch: as many as it takes, at least one; or one as a chunk of
  /// bytes, for which the batch is replaced if it is too small.
  void take(Batch& into);

 private:
  std::vector<char> records_;  ///< each a size and so many bytes
  std::size_t first_ = 0;      ///< where the oldest one stands
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace sluice
