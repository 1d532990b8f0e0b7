#pragma once

#include <signal.h>

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "sluice/core/log.h"

namespace sluice {

/// A signal that ends a run in good order: what was read is delivered, and terminals, lock files and the
/// paths of sockets are put right.
struct EndingSignal {
  int number;
  Severity severity;    ///< of the line that tells of it
  Severity for_socat;   ///< under the name socat (measured with 1.7.4.4)
  bool is_failure;      ///< its number shows in the exit status, though a server ends with 0 on the others
  bool may_be_ignored;  ///< who started us with it ignored (nohup(1)) wants it to mean nothing
};

inline constexpr std::array ending_signals = {
    EndingSignal{SIGHUP, Severity::notice, Severity::notice, false, true},
    EndingSignal{SIGINT, Severity::notice, Severity::notice, false, false},
    EndingSignal{SIGQUIT, Severity::notice, Severity::error, false, false},
    EndingSignal{SIGTERM, Severity::notice, Severity::warning, false, false},
    EndingSignal{SIGILL, Severity::error, Severity::error, true, false},
    EndingSignal{SIGABRT, Severity::error, Severity::error, true, false},
    EndingSignal{SIGBUS, Severity::error, Severity::error, true, false},
    EndingSignal{SIGFPE, Severity::error, Severity::error, true, false},
    EndingSignal{SIGSEGV, Severity::error, Severity::error, true, false},
};

/// The row of a signal; one that only -S names ends a run as a fault does.
EndingSignal ending_signal(int number);

/// Those that a run hears: the rows, or what -S names instead (a bit each, that of signal 1 with the value
/// 2), and with them SIGUSR1, which asks for statistics, and those that are passed on to programs. `reopens`
/// says that SIGHUP opens the log file anew.
std::vector<int> signals_heard(std::optional<std::uint64_t> named, const std::set<int>& passed_on,
                               bool reopens);

}  // namespace sluice
