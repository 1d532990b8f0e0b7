#pragma once

#include <string_view>

namespace sluice {

/// Instruction sets that kernels are written for, each with all that the ones before it have.
enum class Isa {
  scalar,  ///< what every processor has
  avx2,
  avx512,  ///< AVX-512 with its BW, VL and VBMI parts
};

inline constexpr std::string_view isa_names[] = {"scalar", "avx2", "avx512"};

/// The best one that this processor and its operating system have.
Isa best_isa();

/// The one to use: the best, or the one that the environment variable SLUICE_ISA names, if there is that one.
/// Looked up once. The variable exists so that every kernel runs in the test suite.
Isa isa();

}  // namespace sluice
