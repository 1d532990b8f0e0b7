#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/fd.h"
#include "sluice/endpoint/endpoint.h"

namespace sluice {

/// How this program is started again for one session, whose peer it inherits: so that what the session does
/// to its process (su, chroot) is no other session's.
struct Restart {
  std::vector<std::string> words;  ///< argv: the program's name and its options, without the addresses
  Specification left, right;
  int shutup = 0;  ///< steps by which what it logs is less severe (children-shutup)
  std::shared_ptr<const Fd> executable = {};  ///< this program, once `keep_executable` was called
};

/// Opens this program, for when it cannot be reached any more (chroot-early). Throws Failure.
void keep_executable(Restart& restart);
/// Tries whether it can be started where this process has gone, whose root may lack what it is linked with.
/// Throws Failure that says what is missing.
void check_executable(const Restart& restart, const Address& gone_by);

/// Where a process that is one session finds these steps. No program that it starts sees the variable.
inline constexpr std::string_view shutup_variable = "SOCAT_SESSION_SHUTUP";

/// Runs a session in a process of its own: this program's, with the peer's descriptor in place of the left or
/// the right address; it alone has that descriptor then. Waits for its end and returns its exit status;
/// `signals` that come meanwhile are passed on to it; `begun` is called once it runs. Throws Failure where
/// the peer cannot be handed over.
Task<int> run_apart(const Restart& restart, bool from_left, std::unique_ptr<Stream> peer,
                    std::vector<int> signals, Session& session, const std::function<void()>& begun);

}  // namespace sluice
