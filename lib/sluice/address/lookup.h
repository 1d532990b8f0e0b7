#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

/// Letters of ASCII alone: the language does not depend on a locale.
constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

inline std::string lower_case(std::string_view text) {
  std::string folded(text);
  for (char& c : folded) c = ascii_lower(c);
  return folded;
}

inline std::string upper_case(std::string_view text) {
  std::string folded(text);
  for (char& c : folded) c = ascii_upper(c);
  return folded;
}

/// Whether a table stands in ascending order of one member, each but once: what find_row needs.
template <class Rows, class Row>
constexpr bool ascending(const Rows& rows, std::string_view Row::*name) {
  for (std::size_t i = 1; i < rows.size(); ++i)
    if (!(rows[i - 1].*name < rows[i].*name)) return false;
  return true;
}

/// The row of an ascending table whose member is exactly `wanted`, or nullptr.
template <class Row>
const Row* find_row(std::span<const Row> rows, std::string_view Row::*name, std::string_view wanted) {
  const auto row = std::lower_bound(rows.begin(), rows.end(), wanted,
                                    [name](const Row& a, std::string_view b) { return a.*name < b; });
  return row != rows.end() && (*row).*name == wanted ? &*row : nullptr;
}

}  // namespace sluice
