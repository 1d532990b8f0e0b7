#include "sluice/core/new_file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdio>

#include "sluice/core/figures.h"

namespace sluice {
namespace {

/// As many links as the kernel follows (path_resolution(7)).
constexpr int most_links = 40;
/// Names are made and taken while they are looked at.
constexpr int most_tries = 100;

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Beside a file, so that it can be renamed to it.
std::string secret_name_beside(const std::string& path) {
  std::array<char, 12> random{};
  check("get random bytes", ::getrandom(random.data(), random.size(), 0));
  return folder_of(path) + "/.sluice-" + hexadecimal(random);
}

void write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    text.remove_prefix(static_cast<std::size_t>(check("write " + path, count)));
  }
}

bool same_file(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/// Whether anybody may have planted what stands in a folder, unless it is ours or the folder's owner's.
class Folder {
 public:
  explicit Folder(const std::string& of_path) : known_(::stat(folder_of(of_path).c_str(), &status_) == 0) {}
  bool is_open_to_all() const { return known_ && (status_.st_mode & S_IWOTH) != 0; }
  bool trusts(uid_t owner) const { return owner == ::geteuid() || owner == status_.st_uid; }

 private:
  struct stat status_ {};
  bool known_;
};

Fd failed(int error) {
  errno = error;
  return Fd();
}

Fd try_open(const std::string& path, int flags, mode_t mode, Unread unread) {
  flags |= O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  Fd file(::open(path.c_str(), flags, mode));
  if (!file && unread == Unread::hold && is_unread_fifo(path))
    file.reset(::open(path.c_str(), (flags & ~(O_ACCMODE | O_CREAT)) | O_RDWR));
  return file;
}

}  // namespace

Fd make_file(const std::string& path, mode_t mode) {
  return Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
}

Fd put_file(const std::string& path, std::string_view text, mode_t mode) {
  std::string secret;
  Fd file;
  for (int tries = 0; !file; ++tries) {
    secret = secret_name_beside(path);
    file = make_file(secret, mode);
    if (!file && (errno != EEXIST || tries == most_tries)) throw Failure("create " + path, last_error());
  }
  try {
    write_all(file.get(), text, path);
    check("create " + path, ::rename(secret.c_str(), path.c_str()));
  } catch (const Failure&) {
    ::unlink(secret.c_str());
    throw;
  }
  return file;
}

bool is_named(const std::string& path, const Fd& file) {
  struct stat ours {
  }, now{};
  return file && ::fstat(file.get(), &ours) == 0 && ::lstat(path.c_str(), &now) == 0 && same_file(ours, now);
}

bool leads_to(const std::string& path, const Fd& file) {
  struct stat ours {
  }, now{};
  return file && ::fstat(file.get(), &ours) == 0 && ::stat(path.c_str(), &now) == 0 && same_file(ours, now);
}

bool is_unread_fifo(const std::string& path) {
  if (errno != ENXIO) return false;
  struct stat status {};
  const bool is_fifo = ::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
  errno = ENXIO;
  return is_fifo;
}

Fd open_to_append(const std::string& path, mode_t mode, Unread unread, int access) {
  std::string at = path;
  int links = 0;
  for (int tries = 0; tries < most_tries; ++tries) {
    const Folder folder(at);
    if (!folder.is_open_to_all()) return try_open(at, access | O_CREAT, mode, unread);
    const Fd there(::open(at.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!there) {
      if (errno != ENOENT) return Fd();
      Fd made = try_open(at, access | O_CREAT | O_EXCL | O_NOFOLLOW, mode, unread);
      if (made || errno != EEXIST) return made;
      continue;  // somebody was quicker
    }
    struct stat status {
    }, opened{};
    if (::fstat(there.get(), &status) != 0) return Fd();
    if (!folder.trusts(status.st_uid)) return failed(EACCES);
    if (S_ISLNK(status.st_mode)) {
      // What was looked at is followed, since its name may lead elsewhere by now.
      if (++links > most_links) return failed(ELOOP);
      std::array<char, PATH_MAX> target{};
      const ssize_t length = ::readlinkat(there.get(), "", target.data(), target.size());
      if (length <= 0) return Fd();
      const std::string next(target.data(), static_cast<std::size_t>(length));
      at = next.starts_with('/') ? next : folder_of(at) + '/' + next;
      continue;
    }
    Fd file = try_open(at, access | O_NOFOLLOW, mode, unread);
    if (file && ::fstat(file.get(), &opened) == 0 && same_file(status, opened)) return file;
    if (!file && errno != ENOENT && errno != ELOOP) return file;
  }
  return failed(EAGAIN);
}

}  // namespace sluice
