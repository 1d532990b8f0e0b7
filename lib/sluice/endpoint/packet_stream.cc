#include "sluice/endpoint/packet_stream.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace sluice {

PacketStream::PacketStream(Parts parts) : parts_(std::move(parts)), gone_(parts_.device->loop()) {
  // Only an empty message can tell the far side that there is no more.
  info_.traits = {Shape::messages, parts_.single || parts_.null_eof || !parts_.receive,
                  parts_.finish == FinishBy::empty_packet};
  info_.readable = static_cast<bool>(parts_.receive);
  info_.writable = static_cast<bool>(parts_.send);
  info_.in = info_.out = parts_.device->number();
}

/// What is received with less room is cut, or refused.
Bytes PacketStream::room_for_one(Batch& into) const {
  Bytes room = into.carries_messages() ? into.slot() : into.room();
  if (room.size() >= parts_.largest) return room;
  if (into.carries_messages()) return into.large_slot(parts_.largest);
  into = Batch::of_bytes(parts_.largest);
  return into.room();
}

Task<End> PacketStream::read_some(Batch& into) {
  while (!stopped_reading_) {
    if (input_over_ || !parts_.receive) co_return End{End::finished, {}};
    const Bytes room = room_for_one(into);
    const Attempt got = uninterrupted([&] {
      const Attempt one = parts_.receive(parts_.device->number(), room);
      errno = one.error;
      return one.count;
    });
    if (got.count >= 0) {
      input_over_ = parts_.single || (parts_.null_eof && got.count == 0);
      if (got.count == 0 && parts_.null_eof) continue;
      const auto size = static_cast<std::size_t>(got.count);
      if (into.carries_messages())
        into.add_message(room.first(size));
      else
        into.added(size);
      co_return End{};
    }
    if (!got.would_block()) co_return end_of(got.error);
    into.relax();
    if (!co_await parts_.device->wait(Descriptor::readable)) break;
  }
  co_return End{End::abandoned, {}};
}

Attempt PacketStream::send(Batch& from) {
  const int device = parts_.device->number();
  if (from.carries_messages()) {
    const Attempt sent = parts_.send(device, from.messages().front().data);
    if (sent.count >= 0) from.pop_message();
    return sent;
  }
  // Bytes have no edges that could be lost.
  const Bytes bytes = from.data();
  const ConstBytes chunk = bytes.first(std::min(bytes.size(), parts_.largest));
  const Attempt sent = parts_.send(device, chunk);
  if (sent.count >= 0) from.consume(chunk.size());
  return sent;
}

Task<End> PacketStream::write_some(Batch& from) {
  while (!stopped_writing_) {
    if (!parts_.send) co_return end_of(EBADF);
    const Attempt sent = send(from);
    if (sent.count >= 0) co_return End{};
    if (sent.error == EINTR) continue;
    if (sent.error == ENOBUFS) {
      // A full queue of an interface cannot be waited for.
      co_await parts_.device->loop().sleep(std::chrono::milliseconds(1));
      continue;
    }
    if (!sent.would_block()) co_return end_of(sent.error);
    co_await parts_.device->wait(Descriptor::writable);
  }
  co_return End{End::abandoned, {}};
}

Task<End> PacketStream::finish() {
  if (!parts_.send || std::exchange(finished_, true)) co_return End{};
  if (parts_.finish != FinishBy::empty_packet) co_return tell_the_end(parts_.device->number(), parts_.finish);
  constexpr std::string_view nothing = "";
  while (!stopped_writing_) {
    const Attempt sent = parts_.send(parts_.device->number(), ConstBytes(nothing));
    if (sent.count >= 0) co_return End{};
    if (!sent.would_block()) co_return end_of(sent.error);
    co_await parts_.device->wait(Descriptor::writable);
  }
  co_return End{End::abandoned, {}};
}

Task<> PacketStream::closed() {
  while (!stopped_writing_) co_await gone_.wait();
}

/// What is not read stays for others: in a queue, say.
Task<> PacketStream::discard_input() { co_return; }

void PacketStream::stop_reading() {
  stopped_reading_ = true;
  parts_.device->wake(Descriptor::readable);
}

void PacketStream::stop_writing() {
  stopped_writing_ = true;
  parts_.device->wake(Descriptor::writable);
  gone_.notify();
}

Task<> PacketStream::close(const Limits&) {
  parts_.device.reset();
  parts_.companion.reset();
  co_return;
}

}  // namespace sluice
