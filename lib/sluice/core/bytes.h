#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace sluice {

/// Bytes that may be written to, and bytes that may only be read; neither owns.
using Bytes = std::span<char>;
using ConstBytes = std::span<const char>;

constexpr std::size_t kib(std::size_t count) { return count << 10; }
constexpr std::size_t mib(std::size_t count) { return count << 20; }

/// The same bytes as text, in no particular encoding.
inline std::string_view as_text(ConstBytes bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace sluice
