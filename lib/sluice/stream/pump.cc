#include "sluice/stream/pump.h"

#include <sys/ioctl.h>

#include <algorithm>

#include "sluice/core/failure.h"
#include "sluice/core/pipe.h"
#include "sluice/stream/mover.h"
#include "sluice/stream/turn.h"

namespace sluice {
namespace {

/// Chunks of bytes begin small and grow while the source fills them.
constexpr std::size_t first_chunk = kib(16);
constexpr std::size_t growth = 4;
constexpr std::size_t largest_chunk = kib(256);
/// A chunk that becomes one datagram is no larger than this, as socat's.
constexpr std::size_t datagram_chunk = kib(8);
/// Copying is quicker than moving inside the kernel, once a source has given no more than this so many times.
constexpr std::size_t small_step = kib(4);
constexpr int most_small_steps = 16;
/// What poll(2) says has room takes so much at least: a page of a pipe, and more of a socket.
constexpr std::size_t least_room = 4096;
/// A message takes more of a socket's room than its bytes do.
constexpr std::size_t message_overhead = 64;

void count(Flow& flow, const Batch& batch, std::size_t messages) {
  flow.bytes += batch.size();
  flow.messages += messages;
  ++flow.reads;
  flow.last = Clock::now();
}

/// What a pump has come to.
enum class Phase {
  begun,    ///< nothing is known yet
  ended,    ///< for good
  flowing,  ///< the source keeps coming: a way through the kernel pays
  silent,   ///< the source has nothing to give now; wait for it with as little as possible in hand
  refused,  ///< no way through the kernel exists
};

/// What a pump knows of its source and target.
struct Ends {
  Stream& from;
  Stream& to;
  Raw source;  ///< as the streams are now
  Raw target;
};

/// What a pump keeps from one phase to the next.
struct Pace {
  explicit Pace(Loop& loop) : turn(loop) {}

  Turn turn;
  std::size_t chunk = first_chunk;  ///< what the source was found to fill
  std::size_t room = 0;             ///< what the target is known to take without being asked again

  /// Something was written.
  void used(std::size_t bytes) { room -= std::min(room, bytes + message_overhead); }
};

/// Whether a descriptor that is readable has something to be read, not just its end.
bool has_bytes(int fd) {
  int count = 0;
  return ::ioctl(fd, FIONREAD, &count) == 0 && count > 0;
}

/// Whether the target takes something now. Where that cannot be told, it does.
bool has_room(Stream& to, Pace& pace) {
  if (pace.room > 0) return true;
  const Descriptor* const out = to.awaited().out;
  if (out != nullptr && !out->is_ready(Descriptor::writable)) return false;
  pace.room = least_room;
  return true;
}

/// Waits, with nothing in hand, until the target takes something: what cannot be delivered is left to whoever
/// reads the source next. An end of the source is to be read all the same.
Task<> wait_for_room(Stream& from, Stream& to, Flow& flow) {
  flow.waiting = true;
  if (Descriptor* const in = from.awaited().in) {
    const bool readable = co_await in->wait(Descriptor::readable);
    if (!readable || !has_bytes(in->number())) co_return;
  }
  if (!flow.stopping) co_await to.awaited().out->wait(Descriptor::writable);
}

/// What left the source and did not reach the target goes on by write(2).
Task<End> deliver_rest(Mover& mover, Stream& to, BufferPool& buffers) {
  Batch rest = Batch::of_bytes(largest_chunk, &buffers);
  for (;;) {
    mover.take_rest(rest);
    if (rest.empty()) co_return End{};
    if (const End end = co_await write_all(to, rest); end.kind != End::open) co_return end;
  }
}

/// Moves inside the kernel. Where it does not leave the phase `ended`, nothing is left in between.
Task<Phase> move(Mover& mover, Stream& to, Raw source, Raw target, Flow& flow, const Session& session,
                 Turn& turn) {
  int small = 0;
  for (;;) {
    const Step step = mover.step();
    if (step.bytes > 0) {
      flow.bytes += step.bytes;
      ++flow.reads;
      flow.last = Clock::now();
      small = step.bytes < small_step ? small + 1 : 0;
    }
    switch (step.outcome) {
      case Step::moved:
        break;
      case Step::source_waits:
        mover.relax();
        if (small >= most_small_steps) co_return Phase::silent;
        flow.waiting = true;
        if (!co_await source.in->wait(Descriptor::readable)) {
          flow.source = {End::abandoned, {}};
          co_return Phase::ended;
        }
        flow.waiting = false;
        break;
      case Step::target_waits: {
        const bool idle = !mover.holds_something();
        bool possible = false;
        if (!idle || !source.in->stopped(Descriptor::readable)) {
          flow.waiting = idle;
          possible = co_await target.out->wait(Descriptor::writable);
          flow.waiting = false;
        }
        if (idle && (!possible || source.in->stopped(Descriptor::readable))) {
          flow.source = {End::abandoned, {}};
          co_return Phase::ended;
        }
        if (!possible) {
          flow.target = {End::abandoned, {}};
          co_return Phase::ended;
        }
        if (!idle) flow.last = Clock::now();
        break;
      }
      case Step::source_ended:
        flow.source = end_of(step.error);
        co_return Phase::ended;
      case Step::target_ended:
        flow.target = end_of(step.error);
        co_return Phase::ended;
      case Step::refused:
        flow.target = co_await deliver_rest(mover, to, session.loop.buffers());
        co_return flow.target.kind == End::open ? Phase::refused : Phase::ended;
    }
    // What a step has not got rid of is delivered first.
    if (step.outcome != Step::moved) continue;
    if (turn.over(step.bytes, flow.last)) co_await turn.pass();
    if (source.in->stopped(Descriptor::readable)) {
      flow.source = {End::abandoned, {}};
      co_return Phase::ended;
    }
  }
}

/// How much a batch between two streams may hold, and whether it may grow.
struct Room {
  std::size_t size;
  bool grows = false;
};

Room room_for(Shape source, Shape target, const Limits& limits) {
  // A datagram is never cut: its chunk has room for the largest.
  if (source == Shape::messages) return {std::max(limits.chunk, Batch::message_room)};
  if (limits.chunk != 0) return {limits.chunk};
  if (target == Shape::messages) return {datagram_chunk};
  return {first_chunk, true};
}

/// What keeps coming gets wider pipes.
void widen(const Ends& ends) {
  if (ends.source.in != nullptr) widen_pipe(ends.source.in->number());
  if (ends.target.out != nullptr) widen_pipe(ends.target.out->number());
}

/// Copies until an end, or until a raw source has nothing more to give, or, if `until_flowing`, until the
/// source has shown that it keeps coming.
Task<Phase> copy(Ends ends, Flow& flow, const Session& session, bool until_flowing, Pace& pace) {
  const Shape source = ends.from.info().traits.shape;
  const Shape target = ends.to.info().traits.shape;
  const bool messages = source == Shape::messages ? target != Shape::bytes
                                                  : source == Shape::either && target == Shape::messages;
  Room room = room_for(source, target, session.limits);
  if (room.grows) room.size = std::max(room.size, pace.chunk);
  BufferPool& buffers = session.loop.buffers();
  Batch batch =
      messages ? Batch::of_messages(Batch::most_messages, &buffers) : Batch::of_bytes(room.size, &buffers);
  for (;;) {
    if (!has_room(ends.to, pace)) {
      batch.relax();
      co_await wait_for_room(ends.from, ends.to, flow);
    }
    flow.waiting = true;
    flow.source = co_await ends.from.read_some(batch);
    flow.waiting = false;
    const std::size_t size = batch.size();
    if (flow.source.kind == End::open)
      count(flow, batch,
            batch.carries_messages() ? batch.messages().size() : std::size_t{source == Shape::messages});
    flow.target = co_await write_all(ends.to, batch);
    if (flow.source.kind != End::open || flow.target.kind != End::open) co_return Phase::ended;
    flow.last = Clock::now();
    pace.used(size);
    if (pace.turn.over(size, flow.last)) co_await pace.turn.pass();
    if (room.grows && size < batch.capacity() / growth) pace.chunk = batch.capacity() / growth;
    // It gave less than there was room for: another try would find nothing.
    if (ends.source.in != nullptr && size < batch.capacity()) co_return Phase::silent;
    if (room.grows && size == batch.capacity()) {
      widen(ends);
      if (until_flowing) co_return Phase::flowing;
      pace.chunk = std::min(size * growth, largest_chunk);
      batch.resize(pace.chunk);
    }
  }
}

/// Moves inside the kernel, if there is a way for these two.
Task<Phase> flow_through(Ends ends, Flow& flow, const Session& session, Turn& turn) {
  const auto mover = mover_between(*ends.source.in, *ends.target.out, session.loop.pipes());
  if (!mover) co_return Phase::refused;
  co_return co_await move(*mover, ends.to, ends.source, ends.target, flow, session, turn);
}

}  // namespace

Task<> pump(Stream& from, Stream& to, Flow& flow, const Session& session) {
  // A small exchange never pays for a pipe: copy first, go through the kernel once data keeps coming. And
  // what waits for input holds no more than this frame.
  bool refused = session.limits.chunk != 0;
  Pace pace(session.loop);
  // A connection of ours has room at its beginning.
  const Descriptor* const out = to.awaited().out;
  if (to.info().traits.is_connection && out != nullptr && out->access() == Access::own)
    pace.room = least_room;
  const Raw first = from.raw();
  auto phase = first.in == nullptr || first.in->is_ready(Descriptor::readable) ? Phase::begun : Phase::silent;
  while (phase != Phase::ended) {
    try {
      const Ends ends{from, to, from.raw(), to.raw()};
      if (phase == Phase::silent) {
        flow.waiting = true;
        if (!co_await ends.source.in->wait(Descriptor::readable)) {
          flow.source = {End::abandoned, {}};
          break;
        }
        flow.waiting = false;
      }
      const bool possible = !refused && ends.source.in != nullptr && ends.target.out != nullptr;
      if (phase == Phase::flowing && possible) {
        phase = co_await flow_through(ends, flow, session, pace.turn);
        refused = phase == Phase::refused;
      } else {
        phase = co_await copy(ends, flow, session, possible, pace);
      }
    } catch (const Failure& failure) {
      // That the kernel watches no more descriptors for this user, say, ends this one and nothing else.
      flow.source = {End::broken, failure.code()};
      phase = Phase::ended;
    }
  }
  // What a connection breaks off in is no end of it: closing says how the target hears of that.
  const bool broken_off = from.info().traits.is_connection &&
                          (flow.source.kind == End::reset || flow.source.kind == End::timed_out);
  if (flow.target.kind == End::open && !broken_off) flow.target = co_await to.finish();
}

}  // namespace sluice
