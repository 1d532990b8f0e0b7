#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "sluice/stream/loop.h"

namespace sluice {

/// Calls a function at the end of each interval, while it lives, from a thread of its own: for what is to be
/// said in time although the rest of the program blocks. No signal is delivered to that thread. Intervals
/// that are missed, because the function took long or the process was stopped, are left out.
class Ticker {
 public:
  /// `tick` gets the time since the beginning.
  Ticker(Duration interval, std::function<void(Duration)> tick);
  /// Waits for a tick that has begun.
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  void run(Duration interval, const std::function<void(Duration)>& tick);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace sluice
