#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sluice/stream/loop.h"

namespace sluice {

/// When a line with the sum of all counts is printed: `automatic` if more than one file was named.
enum class Total { automatic, always, only, never };

/// The spellings of --total's choices, in the enumeration's order.
inline constexpr std::array<std::string_view, 4> total_choices = {"auto", "always", "only", "never"};
Total total_of(std::string_view choice);

/// How wide wc makes its column for these files (`-` is standard input): the digits of the sum of their
/// sizes, at least 7 if one of them is no regular file; 1 for a single file, and where they are not known in
/// advance.
/// Without standard input (`no_input`), as little is known of `-` as of a file that is not there.
int column_width(std::span<const std::string> names, bool no_input);

struct Counts {
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;
};

/// What there is to say about one input.
struct CountedInput {
  std::optional<std::string_view> name{};  ///< as it was given; standard input that was not named has none
  std::optional<Counts> counts{};          ///< none if it could not be opened
  std::string problem{};                   ///< why that is not all of it, or what is wrong with it
};

/// Prints counts line by line, as wc does or as JSON: one document a line. A line that cannot be written is
/// the last one, and no reason not to look at further files: `finish` says so.
class CountReport {
 public:
  CountReport(Total total, int width, int fd, bool json)
      : total_(total), width_(total == Total::only ? 1 : width), fd_(fd), json_(json) {}

  /// One input's line. wc has none for what could not be opened.
  void add(const CountedInput& input);
  /// The line with the sum, if it is due after `files` files.
  void add_total(std::size_t files);
  /// Throws the Failure of a line that could not be written.
  void finish() const;

 private:
  void put(std::uint64_t count, std::string_view name);
  void put(std::string line);

  Total total_;
  int width_;
  int fd_;
  bool json_;
  Counts sum_;
  std::exception_ptr failure_;
};

/// The line that says how far counting has come, `1000 lines, 200 lines/s` or a JSON document: the counts now
/// and those of `interval` before, and how long it takes in all.
std::string running_text(const Counts& now, const Counts& before, Duration interval, Duration elapsed,
                         bool json);

}  // namespace sluice
