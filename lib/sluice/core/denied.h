#pragma once

namespace sluice {

/// Kernel facilities that older kernels, containers or other users' descriptors refuse.
enum class Facility { splice, reopen, pidfd, epoll, holes, inotify };

/// Whether this process must do without a facility: the environment variable SLUICE_DENY lists names
/// ("splice,reopen"), read once. It exists so that every fallback runs in the test suite.
bool denied(Facility facility);

}  // namespace sluice
