#include "sluice/core/denied.h"

#include <array>
#include <cstdlib>
#include <string_view>

namespace sluice {
namespace {

constexpr std::array<std::string_view, 6> names = {"splice", "reopen", "pidfd", "epoll", "holes", "inotify"};

unsigned denied_set() {
  const char* text = std::getenv("SLUICE_DENY");
  if (text == nullptr) return 0;
  unsigned set = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const auto comma = rest.find(',');
    for (std::size_t i = 0; i < names.size(); ++i)
      if (rest.substr(0, comma) == names[i]) set |= 1U << i;
    rest = comma == rest.npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return set;
}

}  // namespace

bool denied(Facility facility) {
  static const unsigned set = denied_set();
  return (set >> static_cast<unsigned>(facility) & 1) != 0;
}

}  // namespace sluice
