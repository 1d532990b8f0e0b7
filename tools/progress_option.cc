#include "progress_option.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "sluice/core/fd.h"
#include "sluice/core/standing_line.h"
#include "sluice/stream/progress.h"

namespace sluice {
namespace {

bool reads_standard_input(std::span<const std::string> names) {
  return names.empty() || std::find(names.begin(), names.end(), "-") != names.end();
}

}  // namespace

std::optional<std::uint64_t> bytes_of_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || S_ISDIR(status.st_mode)) return 0;
  if (S_ISREG(status.st_mode)) return static_cast<std::uint64_t>(status.st_size);
  if (!S_ISBLK(status.st_mode)) return {};
  const Fd device(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return bytes_left(device.get());
}

std::optional<std::uint64_t> bytes_of_files(std::span<const std::string> names) {
  std::uint64_t sum = 0;
  const auto add = [&sum](std::optional<std::uint64_t> bytes) {
    sum += bytes.value_or(0);
    return bytes.has_value();
  };
  for (const std::string& name : names)
    if (name != "-" && !add(bytes_of_file(name))) return {};
  // It is read to its end once, however often it is named.
  if (reads_standard_input(names) && !add(bytes_left(STDIN_FILENO))) return {};
  return sum;
}

bool mixes_with_progress(std::span<const std::string> names, bool writes) {
  return (writes && StandingLine::shares_terminal(STDOUT_FILENO)) ||
         (reads_standard_input(names) && StandingLine::shares_terminal(STDIN_FILENO));
}

}  // namespace sluice
