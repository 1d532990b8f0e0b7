#include "sluice/stream/loop.h"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sluice {

namespace asio = boost::asio;

void Loop::start(Task<> task, std::function<void()> then) {
  asio::co_spawn(context_, std::move(task), [this, then = std::move(then)](std::exception_ptr thrown) {
    if (thrown && !thrown_) {
      thrown_ = thrown;
      context_.stop();
    }
    if (then) then();
  });
}

void Loop::run() {
  context_.restart();
  context_.run();
  if (auto thrown = std::exchange(thrown_, nullptr)) std::rethrow_exception(thrown);
}

Task<> Loop::yield() { co_await asio::post(context_, asio::use_awaitable); }

Task<> Loop::sleep(Duration duration) {
  asio::steady_timer timer(context_, duration);
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

void Event::notify() {
  notified_ = true;
  timer_.cancel();
}

Task<> Event::wait() { co_await wait_until(Clock::time_point::max()); }

Task<bool> Event::wait_until(Clock::time_point deadline) {
  while (!notified_) {
    if (Clock::now() >= deadline) co_return false;
    timer_.expires_at(deadline);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  notified_ = false;
  co_return true;
}

}  // namespace sluice
