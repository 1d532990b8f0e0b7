#pragma once

#include <functional>
#include <memory>
#include <string>

#include "sluice/endpoint/endpoint.h"

namespace sluice {

/// A pseudo terminal that we have made (pty(7)).
struct Pty {
  Fd master;  ///< non-blocking
  Fd slave;   ///< for who is to be on it; while it is open, the master never sees an end
  std::string path;
  std::shared_ptr<void> link = {};  ///< takes the symbolic link away as it goes
};

/// Makes one as an address asks for: its terminal options, its owner and mode, its symbolic link. A link that
/// leads nowhere or to a terminal of an earlier run is replaced, whatever else stands there is a Failure.
Pty open_pty(const Address& address, const Context& context);

/// Knows how often somebody has opened the slave side.
class SlaveWatch;
/// Begins to watch; before the slave is closed here, so that nobody is missed.
std::shared_ptr<SlaveWatch> watch_slave(const Address& address, const Pty& pty, const Context& context);

/// Whom a pty's stream speaks to.
struct PtyUser {
  bool is_program =
      false;  ///< one that was started on it; else whoever opens it, and until then it has no end
  std::shared_ptr<SlaveWatch> watch = {};
  /// Whether closing must not hang up yet: what is on it needs it, though we have no more to say.
  std::function<bool()> is_needed = [] { return false; };
  /// Called before closing takes the terminal from who still has it.
  std::function<void()> before_hanging_up = [] {};
  std::shared_ptr<void> companion = {};  ///< released with the stream
};

/// The master side as a stream. What was written last is ended by the terminal's end-of-file character where
/// it reads lines; a raw one cannot be told. When nobody has the slave open any more, that is the end (after
/// sitout-eio=, if nobody has opened it again).
std::unique_ptr<Stream> pty_stream(const Address& address, const Context& context, Fd master, PtyUser user);

}  // namespace sluice
