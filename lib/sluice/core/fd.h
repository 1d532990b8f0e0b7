#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "sluice/core/failure.h"

namespace sluice {

/// Owns a file descriptor; -1 is none. Closing has no failure: who must know calls `close_checked`.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }
  void reset(int number = -1) {
    if (number_ >= 0) ::close(number_);
    number_ = number;
  }

  /// A second descriptor of the same open file description, close-on-exec, numbered 3 or above.
  Fd duplicate() const { return Fd(check("duplicate a descriptor", ::fcntl(number_, F_DUPFD_CLOEXEC, 3))); }

  /// Closes now and reports what the file system says at the last moment (a full disk on NFS, a quota).
  std::error_code close_checked() {
    if (number_ < 0 || ::close(release()) == 0 || errno == EINTR) return {};
    return last_error();
  }

 private:
  int number_ = -1;
};

}  // namespace sluice
