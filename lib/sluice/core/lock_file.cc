#include "sluice/core/lock_file.h"

#include <unistd.h>

#include "sluice/core/failure.h"
#include "sluice/core/new_file.h"

namespace sluice {

bool LockFile::take(const std::string& path) {
  file_ = make_file(path, 0644);
  if (!file_) {
    if (errno == EEXIST) return false;
    throw Failure("create lock file " + path, last_error());
  }
  path_ = path;
  const std::string number = std::to_string(::getpid()) + '\n';
  const ssize_t count = ::write(file_.get(), number.data(), number.size());
  if (count == static_cast<ssize_t>(number.size())) return true;
  const std::error_code why = count < 0 ? last_error() : std::make_error_code(std::errc::no_space_on_device);
  drop();
  throw Failure("write lock file " + path, why);
}

void LockFile::drop() {
  if (is_named(path_, file_)) ::unlink(path_.c_str());
  file_.reset();
}

}  // namespace sluice
