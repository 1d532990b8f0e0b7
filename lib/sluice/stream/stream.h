#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "sluice/stream/batch.h"
#include "sluice/stream/descriptor.h"
#include "sluice/stream/task.h"

namespace sluice {

struct Limits;

/// How a stream, or a try at it, ended; `open` is "it has not". An outcome, never thrown.
struct End {
  enum Kind {
    open,
    finished,  ///< input is over in good order
    broken,    ///< writing can never succeed again (EPIPE), or a device failed
    reset,     ///< the peer refused or reset it
    timed_out,
    abandoned,  ///< we stopped it
  } kind = open;
  std::error_code why;

  friend bool operator==(const End& end, Kind wanted) { return end.kind == wanted; }
};

/// The end that an errno of a transfer means.
End end_of(int error);

/// Bytes or messages; `either` takes its partner's shape.
enum class Shape { bytes, messages, either };

/// What the end rule must know of a stream.
struct Traits {
  Shape shape = Shape::bytes;
  bool input_ends = true;  ///< reading it comes to an end some day (not: datagrams, terminals, serial lines)
  bool can_finish = true;  ///< its far side can be told that there is no more to come
  bool reading_tells_closed = false;  ///< what `closed` waits for ends its input as well (sockets)
  bool is_connection = false;         ///< both directions are one connection to a peer: a reset ends both
};

/// What `finish` does to the output of a stream over a descriptor.
enum class FinishBy {
  shutting_down,  ///< shutdown(SHUT_WR): sockets
  closing,        ///< closing the output: pipes, files of their own
  nothing,        ///< terminals, descriptors used both ways that are no sockets
  marking,        ///< the end-of-file character (termios(3) VEOF): masters of pseudo terminals
  empty_packet,   ///< a message of no bytes (shut-null)
};

/// Tells the far side of a descriptor that there is no more to come, if that is the way; closing is left to
/// whoever owns it. What is no socket cannot be told, and that is no failure.
End tell_the_end(int fd, FinishBy way);

/// What log lines and statistics say of a stream.
struct Info {
  Traits traits;
  bool readable = true;  ///< it has an input at all; without one, every read is at its end
  bool writable = true;  ///< it has an output at all; without one, every write is broken
  std::string_view no_output = "there is no output";  ///< what is said then
  int in = -1;                                        ///< descriptor numbers
  int out = -1;
  bool shared = false;  ///< other streams use these, too
  std::string peer =
      {};  ///< who is at the other side, for messages: `127.0.0.1:43121`; empty if that is not known
  bool echoes = false;  ///< what is written to it comes back, before writing has ended
};

/// Descriptors whose bytes ARE the stream and that may be spliced; nullptr where there is none.
struct Raw {
  Descriptor* in = nullptr;
  Descriptor* out = nullptr;
};

/// Descriptors that are ready when reading, or writing, would not wait, whatever is made of their bytes;
/// nullptr where no descriptor tells.
struct Awaited {
  Descriptor* in = nullptr;
  Descriptor* out = nullptr;
};

/// A two-way channel. One task reads and one writes at a time; every call may be stopped from a third.
///
/// The end of input is told once as `finished` and then again on every further read. An end of either
/// direction says nothing about the other.
class Stream {
 public:
  /// Abandons: what was accepted but not delivered may be lost. `close` is the good order.
  virtual ~Stream() = default;

  /// Waits for at least one byte or one message; an empty message is a message, and in a batch of bytes
  /// arrives as none. Returns `open`, or how the input ended. Fills a batch of its own shape, and any stream
  /// fills a batch of bytes. The batch must be empty.
  virtual Task<End> read_some(Batch& into) = 0;

  /// Consumes at least one byte or one whole message, waiting until that is possible. A stream of messages
  /// makes one message of a chunk of bytes; a stream of bytes writes messages one behind the other.
  virtual Task<End> write_some(Batch& from) = 0;

  /// There will be no more writes: half-closes, or does the nearest thing the far side understands.
  virtual Task<End> finish() = 0;

  /// Completes when writing can never succeed again, so that an idle relay notices, or when stopped.
  virtual Task<> closed() = 0;

  /// Reads and drops what comes, until its end or stop_reading: for a far side that talks though nobody
  /// listens, since it would stop listening itself, and closing a socket with unread input resets its peer.
  /// Does nothing where input is not the stream's own (standard input).
  virtual Task<> discard_input() = 0;

  /// A waiting and every later read (write, finish, wait for `closed`) returns `abandoned`.
  virtual void stop_reading() = 0;
  virtual void stop_writing() = 0;

  /// In good order: finishes, discards input to its end, reaps; bounded by the limits. Nothing may be
  /// waiting in the other calls. A stream may be stopped before; closing is then as short as it can be.
  virtual Task<> close(const Limits& limits) = 0;

  /// What was said to the far side is not all, or what it said did not arrive: closing lets it see no good
  /// end, where that can be told (a connection is reset once what it was sent has arrived, a program gets
  /// SIGTERM).
  virtual void break_off() {}

  /// How many bytes reading will still give, where that is known: of files.
  virtual std::optional<std::uint64_t> size_left() const { return {}; }

  virtual Raw raw() { return {}; }
  virtual Awaited awaited() { return {}; }
  virtual const Info& info() const = 0;

  /// The exit status that the far side asks for, once closed (a child's own); 0 where it has none.
  virtual int exit_status() const { return 0; }
  /// Whether the far side speaks for itself by its exit status, so that its not reading on is no failure.
  virtual bool reports_status() const { return false; }
};

/// Writes all of a batch. Returns `open`, or how writing ended with the rest still in the batch.
Task<End> write_all(Stream& to, Batch& from);

}  // namespace sluice
