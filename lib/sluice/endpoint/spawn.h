#pragma once

#include <sys/resource.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sluice/core/fd.h"
#include "sluice/endpoint/privileges/identity.h"
#include "sluice/endpoint/process.h"
#include "sluice/stream/session.h"

namespace sluice {

/// Everything about a child that can be decided before it exists.
struct Plan {
  std::string program;                     ///< a path; find_program looks names up
  std::vector<std::string> arguments;      ///< argv, the name included
  std::vector<std::string> environment;    ///< "NAME=value"
  std::vector<std::pair<int, int>> moves;  ///< descriptor here, number there
  std::optional<std::string> directory;
  std::optional<mode_t> umask;
  Identity identity = {};            ///< whom it becomes, and where
  std::optional<int> terminal = {};  ///< its number of the terminal that becomes its controlling one
  std::string asked_by = {};         ///< the address, for messages
  int executable = -1;               ///< a descriptor of the program, where its path is out of reach
  /// A variable of the environment whose value is the child's own number.
  std::optional<std::string> number_variable = {};
};

/// The path that execvp(3) would run, as it is within `root` (empty is here). Throws Failure with status 127
/// (not found) or 126 (not executable).
std::string find_program(const std::string& name, const char* path, const std::string& root = {});

/// A program that was started.
struct Spawned {
  boost::process::v2::process process;
  Fd ended;  ///< readable once it has ended
};

/// Starts a child, and waits until it has executed its program. It shares our memory until then, so nothing
/// is copied however large we are, and makes system calls only. All our descriptors are close-on-exec, so
/// just those of `moves` and the ones that we inherited ourselves pass on. Throws Failure naming the step
/// that failed; where that is executing the program, status 126 or 127. The plan must not change the child's
/// identity: its new user could stop it, and us with it.
Spawned spawn(const Plan& plan);

/// The same for a session's program, whatever its identity. A child that becomes another user has memory of
/// its own, which that user cannot look at, and is waited for on the loop: it has 5 seconds to execute its
/// program, and no longer than the session's grace once that drains. Then it is killed, which is a Failure.
Task<Spawned> spawn(const Plan& plan, const Session& session);

/// Replaces this process by the plan's program; comes back only to throw.
[[noreturn]] void become(const Plan& plan);

/// Lets this process have as many descriptors as it may; children get the limit that we were started with.
void raise_descriptor_limit();

}  // namespace sluice
