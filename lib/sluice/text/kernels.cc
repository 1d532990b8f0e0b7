#include "sluice/text/kernels.h"

namespace sluice {

const Kernels& kernels_for(Isa isa) {
  switch (isa) {
#ifdef __x86_64__
    case Isa::avx2:
      return avx2_kernels;
    case Isa::avx512:
      return avx512_kernels;
#endif
    default:
      return scalar_kernels;
  }
}

const Kernels& kernels() {
  static const Kernels& chosen = kernels_for(isa());
  return chosen;
}

}  // namespace sluice
