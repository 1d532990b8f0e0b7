#include "sluice/stream/descriptor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "sluice/core/denied.h"

namespace sluice {

namespace {

/// A call on a file never waits long if it is this short.
constexpr std::size_t longest_call = kib(256);

}  // namespace

struct Descriptor::Middle {
  Fd in, out;
};

Descriptor::Descriptor(Loop& loop, Fd fd, Access access) : loop_(loop), fd_(std::move(fd)), access_(access) {
  watch_.emplace(loop.reactor(), fd_.get());
}

Descriptor::~Descriptor() = default;

mode_t Descriptor::kind() const {
  struct stat status {};
  return ::fstat(fd_.get(), &status) == 0 ? status.st_mode & S_IFMT : 0;
}

Fd Descriptor::release() {
  watch_.reset();
  return std::move(fd_);
}

std::error_code Descriptor::close_checked() {
  stopped_ = ~0U;
  if (watch_) watch_->wake_all();
  watch_.reset();
  return fd_.close_checked();
}

Attempt Descriptor::try_read(Bytes into) {
  into = into.first(std::min(into.size(), longest_call));
  switch (access_) {
    case Access::shared_socket:
      return uninterrupted([&] { return ::recv(fd_.get(), into.data(), into.size(), MSG_DONTWAIT); });
    case Access::shared_pipe:
      return read_through_pipe(into);
    case Access::own:
    case Access::always_ready:
      break;
  }
  return uninterrupted([&] { return ::read(fd_.get(), into.data(), into.size()); });
}

Attempt Descriptor::try_write(ConstBytes from) {
  from = from.first(std::min(from.size(), longest_call));
  switch (access_) {
    case Access::shared_socket:
      return uninterrupted(
          [&] { return ::send(fd_.get(), from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL); });
    case Access::shared_pipe:
      return write_through_pipe(from);
    case Access::own:
    case Access::always_ready:
      break;
  }
  return uninterrupted([&] { return ::write(fd_.get(), from.data(), from.size()); });
}

Attempt try_splice(int from, int to, std::size_t most) {
  if (denied(Facility::splice)) return {-1, EINVAL};
  return uninterrupted(
      [&] { return ::splice(from, nullptr, to, nullptr, most, SPLICE_F_NONBLOCK | SPLICE_F_MOVE); });
}

Attempt try_tee(int from, int to, std::size_t most) {
  if (denied(Facility::splice)) return {-1, EINVAL};
  return uninterrupted([&] { return ::tee(from, to, most, SPLICE_F_NONBLOCK); });
}

bool Descriptor::open_middle() {
  if (middle_) return true;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  middle_ = std::make_unique<Middle>();
  middle_->in.reset(ends[1]);
  middle_->out.reset(ends[0]);
  return true;
}

// splice with SPLICE_F_NONBLOCK is the one call that does not wait on a blocking pipe.
Attempt Descriptor::read_through_pipe(Bytes into) {
  if (!open_middle()) return {-1, errno};
  const auto moved = uninterrupted([&] {
    return ::splice(fd_.get(), nullptr, middle_->in.get(), nullptr, into.size(), SPLICE_F_NONBLOCK);
  });
  if (moved.count <= 0) return moved;
  return uninterrupted([&] { return ::read(middle_->out.get(), into.data(), into.size()); });
}

Attempt Descriptor::write_through_pipe(ConstBytes from) {
  if (!open_middle()) return {-1, errno};
  const auto filled = uninterrupted([&] { return ::write(middle_->in.get(), from.data(), from.size()); });
  if (filled.count <= 0) return filled;
  ssize_t sent = 0;
  Attempt moved;
  while (sent < filled.count) {
    moved = uninterrupted([&] {
      return ::splice(middle_->out.get(), nullptr, fd_.get(), nullptr,
                      static_cast<std::size_t>(filled.count - sent), SPLICE_F_NONBLOCK);
    });
    if (moved.count <= 0) break;
    sent += moved.count;
  }
  // What did not fit is still the caller's: empty the middle for the next try.
  char scratch[4096];
  for (ssize_t left = filled.count - sent; left > 0;) {
    const auto dropped = uninterrupted([&] {
      return ::read(middle_->out.get(), scratch, std::min(sizeof scratch, static_cast<std::size_t>(left)));
    });
    if (dropped.count <= 0) break;
    left -= dropped.count;
  }
  if (sent > 0) return {sent, 0};
  return {-1, moved.count < 0 ? moved.error : EAGAIN};
}

bool Descriptor::is_ready(Readiness readiness) const {
  if (access_ == Access::always_ready && readiness != hung_up) return true;
  const short events = readiness == readable ? POLLIN : readiness == writable ? POLLOUT : 0;
  pollfd state{fd_.get(), events, 0};
  return ::poll(&state, 1, 0) > 0;
}

Descriptor::Wait Descriptor::wait(Readiness readiness) { return {*this, readiness}; }

bool Descriptor::Wait::await_ready() const {
  const bool always = descriptor_.access_ == Access::always_ready && readiness_ != hung_up;
  return always || descriptor_.stopped(readiness_);
}

void Descriptor::Wait::await_suspend(std::coroutine_handle<> task) {
  descriptor_.watch_->wait(waiter_, readiness_, task);
}

Descriptor::TimedWait Descriptor::wait_until(Readiness readiness, Clock::time_point deadline) {
  return {*this, readiness, deadline};
}

void Descriptor::TimedWait::await_suspend(std::coroutine_handle<> task) {
  wait_.await_suspend(task);
  if (deadline_ != Clock::time_point::max()) set(deadline_);
}

void Descriptor::rest() {
  if (watch_) watch_->rest();
}

void Descriptor::stop(Readiness readiness) {
  stopped_ |= bit_of(readiness);
  wake(readiness);
}

void Descriptor::wake(Readiness readiness) {
  if (watch_) watch_->wake(readiness);
}

std::optional<Access> access_of_inherited(int fd) {
  struct stat status {};
  check("stat a descriptor", ::fstat(fd, &status));
  if (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode) || S_ISDIR(status.st_mode))
    return Access::always_ready;
  if (S_ISSOCK(status.st_mode)) return Access::shared_socket;
  if (S_ISFIFO(status.st_mode)) return std::nullopt;
  // /dev/null and its kin: epoll refuses what is never waited for.
  Fd epoll(check("create an epoll", ::epoll_create1(EPOLL_CLOEXEC)));
  epoll_event event{};
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0 && errno == EPERM) return Access::always_ready;
  return std::nullopt;
}

}  // namespace sluice
