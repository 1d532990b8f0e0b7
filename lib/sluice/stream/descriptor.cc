#include "sluice/stream/descriptor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "sluice/core/denied.h"
#include "sluice/stream/completion.h"

namespace sluice {

namespace asio = boost::asio;

namespace {

/// A call on a file never waits long if it is this short.
constexpr std::size_t longest_call = kib(256);

}  // namespace

struct Descriptor::Shared {
  explicit Shared(Loop& loop) : event(loop) {}
  Fd middle_in, middle_out;
  std::array<std::optional<Waiter>, 3> waiters;
  Event event;  ///< for waits that nothing but stop() ends
};

Descriptor::Descriptor(Loop& loop, Fd fd, Access access) : loop_(loop), fd_(std::move(fd)), access_(access) {}

Descriptor::~Descriptor() { release_waiters(); }

void Descriptor::release_waiters() {
  // Asio would close what it holds; the number is ours.
  if (own_waiter_ && own_waiter_->is_open()) own_waiter_->release();
  own_waiter_.reset();
  if (shared_)
    for (auto& one : shared_->waiters) one.reset();
}

mode_t Descriptor::kind() const {
  struct stat status {};
  return ::fstat(fd_.get(), &status) == 0 ? status.st_mode & S_IFMT : 0;
}

Fd Descriptor::release() {
  release_waiters();
  return std::move(fd_);
}

std::error_code Descriptor::close_checked() {
  stopped_ = ~0U;
  release_waiters();
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

bool Descriptor::open_middle() {
  if (!shared_) shared_ = std::make_unique<Shared>(loop_);
  if (shared_->middle_in) return true;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  shared_->middle_in.reset(ends[1]);
  shared_->middle_out.reset(ends[0]);
  return true;
}

// splice with SPLICE_F_NONBLOCK is the one call that does not wait on a blocking pipe.
Attempt Descriptor::read_through_pipe(Bytes into) {
  if (!open_middle()) return {-1, errno};
  const auto moved = uninterrupted([&] {
    return ::splice(fd_.get(), nullptr, shared_->middle_in.get(), nullptr, into.size(), SPLICE_F_NONBLOCK);
  });
  if (moved.count <= 0) return moved;
  return uninterrupted([&] { return ::read(shared_->middle_out.get(), into.data(), into.size()); });
}

Attempt Descriptor::write_through_pipe(ConstBytes from) {
  if (!open_middle()) return {-1, errno};
  const auto filled =
      uninterrupted([&] { return ::write(shared_->middle_in.get(), from.data(), from.size()); });
  if (filled.count <= 0) return filled;
  ssize_t sent = 0;
  Attempt moved;
  while (sent < filled.count) {
    moved = uninterrupted([&] {
      return ::splice(shared_->middle_out.get(), nullptr, fd_.get(), nullptr,
                      static_cast<std::size_t>(filled.count - sent), SPLICE_F_NONBLOCK);
    });
    if (moved.count <= 0) break;
    sent += moved.count;
  }
  // What did not fit is still the caller's: empty the middle for the next try.
  char scratch[4096];
  for (ssize_t left = filled.count - sent; left > 0;) {
    const auto dropped = uninterrupted([&] {
      return ::read(shared_->middle_out.get(), scratch,
                    std::min(sizeof scratch, static_cast<std::size_t>(left)));
    });
    if (dropped.count <= 0) break;
    left -= dropped.count;
  }
  if (sent > 0) return {sent, 0};
  return {-1, moved.count < 0 ? moved.error : EAGAIN};
}

Descriptor::Waiter* Descriptor::waiter(Readiness readiness) {
  if (access_ == Access::own) {
    if (!own_waiter_) own_waiter_.emplace(loop_.context(), fd_.get());
    return &*own_waiter_;
  }
  if (access_ == Access::always_ready) return nullptr;
  if (!shared_) shared_ = std::make_unique<Shared>(loop_);
  auto& waiter = shared_->waiters[readiness];
  if (!waiter) {
    Fd epoll(check("create an epoll", ::epoll_create1(EPOLL_CLOEXEC)));
    epoll_event event{};
    event.events = readiness == readable ? EPOLLIN | EPOLLRDHUP : readiness == writable ? EPOLLOUT : 0U;
    check("watch a descriptor", ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd_.get(), &event));
    waiter.emplace(loop_.context(), epoll.release());
  }
  return &*waiter;
}

bool Descriptor::has_input() const {
  pollfd state{fd_.get(), POLLIN, 0};
  return access_ == Access::always_ready || ::poll(&state, 1, 0) > 0;
}

Descriptor::Wait Descriptor::wait(Readiness readiness) { return {*this, readiness}; }

bool Descriptor::Wait::await_ready() {
  if (descriptor_.stopped(readiness_)) return true;
  waiter_ = descriptor_.waiter(readiness_);
  return waiter_ == nullptr;
}

void Descriptor::Wait::await_suspend(std::coroutine_handle<> task) {
  const bool writing = descriptor_.access_ == Access::own && readiness_ == writable;
  waiter_->async_wait(writing ? Waiter::wait_write : Waiter::wait_read,
                      [task](boost::system::error_code) { task.resume(); });
}

Task<bool> Descriptor::wait_for_hang_up() {
  const auto kind = access_ == Access::own ? Waiter::wait_error : Waiter::wait_read;
  while (!stopped(hung_up)) {
    if (Waiter* on = waiter(hung_up)) {
      const auto [error] = co_await completion<boost::system::error_code>(
          [=](auto handler) { on->async_wait(kind, std::move(handler)); });
      // Waits of all kinds are cancelled together; who was not meant waits again.
      if (error == asio::error::operation_aborted) continue;
      pollfd state{fd_.get(), 0, 0};
      if (::poll(&state, 1, 0) > 0) co_return true;
      // Urgent data wakes a wait for errors too, and would again and again: nothing more can be learned.
    }
    if (!shared_) shared_ = std::make_unique<Shared>(loop_);
    co_await shared_->event.wait();
  }
  co_return false;
}

void Descriptor::stop(Readiness readiness) {
  stopped_ |= 1U << readiness;
  wake(readiness);
}

void Descriptor::wake(Readiness readiness) {
  if (own_waiter_ && own_waiter_->is_open()) own_waiter_->cancel();
  if (!shared_) return;
  if (auto& waiter = shared_->waiters[readiness]) waiter->cancel();
  if (readiness == hung_up) shared_->event.notify();
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
