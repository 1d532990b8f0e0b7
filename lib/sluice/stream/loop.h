#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>

#include "sluice/stream/pools.h"
#include "sluice/stream/task.h"

namespace sluice {

using Clock = std::chrono::steady_clock;
using Duration = std::chrono::nanoseconds;
using Timer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>,
                                                boost::asio::io_context::executor_type>;

/// The event loop of one thread: everything that waits, waits here. Nothing in it is locked.
class Loop {
 public:
  Loop();
  /// Tasks that have not returned are destroyed where they wait.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  boost::asio::io_context& context() { return context_; }
  BufferPool& buffers() { return buffers_; }
  PipePool& pipes() { return pipes_; }

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
  struct Root;
  struct Roots;
  static Root run_task(Loop& loop, Task<> task, std::function<void()> then);

  BufferPool buffers_;
  PipePool pipes_;
  boost::asio::io_context context_;
  std::unique_ptr<Roots> roots_;
  std::exception_ptr thrown_;
};

/// One task waits for another to notify it. A notification that comes before the wait is kept, not counted.
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void notify();
  Task<> wait();
  /// Whether it was notified before the deadline.
  Task<bool> wait_until(Clock::time_point deadline);

 private:
  Loop& loop_;
  std::coroutine_handle<> waiting_;
  std::unique_ptr<Timer> timer_;  ///< made at the first wait that has a deadline
  bool notified_ = false;
};

}  // namespace sluice
