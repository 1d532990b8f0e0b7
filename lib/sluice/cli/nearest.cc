#include "sluice/cli/nearest.h"

#include <algorithm>
#include <vector>

namespace sluice {

std::size_t distance_between(std::string_view a, std::string_view b) {
  // Optimal string alignment: three rows of the table are enough.
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(above);
    above.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::string_view nearest_of(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view nearest;
  // A word of which less than a third is right was hardly meant.
  std::size_t limit = std::min<std::size_t>(std::max<std::size_t>(2, word.size() / 3), word.size() * 2 / 3);
  for (const auto candidate : candidates) {
    const std::size_t distance = distance_between(word, candidate);
    if (distance > limit || (distance == limit && !nearest.empty())) continue;
    nearest = candidate;
    limit = distance;
  }
  return nearest;
}

}  // namespace sluice
