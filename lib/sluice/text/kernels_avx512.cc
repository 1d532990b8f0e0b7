#include <immintrin.h>

#include "sluice/text/kernels_vector.h"

namespace sluice {
namespace {

struct Vector {
  using Mask = std::uint64_t;
  static constexpr int width = 64;

  static Vector load(const char* from) { return {_mm512_loadu_si512(from)}; }
  void store(char* to) const { _mm512_storeu_si512(to, bytes); }

  Mask equal(char byte) const { return _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte)); }
  Mask within(int from, int to) const {
    const __m512i above = _mm512_sub_epi8(bytes, _mm512_set1_epi8(static_cast<char>(from)));
    return _mm512_cmple_epu8_mask(above, _mm512_set1_epi8(static_cast<char>(to - from)));
  }
  Mask not_ascii() const { return _mm512_movepi8_mask(bytes); }
  Mask having(char bit) const { return _mm512_test_epi8_mask(bytes, _mm512_set1_epi8(bit)); }
  Vector flipped(char from, char to, char bits) const {
    const Vector changed = *this ^ Vector { _mm512_set1_epi8(bits) };
    return {_mm512_mask_mov_epi8(bytes, within(from, to), changed.bytes)};
  }
  Vector where(Mask mask) const { return {_mm512_maskz_mov_epi8(mask, bytes)}; }
  Vector looked_up(const std::array<std::uint8_t, 64>& table) const {
    // The form without a mask makes GCC 12 warn about its own header (GCC bug 105593), at each user's link
    // too.
    constexpr Mask all = ~Mask{0};
    return {_mm512_maskz_permutexvar_epi8(all, bytes, _mm512_loadu_si512(table.data()))};
  }
  friend Vector operator^(Vector a, Vector b) { return {_mm512_xor_si512(a.bytes, b.bytes)}; }

  friend Vector operator|(Vector a, Vector b) { return {_mm512_or_si512(a.bytes, b.bytes)}; }

  __m512i bytes;
};

}  // namespace

constinit const Kernels avx512_kernels = vector_kernels<Vector>;

}  // namespace sluice
