#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace sluice {

template <class Result = void>
class Task;

namespace detail {

struct TaskPromise {
  struct Final {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> finished) noexcept {
      TaskPromise& promise = finished.promise();
      if (!promise.starting) promise.parent.resume();
    }
    void await_resume() noexcept {}
  };

  std::suspend_always initial_suspend() noexcept { return {}; }
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { thrown = std::current_exception(); }

  std::coroutine_handle<> parent;
  std::exception_ptr thrown;
  /// Inside its first run: one that ends there lets its parent go on by itself, so that a loop over tasks
  /// that never wait does not deepen the stack, however it was compiled.
  bool starting = false;
};

template <class Result>
struct TaskPromiseOf : TaskPromise {
  Task<Result> get_return_object();
  template <class Value>
  void return_value(Value&& value) {
    result.emplace(std::forward<Value>(value));
  }
  Result take() { return std::move(*result); }
  std::optional<Result> result;
};

template <>
struct TaskPromiseOf<void> : TaskPromise {
  Task<void> get_return_object();
  void return_void() noexcept {}
  void take() {}
};

}  // namespace detail

/// A coroutine that is awaited on a loop, once; it begins when it is awaited, and what it throws comes out
/// there. It takes values, or references whose owner awaits it.
template <class Result>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromiseOf<Result>;

  explicit Task(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
  Task(Task&& from) noexcept : coroutine_(std::exchange(from.coroutine_, nullptr)) {}
  Task& operator=(Task&& from) noexcept {
    std::swap(coroutine_, from.coroutine_);
    return *this;
  }
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> parent) {
    detail::TaskPromise& promise = coroutine_.promise();
    promise.parent = parent;
    promise.starting = true;
    coroutine_.resume();
    promise.starting = false;
    return !coroutine_.done();
  }
  Result await_resume() {
    if (coroutine_.promise().thrown) std::rethrow_exception(coroutine_.promise().thrown);
    return coroutine_.promise().take();
  }

 private:
  std::coroutine_handle<promise_type> coroutine_;
};

namespace detail {

template <class Result>
Task<Result> TaskPromiseOf<Result>::get_return_object() {
  return Task<Result>(std::coroutine_handle<TaskPromiseOf>::from_promise(*this));
}

inline Task<void> TaskPromiseOf<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<TaskPromiseOf>::from_promise(*this));
}

}  // namespace detail
}  // namespace sluice
