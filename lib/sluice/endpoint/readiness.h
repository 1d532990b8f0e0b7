#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sluice/core/fd.h"

namespace sluice {

/// Tells whoever started us that addresses are bound, and where (--ready-fd, --ready-file): one name a line.
class Readiness {
 public:
  Readiness() = default;
  /// An old file of that name goes at once: what stands in it is not true any more.
  Readiness(std::optional<int> fd, std::optional<std::string> path);
  Readiness(Readiness&& other) noexcept;
  Readiness& operator=(Readiness&&) = delete;
  /// Removes the file if it is still ours.
  ~Readiness();

  /// Writes all names, once, each visible and on its line (core/visible.h): to the descriptor, which is then
  /// closed, and to a file that appears whole.
  void report(const std::vector<std::string>& names);

 private:
  std::optional<int> fd_;
  std::optional<std::string> path_;
  Fd file_;  ///< kept open, so that nobody else's file can get its inode number
};

}  // namespace sluice
