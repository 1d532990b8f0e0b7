#include "sluice/text/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace sluice {
namespace {

constexpr std::array<std::string_view, 7> units = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

/// How many decimals a number gets that is less than a limit; the limits are those of rounding to three
/// digits.
struct Precision {
  double below;
  int decimals;
};
constexpr std::array precisions = {Precision{9.995, 2}, Precision{99.95, 1}, Precision{999.5, 0}};

constexpr std::string_view gap = "  ";
constexpr std::size_t size_width = 7;
constexpr std::size_t rate_width = 9;
constexpr std::size_t least_bar = 12;
constexpr std::size_t largest_bar = 32;
/// What takes longer than this to come is not known to come at all.
constexpr double longest_wait = 9999.0 * 24 * 60 * 60;

std::string padded(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string rate_text(double rate) { return size_text(rate) + "/s"; }

double in_seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

/// Of no time, there is none.
double average(const ProgressFigures& figures) {
  return figures.elapsed.count() > 0 ? static_cast<double>(figures.moved()) / in_seconds(figures.elapsed) : 0;
}

std::string counted(std::uint64_t count, std::string_view what) {
  return std::to_string(count) + ' ' + std::string(what) + (count == 1 ? "" : "s");
}

std::string moved(const ProgressFigures& figures) {
  const auto size = [](std::uint64_t bytes) {
    return padded(size_text(static_cast<double>(bytes)), size_width);
  };
  if (!figures.back) return size(figures.bytes);
  return "A->B " + size(figures.bytes) + std::string(gap) + "B->A " + size(*figures.back);
}

std::string lines(const ProgressFigures& figures) {
  return figures.lines ? counted(*figures.lines, "line") : "";
}

std::string sessions(const ProgressFigures& figures) {
  return figures.sessions ? counted(*figures.sessions, "session") : "";
}

double fraction(const ProgressFigures& figures) {
  return static_cast<double>(figures.done) / static_cast<double>(figures.total);
}

std::string percent(const ProgressFigures& figures) {
  if (figures.total == 0) return "";
  // 100 % is when all has come, not a little before; what has grown meanwhile may give more.
  const double most = figures.done < figures.total ? 99 : 999;
  const double value = std::min(std::floor(fraction(figures) * 100), most);
  return padded(std::to_string(static_cast<int>(value)) + '%', 4);
}

std::string rate(const ProgressFigures& figures) { return padded(rate_text(figures.rate), rate_width); }

std::string average_rate(const ProgressFigures& figures) {
  return "avg " + padded(rate_text(average(figures)), rate_width);
}

std::string elapsed(const ProgressFigures& figures) {
  return time_text(std::chrono::duration_cast<std::chrono::seconds>(figures.elapsed));
}

std::string remaining(const ProgressFigures& figures) {
  if (figures.total == 0 || figures.done > figures.total) return "";
  const double left = static_cast<double>(figures.total - figures.done);
  const double wait = left > 0 ? std::ceil(left / figures.done_rate) : 0;
  // No rate, no end: also where that makes the wait infinite.
  if (!(wait <= longest_wait)) return "ETA -:--:--";
  return "ETA " + time_text(std::chrono::seconds(static_cast<std::int64_t>(wait)));
}

/// What a line may say, in the order in which it stands there. `rank`: of less rank is left out later.
struct Field {
  std::string (*text)(const ProgressFigures&);  ///< empty: these figures have none
  int rank;
};
constexpr int ranks = 8;
constexpr std::array<Field, ranks> fields = {{{moved, 0},
                                              {lines, 1},
                                              {percent, 2},
                                              {rate, 4},
                                              {average_rate, 7},
                                              {elapsed, 5},
                                              {remaining, 3},
                                              {sessions, 6}}};
/// The bar stands behind this field, if it does.
constexpr auto before_bar = percent;

std::string bar(double part, std::size_t width) {
  const std::size_t room = width - 2;
  const double place = std::min(part, 1.0) * static_cast<double>(room);
  const std::size_t done = std::min(static_cast<std::size_t>(place), room);
  std::string inside(done, '=');
  if (done < room) inside += '>';
  inside.resize(room, ' ');
  return '[' + inside + ']';
}

std::string last_size(std::uint64_t bytes) {
  std::string text = counted(bytes, "byte");
  if (bytes >= 1000) text += " (" + size_text(static_cast<double>(bytes)) + ')';
  return text;
}

}  // namespace

void RateWindow::add(std::chrono::nanoseconds at, std::uint64_t moved) {
  if (at <= samples_[(count_ - 1) % most].at) return;
  const std::uint64_t before = samples_[(count_ - 1) % most].moved;
  samples_[count_++ % most] = {at, std::max(moved, before)};
}

double RateWindow::over(std::chrono::nanoseconds span) const {
  const Sample& newest = samples_[(count_ - 1) % most];
  const std::size_t oldest = count_ > most ? count_ - most : 0;
  std::size_t from = count_ - 1;
  while (from > oldest && newest.at - samples_[from % most].at < span) --from;
  const Sample& first = samples_[from % most];
  if (newest.at <= first.at) return 0;
  return static_cast<double>(newest.moved - first.moved) / in_seconds(newest.at - first.at);
}

std::string size_text(double bytes) {
  char text[32];
  if (bytes < precisions.back().below) {
    std::snprintf(text, sizeof text, "%.0f B", bytes);
    return text;
  }
  std::size_t unit = 0;
  while (bytes >= precisions.back().below && unit + 1 < units.size()) {
    bytes /= 1000;
    ++unit;
  }
  int decimals = 0;
  for (const Precision& row : precisions) {
    decimals = row.decimals;
    if (bytes < row.below) break;
  }
  std::snprintf(text, sizeof text, "%.*f %s", decimals, bytes, units[unit].data());
  return text;
}

std::string time_text(std::chrono::seconds time) {
  constexpr std::int64_t minute = 60, hour = 60 * minute, day = 24 * hour;
  const std::int64_t all = std::max<std::int64_t>(time.count(), 0);
  const auto part = [all](std::int64_t of, std::int64_t unit) {
    return static_cast<long long>(all % of / unit);
  };
  char text[48];
  if (all < day)
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", part(day, hour), part(hour, minute),
                  part(minute, 1));
  else
    std::snprintf(text, sizeof text, "%lldd %02lld:%02lld:%02lld", static_cast<long long>(all / day),
                  part(day, hour), part(hour, minute), part(minute, 1));
  return text;
}

std::string progress_line(const ProgressFigures& figures, std::size_t columns) {
  std::array<std::string, ranks> texts;
  for (std::size_t i = 0; i < fields.size(); ++i) texts[i] = fields[i].text(figures);
  std::size_t width = 0;
  bool full = false;
  for (int rank = 0; rank < ranks; ++rank) {
    const auto row =
        std::find_if(fields.begin(), fields.end(), [&](const Field& one) { return one.rank == rank; });
    std::string& text = texts[static_cast<std::size_t>(row - fields.begin())];
    if (text.empty()) continue;
    const std::size_t wanted = width + (width > 0 ? gap.size() : 0) + text.size();
    // What does not fit takes along all that matters less, so that the line does not jump. The first one is
    // cut.
    full = full || (wanted > columns && rank > 0);
    if (full)
      text.clear();
    else
      width = wanted;
  }
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (texts[i].empty()) continue;
    if (!line.empty()) line += gap;
    line += texts[i];
    if (fields[i].text != before_bar || width + 1 + least_bar > columns) continue;
    line += ' ' + bar(fraction(figures), std::min(columns - width - 1, largest_bar));
  }
  line.resize(std::min(line.size(), columns));
  return line;
}

std::string last_progress_line(const ProgressFigures& figures) {
  std::string line = figures.back ? "A->B " + last_size(figures.bytes) + ", B->A " + last_size(*figures.back)
                                  : last_size(figures.bytes);
  for (const std::string& text : {lines(figures), sessions(figures)})
    if (!text.empty()) line += ", " + text;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.2f s", in_seconds(figures.elapsed));
  const bool long_one = figures.elapsed >= std::chrono::minutes(1);
  line += " in " + (long_one ? elapsed(figures) : std::string(seconds));
  if (figures.elapsed.count() > 0) line += ", average " + rate_text(average(figures));
  return line;
}

}  // namespace sluice
