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

Loop::Loop() : context_(1), roots_(std::make_unique<Roots>()) {}

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

Task<> Loop::sleep(Duration duration) {
  Timer timer(context_, duration);
  co_await completion<boost::system::error_code>([&](auto handler) { timer.async_wait(std::move(handler)); });
}

void Event::notify() {
  notified_ = true;
  if (waiting_)
    asio::post(loop_.context(), [waiting = std::exchange(waiting_, {})] { waiting.resume(); });
  else if (timer_)
    timer_->cancel();
}

Task<> Event::wait() { co_await wait_until(Clock::time_point::max()); }

Task<bool> Event::wait_until(Clock::time_point deadline) {
  struct Suspended {
    std::coroutine_handle<>& waiting;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> self) noexcept { waiting = self; }
    void await_resume() const noexcept {}
  };
  while (!notified_) {
    if (deadline == Clock::time_point::max()) {
      co_await Suspended{waiting_};
      continue;
    }
    if (Clock::now() >= deadline) co_return false;
    if (!timer_) timer_ = std::make_unique<Timer>(loop_.context());
    timer_->expires_at(deadline);
    co_await completion<boost::system::error_code>(
        [this](auto handler) { timer_->async_wait(std::move(handler)); });
  }
  notified_ = false;
  co_return true;
}

}  // namespace sluice
