#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// The descriptor that a service manager passed to this process under a name (sd_listen_fds(3): LISTEN_PID,
/// LISTEN_FDS, LISTEN_FDNAMES), or nothing.
std::optional<int> passed_descriptor(std::string_view name);

/// Whether a line of the environment (`LISTEN_PID=123`) speaks of descriptors that were passed to us: it is
/// not for the programs that we start.
bool tells_of_passed_descriptors(std::string_view line);

}  // namespace sluice
