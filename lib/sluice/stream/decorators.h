#pragma once

#include <cstdint>
#include <functional>
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

/// Sees what passes: bytes just read from the stream, and bytes just before they are written to it.
using Tap = std::function<void(ConstBytes)>;
/// Reads at most `chunk` bytes at a time, since each is seen for itself.
std::unique_ptr<Stream> tap(std::unique_ptr<Stream> inner, std::size_t chunk, Tap read, Tap written);

/// `A!!B`: reads one stream and writes another.
std::unique_ptr<Stream> join(std::unique_ptr<Stream> reading, std::unique_ptr<Stream> writing);

}  // namespace sluice
