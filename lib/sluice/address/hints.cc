#include "sluice/address/hints.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "sluice/address/lookup.h"

namespace sluice {
namespace {

// The longest name of the language has 32 characters.
constexpr std::size_t longest = 48;

}  // namespace

std::size_t distance(std::string_view a, std::string_view b, std::size_t limit) {
  const auto difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference > limit || a.size() > longest || b.size() > longest) return limit + 1;

  using Line = std::array<std::size_t, longest + 1>;
  Line before_last{}, last{}, now{};
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto equal = [&](std::size_t of_a, std::size_t of_b) {
        return ascii_lower(a[of_a - 1]) == ascii_lower(b[of_b - 1]);
      };
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (equal(i, j) ? 0 : 1)});
      if (i > 1 && j > 1 && equal(i, j - 1) && equal(i - 1, j))
        now[j] = std::min(now[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = now;
  }
  return std::min(last[b.size()], limit + 1);
}

std::string_view nearest(std::string_view written, std::span<const std::string_view> candidates) {
  auto limit = std::min<std::size_t>(3, (written.size() + 1) / 3);
  std::string_view best;
  for (const auto candidate : candidates) {
    if (limit == 0) break;
    const auto edits = distance(written, candidate, limit);
    if (edits > limit) continue;
    best = candidate;
    limit = edits == 0 ? 0 : edits - 1;
  }
  return best;
}

}  // namespace sluice
