#include "sluice/stream/loop.h"

#include <algorithm>
#include <utility>

#include <boost/intrusive/list.hpp>

namespace sluice {

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
};

Loop::Root::promise_type::promise_type(Loop& on, Task<>&, std::function<void()>&) : loop(on) {
  loop.roots_->all.push_back(*this);
}

Loop::Root::promise_type::~promise_type() = default;

Loop::Loop() : reactor_(ready_), roots_(std::make_unique<Roots>()) {}

Loop::~Loop() {
  while (!roots_->all.empty())
    std::coroutine_handle<Root::promise_type>::from_promise(roots_->all.front()).destroy();
  if (mailbox_) mailbox_->close();
}

const std::shared_ptr<Mailbox>& Loop::mailbox() {
  if (!mailbox_) {
    mailbox_ = std::make_shared<Mailbox>();
    reactor_.set_bell(mailbox_->bell());
  }
  return mailbox_;
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
  resume_later(run_task(*this, std::move(task), std::move(then)).coroutine);
}

bool Loop::has_work() const {
  return !stopped_ && !(roots_->all.empty() && ready_.empty() && yielded_.empty());
}

void Loop::run() {
  stopped_ = false;
  while (has_work()) {
    // Tasks that make each other ready are worth more than one look at the descriptors, but must not keep it
    // off.
    constexpr int most_rounds = 16;
    for (int round = 0; round < most_rounds && !ready_.empty() && !stopped_; ++round) run_ready();
    ring();
    if (has_work()) look();
  }
  if (auto thrown = std::exchange(thrown_, nullptr)) std::rethrow_exception(thrown);
}

void Loop::run_ready() {
  running_.swap(ready_);
  auto next = running_.begin();
  while (next != running_.end() && !stopped_) (next++)->resume();
  // Those that a stop has kept from running are the first ones when it runs again.
  ready_.insert(ready_.begin(), next, running_.end());
  running_.clear();
}

void Loop::look() {
  ++looks_;
  const bool busy = !ready_.empty() || !yielded_.empty();
  const auto now = alarms_.empty() ? time_ : Clock::now();
  const auto look = reactor_.wait(busy ? 0 : milliseconds_to_alarm(now));
  if (look.complete) time_ = now;
  ready_.insert(ready_.end(), yielded_.begin(), yielded_.end());
  yielded_.clear();
  if (look.rung) mailbox_->open_all();
}

int Loop::milliseconds_to_alarm(Clock::time_point now) const {
  if (alarms_.empty()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(alarms_.begin()->first - now).count();
  constexpr decltype(left) longest = 1 << 30;
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, longest));
}

void Loop::ring() {
  while (!stopped_ && !alarms_.empty() && alarms_.begin()->first <= time_) {
    Alarm& first = *alarms_.begin()->second;
    first.clear();
    first.ring();
  }
}

Loop::Yield Loop::yield() { return Yield(*this); }

Loop::Sleep Loop::sleep(Duration duration) { return {*this, Clock::now() + duration}; }

void Loop::Alarm::set(Clock::time_point when) {
  place_ = loop_.alarms_.emplace(std::chrono::ceil<std::chrono::milliseconds>(when), this);
  set_ = true;
}

void Loop::Alarm::clear() {
  if (std::exchange(set_, false)) loop_.alarms_.erase(place_);
}

Event::~Event() {
  if (waiting_ != nullptr) waiting_->event_ = nullptr;
}

void Event::notify() {
  notified_ = true;
  if (waiting_ == nullptr) return;
  Wait& wait = *std::exchange(waiting_, nullptr);
  wait.clear();
  loop_.resume_later(wait.task_);
}

Event::Wait Event::wait() { return wait_until(Clock::time_point::max()); }

Event::Wait Event::wait_until(Clock::time_point deadline) { return {*this, deadline}; }

Event::Wait::~Wait() {
  if (event_ != nullptr && event_->waiting_ == this) event_->waiting_ = nullptr;
}

void Event::Wait::await_suspend(std::coroutine_handle<> task) {
  task_ = task;
  event_->waiting_ = this;
  if (has_deadline()) set(deadline_);
}

bool Event::Wait::await_resume() {
  event_->waiting_ = nullptr;
  return std::exchange(event_->notified_, false);
}

}  // namespace sluice
