#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sluice/core/log.h"
#include "sluice/stream/loop.h"
#include "sluice/stream/program.h"
#include "sluice/stream/stream.h"

namespace sluice {

/// Which ways a session's bytes go (-u is left to right).
enum class Direction { both, left_to_right, right_to_left };

/// When a session is over (exit-on=): by the end rule of relay.h, at the first end, when both directions have
/// ended, or when the left or the right side's input has.
enum class ExitOn { end_rule, first_eof, both, left, right };

/// A session's limits and manners, from the command line.
struct Limits {
  std::optional<Duration> linger;  ///< -t: silence that a half-ended session may last; default 0.5 s
  /// --drain: how long an end that cannot be put off may take: what was read is delivered, and each means of
  /// ending a program (hang-up, SIGTERM, SIGKILL) has this time to work before the next is tried.
  Duration grace = std::chrono::milliseconds(500);
  std::optional<Duration> idle;  ///< -T: silence that any session may last
  std::size_t chunk = 0;         ///< -b: bytes moved in one step; 0 chooses
  Direction direction = Direction::both;
  ExitOn exit_on = ExitOn::end_rule;
  bool cool_left = false;   ///< the left side may be gone when it is written to (cool-write)
  bool cool_right = false;  ///< so may the right side
  bool cut = false;         ///< nothing matters any more: closing is bounded by `grace`, programs included
  bool forgets = false;     ///< the idle limit is how its peers usually end, and no failure
  bool as_socat = false;    ///< the endings and exit statuses of socat

  Duration linger_or_default() const { return linger.value_or(std::chrono::milliseconds(500)); }
};

/// One direction's live figures: for statistics, progress and the idle limits.
struct Flow {
  std::uint64_t bytes = 0;
  std::uint64_t messages = 0;
  std::uint64_t reads = 0;
  Clock::time_point last = Clock::now();
  std::optional<std::uint64_t> expected{};  ///< how many bytes there will be, if that is known and wanted
  bool waiting = false;                     ///< nothing is on its way
  bool stopping = false;                    ///< the source is not to be read any more
  End source;                               ///< how the source ended
  End target;                               ///< how the target ended, if it did first
};

/// Names and numbers of a peer for the programs that a session starts, without the prefix that their names
/// get there: PEERADDR for SOCAT_PEERADDR.
using Environment = std::vector<std::pair<std::string, std::string>>;

/// One pair of streams being relayed.
struct Session {
  Session(Loop& on, Logger& to, Limits with) : loop(on), log(to, 0), limits(with), changed(on) {}

  /// The process is asked to end: the session has its grace to end by itself.
  void drain() {
    draining = true;
    changed.notify();
    for (const auto& program : programs) program->changed.notify();
  }

  Loop& loop;
  Logger log;  ///< whose lines may begin with the number of the session
  Limits limits;
  std::uint64_t id = 1;
  Environment environment;
  std::vector<std::shared_ptr<Program>> programs{};
  bool names_wanted = true;  ///< programs may be started, which are told the names of peers
  Flow there, back;
  Event changed;  ///< the relay's own alarm clock
  Clock::time_point begun = Clock::now();
  int left_goes_to = -1;  ///< the descriptor that what is read on the left is written to
  bool alone = true;      ///< the process's only one: nobody else uses its standard streams
  bool draining = false;  ///< see `drain`
  bool relayed = false;   ///< both sides were opened, and the relay began
  int status = 0;         ///< the exit status that this session calls for
};

}  // namespace sluice
