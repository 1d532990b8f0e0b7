#include "sluice/endpoint/file_kind.h"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

constexpr std::array kinds = {
    FileKind{S_IFREG, "regular file", "file"},       FileKind{S_IFDIR, "directory", "dir"},
    FileKind{S_IFCHR, "character device", "chrdev"}, FileKind{S_IFBLK, "block device", "blkdev"},
    FileKind{S_IFIFO, "named pipe", "pipe"},         FileKind{S_IFLNK, "symbolic link", "symlink"},
    FileKind{S_IFSOCK, "socket", "socket"}};
constexpr FileKind unknown = {0, "undef", "unknown"};

}  // namespace

const FileKind& file_kind(mode_t mode) {
  const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                 [=](const FileKind& one) { return one.format == (mode & S_IFMT); });
  return kind == kinds.end() ? unknown : *kind;
}

}  // namespace sluice
