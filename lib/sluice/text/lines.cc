#include "sluice/text/lines.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "sluice/text/clones.h"

namespace sluice {
namespace {

// Sixty-four counters of a byte each; the compiler maps them to whatever registers a clone has.
using Lanes [[gnu::vector_size(64)]] = unsigned char;
constexpr std::size_t lanes = sizeof(Lanes);

SLUICE_CLONES std::uint64_t count(const char* in, std::size_t size, unsigned char wanted) {
  std::uint64_t total = 0;
  while (size >= lanes) {
    // A lane that was hit in 255 blocks is full.
    const std::size_t blocks = std::min<std::size_t>(size / lanes, 255);
    Lanes hits{};
    for (std::size_t i = 0; i < blocks; ++i) {
      Lanes block;
      std::memcpy(&block, in + i * lanes, lanes);
      hits -= (block == wanted);  // a hit is all ones, that is -1
    }
    for (std::size_t lane = 0; lane < lanes; ++lane) total += hits[lane];
    in += blocks * lanes;
    size -= blocks * lanes;
  }
  for (std::size_t i = 0; i < size; ++i) total += static_cast<unsigned char>(in[i]) == wanted;
  return total;
}

}  // namespace

std::uint64_t count_byte(ConstBytes in, char wanted) {
  return count(in.data(), in.size(), static_cast<unsigned char>(wanted));
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
