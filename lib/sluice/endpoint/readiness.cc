#include "sluice/endpoint/readiness.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "sluice/core/failure.h"

namespace sluice {
namespace {

void write_all(int fd, const std::string& text, const std::string& what) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    done += static_cast<std::size_t>(check("write " + what, count));
  }
}

}  // namespace

Readiness::Readiness(std::optional<int> fd, std::optional<std::string> path)
    : fd_(fd), path_(std::move(path)) {
  if (fd_) {
    check("--ready-fd " + std::to_string(*fd_), ::fcntl(*fd_, F_GETFD));
    // Programs that we start must not keep the reader waiting.
    ::fcntl(*fd_, F_SETFD, FD_CLOEXEC);
  }
  if (path_) ::unlink(path_->c_str());
}

Readiness::Readiness(Readiness&& other) noexcept
    : fd_(std::exchange(other.fd_, std::nullopt)), path_(std::exchange(other.path_, std::nullopt)) {}

Readiness::~Readiness() {
  struct stat ours {
  }, now{};
  if (!file_ || ::fstat(file_.get(), &ours) != 0 || ::lstat(path_->c_str(), &now) != 0) return;
  if (now.st_dev == ours.st_dev && now.st_ino == ours.st_ino) ::unlink(path_->c_str());
}

void Readiness::report(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += name + '\n';
  if (path_) {
    const std::string temporary = *path_ + ".new-" + std::to_string(::getpid());
    Fd file(check("open " + temporary,
                  ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)));
    write_all(file.get(), text, temporary);
    check("rename " + temporary, ::rename(temporary.c_str(), path_->c_str()));
    file_ = std::move(file);
  }
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
