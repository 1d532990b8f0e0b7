#pragma once

#include <algorithm>
#include <bit>

#include "sluice/text/upper_planes.h"
#include "sluice/text/upper_scalar.h"

/// The kernels over vectors of bytes, written once. Each instruction set has a file that defines its vector
/// and instantiates them; see upper_scalar.h about the nameless namespace.
///
/// A `Vector` has `width` bytes, and a `Mask` with a bit for each:
///   load, store     from and to anywhere
///   equal           which bytes are this one
///   within          which bytes are from .. to, unsigned
///   not_ascii       which bytes are 0x80 .. 0xFF
///   having          which bytes have this bit
///   flipped         the vector, but bytes from .. to with these bits changed
///   where           the vector's bytes where the mask has a bit, else 0
///   looked_up       for each byte, the entry of a table of 64 that its low six bits pick
///   ^ |
namespace sluice {
namespace {

using case_tables::UpperPlanes;

/// Those of the characters whose code point divided by 64 is this; nullptr if none has an upper case.
inline const UpperPlanes* planes_of(unsigned place) {
  const std::size_t number = case_tables::upper_blocks.number(place);
  return number == 0 ? nullptr : &case_tables::upper_planes[number];
}

template <class Vector>
Vector upper_ascii_of(Vector text) {
  return text.flipped('a', 'z', 'a' ^ 'A');
}

/// Characters of two bytes: turns those in `result` whose upper case has two bytes too, returns which others
/// begin where. `next` is the text one byte further on. Of a character that begins with the last byte of the
/// text, that one is turned.
template <class Vector>
typename Vector::Mask upper_twos(const char* in, Vector text, Vector next, typename Vector::Mask leads,
                                 Vector& result) {
  using Mask = typename Vector::Mask;
  Mask others = 0;
  for (Mask left = leads; left != 0;) {
    const char lead = in[std::countr_zero(left)];
    const Mask same = text.equal(lead) & leads;
    left &= ~same;
    const UpperPlanes* const planes = planes_of(static_cast<unsigned char>(lead) & 0x1F);
    if (planes == nullptr) continue;
    const Vector change = next.looked_up(planes->bytes[0]);
    others |= change.equal(UpperPlanes::other) & same;
    result = result ^ change.where(same) ^ text.looked_up(planes->bytes[1]).where(same << 1);
  }
  return others;
}

/// As upper_twos, of characters of three bytes; `third` is the text two bytes further on.
template <class Vector>
typename Vector::Mask upper_threes(const char* in, Vector text, Vector next, Vector third,
                                   typename Vector::Mask leads, Vector& result) {
  using Mask = typename Vector::Mask;
  Mask others = 0;
  for (Mask left = leads; left != 0;) {
    const char* const one = in + std::countr_zero(left);
    const Mask same = text.equal(one[0]) & next.equal(one[1]) & leads;
    left &= ~same;
    const UpperPlanes* const planes = planes_of((byte_at(one) & 0x0FU) << 6 | (byte_at(one + 1) & 0x3FU));
    if (planes == nullptr) continue;
    const Vector change = third.looked_up(planes->bytes[0]);
    others |= change.equal(UpperPlanes::other) & same;
    result = result ^ change.where(same) ^ next.looked_up(planes->bytes[1]).where(same << 1) ^
             text.looked_up(planes->bytes[2]).where(same << 2);
  }
  return others;
}

/// Which bytes begin characters of three bytes that may have an upper case, by these and the next ones alone.
template <class Vector>
typename Vector::Mask cased_threes(Vector text, Vector next) {
  const Vector leads = next.looked_up(case_tables::cased_leads);
  typename Vector::Mask cased = 0;
  for (const case_tables::CasedLead& one : case_tables::cased_lead_bits)
    cased |= text.equal(one.lead) & leads.having(one.bit);
  return cased;
}

/// Which characters of four bytes may have an upper case.
template <class Mask>
Mask cased_fours(const char* in, Mask leads) {
  Mask cased = 0;
  for (Mask left = leads; left != 0; left &= left - 1) {
    const int at = std::countr_zero(left);
    if ((case_tables::cased_seconds >> (byte_at(in + at + 1) & 0x3F) & 1) != 0) cased |= Mask{1} << at;
  }
  return cased;
}

/// As much of a text as is ASCII, in steps of a few vectors.
template <class Vector>
Reached upper_of_leading_ascii(const char* in, const char* end, char* out) {
  constexpr std::size_t step = 4 * Vector::width;
  for (; static_cast<std::size_t>(end - in) >= step; in += step, out += step) {
    Vector part[4], all{};
    for (int i = 0; i < 4; ++i) all = all | (part[i] = Vector::load(in + i * Vector::width));
    if (all.not_ascii() != 0) break;
    for (int i = 0; i < 4; ++i) upper_ascii_of(part[i]).store(out + i * Vector::width);
  }
  return {in, out};
}

/// A vector's worth of text in upper case.
template <class Vector>
struct UpperBlock {
  Vector text;
  typename Vector::Mask others;  ///< characters begin here that get another length, and are not in `text`
  typename Vector::Mask cut;     ///< a character of three bytes begins here that does not end in the block
  bool ascii;
};

/// Of two bytes more than a vector.
template <class Vector>
UpperBlock<Vector> upper_block(const char* in, const UpperVariant& variant) {
  using Mask = typename Vector::Mask;
  constexpr int width = Vector::width;
  const Vector text = Vector::load(in);
  Vector result = upper_ascii_of(text);
  Mask others = variant.dotted_i ? text.equal('i') : 0;
  if (text.not_ascii() == 0) return {result, others, 0, true};
  const Vector next = Vector::load(in + 1);
  const Mask followed = next.within(0x80, 0xBF);
  Mask threes = text.within(0xE0, 0xEF) & followed;
  if (threes != 0) threes &= cased_threes(text, next);
  Mask cut = 0;
  if (threes != 0) {
    const Vector third = Vector::load(in + 2);
    threes &= third.within(0x80, 0xBF);
    cut = threes >> (width - 2) << (width - 2);
    others |= upper_threes(in, text, next, third, threes & ~cut, result);
  }
  others |= upper_twos(in, text, next, text.within(0xC2, 0xDF) & followed, result);
  if (variant.capital_sharp_s) others |= text.equal('\xC3') & next.equal('\x9F');
  others |= cased_fours(in, text.equal('\xF0'));
  return {result, others, cut, false};
}

/// Whether a character of two bytes stands across this place.
inline bool is_within_two(const char* in) {
  return static_cast<unsigned char>(in[-1] - '\xC2') <= 0xDF - 0xC2 && continues(in);
}

/// What changes the byte here, if it is the second one of such a character. Without a branch, since nothing
/// could foretell it: every other block of Greek or Russian begins like that.
inline char change_of_second(const char* in) {
  const std::size_t number = case_tables::upper_blocks.number(byte_at(in - 1) & 0x1F) * is_within_two(in);
  return static_cast<char>(case_tables::upper_planes[number].bytes[1][byte_at(in) & 0x3F]);
}

template <class Vector>
Reached upper_vectors(const char* in, const char* end, char* out, const UpperVariant& variant) {
  if (in == end) return {in, out};
  // Blocks look at the byte before them.
  const Reached first = upper_characters(in, in + 1, end, out, variant);
  if (first.in == in) return first;
  in = first.in;
  out = first.out;
  while (end - in >= Vector::width + 2) {
    const UpperBlock<Vector> block = upper_block<Vector>(in, variant);
    block.text.store(out);
    *out = static_cast<char>(*out ^ change_of_second(in));
    // What is usual is a branch that is foretold: the next block is begun before this one's masks are known.
    if ((block.others | block.cut) == 0) [[likely]] {
      in += Vector::width;
      out += Vector::width;
      if (!block.ascii || variant.dotted_i) continue;
      const Reached reached = upper_of_leading_ascii<Vector>(in, end, out);
      in = reached.in;
      out = reached.out;
      continue;
    }
    const int size = std::countr_zero(block.cut);  // the vector's if there is none
    const int turned = std::min(size, std::countr_zero(block.others));
    in += turned;
    out += turned;
    if (turned == size) continue;
    // Where there are many of these, it is quicker to go on like that.
    constexpr int most = 3;
    const char* const stop = in + (std::popcount(block.others) > most ? size - turned : 1);
    const Reached reached = upper_characters(in, stop, end, out, variant);
    if (reached.in == in) return reached;
    in = reached.in;
    out = reached.out;
  }
  // Of a character across this place the first byte is turned already, and is turned again.
  const int back = in < end && is_within_two(in) ? 1 : 0;
  return upper_characters(in - back, end, end, out - back, variant);
}

template <class Vector>
void upper_ascii_vectors(const char* in, std::size_t size, char* out) {
  std::size_t i = 0;
  for (; i + Vector::width <= size; i += Vector::width) upper_ascii_of(Vector::load(in + i)).store(out + i);
  for (; i < size; ++i) out[i] = upper_of(in[i]);
}

template <class Vector>
std::uint64_t count_byte_vectors(const char* in, std::size_t size, char wanted) {
  std::uint64_t total = 0;
  std::size_t i = 0;
  for (; i + Vector::width <= size; i += Vector::width)
    total += static_cast<unsigned>(std::popcount(Vector::load(in + i).equal(wanted)));
  for (; i < size; ++i) total += in[i] == wanted;
  return total;
}

template <class Vector>
constexpr Kernels vector_kernels = {upper_vectors<Vector>, upper_ascii_vectors<Vector>,
                                    count_byte_vectors<Vector>};

}  // namespace
}  // namespace sluice
