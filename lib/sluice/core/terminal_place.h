#pragma once

#include <string>

#include "sluice/core/fd.h"

namespace sluice {

/// Which of the lines at the end of the terminal on standard error is this process's, if several of one
/// process group have a standing line there: 0 is where the cursor is, 1 the line below, and so on. A place
/// is a name of AF_UNIX that exists as long as a socket has it (abstract, unix(7)): taking it is atomic, and
/// it goes with its process however that ends. Where names cannot be had, every process has place 0.
class TerminalPlace {
 public:
  /// Takes the lowest place that is free; later the one before its own, if somebody has left that. Returns
  /// its place.
  int take();
  void leave();
  /// Whether another process has a place as well.
  bool is_shared() const;

 private:
  std::string key_;  ///< of the terminal and the process group
  int place_ = -1;
  Fd held_;
};

}  // namespace sluice
