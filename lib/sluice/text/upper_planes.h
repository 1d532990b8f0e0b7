#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "sluice/text/case_tables.h"

namespace sluice::case_tables {

/// The upper case of a block of characters, those that differ in their last byte alone, as vectors want it:
/// the first, second and third byte of each change by XOR with these, picked by the low six bits of the last.
struct UpperPlanes {
  /// In the first plane: the upper case has another length. No first byte changes like that.
  static constexpr std::uint8_t other = 0xFF;
  std::array<std::uint8_t, 64> bytes[3];
};

/// In the order of upper_blocks.blocks, of which each but the first must belong to one place only. Those of
/// characters of one or four bytes are empty.
template <std::size_t Numbers, std::size_t Count>
constexpr std::array<UpperPlanes, Count> planes_of(const std::array<std::uint8_t, Numbers>& numbers,
                                                   const std::array<std::array<Upper, 64>, Count>& blocks) {
  std::array<UpperPlanes, Count> all{};
  for (std::size_t place = 2; place < Numbers && place < 0x400; ++place) {
    if (numbers[place] == 0) continue;
    const bool two = place < 0x20;
    const std::size_t length = two ? 2 : 3;
    for (std::size_t i = 0; i < 64; ++i) {
      const Upper& upper = blocks[numbers[place]][i];
      if (upper.length == 0) continue;
      const std::array<std::size_t, 3> old = {two ? 0xC0 | place : 0xE0 | place >> 6,
                                              two ? 0x80 | i : 0x80 | (place & 0x3F), 0x80 | i};
      UpperPlanes& planes = all[numbers[place]];
      for (std::size_t byte = 0; byte < length; ++byte)
        planes.bytes[byte][i] =
            upper.length == length
                ? static_cast<std::uint8_t>(old[byte] ^ static_cast<unsigned char>(upper.bytes[byte]))
                : UpperPlanes::other;
    }
  }
  return all;
}

/// The first bytes of characters of three bytes with an upper case, and a bit for each.
struct CasedLead {
  char lead, bit;
};
inline constexpr CasedLead cased_lead_bits[] = {{'\xE1', 1}, {'\xE2', 2}, {'\xEA', 4}, {'\xEF', 8}};

/// For each second byte (its low six bits) the bits of the first bytes before it that begin a character with
/// an upper case.
template <std::size_t Numbers>
constexpr std::array<std::uint8_t, 64> cased_leads_of(const std::array<std::uint8_t, Numbers>& numbers) {
  std::array<std::uint8_t, 64> leads{};
  for (std::size_t place = 0x20; place < Numbers && place < 0x400; ++place) {
    if (numbers[place] == 0) continue;
    std::uint8_t bit = 0;
    for (const CasedLead& one : cased_lead_bits)
      if (static_cast<unsigned char>(one.lead) == (0xE0 | place >> 6))
        bit = static_cast<std::uint8_t>(one.bit);
    if (bit == 0) throw "a first byte is missing in cased_lead_bits";  // at compile time
    leads[place & 0x3F] |= bit;
  }
  return leads;
}

/// A bit for each second byte (its low six bits) of a character of four bytes that begins with 0xF0: whether
/// there is one with an upper case.
template <std::size_t Numbers>
constexpr std::uint64_t cased_seconds_of(const std::array<std::uint8_t, Numbers>& numbers) {
  std::uint64_t seconds = 0;
  for (std::size_t place = 0x400; place < Numbers; ++place)
    if (numbers[place] != 0) seconds |= std::uint64_t{1} << (place >> 6);
  return seconds;
}

extern const std::span<const UpperPlanes> upper_planes;
/// As cased_leads_of says.
extern const std::array<std::uint8_t, 64> cased_leads;
/// As cased_seconds_of says. No character that begins with 0xF1..0xF4 has an upper case.
extern const std::uint64_t cased_seconds;

}  // namespace sluice::case_tables
