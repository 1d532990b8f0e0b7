#include <immintrin.h>

#include "sluice/text/kernels_vector.h"

namespace sluice {
namespace {

struct Vector {
  using Mask = std::uint32_t;
  static constexpr int width = 32;

  static Vector load(const char* from) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))};
  }
  void store(char* to) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), bytes); }

  Mask equal(char byte) const { return mask_of(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte))); }
  Mask within(int from, int to) const { return mask_of(are_within(from, to)); }
  Mask not_ascii() const { return mask_of(bytes); }
  Mask having(char bit) const {
    const __m256i wanted = _mm256_set1_epi8(bit);
    return mask_of(_mm256_cmpeq_epi8(_mm256_and_si256(bytes, wanted), wanted));
  }
  Vector flipped(char from, char to, char bits) const {
    return *this ^ Vector { _mm256_and_si256(are_within(from, to), _mm256_set1_epi8(bits)) };
  }
  Vector where(Mask mask) const {
    // Each byte gets the byte of the mask that has its bit, and is kept if that bit is set.
    const __m256i bytes_of_mask = _mm256_shuffle_epi8(
        _mm256_set1_epi32(static_cast<int>(mask)),
        _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
    const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
    return {_mm256_and_si256(bytes, _mm256_cmpeq_epi8(_mm256_and_si256(bytes_of_mask, bit), bit))};
  }
  Vector looked_up(const std::array<std::uint8_t, 64>& table) const {
    // A shuffle picks from 16 entries by bits 0 to 3, a blend by bit 7: there bits 4 and 5 are shifted to.
    // All shifts are of 16 bits, what crosses a byte's border is never looked at.
    const __m256i index = _mm256_and_si256(bytes, _mm256_set1_epi8(0x0F));
    const __m256i by_bit_4 = _mm256_slli_epi16(bytes, 3);
    const __m256i by_bit_5 = _mm256_slli_epi16(bytes, 2);
    const auto of_quarter = [&](int quarter) {
      const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data()) + quarter);
      return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), index);
    };
    const __m256i low = _mm256_blendv_epi8(of_quarter(0), of_quarter(1), by_bit_4);
    const __m256i high = _mm256_blendv_epi8(of_quarter(2), of_quarter(3), by_bit_4);
    return {_mm256_blendv_epi8(low, high, by_bit_5)};
  }
  friend Vector operator^(Vector a, Vector b) { return {_mm256_xor_si256(a.bytes, b.bytes)}; }

  friend Vector operator|(Vector a, Vector b) { return {_mm256_or_si256(a.bytes, b.bytes)}; }

  __m256i are_within(int from, int to) const {
    const __m256i above = _mm256_sub_epi8(bytes, _mm256_set1_epi8(static_cast<char>(from)));
    const __m256i most = _mm256_set1_epi8(static_cast<char>(to - from));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(above, most), above);
  }
  static Mask mask_of(__m256i bytes) { return static_cast<Mask>(_mm256_movemask_epi8(bytes)); }

  __m256i bytes;
};

}  // namespace

constinit const Kernels avx2_kernels = vector_kernels<Vector>;

}  // namespace sluice
