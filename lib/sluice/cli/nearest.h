#pragma once

#include <span>
#include <string_view>

namespace sluice {

/// How many insertions, removals, replacements and swaps of neighbours make one word of the other.
std::size_t distance_between(std::string_view a, std::string_view b);

/// The candidate that was probably meant by a misspelt word, or nothing if none is near.
std::string_view nearest_of(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace sluice
