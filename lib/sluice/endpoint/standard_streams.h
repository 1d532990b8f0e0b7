#pragma once

#include <memory>

#include "sluice/endpoint/endpoint.h"
#include "sluice/stream/descriptor.h"
#include "sluice/stream/fd_stream.h"

namespace sluice {

/// What an inherited descriptor is used for.
enum class Side { reading, writing, both };

/// A descriptor on the loop for one that others share (0, 1, 2, or passed by the shell). Its description's
/// flags are never touched: pipes and terminals are reopened, sockets used with MSG_DONTWAIT, files with
/// short calls, and for the rest a thread of our own copies. `keep` must live as long as what is returned.
std::unique_ptr<Descriptor> open_inherited(Loop& loop, int number, Side side, std::shared_ptr<void>& keep);

/// Stream over descriptors that somebody opened before us. `exclusive`: finishing lets the reader see the
/// end, by replacing the inherited descriptor with /dev/null; else others of this process still write to it.
std::unique_ptr<Stream> inherited_stream(const Address& address, int in, int out, bool exclusive,
                                         const Context& context);

}  // namespace sluice
