#pragma once

#include <signal.h>

#include <utility>
#include <vector>

#include "sluice/stream/descriptor.h"

namespace sluice {

/// Signals of the process, as something to be awaited on a loop. While it lives their usual effect is
/// replaced; there is one at a time.
class Signals {
 public:
  Signals(Loop& loop, const std::vector<int>& numbers);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Waits for the next one, in the order in which they came.
  Task<int> next();

 private:
  Fd writing_;
  Descriptor reading_;
  std::vector<std::pair<int, struct sigaction>> before_;
};

}  // namespace sluice
