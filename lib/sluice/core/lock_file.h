#pragma once

#include <string>

namespace sluice {

/// A file whose existence says that somebody has a thing (a UUCP lock file): it holds the process's number as
/// text. Made whole and at once, removed with the last of its kind.
class LockFile {
 public:
  /// Takes the lock, or does not: then somebody else has it. Throws Failure if the file cannot be made.
  bool take(const std::string& path);
  LockFile() = default;
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

 private:
  std::string path_;
};

}  // namespace sluice
