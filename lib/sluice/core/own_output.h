#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <system_error>

namespace sluice {

/// "input file is output file": why reading ends where it would come to what it has caused to be written.
std::error_code input_is_output();

/// A regular file that is read through one descriptor and written through another. Where reading comes to
/// what was written, it never ends and the file grows until its disk is full. Source: GNU cat(1), which
/// refuses this.
class OwnOutput {
 public:
  /// Nothing where the two are not the same regular file, or are one open file: what is read and what is
  /// written then share a place, which only moves on. Owns neither.
  static std::optional<OwnOutput> of(int in, int out);

  /// Whether there is more to read and it is before the place where writing goes on, or will be once the last
  /// `unwritten` bytes that were read have been written.
  bool is_met(std::size_t unwritten = 0) const;

 private:
  OwnOutput(int in, int out, bool appends) : in_(in), out_(out), appends_(appends) {}

  int in_;
  int out_;
  bool appends_;
};

/// The path of an open file, for messages; its number where the system does not say.
std::string path_of(int fd);

}  // namespace sluice
