#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "sluice/stream/mailbox.h"
#include "sluice/stream/pools.h"
#include "sluice/stream/reactor.h"
#include "sluice/stream/task.h"

namespace sluice {

using Clock = std::chrono::steady_clock;
using Duration = std::chrono::nanoseconds;

/// The event loop of one thread: everything that waits, waits here. Nothing in it is locked.
class Loop {
 public:
  Loop();
  /// Tasks that have not returned are destroyed where they wait.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Reactor& reactor() { return reactor_; }
  BufferPool& buffers() { return buffers_; }
  PipePool& pipes() { return pipes_; }
  /// For other threads. Made at the first call, which is the loop's own.
  const std::shared_ptr<Mailbox>& mailbox();

  /// Starts a task that nobody awaits; `then`, if any, is called after it has returned.
  /// A task that throws ends run(), which throws the same.
  void start(Task<> task, std::function<void()> then = {});
  /// Runs until no task is left, or stop().
  void run();
  void stop() { stopped_ = true; }

  /// The time that alarms go by: all that descriptors had to tell by then has been told. It is behind the
  /// clock while the process is stopped or busy, so that nobody is taken for silent who was not listened to.
  Clock::time_point time() const { return time_; }

  /// How often it has looked at all descriptors: since a look, every other task has had its turn.
  std::uint64_t looks() const { return looks_; }

  /// Makes a suspended task go on soon, after everything that is ready by now.
  void resume_later(std::coroutine_handle<> task) { ready_.push_back(task); }
  /// Awaited, it lets everything else that can go on do so first.
  class Yield;
  Yield yield();
  class Sleep;
  Sleep sleep(Duration duration);

  /// Something that happens at a moment of `time`, unless it is gone by then. Those of the same millisecond
  /// are one wake-up of the loop.
  class Alarm;

 private:
  struct Root;
  struct Roots;
  static Root run_task(Loop& loop, Task<> task, std::function<void()> then);
  bool has_work() const;
  void run_ready();
  void look();
  void ring();
  int milliseconds_to_alarm(Clock::time_point now) const;

  BufferPool buffers_;
  PipePool pipes_;
  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::coroutine_handle<>> running_;
  std::vector<std::coroutine_handle<>> yielded_;  ///< ready when the descriptors have been looked at
  Reactor reactor_;
  std::shared_ptr<Mailbox> mailbox_;
  std::multimap<Clock::time_point, Alarm*> alarms_;
  std::uint64_t looks_ = 0;
  Clock::time_point time_;  ///< kept while there are alarms
  std::unique_ptr<Roots> roots_;
  std::exception_ptr thrown_;
  bool stopped_ = false;
};

class Loop::Alarm {
 public:
  explicit Alarm(Loop& loop) : loop_(loop) {}
  virtual ~Alarm() { clear(); }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  void set(Clock::time_point when);
  void clear();

 private:
  friend Loop;
  virtual void ring() = 0;

  Loop& loop_;
  std::multimap<Clock::time_point, Alarm*>::iterator place_;
  bool set_ = false;
};

class [[nodiscard]] Loop::Yield {
 public:
  explicit Yield(Loop& loop) : loop_(loop) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> task) { loop_.yielded_.push_back(task); }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
};

class [[nodiscard]] Loop::Sleep : Alarm {
 public:
  Sleep(Loop& loop, Clock::time_point until) : Alarm(loop), until_(until) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> task) {
    task_ = task;
    set(until_);
  }
  void await_resume() const noexcept {}

 private:
  void ring() override { task_.resume(); }

  Clock::time_point until_;
  std::coroutine_handle<> task_;
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
class [[nodiscard]] Event::Wait : Loop::Alarm {
 public:
  Wait(Event& event, Clock::time_point deadline) : Alarm(event.loop_), event_(&event), deadline_(deadline) {}
  ~Wait() override;

  bool await_ready() const {
    return event_->notified_ || (has_deadline() && event_->loop_.time() >= deadline_);
  }
  void await_suspend(std::coroutine_handle<> task);
  bool await_resume();

 private:
  friend Event;
  bool has_deadline() const { return deadline_ != Clock::time_point::max(); }
  void ring() override { task_.resume(); }

  Event* event_;  ///< none once it has gone, with the loop
  Clock::time_point deadline_;
  std::coroutine_handle<> task_;
};

}  // namespace sluice
