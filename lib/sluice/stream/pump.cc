#include "sluice/stream/pump.h"

#include <fcntl.h>

#include <algorithm>
#include <optional>

namespace sluice {
namespace {

constexpr std::size_t usual_chunk = kib(64);
/// A chunk that becomes one datagram is no larger than this, as socat's.
constexpr std::size_t datagram_chunk = kib(8);
/// So much may move without a wait before others on the loop get their turn.
constexpr std::size_t fair_share = mib(1);
constexpr int middle_size = static_cast<int>(mib(1));
/// Splicing pays for its pipe once a source has filled chunks like this.
constexpr std::size_t splice_after = kib(64);

/// Gives way to the loop's other tasks after each fair share of bytes.
class Turn {
 public:
  explicit Turn(Loop& loop) : loop_(loop) {}
  bool over(std::size_t moved) { return (moved_ += moved) >= fair_share; }
  Task<> pass() {
    moved_ = 0;
    co_await loop_.yield();
  }

 private:
  Loop& loop_;
  std::size_t moved_ = 0;
};

void count(Flow& flow, const Batch& batch, std::size_t messages) {
  flow.bytes += batch.size();
  flow.messages += messages;
  ++flow.reads;
  flow.last = Clock::now();
}

/// A pipe between two descriptors that splice cannot join.
struct Middle {
  Fd in, out;
  std::size_t held = 0;

  static std::optional<Middle> make() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return std::nullopt;
    Middle middle{Fd(ends[1]), Fd(ends[0])};
    // More is better, but an ordinary user's pipes are limited: what there is will do.
    ::fcntl(ends[1], F_SETPIPE_SZ, middle_size);
    return middle;
  }
};

enum class Spliced { ended, refused };

/// What is in the middle pipe goes on by read and write: the kernel would not splice it any further.
Task<End> drain_by_copying(Middle& middle, Stream& to) {
  Batch rest = Batch::of_bytes(usual_chunk);
  while (middle.held > 0) {
    const auto got = ::read(middle.out.get(), rest.room().data(), rest.room().size());
    if (got <= 0) co_return end_of(errno);
    middle.held -= static_cast<std::size_t>(got);
    rest.added(static_cast<std::size_t>(got));
    if (const End end = co_await write_all(to, rest); end.kind != End::open) co_return end;
  }
  co_return End{};
}

/// Splices until an end, or until the kernel refuses a pair of descriptors: then nothing is left in between.
Task<Spliced> splice_through(Middle& middle, Stream& to, Raw source, Raw target, Flow& flow,
                             const Session& session) {
  Turn turn(session.loop);
  const int in = source.in->number();
  const int out = target.out->number();
  for (;;) {
    const auto filled = try_splice(in, middle.in.get(), static_cast<std::size_t>(middle_size));
    if (filled.would_block()) {
      if (co_await source.in->wait(Descriptor::readable)) continue;
      flow.source = {End::abandoned, {}};
      co_return Spliced::ended;
    }
    if (filled.error == EINVAL) co_return Spliced::refused;
    if (filled.count <= 0) {
      flow.source = filled.count == 0 ? End{End::finished, {}} : end_of(filled.error);
      co_return Spliced::ended;
    }
    middle.held = static_cast<std::size_t>(filled.count);
    flow.bytes += middle.held;
    ++flow.reads;
    flow.last = Clock::now();
    const std::size_t moved = middle.held;
    while (middle.held > 0) {
      const auto sent = try_splice(middle.out.get(), out, middle.held);
      if (sent.count > 0) {
        middle.held -= static_cast<std::size_t>(sent.count);
      } else if (sent.would_block()) {
        if (co_await target.out->wait(Descriptor::writable)) continue;
        flow.target = {End::abandoned, {}};
        co_return Spliced::ended;
      } else if (sent.error == EINVAL) {
        flow.target = co_await drain_by_copying(middle, to);
        co_return flow.target.kind == End::open ? Spliced::refused : Spliced::ended;
      } else {
        flow.target = end_of(sent.error);
        co_return Spliced::ended;
      }
    }
    flow.last = Clock::now();
    if (turn.over(moved)) co_await turn.pass();
    if (source.in->stopped(Descriptor::readable)) {
      flow.source = {End::abandoned, {}};
      co_return Spliced::ended;
    }
  }
}

Batch batch_for(const Stream& from, const Stream& to, const Limits& limits) {
  const Shape source = from.info().traits.shape;
  const Shape target = to.info().traits.shape;
  const bool messages = source == Shape::messages ? target != Shape::bytes
                                                  : source == Shape::either && target == Shape::messages;
  if (messages) return Batch::of_messages();
  // A datagram is never cut: its chunk has room for the largest.
  if (source == Shape::messages) return Batch::of_bytes(std::max(limits.chunk, Batch::message_room));
  if (limits.chunk != 0) return Batch::of_bytes(limits.chunk);
  return Batch::of_bytes(target == Shape::messages ? datagram_chunk : usual_chunk);
}

/// Copies until an end, or, if `until_flowing`, until the source has shown that it keeps coming.
/// Returns false if it stopped for that.
Task<bool> copy(Stream& from, Stream& to, Flow& flow, const Session& session, bool until_flowing) {
  Turn turn(session.loop);
  Batch batch = batch_for(from, to, session.limits);
  std::size_t total = 0;
  for (;;) {
    flow.source = co_await from.read_some(batch);
    const std::size_t size = batch.size();
    if (flow.source.kind == End::open)
      count(flow, batch, batch.carries_messages() ? batch.messages().size() : 1);
    flow.target = co_await write_all(to, batch);
    if (flow.source.kind != End::open || flow.target.kind != End::open) co_return true;
    flow.last = Clock::now();
    total += size;
    if (until_flowing && total >= splice_after) co_return false;
    if (turn.over(size)) co_await turn.pass();
  }
}

}  // namespace

Task<End> pump(Stream& from, Stream& to, Flow& flow, const Session& session) {
  // A small exchange never pays for a pipe: copy first, splice once data keeps coming.
  Raw source = from.raw();
  Raw target = to.raw();
  const bool may_splice = source.in != nullptr && target.out != nullptr && session.limits.chunk == 0;
  bool ended = co_await copy(from, to, flow, session, may_splice);
  if (!ended) {
    source = from.raw();
    target = to.raw();
    std::optional<Middle> middle;
    if (source.in != nullptr && target.out != nullptr) middle = Middle::make();
    if (middle) ended = co_await splice_through(*middle, to, source, target, flow, session) == Spliced::ended;
    if (!ended) ended = co_await copy(from, to, flow, session, false);
  }
  if (flow.target.kind != End::open) co_return flow.target;
  flow.target = co_await to.finish();
  co_return flow.source;
}

}  // namespace sluice
