#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sluice/core/failure.h"
#include "sluice/endpoint/http_connect.h"

namespace {

struct Heard {
  std::size_t taken = 0;
  bool over = false;
  bool failed = false;
  bool operator==(const Heard&) const = default;
};

Heard hear(std::string_view answer, bool ignore_returns, std::size_t piece) {
  const auto dialogue = sluice::http_connect_dialogue({.target = "h:80", .ignore_returns = ignore_returns});
  Heard heard;
  try {
    while (!dialogue->over() && heard.taken < answer.size()) {
      const std::string_view part = answer.substr(heard.taken, piece);
      const std::size_t taken = dialogue->feed(part);
      if (taken > part.size() || (taken == 0 && !dialogue->over())) std::abort();
      heard.taken += taken;
      for (const auto& note : dialogue->take_notes())
        if (note.text.find('\n') != note.text.npos) std::abort();
    }
    heard.over = dialogue->over();
  } catch (const sluice::Failure&) {
    heard = {0, false, true};
  }
  return heard;
}

}  // namespace

// However an answer is cut, it is understood alike, and nothing behind it is taken.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view answer(reinterpret_cast<const char*>(data) + 2, size - 2);
  const bool ignore_returns = (data[0] & 1) != 0;
  const Heard whole = hear(answer, ignore_returns, answer.size() + 1);
  if (!(hear(answer, ignore_returns, data[1] % 64 + 1U) == whole)) std::abort();
  return 0;
}
