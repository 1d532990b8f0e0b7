#include "sluice/text/isa.h"

#include <algorithm>
#include <cstdlib>

// The header of glibc 2.36 is none for C++ of clang.
#if defined(__x86_64__) && __has_include(<sys/platform/x86.h>) && !defined(__clang__)
#define SLUICE_ASK_C_LIBRARY
#include <sys/platform/x86.h>
#endif

namespace sluice {

Isa best_isa() {
#ifdef SLUICE_ASK_C_LIBRARY
  // The C library has asked already. Asking anew is a trap each time on a virtual machine, which shows in how
  // long a filter takes to start.
  if (!CPU_FEATURE_ACTIVE(AVX2) || !CPU_FEATURE_ACTIVE(BMI1)) return Isa::scalar;
  if (CPU_FEATURE_ACTIVE(AVX512BW) && CPU_FEATURE_ACTIVE(AVX512VL) && CPU_FEATURE_ACTIVE(AVX512_VBMI))
    return Isa::avx512;
  return Isa::avx2;
#elif defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi")) return Isa::scalar;
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512vbmi"))
    return Isa::avx512;
  return Isa::avx2;
#else
  return Isa::scalar;
#endif
}

Isa isa() {
  static const Isa chosen = [] {
    const Isa best = best_isa();
    const char* const wanted = std::getenv("SLUICE_ISA");
    if (wanted == nullptr) return best;
    const auto* const found = std::ranges::find(isa_names, std::string_view(wanted));
    return found == std::end(isa_names) ? best : std::min(best, static_cast<Isa>(found - isa_names));
  }();
  return chosen;
}

}  // namespace sluice
