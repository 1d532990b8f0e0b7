#pragma once

#include <coroutine>
#include <tuple>
#include <utility>

namespace sluice {

/// Awaits one operation of Asio and gives its results as a tuple. `initiate` is given the completion handler:
///
///     const auto [error] = co_await completion<boost::system::error_code>(
///         [&](auto handler) { timer.async_wait(std::move(handler)); });
template <class... Results, class Initiate>
auto completion(Initiate initiate) {
  struct Awaiter {
    Initiate initiate;
    std::tuple<Results...> results = {};

    bool await_ready() const noexcept { return false; }
    // Asio never calls a handler before the operation has been started.
    void await_suspend(std::coroutine_handle<> waiting) {
      initiate([this, waiting](Results... values) {
        results = {std::move(values)...};
        waiting.resume();
      });
    }
    std::tuple<Results...> await_resume() { return std::move(results); }
  };
  return Awaiter{std::move(initiate)};
}

}  // namespace sluice
