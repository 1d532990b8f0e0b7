#include "sluice/text/lines.h"

#include <charconv>

#include "sluice/text/kernels.h"

namespace sluice {
std::uint64_t count_byte(ConstBytes in, char wanted) {
  return kernels().count_byte(in.data(), in.size(), wanted);
}

void CountLinesFilter::finish(Output& out) {
  const std::uint64_t lines = lines_of(counter_, rules_);
  const Bytes room = out.room(24);
  char* end = std::to_chars(room.data(), room.data() + room.size(), lines).ptr;
  *end++ = '\n';
  out.added(static_cast<std::size_t>(end - room.data()));
  // What the rules count beyond the lines that had their ends.
  if (running_ != nullptr) running_->fetch_add(lines - counter_.terminated(), std::memory_order_relaxed);
  counter_ = LineCounter(rules_.delimiter);
}

}  // namespace sluice
