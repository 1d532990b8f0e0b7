#pragma once

#include "sluice/stream/session.h"
#include "sluice/stream/stream.h"

namespace sluice {

/// Moves everything from one stream to another until one of them ends, counting in `flow`; then finishes the
/// target, if it was the source that ended. Moves inside the kernel when both are raw (mover.h), in batches
/// of messages when both carry messages, else copies. What was read is written, also when reading is stopped.
/// `flow.source` and `flow.target` say how it ended. While it waits for a raw source it holds next to
/// nothing. Nothing is read while the target has no room, where a descriptor tells that (`Stream::awaited`).
Task<> pump(Stream& from, Stream& to, Flow& flow, const Session& session);

}  // namespace sluice
