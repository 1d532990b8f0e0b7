#pragma once

#include <sys/epoll.h>

#include <array>
#include <coroutine>
#include <cstdint>
#include <vector>

#include "sluice/core/fd.h"

namespace sluice {

class Reactor;

/// A descriptor under a reactor's eyes, from the first wait for it until it goes. It changes nothing about
/// the descriptor or its description, so it does for inherited ones as well (epoll(7)).
class Watch {
 public:
  /// What is waited for: a try at reading or writing is worth while, or the other side has gone altogether.
  enum class Readiness : unsigned char { readable, writable, hung_up };

  /// A suspended task that waits. It stands in the frame of that task, and takes itself off when it goes.
  class Waiter {
   public:
    Waiter() = default;
    ~Waiter() { leave(); }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    /// Makes the task go on when its turn comes, if it still waits; says whether it did.
    bool wake();

   private:
    friend Watch;
    void leave();
    Watch* at_ = nullptr;
    Waiter* next_ = nullptr;
    std::coroutine_handle<> task_;
    Readiness what_ = Readiness::readable;
  };

  Watch(Reactor& reactor, int fd) : reactor_(reactor), fd_(fd) {}
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// The task goes on when the descriptor is ready, or woken. Throws Failure if it cannot be watched.
  void wait(Waiter& waiter, Readiness what, std::coroutine_handle<> task);
  void wake(Readiness what);
  void wake_all();
  /// Nothing is expected any more (the input is over): if nobody waits, it is watched again from the next
  /// wait.
  void rest();

 private:
  friend Reactor;
  void happened(std::uint32_t events);
  void touch();
  void settle();
  bool awaited(Readiness what) const { return waiters_[static_cast<std::size_t>(what)] != nullptr; }
  void ask_for(std::uint32_t interest);
  void leave_reactor();

  Reactor& reactor_;
  int fd_;
  bool registered_ = false;
  bool touched_ = false;
  bool rests_ = false;
  std::uint32_t interest_ = 0;  ///< EPOLLIN and EPOLLOUT, as the kernel knows it
  std::array<Waiter*, 3> waiters_{};
};

/// Waits for many descriptors at once, by a level-triggered epoll(7): what was not read to its end tells
/// again, so that a short read may be followed by a wait. Interest in input stays for the next wait, which
/// then costs no system call; it is dropped when something is reported that nobody waits for. Whatever is
/// dropped is so just before the next wait: by then most of what ended has been closed.
class Reactor {
 public:
  /// Tasks that may go on are added to `ready`.
  explicit Reactor(std::vector<std::coroutine_handle<>>& ready);

  struct Look {
    bool rung = false;      ///< the bell was
    bool complete = false;  ///< all that descriptors had to tell when it began has been told
  };
  /// Waits until something happens, a signal comes, or `timeout_ms` have passed (-1: no limit).
  Look wait(int timeout_ms);
  /// A descriptor that no task waits for; it is rung when it can be read.
  void set_bell(int fd);

 private:
  friend Watch;

  std::vector<std::coroutine_handle<>>& ready_;
  Fd epoll_;
  std::vector<Watch*> touched_;  ///< those that may be watched for less from the next wait on
  std::vector<epoll_event> events_;
};

}  // namespace sluice
