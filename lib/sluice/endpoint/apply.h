#pragma once

#include <sys/stat.h>

#include <initializer_list>
#include <optional>
#include <string>

#include "sluice/address/address.h"
#include "sluice/core/fd.h"
#include "sluice/endpoint/endpoint.h"

namespace sluice {

/// Applies those of an address's options that take effect on a descriptor in the given phases, in the order
/// of the phases and, within one, as written. Throws Failure naming the option, or warns if sloppy.
void apply(const Address& address, std::initializer_list<Phase> phases, int fd, const Context& context);

/// Those in which a socket becomes what it is: for a descriptor that is there already and should be one. The
/// kernel refuses what is none.
inline constexpr auto socket_phases = {Phase::pastsocket, Phase::prebind, Phase::pastbind, Phase::prelisten,
                                       Phase::connected};

/// Waits for the locks that an address asks to wait for (lock, flock-ex...), and then empties the file if
/// `o-trunc` asks for that; the loop goes on meanwhile. Throws Failure naming the option.
Task<> wait_for_locks(const Address& address, int fd, const Context& context);
bool has_waiting_lock(const Address& address);

/// The open(2) flags that an address's options ask for, on top of `flags`: an access mode option replaces
/// the access mode.
int open_flags(const Address& address, int flags);

/// permissions asked for by `mode`, if any.
std::optional<mode_t> wanted_mode(const Address& address);

/// What `user` and `group` (phase FD) or `user-early` and `group-early` (PREOPEN) say of a path that exists.
void apply_ownership(const Address& address, const std::string& path, Phase phase);

/// Where a path leads that an option has as its value, seen from the working directory that chdir= asks for.
/// Nothing if there is no such option.
std::optional<std::string> path_option(const Address& address, std::string_view name);

/// Where the network namespace of a name is (netns).
std::string network_namespace_path(const std::string& name);

/// While it lives, the thread has the umask, the working directory and the network namespace that an address
/// asks for (umask, chdir, netns). No task may be awaited meanwhile.
class ProcessSection {
 public:
  explicit ProcessSection(const Address& address);
  ~ProcessSection();
  ProcessSection(const ProcessSection&) = delete;
  ProcessSection& operator=(const ProcessSection&) = delete;

 private:
  ProcessSection() = default;

  std::optional<mode_t> mask_;
  Fd directory_;
  Fd namespace_;
};

}  // namespace sluice
