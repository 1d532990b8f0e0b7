#pragma once

#include <memory>
#include <string>

#include "sluice/endpoint/endpoint.h"
#include "sluice/stream/session.h"

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

/// What is at the other side of a pty's stream.
struct PtyUser {
  const Session& session;
  std::shared_ptr<Program> program = {};   ///< one that was started on it; without it, any that open it
  std::shared_ptr<SlaveWatch> watch = {};  ///< where the stream ends with its last user
  /// Keeps the terminal open while nobody uses it, as a serial line: the stream has no end of its own, and
  /// what is written waits for the next reader.
  std::shared_ptr<const Fd> slave = {};
  std::shared_ptr<void> companion = {};  ///< released with the stream
};

/// The master side as a stream. `finish` writes the terminal's end-of-file character where it reads lines; a
/// raw terminal cannot be told. Without `slave`, input is over when nobody has the slave side open any more
/// (after sitout-eio=, if nobody has opened it again).
///
/// `close` gives what was written the session's linger limit to be read. A program that was told of the end
/// is waited for; then the terminal hangs up on it.
std::unique_ptr<Stream> pty_stream(const Address& address, const Context& context, Fd master, PtyUser user);

}  // namespace sluice
