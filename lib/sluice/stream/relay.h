#pragma once

#include <memory>

#include "sluice/stream/session.h"
#include "sluice/stream/stream.h"

namespace sluice {

/// Relays between two streams until the session is over, then closes both. Sets session.status.
///
/// The end rule: each direction ends by itself and finishes its target. The session is over when both have
/// ended, or when one has and the other can no longer matter: its source never ends by itself, its target has
/// no output, or the ended direction's target could not be told that input is over; then it goes on until
/// `-t` (0.5 s) of silence. A source that can end is waited for without limit, unless -t was given.
///
/// Draining is an end in good order: the session has its linger limit to end by itself.
Task<> relay(std::unique_ptr<Stream> left, std::unique_ptr<Stream> right, Session& session);

}  // namespace sluice
