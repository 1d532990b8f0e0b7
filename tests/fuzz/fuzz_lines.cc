#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "sluice/text/kernels.h"
#include "sluice/text/lines.h"

// However a text is cut, and whichever kernel counts, it has as many lines.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  if (size < 2) return 0;
  const char delimiter = static_cast<char>(data[0]);
  const std::vector<char> text(data + 2, data + size);
  const auto wanted = static_cast<std::uint64_t>(std::ranges::count(text, delimiter));
  for (Isa isa = best_isa();; isa = static_cast<Isa>(static_cast<int>(isa) - 1)) {
    if (kernels_for(isa).count_byte(text.data(), text.size(), delimiter) != wanted) std::abort();
    if (isa == Isa::scalar) break;
  }
  LineCounter counter(delimiter);
  const ConstBytes all(text);
  const std::size_t cut = data[1] % (text.size() + 1);
  counter.feed(all.first(cut));
  counter.feed(all.subspan(cut));
  if (counter.terminated() != wanted) std::abort();
  if (counter.unterminated() != (!text.empty() && text.back() != delimiter)) std::abort();
  return 0;
}
