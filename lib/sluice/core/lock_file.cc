#include "sluice/core/lock_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "sluice/core/failure.h"
#include "sluice/core/fd.h"

namespace sluice {

bool LockFile::take(const std::string& path) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) {
    if (errno == EEXIST) return false;
    throw Failure("create lock file " + path, last_error());
  }
  path_ = path;
  const std::string number = std::to_string(::getpid()) + '\n';
  check("write lock file " + path, ::write(file.get(), number.data(), number.size()));
  return true;
}

LockFile::~LockFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace sluice
