#pragma once

#include <signal.h>

#include <optional>
#include <string>
#include <thread>

#include "sluice/core/fd.h"
#include "sluice/core/standing_line.h"
#include "sluice/stream/loop.h"
#include "sluice/text/progress.h"

namespace sluice {

/// How many bytes reading will still give, where the file system or the device says so: of a regular file,
/// its size but for what was read already, and of a block device.
std::optional<std::uint64_t> bytes_left(int descriptor);

/// Shows on standard error how far a transfer has come (--progress): a line that stands while it runs, if
/// that is a terminal, and one with the totals at its end.
class ProgressMeter {
 public:
  /// How often it is to be shown.
  static constexpr Duration interval = std::chrono::milliseconds(500);

  explicit ProgressMeter(std::string program) : program_(std::move(program)) {}

  /// Draws the line; the rates of the figures are the meter's to know.
  void show(ProgressFigures figures);
  /// Nothing stands from now on: what is transferred goes to the same terminal.
  void only_at_end();
  /// Takes the line away and writes the totals: `upper: 12 bytes in 0.50 s, average 24 B/s`.
  void end(const ProgressFigures& figures);
  /// The same, unless it would have to wait for standard error. Whether it did.
  bool end_at_once(const ProgressFigures& figures);

 private:
  std::string last_line(const ProgressFigures& figures) const;

  std::string program_;
  StandingLine line_;
  RateWindow moved_;
  RateWindow done_;
  bool stands_ = true;
};

/// What a ProgressThread shows.
struct ShownProgress {
  std::string program;                 ///< begins the last line
  const ProgressCounts& counts;        ///< must outlive the thread
  std::optional<std::uint64_t> total;  ///< bytes that there will be
  bool with_lines = false;             ///< lines are counted too
  bool only_at_end = false;            ///< see ProgressMeter
};

/// Shows the progress of a blocking transfer while it lives, from a thread of its own: what moves may wait in
/// read(2) or write(2) for as long as it takes, and pays no more than its counts.
///
/// SIGINT, SIGTERM and SIGHUP have their usual effect, but after the last line was written; so has SIGPIPE,
/// for the thread that made this.
class ProgressThread {
 public:
  explicit ProgressThread(ShownProgress shown);
  /// Writes the last line.
  ~ProgressThread();
  ProgressThread(const ProgressThread&) = delete;
  ProgressThread& operator=(const ProgressThread&) = delete;

 private:
  void run();
  void finish();
  void end_by_signal();
  ProgressFigures figures() const;

  ShownProgress shown_;
  Clock::time_point begun_ = Clock::now();
  ProgressMeter meter_;
  Fd signals_;  ///< signalfd(2)
  Fd over_;     ///< eventfd(2)
  sigset_t before_{};
  std::thread thread_;
};

}  // namespace sluice
