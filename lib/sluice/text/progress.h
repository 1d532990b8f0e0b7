#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace sluice {

/// What has been moved so far: who moves it counts, and any thread may look.
struct ProgressCounts {
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> lines = 0;
};

/// How far a transfer has come, for a line about it. Rates are in bytes a second.
struct ProgressFigures {
  std::uint64_t bytes = 0;               ///< moved; of a two-way transfer, from left to right
  std::optional<std::uint64_t> back{};   ///< from right to left, of a two-way one
  std::optional<std::uint64_t> lines{};  ///< counted
  std::optional<std::uint64_t>
      sessions{};           ///< of a server: those that are open, or in the last line all that were
  std::uint64_t done = 0;   ///< of `total`
  std::uint64_t total = 0;  ///< 0 is not known; less than `done` if what is read has grown
  std::chrono::nanoseconds elapsed{};
  double rate = 0;       ///< now, of all that is moved
  double done_rate = 0;  ///< of `done`, over a longer while: when the rest will have come depends on it

  std::uint64_t moved() const { return bytes + back.value_or(0); }
};

/// What has been moved over the last time: a rate that neither jumps with each look nor remembers everything.
class RateWindow {
 public:
  /// How much had been moved at a time; at 0, when all began, it was nothing. A time that is not later than
  /// the last one adds nothing; what is less than before was looked up too early, and counts as the same.
  void add(std::chrono::nanoseconds at, std::uint64_t moved);
  /// Bytes a second from the last sample that is `span` older than the newest, or the oldest that is known,
  /// on.
  double over(std::chrono::nanoseconds span) const;

 private:
  struct Sample {
    std::chrono::nanoseconds at{};
    std::uint64_t moved = 0;
  };
  static constexpr std::size_t most = 64;

  std::array<Sample, most> samples_{};
  std::size_t count_ = 1;  ///< ever; the first one is that of the beginning
};

/// `0 B`, `999 B`, `1.00 kB`, `12.3 MB`, `18.4 EB`: three digits and an SI unit.
std::string size_text(double bytes);
/// `0:00:05`, `12:34:56`, `3d 04:05:06`.
std::string time_text(std::chrono::seconds time);

/// The line that is drawn while a transfer runs, of at most `columns` characters, all printable ASCII:
/// `1.23 GB   25% [==>       ]   250 MB/s  avg  246 MB/s  0:00:05  ETA 0:00:15`. What matters least is left
/// out where there is no room for all; what is left of the room goes to the bar. Numbers keep their columns.
std::string progress_line(const ProgressFigures& figures, std::size_t columns);

/// The line when it is over: `1234567890 bytes (1.23 GB) in 5.02 s, average 246 MB/s`.
std::string last_progress_line(const ProgressFigures& figures);

}  // namespace sluice
