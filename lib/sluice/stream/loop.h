#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "sluice/stream/task.h"

namespace sluice {

using Clock = std::chrono::steady_clock;
using Duration = std::chrono::nanoseconds;

/// The event loop of one thread: everything that waits, waits here. Nothing in it is locked.
class Loop {
 public:
  Loop() : context_(1) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  boost::asio::io_context& context() { return context_; }

  /// Starts a task that nobody awaits; `then`, if any, is called after it has returned.
  /// A task that throws ends run(), which throws the same.
  void start(Task<> task, std::function<void()> then = {});
  /// Runs until no task is left, or stop().
  void run();
  void stop() { context_.stop(); }

  /// Lets everything else that is ready run first.
  Task<> yield();
  Task<> sleep(Duration duration);

 private:
  boost::asio::io_context context_;
  std::exception_ptr thrown_;
};

/// One task waits for another to notify it. A notification that comes before the wait is kept, not counted.
class Event {
 public:
  explicit Event(Loop& loop) : timer_(loop.context()) {}

  void notify();
  Task<> wait();
  /// Whether it was notified before the deadline.
  Task<bool> wait_until(Clock::time_point deadline);

 private:
  boost::asio::steady_timer timer_;
  bool notified_ = false;
};

}  // namespace sluice
