#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

/// When a line with the sum of all counts is printed: `automatic` if more than one file was named.
enum class Total { automatic, always, only, never };

/// The spellings of --total's choices, in the enumeration's order.
inline constexpr std::array<std::string_view, 4> total_choices = {"auto", "always", "only", "never"};
Total total_of(std::string_view choice);

/// How wide wc makes its column for these files (`-` is standard input): the digits of the sum of their
/// sizes, at least 7 if one of them is no regular file; 1 for a single file, and where they are not known in
/// advance.
int column_width(std::span<const std::string> names);

/// Prints counts line by line as wc does.
class CountReport {
 public:
  CountReport(Total total, int width, int fd)
      : total_(total), width_(total == Total::only ? 1 : width), fd_(fd) {}

  /// One file's line; standard input that was not named has none.
  void add(std::uint64_t count, std::string_view name);
  /// The line with the sum, if it is due after `files` files.
  void finish(std::size_t files);

 private:
  void put(std::uint64_t count, std::string_view name);

  Total total_;
  int width_;
  int fd_;
  std::uint64_t sum_ = 0;
};

}  // namespace sluice
