#include "sluice/endpoint/own_loop.h"

#include "sluice/stream/decorators.h"

namespace sluice {
namespace {

bool would_feed(int in, int out) {
  const auto own = OwnOutput::of(in, out);
  return own && own->is_met();
}

/// Whether what is written to a stream is read from it again.
bool returns_what_it_gets(const Info& stream) { return stream.echoes || would_feed(stream.in, stream.out); }

}  // namespace

std::optional<std::string> file_fed_by_itself(const Info& left, const Info& right, Direction direction,
                                              const Dumps& dumps) {
  const bool there = direction != Direction::right_to_left, back = direction != Direction::left_to_right;
  const auto feeds_any = [](int in, const std::vector<int>& outs) {
    for (const int out : outs)
      if (would_feed(in, out)) return true;
    return false;
  };
  if (there && (would_feed(left.in, right.out) || feeds_any(left.in, dumps.of_left))) return path_of(left.in);
  if (back && (would_feed(right.in, left.out) || feeds_any(right.in, dumps.of_right)))
    return path_of(right.in);
  if (!there || !back) return {};
  // Two echoes have nothing to say to each other.
  if (would_feed(left.in, left.out) && returns_what_it_gets(right)) return path_of(left.in);
  if (would_feed(right.in, right.out) && returns_what_it_gets(left)) return path_of(right.in);
  return {};
}

std::unique_ptr<Stream> wary_of(std::unique_ptr<Stream> stream, int out) {
  if (const auto own = OwnOutput::of(stream->info().in, out))
    return end_at_own_output(std::move(stream), *own);
  return stream;
}

}  // namespace sluice
