#pragma once

#include <string>
#include <vector>

#include "sluice/endpoint/endpoint.h"

namespace sluice {

/// How this program is started again for one session, whose peer it inherits: so that what the session does
/// to its process (su, chroot) is no other session's.
struct Restart {
  std::vector<std::string> words;  ///< argv: the program's name and its options, without the addresses
  Specification left, right;
};

/// Runs a session in a process of its own: this program's, with the peer's descriptor in place of the left or
/// the right address. Waits for its end and returns its exit status. Throws Failure where the peer cannot be
/// handed over.
Task<int> run_apart(const Restart& restart, bool from_left, Stream& peer, Session& session);

}  // namespace sluice
