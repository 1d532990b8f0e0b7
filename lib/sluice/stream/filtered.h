#pragma once

#include <functional>
#include <memory>

#include "sluice/stream/session.h"
#include "sluice/stream/stream.h"
#include "sluice/text/filter.h"

namespace sluice {

using FilterFactory = std::function<std::unique_ptr<Filter>()>;

/// A stream whose bytes pass a filter on their way: one when they are read, one when they are written; either
/// may be missing. Each message is a text of its own.
std::unique_ptr<Stream> filtered(std::unique_ptr<Stream> inner, std::unique_ptr<Filter> reading,
                                 std::unique_ptr<Filter> writing);

/// Answers what is written to it with what the filter makes of it: UPPER, COUNT-LINES, and with no filter
/// the echo of PIPE. It holds a bounded amount; writing waits until it is read. Takes its partner's shape:
/// each message is a text of its own and is answered by one message.
std::unique_ptr<Stream> answering(Loop& loop, std::unique_ptr<Filter> filter);

}  // namespace sluice
