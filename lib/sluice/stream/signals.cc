#include "sluice/stream/signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>

#include "sluice/core/failure.h"

namespace sluice {
namespace {

/// Where the handler writes to: the end of a pipe that `Signals` reads from (signal-safety(7)).
std::atomic<int> told_to = -1;

extern "C" void tell(int number) {
  const int error = errno;
  const auto byte = static_cast<unsigned char>(number);
  // A pipe that is full has thousands to tell already.
  [[maybe_unused]] auto ignored = ::write(told_to, &byte, 1);
  errno = error;
}

/// A pipe; its writing end is put into `writing`.
Fd pipe_to(Fd& writing) {
  int ends[2];
  check("create a pipe", ::pipe2(ends, O_CLOEXEC | O_NONBLOCK));
  writing.reset(ends[1]);
  return Fd(ends[0]);
}

}  // namespace

Signals::Signals(Loop& loop, const std::vector<int>& numbers) : reading_(loop, pipe_to(writing_)) {
  told_to = writing_.get();
  struct sigaction action {};
  action.sa_handler = tell;
  action.sa_flags = SA_RESTART;
  for (const int number : numbers) {
    struct sigaction usual {};
    ::sigaction(number, &action, &usual);
    before_.emplace_back(number, usual);
  }
}

Signals::~Signals() {
  for (const auto& [number, usual] : before_) ::sigaction(number, &usual, nullptr);
  told_to = -1;
}

Task<int> Signals::next() {
  char byte = 0;
  while (reading_.try_read({&byte, 1}).count != 1) co_await reading_.wait(Descriptor::readable);
  co_return static_cast<unsigned char>(byte);
}

}  // namespace sluice
