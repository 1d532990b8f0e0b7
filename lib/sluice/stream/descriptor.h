#pragma once

#include <sys/types.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>

#include "sluice/core/bytes.h"
#include "sluice/core/fd.h"
#include "sluice/stream/loop.h"

namespace sluice {

/// How a descriptor may be used without ever blocking the loop or changing what others share.
enum class Access {
  own,            ///< its description is ours and has O_NONBLOCK: may be spliced
  always_ready,   ///< a regular file, a block device, or what else epoll refuses: bounded calls never wait
                  ///< long
  shared_socket,  ///< inherited: MSG_DONTWAIT on each call, never spliced, since SPLICE_F_NONBLOCK blocks on
                  ///< it
  shared_pipe,    ///< inherited and not to be reopened: through a pipe of our own with SPLICE_F_NONBLOCK
};

/// What one try at a transfer came to: bytes moved (0 at the end of input), or an errno.
struct Attempt {
  ssize_t count = 0;
  int error = 0;
  bool would_block() const { return error == EAGAIN; }
};

/// Makes a system call once, or again while a signal interrupts it: the one place that knows EINTR and
/// EAGAIN.
template <class Call>
Attempt uninterrupted(Call call) {
  for (;;) {
    const ssize_t count = call();
    if (count >= 0) return {count, 0};
    if (errno != EINTR) return {-1, errno == EWOULDBLOCK ? EAGAIN : errno};
  }
}

/// A file descriptor on a loop. Tries come first; waiting is for when a try would block.
class Descriptor {
 public:
  using Readiness = Watch::Readiness;
  using enum Watch::Readiness;

  Descriptor(Loop& loop, Fd fd, Access access = Access::own);
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const { return fd_.get(); }
  Access access() const { return access_; }
  /// What it is, as st_mode has it: S_IFIFO, S_IFSOCK and so on.
  mode_t kind() const;
  Loop& loop() const { return loop_; }

  /// One read(2) or write(2), at most 256 KiB, EINTR handled.
  Attempt try_read(Bytes into);
  Attempt try_write(ConstBytes from);

  /// Whether a try would be worth while now.
  bool is_ready(Readiness readiness) const;
  /// Awaited, it goes on when a try is worth while, maybe early: true, or false if stopped.
  class Wait;
  Wait wait(Readiness readiness);
  /// The same, but no longer than until a deadline: then it is false.
  class TimedWait;
  TimedWait wait_until(Readiness readiness, Clock::time_point deadline);
  /// Its input is over: saves being told so again and again.
  void rest();
  /// Makes a waiting and every later wait for this return false.
  void stop(Readiness readiness);
  /// Makes waits for this possible again, after `stop`: for closing.
  void resume(Readiness readiness) { stopped_ &= ~bit_of(readiness); }
  /// Makes waits for this complete early, once.
  void wake(Readiness readiness);
  bool stopped(Readiness readiness) const { return (stopped_ & bit_of(readiness)) != 0; }

  /// Gives the descriptor away, off the loop. Nothing may be waiting.
  Fd release();
  /// Closes it now; waits end.
  std::error_code close_checked();

 private:
  static unsigned bit_of(Readiness readiness) { return 1U << static_cast<unsigned>(readiness); }
  Attempt read_through_pipe(Bytes into);
  Attempt write_through_pipe(ConstBytes from);
  bool open_middle();

  Loop& loop_;
  Fd fd_;
  Access access_;
  unsigned stopped_ = 0;
  std::optional<Watch> watch_;
  /// Of a shared_pipe.
  struct Middle;
  std::unique_ptr<Middle> middle_;
};

/// It is awaited where it is made.
class [[nodiscard]] Descriptor::Wait {
 public:
  Wait(Descriptor& descriptor, Readiness readiness) : descriptor_(descriptor), readiness_(readiness) {}

  bool await_ready() const;
  void await_suspend(std::coroutine_handle<> task);
  bool await_resume() const { return !descriptor_.stopped(readiness_); }

 private:
  friend TimedWait;
  Descriptor& descriptor_;
  Readiness readiness_;
  Watch::Waiter waiter_;
};

class [[nodiscard]] Descriptor::TimedWait : Loop::Alarm {
 public:
  TimedWait(Descriptor& descriptor, Readiness readiness, Clock::time_point deadline)
      : Alarm(descriptor.loop_), wait_(descriptor, readiness), deadline_(deadline) {}

  bool await_ready() const { return wait_.await_ready(); }
  void await_suspend(std::coroutine_handle<> task);
  bool await_resume() const { return wait_.await_resume() && !late_; }

 private:
  void ring() override { late_ = wait_.waiter_.wake(); }

  Wait wait_;
  Clock::time_point deadline_;
  bool late_ = false;
};

/// splice(2) between two descriptors; nothing waits. Both must be allowed to be spliced.
Attempt try_splice(int from, int to, std::size_t most);
/// tee(2): copies from one pipe to another, and takes nothing out.
Attempt try_tee(int from, int to, std::size_t most);

/// How a descriptor that we did not create can be used; `own` is never the answer.
/// Pipes, terminals and the like, for which reopening is the better way, give nothing.
std::optional<Access> access_of_inherited(int fd);

}  // namespace sluice
