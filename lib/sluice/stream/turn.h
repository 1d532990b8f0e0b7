#pragma once

#include "sluice/core/bytes.h"
#include "sluice/stream/loop.h"

namespace sluice {

/// Gives way to the loop's other tasks after a fair share of work: so many bytes, steps, or so much time.
/// What never waits (files, a peer that floods us) would hold up signals, alarms and everybody else without
/// it.
class Turn {
 public:
  explicit Turn(Loop& loop) : loop_(loop) {}

  /// Whether a step that moved so many bytes, and ended `now`, was the last one of this turn.
  bool over(std::size_t moved, Clock::time_point now) {
    moved_ += moved;
    if (steps_++ == 0) begun_ = now;
    return moved_ >= most_bytes || steps_ >= most_steps || now - begun_ >= most_time;
  }
  /// Lets the others run.
  Task<> pass() {
    moved_ = 0;
    steps_ = 0;
    co_await loop_.yield();
  }

 private:
  static constexpr std::size_t most_bytes = mib(1);
  static constexpr unsigned most_steps = 256;
  static constexpr Duration most_time = std::chrono::milliseconds(5);

  Loop& loop_;
  std::size_t moved_ = 0;
  unsigned steps_ = 0;
  Clock::time_point begun_;
};

}  // namespace sluice
