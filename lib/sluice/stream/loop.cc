#include "sluice/stream/loop.h"

#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/intrusive/list.hpp>

#include "sluice/stream/completion.h"

namespace sluice {

namespace asio = boost::asio;
namespace intrusive = boost::intrusive;

/// The outermost coroutine of a task that nobody awaits. It frees itself when it ends.
struct Loop::Root {
  struct promise_type : intrusive::list_base_hook<intrusive::link_mode<intrusive::auto_unlink>> {
    promise_type(Loop& loop, Task<>&, std::function<void()>&);
    ~promise_type();

    Root get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }

    Loop& loop;
  };
  std::coroutine_handle<promise_type> coroutine;
};

/// All tasks that were started and have not returned. While there are any, the loop has work.
struct Loop::Roots {
  intrusive::list<Root::promise_type, intrusive::constant_time_size<false>> all;
  std::size_t count = 0;
};

Loop::Root::promise_type::promise_type(Loop& on, Task<>&, std::function<void()>&) : loop(on) {
  loop.roots_->all.push_back(*this);
  if (loop.roots_->count++ == 0) loop.context_.get_executor().on_work_started();
}

Loop::Root::promise_type::~promise_type() {
  if (--loop.roots_->count == 0) loop.context_.get_executor().on_work_finished();
}

Loop::Loop() : context_(1), roots_(std::make_unique<Roots>()), timer_(context_) {}

Loop::~Loop() {
  while (!roots_->all.empty())
    std::coroutine_handle<Root::promise_type>::from_promise(roots_->all.front()).destroy();
}

Loop::Root Loop::run_task(Loop& loop, Task<> task, std::function<void()> then) {
  try {
    co_await task;
    // What it held is let go before others hear that it is over.
    { const auto done = std::move(task); }
    if (then) then();
  } catch (...) {
    if (!loop.thrown_) loop.thrown_ = std::current_exception();
    loop.stop();
  }
}

void Loop::start(Task<> task, std::function<void()> then) {
  const auto coroutine = run_task(*this, std::move(task), std::move(then)).coroutine;
  asio::post(context_, [coroutine] { coroutine.resume(); });
}

void Loop::run() {
  context_.restart();
  context_.run();
  if (auto thrown = std::exchange(thrown_, nullptr)) std::rethrow_exception(thrown);
}

Task<> Loop::yield() {
  co_await completion<>([this](auto handler) { asio::post(context_, std::move(handler)); });
}

Loop::Sleep Loop::sleep(Duration duration) { return {*this, Clock::now() + duration}; }

void Loop::arm() {
  armed_ = alarms_.begin()->first;
  timer_.expires_at(armed_);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) ring();
  });
}

void Loop::ring() {
  armed_ = Clock::time_point::max();
  const auto now = Clock::now();
  while (!alarms_.empty() && alarms_.begin()->first <= now) {
    const auto [alarm, task] = alarms_.begin()->second;
    alarms_.erase(alarms_.begin());
    alarm->set_ = false;
    task.resume();
  }
  if (!alarms_.empty() && armed_ != alarms_.begin()->first) arm();
}

void Loop::Alarm::set(Clock::time_point when, std::coroutine_handle<> task) {
  place_ = loop_.alarms_.emplace(std::chrono::ceil<std::chrono::milliseconds>(when), std::pair(this, task));
  set_ = true;
  if (place_->first < loop_.armed_) loop_.arm();
}

void Loop::Alarm::clear() {
  if (!std::exchange(set_, false)) return;
  loop_.alarms_.erase(place_);
  // A timer that nobody waits for would keep the loop running.
  if (!loop_.alarms_.empty()) return;
  loop_.timer_.cancel();
  loop_.armed_ = Clock::time_point::max();
}

Event::~Event() {
  if (waiting_ != nullptr) waiting_->event_ = nullptr;
}

void Event::notify() {
  notified_ = true;
  if (waiting_ == nullptr) return;
  Wait& wait = *std::exchange(waiting_, nullptr);
  wait.alarm_.clear();
  asio::post(loop_.context(), [task = wait.task_] { task.resume(); });
}

Event::Wait Event::wait() { return wait_until(Clock::time_point::max()); }

Event::Wait Event::wait_until(Clock::time_point deadline) { return {*this, deadline}; }

Event::Wait::~Wait() {
  if (event_ != nullptr && event_->waiting_ == this) event_->waiting_ = nullptr;
}

void Event::Wait::await_suspend(std::coroutine_handle<> task) {
  task_ = task;
  event_->waiting_ = this;
  if (has_deadline()) alarm_.set(deadline_, task);
}

bool Event::Wait::await_resume() {
  event_->waiting_ = nullptr;
  return std::exchange(event_->notified_, false);
}

}  // namespace sluice
