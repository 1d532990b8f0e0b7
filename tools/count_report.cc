#include "count_report.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "sluice/cli/quote.h"
#include "sluice/cli/tool.h"
#include "sluice/core/standing_line.h"

namespace sluice {

Total total_of(std::string_view choice) {
  const auto found = std::find(total_choices.begin(), total_choices.end(), choice);
  return found == total_choices.end() ? Total::automatic : static_cast<Total>(found - total_choices.begin());
}

int column_width(std::span<const std::string> names) {
  if (names.size() <= 1) return 1;
  int least = 1;
  std::uint64_t bytes = 0;
  for (const std::string& name : names) {
    struct stat status {};
    if ((name == "-" ? ::fstat(0, &status) : ::stat(name.c_str(), &status)) != 0) continue;
    if (S_ISREG(status.st_mode))
      bytes += static_cast<std::uint64_t>(status.st_size);
    else
      least = 7;
  }
  return std::max(least, static_cast<int>(std::to_string(bytes).size()));
}

void CountReport::add(std::uint64_t count, std::string_view name) {
  sum_ += count;
  if (total_ != Total::only) put(count, name);
}

void CountReport::finish(std::size_t files) {
  if (total_ == Total::never || (total_ == Total::automatic && files <= 1)) return;
  put(sum_, total_ == Total::only ? std::string_view() : "total");
}

void CountReport::put(std::uint64_t count, std::string_view name) {
  std::string line = std::to_string(count);
  line.insert(0, static_cast<std::size_t>(std::max(0, width_ - static_cast<int>(line.size()))), ' ');
  // A name is quoted here only where it would break the line in two.
  if (!name.empty())
    line += ' ' + (name.find('\n') == name.npos ? std::string(name) : quoted_if_needed(name));
  // What is not on its terminal does not mix with the line, and may have to wait.
  std::optional<StandingLine::Pause> pause;
  if (StandingLine::shares_terminal(fd_)) pause.emplace();
  print(line += '\n', fd_);
}

}  // namespace sluice
