#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>

#include <signal.h>

#include "sluice/stream/loop.h"

namespace sluice {

/// A thread that no signal is delivered to.
template <class Work>
std::thread quiet_thread(Work work) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(work));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

/// Calls what would block (a look-up of a name) on a thread of its own, and gives its result to the task that
/// awaits it on the loop. `work` must own what it uses: if the loop goes first, it is not waited for.
template <class Work>
auto in_background(Loop& loop, Work work) {
  using Result = std::invoke_result_t<Work>;
  struct Outcome {
    std::optional<Result> result;
    std::exception_ptr thrown;
  };
  struct Awaiter {
    Loop& loop;
    Work work;
    std::shared_ptr<Outcome> outcome = std::make_shared<Outcome>();

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> task) {
      quiet_thread([mailbox = loop.mailbox(), outcome = outcome, work = std::move(work), task]() mutable {
        try {
          outcome->result.emplace(work());
        } catch (...) {
          outcome->thrown = std::current_exception();
        }
        mailbox->put([task] { task.resume(); });
      }).detach();
    }
    Result await_resume() {
      if (outcome->thrown) std::rethrow_exception(outcome->thrown);
      return std::move(*outcome->result);
    }
  };
  return Awaiter{loop, std::move(work)};
}

}  // namespace sluice
