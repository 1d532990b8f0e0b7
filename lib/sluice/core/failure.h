#pragma once

#include <cerrno>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "sluice/core/exit_status.h"

namespace sluice {

/// A set-up step that cannot continue: what was attempted, on what, and why it failed.
/// `what()` is the one line a user reads; `detail()` is what helps beside it (a caret under the place).
class Failure : public std::exception {
 public:
  explicit Failure(std::string message, ExitStatus status = ExitStatus::failure)
      : message_(std::move(message)), status_(status) {}
  Failure(std::string_view attempted, std::error_code why, ExitStatus status = ExitStatus::failure)
      : message_(std::string(attempted) + ": " + why.message()), code_(why), status_(status) {}

  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& detail() const noexcept { return detail_; }
  std::error_code code() const noexcept { return code_; }
  ExitStatus status() const noexcept { return status_; }

 protected:
  void set_detail(std::string detail) { detail_ = std::move(detail); }

 private:
  std::string message_;
  std::string detail_;
  std::error_code code_;
  ExitStatus status_;
};

/// The command line, an address or an option is wrong: exit status 2.
class UsageError : public Failure {
 public:
  explicit UsageError(std::string message) : Failure(std::move(message), ExitStatus::usage) {}
  UsageError(std::string message, std::string detail) : UsageError(std::move(message)) {
    set_detail(std::move(detail));
  }
};

/// The error that the last failed system call left in errno.
inline std::error_code last_error() { return {errno, std::generic_category()}; }

/// Passes on a system call's result, or throws what was attempted with errno's reason.
template <class Result>
Result check(std::string_view attempted, Result result) {
  if (result == static_cast<Result>(-1)) throw Failure(attempted, last_error());
  return result;
}

}  // namespace sluice
