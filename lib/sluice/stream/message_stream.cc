#include "sluice/stream/message_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "sluice/stream/turn.h"

namespace sluice {
namespace {

constexpr std::size_t most_waiting = 64;
constexpr std::size_t most_waiting_bytes = mib(1);
/// So many headers are prepared for a socket that gave fewer messages the last time.
constexpr std::size_t fewest_headers = 4;

/// What came was for others.
constexpr Attempt nothing_that_counts = {-1, EINTR};

}  // namespace

Inbox::Put Inbox::put(ConstBytes message) {
  if (over_ || messages_.size() >= most_waiting) return Put::inbox_full;
  if (!messages_.empty() && messages_.bytes() + message.size() > most_waiting_bytes) return Put::inbox_full;
  if (memory_->used + message.size() > memory_->most) return Put::memory_full;
  change([&](MessageQueue& messages) { messages.put(message); });
  arrived_.notify();
  return Put::done;
}

void Inbox::take(Batch& into) {
  change([&](MessageQueue& messages) { messages.take(into); });
}

void Inbox::forget() {
  change([](MessageQueue& messages) { messages = {}; });
  end();
}

void Inbox::end() {
  over_ = true;
  arrived_.notify();
}

Task<> Inbox::wait() { co_await arrived_.wait(); }

MessageStream::MessageStream(Parts parts) : parts_(std::move(parts)), gone_(parts_.socket->loop()) {
  const int number = parts_.socket->number();
  info_.traits = {
      Shape::messages,
      parts_.sequenced || (parts_.inbox && parts_.inbox->over()) || parts_.single || parts_.null_eof,
      parts_.finish == FinishBy::empty_packet || tells_its_end()};
  info_.readable = parts_.readable;
  info_.writable = parts_.writable;
  if (!parts_.no_output.empty()) info_.no_output = parts_.no_output;
  info_.in = info_.out = number;
  info_.shared = parts_.shared;
  info_.echoes = parts_.echoes;
  info_.traits.reading_tells_closed = parts_.sequenced;
  info_.traits.is_connection = parts_.sequenced;
  const int family = SocketName::of_socket(number).family();
  unix_ = family == AF_UNIX;
  // The flags of what others share stay as they are.
  const int on = 1;
  if (unix_ && parts_.sequenced && parts_.socket->access() == Access::own)
    marks_packets_ = ::setsockopt(number, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on) == 0;
  if (parts_.offloads) offload_.largest_segment = Offload::any_segment;
  if (parts_.peer.empty()) return;
  parts_.peer = parts_.peer.for_family(family);
  info_.peer = parts_.peer.host_and_port();
}

MessageStream::~MessageStream() = default;

Task<End> MessageStream::read_some(Batch& into) {
  while (!stopped_reading_) {
    if (input_over_ || !parts_.readable) co_return End{End::finished, {}};
    Attempt got;
    if (parts_.inbox && !parts_.inbox->empty()) {
      parts_.inbox->take(into);
      if (parts_.heard) tell_of_inbox(into);
      got.count = 1;
    } else if (parts_.inbox && parts_.inbox->over()) {
      input_over_ = true;
      continue;
    } else if (parts_.inbox && parts_.inbox_only) {
      into.relax();
      co_await parts_.inbox->wait();
      continue;
    } else {
      const bool many = into.carries_messages() && !unix_ && !parts_.sequenced && !parts_.single;
      got = parts_.told ? tell_and_receive(into) : many ? receive_many(into) : receive_one(into);
    }
    if (got.count > 0) {
      input_over_ = parts_.single;
      if (parts_.null_eof) end_at_empty_message(into);
      if (input_over_ && into.empty()) continue;
      co_return End{};
    }
    if (got.count == 0) {
      input_over_ = true;
      continue;
    }
    if (got.error == nothing_that_counts.error) {
      co_await parts_.socket->loop().yield();
      continue;
    }
    if (!got.would_block()) co_return end_of(got.error);
    if (parts_.connected) parts_.accepts = {};
    into.relax();
    if (!co_await parts_.socket->wait(Descriptor::readable)) break;
  }
  co_return End{End::abandoned, {}};
}

void MessageStream::end_at_empty_message(Batch& into) {
  if (!into.carries_messages()) {
    input_over_ = into.empty();
    return;
  }
  const auto messages = into.messages();
  const auto empty =
      std::find_if(messages.begin(), messages.end(), [](const Message& one) { return one.data.empty(); });
  if (empty == messages.end()) return;
  input_over_ = true;
  into.keep(static_cast<std::size_t>(empty - messages.begin()));
}

/// A sequenced packet of no bytes and the end of the sequence look alike to recvmsg(2), but that a packet has
/// a time.
bool MessageStream::sequence_has_ended(const msghdr& nothing) const {
  if (marks_packets_) return nothing.msg_controllen == 0;
  pollfd state{parts_.socket->number(), POLLRDHUP, 0};
  if (::poll(&state, 1, 0) <= 0 || (state.revents & (POLLRDHUP | POLLHUP)) == 0) return false;
  char next = 0;
  return ::recv(state.fd, &next, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

Attempt MessageStream::receive_one(Batch& into) {
  const int number = parts_.socket->number();
  Bytes room = into.carries_messages() ? into.slot() : into.room();
  if (unix_) {
    // A local datagram may be larger than any slot: ask first.
    char nothing = 0;
    const auto size =
        uninterrupted([&] { return ::recv(number, &nothing, 1, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT); });
    if (size.count < 0) return size;
    const auto need = static_cast<std::size_t>(size.count);
    if (into.carries_messages() && need > room.size()) room = into.large_slot(need);
    if (need > room.size()) {
      into = Batch::of_bytes(need);
      room = into.room();
    }
  }
  sockaddr_storage sender;
  iovec vector{room.data(), room.size()};
  msghdr header{};
  if (parts_.accepts || parts_.heard) {
    header.msg_name = &sender;
    header.msg_namelen = sizeof sender;
  }
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timeval))];
  if (marks_packets_) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
  }
  const auto got = uninterrupted([&] { return ::recvmsg(number, &header, MSG_DONTWAIT); });
  if (got.count < 0) return got;
  if (got.count == 0 && parts_.sequenced && sequence_has_ended(header)) return {0, 0};
  if (parts_.accepts && !parts_.accepts({sender_name(sender, header.msg_namelen)}))
    return nothing_that_counts;
  const auto size = static_cast<std::size_t>(got.count);
  if (parts_.heard) parts_.heard(sender_name(sender, header.msg_namelen), size);
  if (into.carries_messages())
    into.add_message(room.first(size), (header.msg_flags & MSG_TRUNC) != 0);
  else
    into.added(size);
  return {1, 0};
}

Attempt MessageStream::receive_many(Batch& into) {
  if (!std::exchange(read_in_batches_, true) && parts_.offloads && into.slots() == Batch::most_messages)
    offload_.join(parts_.socket->number());
  // More than the last time, so that it grows with what comes; else what is not used costs more than it
  // saves.
  const std::size_t most = std::max(expected_ * 4, fewest_headers);
  const auto got = parts_.heard
                       ? receive_and_tell(into, most)
                       : receive_datagrams(parts_.socket->number(), into, most, parts_.accepts, offload_);
  if (got.count < 0) return got;
  expected_ = static_cast<std::size_t>(got.count);
  return into.empty() ? nothing_that_counts : got;
}

Attempt MessageStream::tell_and_receive(Batch& into) {
  const auto all = peek_ancillary(parts_.socket->number());
  if (!all) return {-1, errno};
  parts_.told(*all);
  return receive_one(into);
}

Attempt MessageStream::receive_and_tell(Batch& into, std::size_t most) {
  std::vector<SocketName> senders;
  const Accepts keep_sender = [&](const Origin& origin) {
    if (parts_.accepts && !parts_.accepts(origin)) return false;
    senders.push_back(origin.sender);
    return true;
  };
  const auto got = receive_datagrams(parts_.socket->number(), into, most, keep_sender, offload_);
  const auto messages = into.messages();
  for (std::size_t i = 0; i < senders.size(); ++i) parts_.heard(senders[i], messages[i].data.size());
  return got;
}

void MessageStream::tell_of_inbox(Batch& read) const {
  if (!read.carries_messages()) return parts_.heard(parts_.peer, read.data().size());
  for (const Message& message : read.messages()) parts_.heard(parts_.peer, message.data.size());
}

Attempt MessageStream::send(Batch& from) {
  const int number = parts_.socket->number();
  if (!from.carries_messages()) {
    const Message chunk{from.data()};
    const auto sent = send_datagrams(number, {&chunk, 1}, parts_.peer, parts_.local, offload_);
    if (sent.count > 0) from.consume(chunk.data.size());
    return sent;
  }
  const auto sent = send_datagrams(number, from.messages(), parts_.peer, parts_.local, offload_);
  for (ssize_t i = 0; i < sent.count; ++i) from.pop_message();
  return sent;
}

Task<End> MessageStream::write_some(Batch& from) {
  while (!stopped_writing_) {
    if (!parts_.writable) co_return end_of(EBADF);
    const auto sent = send(from);
    if (sent.count >= 0) {
      if (parts_.answered) std::exchange(parts_.answered, {})();
      co_return End{};
    }
    const bool full = sent.error == ENOBUFS;
    if (!sent.would_block() && !full) co_return end_of(sent.error);
    if (full || parts_.shared || (unix_ && !parts_.sequenced)) {
      // Neither a full interface queue nor the full queue of a local peer that we are not connected to can be
      // waited for: poll(2) says writable all the while. And of many streams that wait for one socket, each
      // would wake for the room that another takes.
      co_await parts_.socket->loop().sleep(std::chrono::milliseconds(1));
    } else {
      co_await parts_.socket->wait(Descriptor::writable);
    }
  }
  co_return End{End::abandoned, {}};
}

Task<End> MessageStream::finish() {
  if (!parts_.writable) co_return End{};
  if (parts_.finish == FinishBy::empty_packet) {
    Batch nothing = Batch::of_messages(1);
    nothing.add_message({});
    const End end = co_await write_some(nothing);
    // Who has gone need not be told.
    co_return end.kind == End::reset ? End{} : end;
  }
  if (tells_its_end()) ::shutdown(parts_.socket->number(), SHUT_WR);
  co_return End{};
}

Task<> MessageStream::closed() {
  // An error waiting on a datagram socket (an ICMP answer) ends nothing for good.
  if (parts_.sequenced)
    co_await parts_.socket->wait(Descriptor::hung_up);
  else
    while (!stopped_writing_) co_await gone_.wait();
}

Task<> MessageStream::discard_input() {
  Batch scrap = Batch::of_bytes(Batch::message_room);
  Turn turn(parts_.socket->loop());
  for (;;) {
    const End end = co_await read_some(scrap);
    if (end.kind != End::open) co_return;
    if (turn.over(scrap.size(), Clock::now())) co_await turn.pass();
    scrap.clear();
  }
}

/// Packets that are unread when a local socket closes make the kernel reset the peer, which hears of that
/// before it hears of the packets that wait for it. So no more may come, and what has come goes: the peer
/// reads all of ours, and then the end.
void MessageStream::discard_unread() {
  const int number = parts_.socket->number();
  if (::shutdown(number, SHUT_RD) != 0) return;
  for (;;) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timeval))];
    msghdr header{};
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const auto got = uninterrupted([&] { return ::recvmsg(number, &header, MSG_DONTWAIT); });
    if (got.count < 0 || sequence_has_ended(header)) return;
  }
}

void MessageStream::stop_reading() {
  stopped_reading_ = true;
  if (parts_.inbox) parts_.inbox->wake();
  if (!parts_.shared) parts_.socket->wake(Descriptor::readable);
}

void MessageStream::stop_writing() {
  stopped_writing_ = true;
  if (!parts_.shared) parts_.socket->wake(Descriptor::writable);
  if (parts_.sequenced) parts_.socket->stop(Descriptor::hung_up);
  gone_.notify();
}

Awaited MessageStream::awaited() {
  Descriptor* const socket = parts_.socket.get();
  return {parts_.inbox ? nullptr : socket, parts_.shared ? nullptr : socket};
}

Task<> MessageStream::close(const Limits&) {
  if (parts_.sequenced && !broken_off_) {
    if (!stopped_writing_) co_await finish();
    if (unix_ && parts_.socket->access() == Access::own) discard_unread();
  }
  parts_.inbox.reset();
  parts_.socket.reset();
  parts_.companion.reset();
}

}  // namespace sluice
