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
/// `-t` (0.5 s) of silence. A source that can end is waited for without limit, unless -t was given. A
/// direction whose source has no input at all does not count: the other one decides alone. When a peer has
/// reset its connection, or has closed it in both directions, nothing matters any more, and the session is
/// over at once.
///
/// Draining is an end in good order: the session has its grace to end by itself, unless its only direction
/// comes from a source without an end.
Task<> relay(std::unique_ptr<Stream> left, std::unique_ptr<Stream> right, Session& session);

}  // namespace sluice
