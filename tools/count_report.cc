#include "count_report.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "sluice/cli/quote.h"
#include "sluice/cli/tool.h"
#include "sluice/core/standing_line.h"
#include "sluice/core/visible.h"
#include "sluice/text/json.h"
#include "sluice/text/utf8.h"

namespace sluice {
namespace {

std::string json_members(const Counts& counts) {
  return "\"lines\":" + std::to_string(counts.lines) + ",\"bytes\":" + std::to_string(counts.bytes);
}

std::string json_text(const CountedInput& input) {
  std::string text = "{\"name\":" + (input.name ? json_string(*input.name) : "null");
  if (input.name && !is_utf8(*input.name)) text += ",\"name_hex\":\"" + hex_text(*input.name) + '"';
  if (input.counts) text += ',' + json_members(*input.counts);
  if (!input.problem.empty()) text += ",\"problem\":" + json_string(input.problem);
  return text += '}';
}

}  // namespace

Total total_of(std::string_view choice) {
  const auto found = std::find(total_choices.begin(), total_choices.end(), choice);
  return found == total_choices.end() ? Total::automatic : static_cast<Total>(found - total_choices.begin());
}

int column_width(std::span<const std::string> names, bool no_input) {
  if (names.size() <= 1) return 1;
  int least = 1;
  std::uint64_t bytes = 0;
  for (const std::string& name : names) {
    struct stat status {};
    if (name == "-" && no_input) continue;
    if ((name == "-" ? ::fstat(0, &status) : ::stat(name.c_str(), &status)) != 0) continue;
    if (S_ISREG(status.st_mode))
      bytes += static_cast<std::uint64_t>(status.st_size);
    else
      least = 7;
  }
  return std::max(least, static_cast<int>(std::to_string(bytes).size()));
}

void CountReport::add(const CountedInput& input) {
  if (input.counts) {
    sum_.lines += input.counts->lines;
    sum_.bytes += input.counts->bytes;
  }
  if (total_ == Total::only) return;
  if (json_)
    put(json_text(input));
  else if (input.counts)
    put(input.counts->lines, input.name.value_or(""));
}

void CountReport::add_total(std::size_t files) {
  if (total_ == Total::never || (total_ == Total::automatic && files <= 1)) return;
  if (json_)
    put("{\"total\":{\"files\":" + std::to_string(files) + ',' + json_members(sum_) + "}}");
  else
    put(sum_.lines, total_ == Total::only ? std::string_view() : "total");
}

void CountReport::put(std::uint64_t count, std::string_view name) {
  std::string line = std::to_string(count);
  line.insert(0, static_cast<std::size_t>(std::max(0, width_ - static_cast<int>(line.size()))), ' ');
  // As with wc, a name is quoted only where it would break the line in two; among messages, where it would do
  // anything to a terminal.
  const bool harms = fd_ == STDERR_FILENO ? visible(name) != name : name.find('\n') != name.npos;
  if (!name.empty()) line += ' ' + (harms ? quoted_if_needed(name) : std::string(name));
  put(std::move(line));
}

void CountReport::put(std::string line) {
  if (failure_ != nullptr) return;
  // What is not on its terminal does not mix with the line, and may have to wait.
  std::optional<StandingLine::Pause> pause;
  if (StandingLine::shares_terminal(fd_)) pause.emplace();
  try {
    print(line += '\n', fd_);
  } catch (const Failure&) {
    failure_ = std::current_exception();
  }
}

void CountReport::finish() const {
  if (failure_ != nullptr) std::rethrow_exception(failure_);
}

std::string running_text(const Counts& now, const Counts& before, Duration interval, Duration elapsed,
                         bool json) {
  // A file that had to be counted anew has less than before.
  const auto come = static_cast<double>(now.lines - std::min(now.lines, before.lines));
  const double seconds = std::chrono::duration<double>(interval).count();
  const std::string rate = std::to_string(seconds > 0 ? std::llround(come / seconds) : 0);
  if (!json) return std::to_string(now.lines) + (now.lines == 1 ? " line, " : " lines, ") + rate + " lines/s";
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count();
  std::string fraction = std::to_string(1000 + milliseconds % 1000);
  fraction[0] = '.';
  return "{\"running\":{" + json_members(now) + ",\"seconds\":" + std::to_string(milliseconds / 1000) +
         fraction + ",\"lines_per_second\":" + rate + "}}";
}

}  // namespace sluice
