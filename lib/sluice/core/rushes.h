#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Lines that many peers cause at once: of each kind, only the first of a rush is written, and how many there
/// were every 10 s and after it. A rush lasts until none of its kind has come for a second. Any thread may
/// call.
class Rushes {
 public:
  using Clock = std::chrono::steady_clock;

  struct Verdict {
    bool is_first;              ///< of a rush: it is to be written
    std::uint64_t passed_over;  ///< how many before it were not, and have not been told of
  };
  Verdict heard(std::string_view kind, Clock::time_point now);

  struct Rest {
    std::string kind;
    std::uint64_t passed_over;
  };
  /// What has not been told of yet.
  std::vector<Rest> take_rest();

 private:
  struct Rush {
    Clock::time_point last;
    Clock::time_point told;
    std::uint64_t passed_over = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Rush, std::less<>> all_;
};

}  // namespace sluice
