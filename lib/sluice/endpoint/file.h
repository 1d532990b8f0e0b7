#pragma once

#include <memory>
#include <string>

#include "sluice/endpoint/endpoint.h"

namespace sluice {

/// Opens a path as an address's options and its use ask for, and makes a stream of it, whatever kind of file
/// it is. `flags` are open(2)'s beside the access mode. Opening a FIFO waits for its other side.
Task<std::unique_ptr<Stream>> open_path(const Address& address, const std::string& path, int flags, Use use,
                                        const Context& context, std::shared_ptr<void> companion = {});

/// The notice that an address is about to open a path: `opening regular file "x" for reading`.
void log_opening(const Address& address, Logger& log, const std::string& path, Use use);

}  // namespace sluice
