#pragma once

#include <signal.h>

#include <vector>

#include "sluice/stream/descriptor.h"

namespace sluice {

/// Signals of the process, as something to be awaited on a loop. While it lives their usual effect is
/// replaced; there is one at a time. What the kernel sends for a fault of our own (SIGSEGV...) has its usual
/// effect.
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
  std::vector<int> replaced_;
};

}  // namespace sluice
