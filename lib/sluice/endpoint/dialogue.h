#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/core/log.h"
#include "sluice/stream/descriptor.h"

namespace sluice {

/// What a connection through a proxy begins with, before it is a stream: our side of it, bytes in and bytes
/// out. It knows no sockets.
class Dialogue {
 public:
  /// What happened, for the log.
  struct Note {
    Severity severity;
    std::string text;
  };

  virtual ~Dialogue() = default;
  /// What is to be sent now; nothing while it is the other side's turn.
  virtual std::string take_output() = 0;
  /// Looks at what has come and was not taken before, and returns how much of it belongs to the dialogue and
  /// was taken; the rest is the stream's, once the dialogue is over. Throws Failure if it went wrong.
  virtual std::size_t feed(std::string_view bytes) = 0;
  virtual bool over() const = 0;
  virtual std::vector<Note> take_notes() = 0;
};

/// Has a dialogue over a connected socket, and leaves in it all that comes behind. Throws Failure, if nothing
/// comes until the deadline with ExitStatus::timed_out.
Task<> have_dialogue(Descriptor& socket, Dialogue& dialogue, Logger& log, Clock::time_point deadline);

}  // namespace sluice
