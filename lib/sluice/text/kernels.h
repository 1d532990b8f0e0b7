#pragma once

#include <cstddef>
#include <cstdint>

#include "sluice/text/isa.h"

/// The inner loops of the filters, once for each instruction set. This header and what it includes is all
/// that their files see: what those compile of other headers, the linker might choose for processors that
/// lack it.
namespace sluice {

/// Where a kernel has come to.
struct Reached {
  const char* in;
  char* out;
};

/// What upper case is where it differs from the root locale.
struct UpperVariant {
  bool dotted_i = false;         ///< i becomes İ (U+0130)
  bool capital_sharp_s = false;  ///< ß becomes ẞ (U+1E9E)
};

/// Kernels write up to this many bytes behind their result.
inline constexpr std::size_t kernel_slack = 64;

struct Kernels {
  /// Full upper case of UTF-8, root locale. Bytes that are no character stay. At the end of `in` up to three
  /// bytes that may begin a character are left. `out` has room for 3 times the input, and the slack.
  Reached (*upper)(const char* in, const char* end, char* out, const UpperVariant& variant);
  /// Upper case of a to z. `out` may be `in`; no slack is needed.
  void (*upper_ascii)(const char* in, std::size_t size, char* out);
  /// How often a byte occurs.
  std::uint64_t (*count_byte)(const char* in, std::size_t size, char wanted);
};

extern const Kernels scalar_kernels;
#ifdef __x86_64__
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif

/// Those for one instruction set; the processor must have it.
const Kernels& kernels_for(Isa isa);
/// Those for the one to use (isa()).
const Kernels& kernels();

}  // namespace sluice
