#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

/// What a terminal shows of what was written to it: as much of one as a line that is redrawn needs. Whatever
/// else has a control character is shown as `?`, so that a comparison fails.
inline std::vector<std::string> screen(std::string_view written) {
  constexpr std::string_view clear_to_end = "\x1b[K";
  std::vector<std::string> rows(1);
  std::size_t column = 0;
  while (!written.empty()) {
    std::string& row = rows.back();
    if (written.starts_with(clear_to_end)) {
      row.resize(column);
      written.remove_prefix(clear_to_end.size());
      continue;
    }
    const char c = written.front();
    written.remove_prefix(1);
    if (c == '\r') {
      column = 0;
    } else if (c == '\n') {
      rows.emplace_back();
      column = 0;  // as the terminal itself makes it (ONLCR)
    } else {
      if (row.size() <= column) row.resize(column + 1, ' ');
      row[column++] = c >= ' ' ? c : '?';
    }
  }
  return rows;
}

}  // namespace sluice::test
