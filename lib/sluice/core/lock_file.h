#pragma once

#include <string>

#include "sluice/core/fd.h"

namespace sluice {

/// A file whose existence says that somebody has a thing (a UUCP lock file): it holds the process's number as
/// text. Made whole and at once, removed with the object, unless somebody else has put another in its place.
class LockFile {
 public:
  /// Takes the lock, or does not: then somebody else has it. Throws Failure if the file cannot be made.
  bool take(const std::string& path);
  LockFile() = default;
  ~LockFile() { drop(); }
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

 private:
  void drop();

  std::string path_;
  Fd file_;  ///< kept open, so that nobody else's file can get its inode number
};

}  // namespace sluice
