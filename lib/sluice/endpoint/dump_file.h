#pragma once

#include <optional>
#include <string>

#include "sluice/core/fd.h"
#include "sluice/stream/decorators.h"
#include "sluice/stream/dump.h"
#include "sluice/stream/session.h"

namespace sluice {

/// A file that what flows one way is appended to (-r, -R): one for all sessions of a loop, or, where its name
/// has references in it ($NAME, $$), one for each.
class DumpFile {
 public:
  /// Throws Failure if it cannot be opened. A FIFO that nobody reads is no failure.
  explicit DumpFile(std::optional<std::string> path);

  bool is_wanted() const { return path_.has_value(); }
  bool is_of_session() const { return path_ && path_->find('$') != std::string::npos; }
  /// The one of a session, if it is. Its name has in it what the references stand for (socat(1) -r): $$ is
  /// the number of the process, $PROGNAME the name in log lines, $TIMESTAMP the local time as
  /// 20261127T213000, $MICROS its microseconds; others are variables that the session's programs would have,
  /// in which a slash becomes an underscore, or of the environment. Throws Failure if it cannot be opened.
  DumpFile of(const Session& session) const;
  /// Whether what flows can be written to it, if it is wanted; else a FIFO still has no reader. Tries to open
  /// it.
  bool is_ready();
  const std::string& path() const { return *path_; }
  int number() const { return file_.get(); }

 private:
  DumpFile() = default;

  std::optional<std::string> path_;
  Fd file_;
};

/// What sees a session's bytes pass one way: appends them to a file, waiting for a FIFO's reader, and shows
/// them on standard error. Where the file cannot be written any more, that is an error, told once and for all
/// by `failed`; the transfer goes on. `failed` must outlive it.
std::unique_ptr<Tap> dumping(char mark, DumpStyle style, const DumpFile& file, Session& session,
                             std::atomic<bool>& failed);

}  // namespace sluice
