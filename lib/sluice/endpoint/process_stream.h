#pragma once

#include <memory>

#include "sluice/endpoint/spawn.h"
#include "sluice/stream/session.h"
#include "sluice/stream/stream.h"

namespace sluice {

/// What becomes of a program that outlives its stream.
enum class AtEnd {
  wait,  ///< it is waited for; one that outlives a session that was cut short, or that is draining, is
         ///< asked to end (SIGTERM), then made to
  leave_running,  ///< it goes on by itself (end-close)
};

/// A child process at the other end of a stream: its end is noticed, it is reaped, and its exit status is the
/// stream's. `program` is told of its end; none stands for one that nobody asks for.
std::unique_ptr<Stream> process_stream(std::unique_ptr<Stream> inner, Spawned child, const Session& session,
                                       AtEnd at_end = AtEnd::wait, std::shared_ptr<Program> program = {});

}  // namespace sluice
