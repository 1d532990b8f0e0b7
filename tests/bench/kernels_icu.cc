// The same by ICU, if that was there when the build folder was set up.
#include <unicode/ucasemap.h>

#include <algorithm>
#include <memory>

#include "kernels.h"

namespace sluice::bench {
namespace {

void icu(benchmark::State& state) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UCaseMap, decltype(&::ucasemap_close)> map(::ucasemap_open("", 0, &error),
                                                                   &::ucasemap_close);
  if (U_FAILURE(error) != 0) return state.SkipWithError(::u_errorName(error));
  std::size_t longest = 0;
  for (const ConstBytes piece : pieces()) longest = std::max(longest, piece.size());
  std::vector<char> out(3 * longest);  // no character grows more
  for (auto _ : state) {
    for (const ConstBytes piece : pieces()) {
      ::ucasemap_utf8ToUpper(map.get(), out.data(), static_cast<std::int32_t>(out.size()), piece.data(),
                             static_cast<std::int32_t>(piece.size()), &error);
      if (U_FAILURE(error) != 0) return state.SkipWithError(::u_errorName(error));
      benchmark::ClobberMemory();
    }
  }
  set_rate(state);
}
BENCHMARK(icu)->Name("ICU");

}  // namespace
}  // namespace sluice::bench
