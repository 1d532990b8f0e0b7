#pragma once

#include <cstring>

#include "sluice/text/case_tables.h"
#include "sluice/text/kernels.h"

/// Upper case one character at a time. For the kernels' files only: all is in a nameless namespace, so that
/// each of them has its own for its instruction set.
namespace sluice {
namespace {

inline unsigned char byte_at(const char* in) { return static_cast<unsigned char>(*in); }
inline bool continues(const char* in) { return (byte_at(in) & 0xC0) == 0x80; }

/// How many bytes a character has that begins with this one; 1 if none of several bytes does. Source:
/// Unicode, table 3-7.
inline std::size_t length_by_lead(unsigned char lead) {
  return lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
}

/// The upper case of a character of so many bytes, more than one. Length 0 if it has none, also for those
/// that are ill-formed by their second byte: surrogates have none, and what could be said shorter is no
/// character.
inline const case_tables::Upper& upper_of_character(const char* in, std::size_t length) {
  constexpr std::size_t first_place[] = {0, 0, 0x80 / 64, 0x800 / 64, 0x10000 / 64};
  std::size_t place = byte_at(in) & (0x7F >> length);
  for (std::size_t i = 1; i + 1 < length; ++i) place = place << 6 | (byte_at(in + i) & 0x3F);
  const std::size_t block = place < first_place[length] ? 0 : case_tables::upper_blocks.number(place);
  return case_tables::upper_blocks.blocks[block][byte_at(in + length - 1) & 0x3F];
}

inline char upper_of(char c) {
  const bool lower = static_cast<unsigned char>(c - 'a') < 26;
  return static_cast<char>(c - (lower ? 'a' - 'A' : 0));
}

inline char* put(const case_tables::Upper& upper, char* out) {
  std::memcpy(out, &upper, sizeof upper);
  return out + upper.length;
}

/// Of eight bytes below 0x80 at once.
inline std::uint64_t upper_of_eight(std::uint64_t text) {
  constexpr std::uint64_t each = 0x0101010101010101;
  // A sum reaches 0x80 where the byte is at least a, or beyond z.
  const std::uint64_t from_a = text + (0x80 - 'a') * each, beyond_z = text + (0x80 - 'z' - 1) * each;
  return text ^ ((from_a & ~beyond_z & 0x80 * each) >> 2);
}

/// Characters that begin before `stop`, as far as `in` has them whole before `end`.
inline Reached upper_characters(const char* in, const char* stop, const char* end, char* out,
                                const UpperVariant& variant) {
  while (in < stop) {
    const unsigned char lead = byte_at(in);
    if (lead < 0x80) {
      std::uint64_t eight;
      if (stop - in >= static_cast<std::ptrdiff_t>(sizeof eight) && !variant.dotted_i) {
        std::memcpy(&eight, in, sizeof eight);
        if ((eight & 0x8080808080808080) == 0) {
          eight = upper_of_eight(eight);
          std::memcpy(out, &eight, sizeof eight);
          in += sizeof eight;
          out += sizeof eight;
          continue;
        }
      }
      if (lead == 'i' && variant.dotted_i) {
        out = put(case_tables::capital_dotted_i, out);
      } else {
        *out++ = upper_of(*in);
      }
      ++in;
      continue;
    }
    const std::size_t length = length_by_lead(lead);
    std::size_t have = 1;
    const auto left = static_cast<std::size_t>(end - in);
    while (have < length && have < left && continues(in + have)) ++have;
    if (have < length && have == left) break;  // maybe the rest is still to come
    if (have == length && length > 1) {
      const auto& upper = upper_of_character(in, length);
      if (upper.length != 0) {
        const bool sharp_s = lead == 0xC3 && byte_at(in + 1) == 0x9F;
        out = put(sharp_s && variant.capital_sharp_s ? case_tables::capital_sharp_s : upper, out);
        in += length;
        continue;
      }
    }
    // What has no upper case, or is no character.
    for (std::size_t i = 0; i < have; ++i) *out++ = *in++;
  }
  return {in, out};
}

}  // namespace
}  // namespace sluice
