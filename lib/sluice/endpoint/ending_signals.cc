#include "sluice/endpoint/ending_signals.h"

#include <algorithm>

namespace sluice {
namespace {

bool is_ignored(int number) {
  struct sigaction usual {};
  return ::sigaction(number, nullptr, &usual) == 0 && usual.sa_handler == SIG_IGN;
}

}  // namespace

EndingSignal ending_signal(int number) {
  const auto* row = std::find_if(ending_signals.begin(), ending_signals.end(),
                                 [number](const EndingSignal& one) { return one.number == number; });
  return row != ending_signals.end() ? *row
                                     : EndingSignal{number, Severity::error, Severity::error, true, false};
}

std::vector<int> signals_heard(std::optional<std::uint64_t> named, const std::set<int>& passed_on,
                               bool reopens) {
  std::set<int> numbers = passed_on;
  numbers.insert(SIGUSR1);
  if (named) {
    // Those of the C library's own and of real time are behind them.
    for (int number = 1; number < 32; ++number)
      if ((*named >> number & 1) != 0 && number != SIGKILL && number != SIGSTOP) numbers.insert(number);
  } else {
    for (const EndingSignal& one : ending_signals)
      if (!one.may_be_ignored || !is_ignored(one.number)) numbers.insert(one.number);
  }
  if (reopens && !is_ignored(SIGHUP)) numbers.insert(SIGHUP);
  return {numbers.begin(), numbers.end()};
}

}  // namespace sluice
