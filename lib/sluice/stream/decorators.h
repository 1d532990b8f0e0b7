#pragma once

#include <cstdint>
#include <memory>

#include "sluice/core/own_output.h"
#include "sluice/stream/decorator.h"

namespace sluice {

/// `readbytes`: input is over after `count` bytes, and no more than that is asked of the kernel, so that the
/// next reader of the same descriptor goes on there.
std::unique_ptr<Stream> limit_reading(std::unique_ptr<Stream> inner, std::uint64_t count);

/// `ignoreeof`: the end of input is not one; more is tried for again and again, as `tail -f` does.
std::unique_ptr<Stream> ignore_eof(std::unique_ptr<Stream> inner, Loop& loop);

/// `escape`: input is over at the first byte that is `end`, as if what stands before were all there is. Of a
/// message that holds it, what stands before is the last one.
std::unique_ptr<Stream> end_at(std::unique_ptr<Stream> inner, char end);

/// Reading is broken (`input_is_output`) where it would come to what was written behind it.
std::unique_ptr<Stream> end_at_own_output(std::unique_ptr<Stream> inner, OwnOutput own);

/// The same stream, and with it something that is to be kept for as long (a lock).
std::unique_ptr<Stream> keep_with(std::unique_ptr<Stream> inner, std::shared_ptr<void> kept);

/// Sees what passes. One call at a time.
class Tap {
 public:
  virtual ~Tap() = default;
  /// Looks at a piece, and may wait; what passes waits with it.
  virtual Task<> see(ConstBytes bytes) = 0;
  /// A waiting and every later `see` waits no more.
  virtual void stop() {}
};
/// `read` sees bytes just read from the stream, `written` bytes just before they are written to it; each may
/// be none. Reads at most `chunk` bytes at a time, since each piece is seen for itself. Both are stopped with
/// writing.
std::unique_ptr<Stream> tap(std::unique_ptr<Stream> inner, std::size_t chunk, std::unique_ptr<Tap> read,
                            std::unique_ptr<Tap> written);

/// `A!!B`: reads one stream and writes another.
std::unique_ptr<Stream> join(std::unique_ptr<Stream> reading, std::unique_ptr<Stream> writing);

}  // namespace sluice
