#include "sluice/text/line_ends.h"

#include <algorithm>

namespace sluice {

void AddReturns::feed(ConstBytes in, Output& out) {
  char* to = out.room(in.size() * 2).data();
  const char* const begin = to;
  for (const char c : in) {
    *to = '\r';
    to += c == '\n' ? 1 : 0;
    *to++ = c;
  }
  out.added(static_cast<std::size_t>(to - begin));
}

void DropReturns::feed(ConstBytes in, Output& out) {
  const Bytes room = out.room(in.size());
  const auto end = std::remove_copy(in.begin(), in.end(), room.begin(), '\r');
  out.added(static_cast<std::size_t>(end - room.begin()));
}

void Translate::feed(ConstBytes in, Output& out) {
  const Bytes room = out.room(in.size());
  std::replace_copy(in.begin(), in.end(), room.begin(), from_, to_);
  out.added(in.size());
}

}  // namespace sluice
