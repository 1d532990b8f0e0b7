#pragma once

#include <sys/stat.h>

#include <string_view>

namespace sluice {

/// What kind of file something is, as lines of the log name it and as columns do.
struct FileKind {
  mode_t format;  ///< of the mode's bits (S_IFMT)
  std::string_view name;
  std::string_view short_name;
};

/// Of a mode as stat(2) tells it.
const FileKind& file_kind(mode_t mode);

}  // namespace sluice
