#pragma once

#include <span>
#include <string_view>

namespace sluice {

/// How many single-character insertions, deletions, substitutions and swaps of neighbours turn one text into
/// the other (optimal string alignment), or `limit` + 1 where it is more. Letters are compared without case.
std::size_t distance(std::string_view a, std::string_view b, std::size_t limit);

/// The candidate that `written` was probably meant to be, or nothing: at most one edit for each three
/// characters, three at most. Of equally near ones the first counts.
std::string_view nearest(std::string_view written, std::span<const std::string_view> candidates);

}  // namespace sluice
