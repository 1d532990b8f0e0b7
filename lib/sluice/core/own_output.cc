#include "sluice/core/own_output.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <climits>

namespace sluice {
namespace {

class InputIsOutput final : public std::error_category {
 public:
  const char* name() const noexcept override { return "own output"; }
  std::string message(int) const override { return "input file is output file"; }
};

/// Whether two descriptors are of one open file description. Where the kernel does not compare (kcmp(2) may
/// be left out or forbidden), only equal numbers are known to be.
bool share_a_place(int one, int other) {
  return one == other || ::syscall(SYS_kcmp, ::getpid(), ::getpid(), KCMP_FILE, one, other) == 0;
}

}  // namespace

std::error_code input_is_output() {
  static const InputIsOutput category;
  return {1, category};
}

std::optional<OwnOutput> OwnOutput::of(int in, int out) {
  struct stat from {
  }, to{};
  if (in < 0 || out < 0 || ::fstat(out, &to) != 0 || !S_ISREG(to.st_mode)) return {};
  if (::fstat(in, &from) != 0 || from.st_dev != to.st_dev || from.st_ino != to.st_ino) return {};
  const int flags = ::fcntl(out, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || share_a_place(in, out)) return {};
  return OwnOutput(in, out, (flags & O_APPEND) != 0);
}

bool OwnOutput::is_met(std::size_t unwritten) const {
  struct stat status {};
  const off_t reading = ::lseek(in_, 0, SEEK_CUR);
  if (reading < 0 || ::fstat(in_, &status) != 0) return false;
  const off_t place = appends_ ? status.st_size : ::lseek(out_, 0, SEEK_CUR);
  const off_t writing = place + static_cast<off_t>(unwritten);
  // Of a file that ends where reading stands, only what is still unwritten can be met.
  return reading < writing && (reading < status.st_size || unwritten > 0);
}

std::string path_of(int fd) {
  std::array<char, PATH_MAX> path{};
  const ssize_t length =
      ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path.data(), path.size());
  if (length <= 0) return "descriptor " + std::to_string(fd);
  return {path.data(), static_cast<std::size_t>(length)};
}

}  // namespace sluice
