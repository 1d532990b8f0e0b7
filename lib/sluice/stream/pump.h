#pragma once

#include "sluice/stream/session.h"
#include "sluice/stream/stream.h"

namespace sluice {

/// Moves everything from one stream to another until one of them ends, counting in `flow`; then finishes the
/// target, if it was the source that ended. Moves inside the kernel when both are raw (mover.h), in batches
/// of messages when both carry messages, else copies. What was read is written, also when reading is stopped.
/// Returns how it ended; `flow.source` and `flow.target` say which side it was.
Task<End> pump(Stream& from, Stream& to, Flow& flow, const Session& session);

}  // namespace sluice
