#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/text/kernels.h"
#include "sluice/text/upper.h"
#include "sluice/text/utf8.h"

namespace {

using namespace sluice;

std::string filtered(const UpperRules& rules, std::string_view first, std::string_view second) {
  const auto filter = upper_filter(rules);
  Output out;
  filter->feed(first, out);
  filter->feed(second, out);
  filter->finish(out);
  return std::string(as_text(out.data()));
}

std::string by_kernel(Isa isa, std::string_view text) {
  // No more memory than a kernel may use.
  const std::vector<char> in(text.begin(), text.end());
  std::vector<char> out(3 * in.size() + kernel_slack);
  const Reached reached = kernels_for(isa).upper(in.data(), in.data() + in.size(), out.data(), {});
  return std::string(out.data(), reached.out) + std::string(reached.in, in.data() + in.size());
}

void demand(bool truth) {
  if (!truth) std::abort();
}

}  // namespace

// Wherever a text is cut, and whichever kernel turns it, its upper case is the same, is its own upper case,
// and is UTF-8 if the text is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t cut = data[0] % (text.size() + 1);
  for (const CaseLocale locale :
       {CaseLocale::root, CaseLocale::tr, CaseLocale::az, CaseLocale::lt, CaseLocale::el}) {
    const UpperRules rules{.locale = locale, .capital_sharp_s = data[0] % 2 == 0};
    const std::string upper = filtered(rules, text, "");
    demand(upper == filtered(rules, text.substr(0, cut), text.substr(cut)));
    demand(upper.size() <= 3 * text.size());
    demand(is_utf8(text) == is_utf8(upper));
    if (locale == CaseLocale::root) demand(upper == filtered(rules, upper, ""));
  }
  const std::string scalar = by_kernel(Isa::scalar, text);
  for (Isa isa = best_isa(); isa != Isa::scalar; isa = static_cast<Isa>(static_cast<int>(isa) - 1))
    demand(by_kernel(isa, text) == scalar);
  return 0;
}
