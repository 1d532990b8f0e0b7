#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sluice/endpoint/endpoint.h"
#include "sluice/endpoint/privileges/apart.h"
#include "sluice/endpoint/readiness.h"
#include "sluice/stream/dump.h"

namespace sluice {

/// What --progress is to show of a run beyond what sessions move. The counts must outlive the run.
struct BridgeProgress {
  std::string program;                                ///< begins the last line
  const std::atomic<std::uint64_t>* bytes = nullptr;  ///< instead of those that were moved one way
  std::optional<std::uint64_t> total{};               ///< how many of these there will be
  const std::atomic<std::uint64_t>* lines = nullptr;  ///< that were counted
};

/// A file that says that somebody is at it already (-L, -W).
struct LockFilePlan {
  std::string path;
  bool waits = false;  ///< until it is gone, instead of failing
};

/// Everything that a run between two addresses is asked to do.
struct BridgePlan {
  /// Called for each session's endpoint; what it throws the first time ends the run.
  using Maker = std::function<std::unique_ptr<Endpoint>(Use use, const Context& context)>;
  Maker left;
  Maker right;
  Limits limits;
  int preferred_family = 0;      ///< of addresses that a name resolves to, if there is a choice
  int listening_family = 0;      ///< of sockets that listen, where the address says nothing
  bool listens_on_both = false;  ///< under socat's name too, where it is IPv4 else
  bool sloppy = false;           ///< -s
  DumpStyle dump;
  std::optional<std::string> raw_left;   ///< -r: a file for what flows left to right
  std::optional<std::string> raw_right;  ///< -R
  int children_shutup = 0;  ///< steps by which what sessions of a forking address log is less severe
  std::optional<LockFilePlan> lock_file;
  bool describes_descriptors = false;  ///< -D
  /// -S: a bit for each signal that ends the run in good order; the usual ones without it.
  std::optional<std::uint64_t> ending_signals;
  Duration wait_before_opening{};   ///< for who debugs (SOCAT_MAIN_WAIT)
  Duration wait_before_transfer{};  ///< SOCAT_TRANSFER_WAIT
  std::optional<int> ready_fd;
  std::optional<std::string> ready_file;
  bool statistics = false;
  std::optional<BridgeProgress> progress{};  ///< it is shown on standard error
  bool starts_programs = true;               ///< sessions may: these are told the names of peers
  /// How one session is run by a process of its own, for addresses that change whom their process is.
  std::optional<Restart> restart{};
  unsigned threads = 1;  ///< that sessions of a forking listener are spread over, at most
};

/// How many processors this process may use.
unsigned processors();

/// Joins two addresses: opens both, relays until the session is over; where one of them serves many (fork),
/// a session for each peer, until the process is asked to end; those of a listening socket are spread over
/// threads. The signals of ending_signals.h drain, a second one 0.1 s later ends at once; SIGUSR1 logs
/// statistics; SIGHUP reopens a log file instead, if there is one. Returns the exit status; logs failures
/// instead of throwing them, but for UsageError.
int bridge(const BridgePlan& plan, Logger& log);

}  // namespace sluice
