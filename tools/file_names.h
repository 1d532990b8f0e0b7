#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/fd.h"

namespace sluice {

/// The names of the inputs, from operands or from a list of NUL-terminated names (--files0-from). A list in a
/// small regular file is read at once, so that the sizes of all files are known before the first is counted;
/// any other list is read as it comes.
class FileNames {
 public:
  explicit FileNames(std::vector<std::string_view> operands)
      : known_(operands.begin(), operands.end()), all_known_(true) {}
  /// Opens a list; `-` is standard input. Throws Failure "cannot open 'F' for reading: ...".
  static FileNames of_list(std::string_view path);

  /// The next name, an empty one included, or nothing. Throws Failure "F: read error: ...".
  std::optional<std::string> next();
  /// How many names `next` has given.
  std::size_t given() const { return given_; }
  /// All names, where they are known in advance, else none.
  const std::vector<std::string>& known() const { return known_; }

 private:
  FileNames() = default;
  std::optional<std::string> read_name();
  bool read_more();

  std::vector<std::string> known_;
  bool all_known_ = false;
  std::size_t given_ = 0;
  std::string list_;  ///< its name for messages
  Fd owned_;
  int fd_ = -1;
  std::string pending_;
  std::size_t used_ = 0;
  bool ended_ = false;
};

}  // namespace sluice
