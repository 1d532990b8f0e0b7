#include <algorithm>
#include <cstring>

#include "sluice/text/kernels.h"
#include "sluice/text/upper_scalar.h"

namespace sluice {
namespace {

Reached upper(const char* in, const char* end, char* out, const UpperVariant& variant) {
  return upper_characters(in, end, end, out, variant);
}

void upper_ascii(const char* in, std::size_t size, char* out) {
  for (std::size_t i = 0; i < size; ++i) out[i] = upper_of(in[i]);
}

// Sixty-four counters of a byte each; the compiler maps them to whatever registers there are.
using Lanes [[gnu::vector_size(64)]] = unsigned char;
constexpr std::size_t lanes = sizeof(Lanes);

std::uint64_t count_byte(const char* in, std::size_t size, char wanted) {
  std::uint64_t total = 0;
  while (size >= lanes) {
    // A lane that was hit in 255 blocks is full.
    const std::size_t blocks = std::min<std::size_t>(size / lanes, 255);
    Lanes hits{};
    for (std::size_t i = 0; i < blocks; ++i) {
      Lanes block;
      std::memcpy(&block, in + i * lanes, lanes);
      hits -= (block == static_cast<unsigned char>(wanted));  // a hit is all ones, that is -1
    }
    for (std::size_t lane = 0; lane < lanes; ++lane) total += hits[lane];
    in += blocks * lanes;
    size -= blocks * lanes;
  }
  for (std::size_t i = 0; i < size; ++i) total += in[i] == wanted;
  return total;
}

}  // namespace

constinit const Kernels scalar_kernels = {upper, upper_ascii, count_byte};

}  // namespace sluice
