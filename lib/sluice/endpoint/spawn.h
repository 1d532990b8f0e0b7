#pragma once

#include <sys/resource.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sluice/core/fd.h"
#include "sluice/endpoint/process.h"

namespace sluice {

/// Everything about a child that can be decided before it exists.
struct Plan {
  std::string program;                     ///< a path; find_program looks names up
  std::vector<std::string> arguments;      ///< argv, the name included
  std::vector<std::string> environment;    ///< "NAME=value"
  std::vector<std::pair<int, int>> moves;  ///< descriptor here, number there
  std::optional<std::string> directory;
  std::optional<mode_t> umask;
  bool new_session = false;          ///< setsid(2)
  std::optional<int> process_group;  ///< setpgid(2); 0 makes one of its own
};

/// The path that execvp(3) would run. Throws Failure with status 127 (not found) or 126 (not executable).
std::string find_program(const std::string& name, const char* path);

/// A program that was started.
struct Spawned {
  boost::process::v2::process process;
  Fd ended;  ///< readable once it has ended
};

/// Starts a child. It shares our memory until it executes its program, so nothing is copied however large we
/// are, and makes system calls only. All our descriptors are close-on-exec, so just those of `moves` and the
/// ones that we inherited ourselves pass on. Throws Failure naming the step that failed; where that is
/// executing the program, status 126 or 127.
Spawned spawn(const Plan& plan);

/// Replaces this process by the plan's program; comes back only to throw.
[[noreturn]] void become(const Plan& plan);

/// Lets this process have as many descriptors as it may; children get the limit that we were started with.
void raise_descriptor_limit();

}  // namespace sluice
