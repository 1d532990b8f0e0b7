#include "sluice/stream/signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "sluice/core/failure.h"

namespace sluice {
namespace {

/// Where the handler writes to: the end of a pipe that `Signals` reads from (signal-safety(7)).
std::atomic<int> told_to = -1;

/// What each signal did before.
std::array<struct sigaction, 65> usual_effects;

extern "C" void tell(int number, siginfo_t* how, void*) {
  // Of a fault of our own (si_code above 0 for these) nothing can be told: what follows would be it again.
  const bool is_fault = number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE;
  if (is_fault && how->si_code > 0) {
    ::sigaction(number, &usual_effects[static_cast<std::size_t>(number)], nullptr);
    return;
  }
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
  action.sa_sigaction = tell;
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  for (const int number : numbers) {
    // Kept before it can be needed.
    struct sigaction& usual = usual_effects.at(static_cast<std::size_t>(number));
    ::sigaction(number, nullptr, &usual);
    ::sigaction(number, &action, nullptr);
    replaced_.push_back(number);
  }
}

Signals::~Signals() {
  for (const int number : replaced_)
    ::sigaction(number, &usual_effects[static_cast<std::size_t>(number)], nullptr);
  told_to = -1;
}

Task<int> Signals::next() {
  char byte = 0;
  while (reading_.try_read({&byte, 1}).count != 1) co_await reading_.wait(Descriptor::readable);
  co_return static_cast<unsigned char>(byte);
}

}  // namespace sluice
