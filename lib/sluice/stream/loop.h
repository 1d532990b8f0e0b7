#pragma once

#include <chrono>
#include <coroutine>
#include <exception>
#include <functional>
#include <map>
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
  class Sleep;
  Sleep sleep(Duration duration);

  /// A moment at which a suspended task goes on, unless the alarm is gone by then. All alarms of a loop share
  /// one timer, and those of the same millisecond one wake-up.
  class Alarm;

 private:
  using Alarms = std::multimap<Clock::time_point, std::pair<Alarm*, std::coroutine_handle<>>>;
  struct Root;
  struct Roots;
  static Root run_task(Loop& loop, Task<> task, std::function<void()> then);
  void arm();
  void ring();

  BufferPool buffers_;
  PipePool pipes_;
  boost::asio::io_context context_;
  std::unique_ptr<Roots> roots_;
  std::exception_ptr thrown_;
  Alarms alarms_;
  Timer timer_;
  Clock::time_point armed_ = Clock::time_point::max();
};

class Loop::Alarm {
 public:
  explicit Alarm(Loop& loop) : loop_(loop) {}
  ~Alarm() { clear(); }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  void set(Clock::time_point when, std::coroutine_handle<> task);
  void clear();

 private:
  friend Loop;
  Loop& loop_;
  Alarms::iterator place_;
  bool set_ = false;
};

class [[nodiscard]] Loop::Sleep {
 public:
  Sleep(Loop& loop, Clock::time_point until) : alarm_(loop), until_(until) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> task) { alarm_.set(until_, task); }
  void await_resume() const noexcept {}

 private:
  Alarm alarm_;
  Clock::time_point until_;
};

/// One task waits for another to notify it. A notification that comes before the wait is kept, not counted.
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void notify();
  class Wait;
  Wait wait();
  /// Awaited, it says whether it was notified before the deadline.
  Wait wait_until(Clock::time_point deadline);

 private:
  Loop& loop_;
  Wait* waiting_ = nullptr;
  bool notified_ = false;
};

/// It is awaited where it is made.
class [[nodiscard]] Event::Wait {
 public:
  Wait(Event& event, Clock::time_point deadline) : event_(&event), alarm_(event.loop_), deadline_(deadline) {}
  ~Wait();
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  bool await_ready() const { return event_->notified_ || (has_deadline() && Clock::now() >= deadline_); }
  void await_suspend(std::coroutine_handle<> task);
  bool await_resume();

 private:
  friend Event;
  bool has_deadline() const { return deadline_ != Clock::time_point::max(); }

  Event* event_;  ///< none once it has gone, with the loop
  Loop::Alarm alarm_;
  Clock::time_point deadline_;
  std::coroutine_handle<> task_;
};

}  // namespace sluice
