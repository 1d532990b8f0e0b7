#pragma once

#include <cstdint>

#include "sluice/text/filter.h"

namespace sluice {

/// How often `wanted` occurs in `in`.
std::uint64_t count_byte(ConstBytes in, char wanted);

/// Counts the lines of a text that comes in pieces. A line ends in its delimiter: a newline, or a NUL as
/// `find -print0` writes.
class LineCounter {
 public:
  explicit LineCounter(char delimiter = '\n') : delimiter_(delimiter) {}

  void feed(ConstBytes in) {
    if (in.empty()) return;
    terminated_ += count_byte(in, delimiter_);
    unterminated_ = in.back() != delimiter_;
  }
  /// Lines that have their delimiter, as `wc -l` counts.
  std::uint64_t terminated() const { return terminated_; }
  /// Whether bytes stand behind the last delimiter.
  bool unterminated() const { return unterminated_; }
  /// All lines, an unterminated last one included.
  std::uint64_t all() const { return terminated_ + (unterminated_ ? 1 : 0); }

 private:
  std::uint64_t terminated_ = 0;
  char delimiter_;
  bool unterminated_ = false;
};

struct LineRules {
  char delimiter = '\n';
  bool partial = false;  ///< an unterminated last line counts too
};

/// What a counter says under these rules.
inline std::uint64_t lines_of(const LineCounter& counter, const LineRules& rules) {
  return rules.partial ? counter.all() : counter.terminated();
}

/// Swallows its text; at the end it puts out how many lines there were, in decimal, and a newline.
class CountLinesFilter final : public Filter {
 public:
  explicit CountLinesFilter(LineRules rules = {}) : rules_(rules), counter_(rules.delimiter) {}
  void feed(ConstBytes in, Output&) override { counter_.feed(in); }
  void finish(Output& out) override;

 private:
  LineRules rules_;
  LineCounter counter_;
};

}  // namespace sluice
