#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

/// The words of a text, which are separated by single spaces.
inline std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  while (!text.empty()) {
    const auto end = text.find(' ');
    if (end != 0) found.push_back(text.substr(0, end));
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
  }
  return found;
}

/// `a=b` as a pair.
inline std::pair<std::string_view, std::string_view> both_sides(std::string_view word) {
  const auto equals = word.find('=');
  return {word.substr(0, equals), word.substr(equals + 1)};
}

}  // namespace sluice
