#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

/// What a terminal shows of what was written to it, without end below: as much of one as lines that are
/// redrawn need. Whatever else has a control character is shown as `?`, so that a comparison fails.
inline std::vector<std::string> screen(std::string_view written) {
  std::vector<std::string> rows(1);
  std::size_t row = 0, column = 0;
  const auto take = [&written](std::string_view sequence) {
    const bool found = written.starts_with(sequence);
    if (found) written.remove_prefix(sequence.size());
    return found;
  };
  while (!written.empty()) {
    if (take("\x1b[K")) {
      rows[row].resize(column);
    } else if (take("\x1b[J")) {
      rows.resize(row + 1);
      rows[row].resize(column);
    } else if (take("\x1b[1A")) {
      row -= row > 0 ? 1 : 0;
    } else if (take("\x1b[2A")) {
      row -= row > 1 ? 2 : row;
    } else if (take("\r")) {
      column = 0;
    } else if (take("\n")) {
      if (++row == rows.size()) rows.emplace_back();
      column = 0;  // as the terminal itself makes it (ONLCR)
    } else {
      const char c = written.front();
      written.remove_prefix(1);
      if (rows[row].size() <= column) rows[row].resize(column + 1, ' ');
      rows[row][column++] = c >= ' ' ? c : '?';
    }
  }
  return rows;
}

}  // namespace sluice::test
