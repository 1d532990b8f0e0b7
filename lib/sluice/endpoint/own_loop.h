#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/core/own_output.h"
#include "sluice/stream/session.h"
#include "sluice/stream/stream.h"

namespace sluice {

/// What a relay writes beside the streams: copies and dumps of what is read from one side.
struct Dumps {
  std::vector<int> of_left, of_right;
};

/// The file that a relay between these two would fill with itself without end, if there is one: because it is
/// read and written by the relay, or its dumps, or comes back from the other side.
std::optional<std::string> file_fed_by_itself(const Info& left, const Info& right, Direction direction,
                                              const Dumps& dumps);

/// The same stream, whose reading breaks where it comes to what was written to the descriptor `out`.
std::unique_ptr<Stream> wary_of(std::unique_ptr<Stream> stream, int out);

}  // namespace sluice
