#pragma once

#include <cstdint>

#include "sluice/core/bytes.h"
#include "sluice/stream/loop.h"

namespace sluice {

/// Gives way to the loop's other tasks after a fair share of work: so many bytes, steps, or so much time.
/// What never waits (files, a peer that floods us) would hold up signals, alarms and everybody else without
/// it.
class Turn {
 public:
  explicit Turn(Loop& loop) : loop_(loop) {}

  /// Whether a step that moved so many bytes, and ended `now`, was the last one of this turn. A turn begins
  /// again whenever the loop has looked at the others, since the task has waited then.
  bool over(std::size_t moved, Clock::time_point now) {
    if (steps_ == 0 || looks_ != loop_.looks()) begin(now);
    moved_ += moved;
    ++steps_;
    return moved_ >= most_bytes || steps_ >= most_steps || now - begun_ >= most_time;
  }
  /// Lets the others run.
  Task<> pass() { co_await loop_.yield(); }

 private:
  static constexpr std::size_t most_bytes = mib(1);
  static constexpr unsigned most_steps = 256;
  static constexpr Duration most_time = std::chrono::milliseconds(5);

  void begin(Clock::time_point now) {
    moved_ = 0;
    steps_ = 0;
    begun_ = now;
    looks_ = loop_.looks();
  }

  Loop& loop_;
  std::size_t moved_ = 0;
  unsigned steps_ = 0;
  std::uint64_t looks_ = 0;
  Clock::time_point begun_;
};

}  // namespace sluice
