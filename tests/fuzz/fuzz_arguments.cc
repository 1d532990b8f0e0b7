#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "sluice/cli/args.h"

namespace {

using sluice::ArgumentKind;
using sluice::ArgumentRow;

constexpr std::array<std::string_view, 3> times = {"always", "auto", "never"};
constexpr std::array rows = {
    ArgumentRow{.name = "zero", .letter = '0'},
    ArgumentRow{.name = "from", .letter = 'f', .kind = ArgumentKind::required, .repeatable = true},
    ArgumentRow{.name = "format", .kind = ArgumentKind::optional},
    ArgumentRow{.name = "total", .letter = 't', .kind = ArgumentKind::required, .choices = times},
    ArgumentRow{.name = "help", .letter = 'h', .final = true},
    ArgumentRow{.name = "hidden", .hidden = true},
};

}  // namespace

// Lines are words. Every word is understood or refused with a UsageError; in either order of reading, no
// option comes from a row that is not there, and a choice is one of those allowed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  std::vector<char*> words;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end < text.size()) text[end] = '\0';
    words.push_back(text.data() + begin);
    begin = end + 1;
  }
  for (const auto order : {sluice::Order::permute, sluice::Order::stop_at_first}) {
    try {
      const auto parsed = sluice::parse_arguments(rows, words, order);
      for (const auto& option : parsed.options()) {
        if (option.row < rows.data() || option.row >= rows.data() + rows.size()) std::abort();
        if (option.row->name != "total") continue;
        if (std::find(times.begin(), times.end(), option.value) == times.end()) std::abort();
      }
      if (parsed.options().size() + parsed.operands().size() > 2 * size + 1) std::abort();
    } catch (const sluice::UsageError&) {
    }
  }
  return 0;
}
