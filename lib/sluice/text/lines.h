#pragma once

#include <atomic>
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
    add(in.size(), count_byte(in, delimiter_));
    unterminated_ = in.back() != delimiter_;
  }
  /// Bytes that somebody else has counted, and how many of them are delimiters. Whether a line is left open
  /// is for the bytes behind them to say.
  void add(std::uint64_t bytes, std::uint64_t delimiters) {
    bytes_ += bytes;
    terminated_ += delimiters;
  }
  /// Lines that have their delimiter, as `wc -l` counts.
  std::uint64_t terminated() const { return terminated_; }
  /// Whether bytes stand behind the last delimiter.
  bool unterminated() const { return unterminated_; }
  /// All lines, an unterminated last one included.
  std::uint64_t all() const { return terminated_ + (unterminated_ ? 1 : 0); }
  /// All bytes.
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::uint64_t bytes_ = 0;
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

/// Swallows its text; at the end it puts out how many lines there were, in decimal, and a newline. Meanwhile
/// it adds them to `running`, if that is given, which several filters may do at once.
class CountLinesFilter final : public Filter {
 public:
  explicit CountLinesFilter(LineRules rules = {}, std::atomic<std::uint64_t>* running = nullptr)
      : rules_(rules), counter_(rules.delimiter), running_(running) {}
  void feed(ConstBytes in, Output&) override {
    const std::uint64_t before = counter_.terminated();
    counter_.feed(in);
    if (running_ != nullptr) running_->fetch_add(counter_.terminated() - before, std::memory_order_relaxed);
  }
  void finish(Output& out) override;
  bool passes_on() const override { return false; }

 private:
  LineRules rules_;
  LineCounter counter_;
  std::atomic<std::uint64_t>* running_;
};

}  // namespace sluice
