#include "sluice/stream/reactor.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sluice/core/failure.h"

namespace sluice {
namespace {

constexpr std::size_t events_at_first = 256;
/// Reported whether they are asked for or not (epoll_ctl(2)).
constexpr std::uint32_t over = EPOLLHUP | EPOLLERR;

std::size_t index_of(Watch::Readiness what) { return static_cast<std::size_t>(what); }

}  // namespace

bool Watch::Waiter::wake() {
  if (at_ == nullptr) return false;
  at_->reactor_.ready_.push_back(task_);
  leave();
  return true;
}

void Watch::Waiter::leave() {
  if (at_ == nullptr) return;
  Waiter** place = &at_->waiters_[index_of(what_)];
  while (*place != this) place = &(*place)->next_;
  *place = next_;
  at_ = nullptr;
}

Watch::~Watch() {
  for (Waiter* first : waiters_)
    for (; first != nullptr; first = first->next_) first->at_ = nullptr;
  if (registered_) leave_reactor();
  if (touched_) std::erase(reactor_.touched_, this);
}

void Watch::wait(Waiter& waiter, Readiness what, std::coroutine_handle<> task) {
  waiter.at_ = this;
  waiter.what_ = what;
  waiter.task_ = task;
  waiter.next_ = std::exchange(waiters_[index_of(what)], &waiter);
  std::uint32_t interest = interest_ & EPOLLIN;
  if (awaited(Readiness::readable)) interest |= EPOLLIN;
  if (awaited(Readiness::writable)) interest |= EPOLLOUT;
  ask_for(interest);
  // What epoll refuses does not hang up either: only being woken ends that wait.
  if (registered_ || (errno == EPERM && what == Readiness::hung_up)) return;
  waiter.leave();
  throw Failure("watch a descriptor", last_error());
}

void Watch::wake(Readiness what) {
  while (Waiter* first = waiters_[index_of(what)]) first->wake();
}

void Watch::wake_all() {
  for (const auto what : {Readiness::readable, Readiness::writable, Readiness::hung_up}) wake(what);
}

void Watch::rest() {
  rests_ = true;
  touch();
}

void Watch::happened(std::uint32_t events) {
  const bool wanted = awaited(Readiness::readable);
  bool heard = false;
  const auto tell = [&](Readiness what, std::uint32_t by) {
    if ((events & by) == 0 || !awaited(what)) return;
    heard = true;
    wake(what);
  };
  tell(Readiness::readable, EPOLLIN | over);
  tell(Readiness::writable, EPOLLOUT | over);
  tell(Readiness::hung_up, over);
  // What nobody hears would be told again and again.
  if ((events & over) != 0 && !heard) return leave_reactor();
  if ((events & EPOLLIN) != 0 && !wanted) rest();
  if ((events & EPOLLOUT) != 0) touch();
}

void Watch::touch() {
  if (!std::exchange(touched_, true)) reactor_.touched_.push_back(this);
}

/// Output is nearly always possible: interest in it does not outlive the turn in which it was reported.
void Watch::settle() {
  touched_ = false;
  std::uint32_t interest = interest_;
  if (!awaited(Readiness::writable)) interest &= ~static_cast<std::uint32_t>(EPOLLOUT);
  if (std::exchange(rests_, false) && !awaited(Readiness::readable))
    interest &= ~static_cast<std::uint32_t>(EPOLLIN);
  if (registered_) ask_for(interest);
}

void Watch::ask_for(std::uint32_t interest) {
  if (registered_ && interest == interest_) return;
  epoll_event event{};
  event.events = interest;
  event.data.ptr = this;
  if (::epoll_ctl(reactor_.epoll_.get(), registered_ ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd_, &event) != 0)
    return;
  registered_ = true;
  interest_ = interest;
}

void Watch::leave_reactor() {
  ::epoll_ctl(reactor_.epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr);
  registered_ = false;
  interest_ = 0;
}

Reactor::Reactor(std::vector<std::coroutine_handle<>>& ready)
    : ready_(ready),
      epoll_(check("create an epoll", ::epoll_create1(EPOLL_CLOEXEC))),
      events_(events_at_first) {}

void Reactor::set_bell(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  check("watch a descriptor", ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event));
}

Reactor::Look Reactor::wait(int timeout_ms) {
  for (Watch* one : touched_) one->settle();
  touched_.clear();
  const int told = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), timeout_ms);
  const std::size_t count = told < 0 ? 0 : static_cast<std::size_t>(told);
  Look look{false, told >= 0 && count < events_.size()};
  for (std::size_t i = 0; i < count; ++i) {
    if (events_[i].data.ptr == nullptr)
      look.rung = true;
    else
      static_cast<Watch*>(events_[i].data.ptr)->happened(events_[i].events);
  }
  // There may be more to tell: the next look has room for it, however much is going on.
  if (count == events_.size()) events_.resize(2 * count);
  return look;
}

}  // namespace sluice
