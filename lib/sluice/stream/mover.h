#pragma once

#include <cstddef>
#include <memory>

#include "sluice/stream/batch.h"
#include "sluice/stream/descriptor.h"
#include "sluice/stream/pools.h"

namespace sluice {

/// What one step of a mover came to.
struct Step {
  enum Outcome {
    moved,         ///< some bytes; there may be more at once
    source_waits,  ///< nothing to read now
    target_waits,  ///< no room to write now
    source_ended,  ///< `error` says why
    target_ended,
    refused,  ///< the source is at its end, or the kernel does not move these bytes this way: copying will
              ///< show
  } outcome = moved;
  std::size_t bytes = 0;  ///< that left the source, whatever the outcome
  int error = 0;
};

/// Moves bytes between two descriptors inside the kernel, a bounded step at a time, and never waits.
class Mover {
 public:
  virtual ~Mover() = default;
  virtual Step step() = 0;
  /// Takes bytes that left the source and have not reached the target: after `refused`, until there are none.
  virtual void take_rest(Batch& into);
  /// Whether there are such bytes.
  virtual bool holds_something() const { return false; }
  /// Nothing is between source and target, and none of what it used for that is needed while it waits.
  virtual void relax() {}
};

/// The way for two descriptors that may both be spliced:
///   file to file    copy_file_range(2)
///   file to socket  sendfile(2)
///   a pipe or an AF_UNIX socket to a network's    none: copying moves a third more
///   a pipe at either end (or both)   splice(2)
///   else            splice(2) through a pipe of the pool
/// nullptr if there is none, or splicing is denied.
std::unique_ptr<Mover> mover_between(Descriptor& source, Descriptor& target, PipePool& pipes);

/// Each way by itself.
std::unique_ptr<Mover> copy_range(int source, int target);
std::unique_ptr<Mover> send_file(int source, int target);
std::unique_ptr<Mover> splice_directly(int source, int target);
std::unique_ptr<Mover> splice_through(int source, int target, PipePool& pipes);

}  // namespace sluice
