#include "sluice/endpoint/readiness.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "sluice/core/failure.h"
#include "sluice/core/new_file.h"
#include "sluice/core/visible.h"

namespace sluice {
namespace {

void write_all(int fd, const std::string& text, const std::string& what) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    done += static_cast<std::size_t>(check("write " + what, count));
  }
}

/// What a file cannot be put in the place of: a device would be lost, and of a folder that the kernel fills,
/// files are not made.
void refuse_places(const std::string& path) {
  struct stat status {};
  const bool is_there = ::lstat(path.c_str(), &status) == 0;
  const bool is_device = is_there && (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode));
  const bool of_kernel = path.starts_with("/proc/") || (path.starts_with("/dev/") && path.rfind('/') == 4);
  if (is_device || of_kernel)
    throw Failure("--ready-file " + path + ": a file cannot be put there (--ready-fd takes a descriptor)");
}

}  // namespace

Readiness::Readiness(std::optional<int> fd, std::optional<std::string> path)
    : fd_(fd), path_(std::move(path)) {
  if (fd_) {
    check("--ready-fd " + std::to_string(*fd_), ::fcntl(*fd_, F_GETFD));
    // Programs that we start must not keep the reader waiting.
    ::fcntl(*fd_, F_SETFD, FD_CLOEXEC);
  }
  if (!path_) return;
  refuse_places(*path_);
  ::unlink(path_->c_str());
}

Readiness::Readiness(Readiness&& other) noexcept
    : fd_(std::exchange(other.fd_, std::nullopt)), path_(std::exchange(other.path_, std::nullopt)) {}

Readiness::~Readiness() {
  if (path_ && is_named(*path_, file_)) ::unlink(path_->c_str());
}

void Readiness::report(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += visible(name) + '\n';
  if (path_) file_ = put_file(*path_, text, 0666);
  if (fd_) {
    const int once = *std::exchange(fd_, std::nullopt);
    // With nothing bound there is still something to say: a line of its own ends the wait.
    write_all(once, text.empty() ? "ready\n" : text, "--ready-fd");
    if (once > STDERR_FILENO) {
      ::close(once);
    } else {
      // The number of a standard stream must not fall to the next socket.
      const Fd null(check("open /dev/null", ::open("/dev/null", O_RDWR | O_CLOEXEC)));
      ::dup2(null.get(), once);
    }
  }
}

}  // namespace sluice
