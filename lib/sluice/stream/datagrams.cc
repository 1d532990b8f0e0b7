#include "sluice/stream/datagrams.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace sluice {
namespace {

constexpr std::size_t most_at_once = Batch::most_messages;
/// What older kernels take (UDP_MAX_SEGMENTS), and what IPv4 has room for.
constexpr std::size_t most_segments = 64;
constexpr std::size_t largest_datagram = 65507;

/// What the kernel is told of a message and tells of it; only what is used is ever filled in.
struct Headers {
  static constexpr std::size_t control_size = CMSG_SPACE(sizeof(int));
  struct alignas(cmsghdr) Control {
    std::array<char, control_size> bytes;
  };

  std::array<mmsghdr, most_at_once> all;
  std::array<iovec, most_at_once> parts;
  std::array<Control, most_at_once> controls;

  msghdr& prepare(std::size_t number, iovec* first, std::size_t count) {
    all[number] = {};
    msghdr& header = all[number].msg_hdr;
    header.msg_iov = first;
    header.msg_iovlen = count;
    return header;
  }

  void make_segments(msghdr& header, std::size_t number, std::size_t size) {
    header.msg_control = controls[number].bytes.data();
    header.msg_controllen = CMSG_SPACE(sizeof(std::uint16_t));
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    *control = {CMSG_LEN(sizeof(std::uint16_t)), SOL_UDP, UDP_SEGMENT};
    const auto segment = static_cast<std::uint16_t>(size);
    std::memcpy(CMSG_DATA(control), &segment, sizeof segment);
  }

  /// The size of the messages that were joined in what a header received; 0 if it is one message.
  static std::size_t segment_size(msghdr& header) {
    for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
      if (one->cmsg_level != SOL_UDP || one->cmsg_type != UDP_GRO) continue;
      int size = 0;
      std::memcpy(&size, CMSG_DATA(one), sizeof size);
      return static_cast<std::size_t>(std::max(size, 0));
    }
    return 0;
  }
};

/// How many of the first messages can go as segments of one datagram: all of one size but the last, which may
/// be shorter. None of them is empty.
std::size_t run_length(std::span<const Message> messages, std::size_t largest_segment) {
  const std::size_t size = messages.front().data.size();
  if (size == 0 || size > largest_segment) return 1;
  const std::size_t most = std::min({messages.size(), most_segments, largest_datagram / size});
  std::size_t count = 1;
  while (count < most && messages[count].data.size() == size) ++count;
  const bool shorter = count < most && !messages[count].data.empty() && messages[count].data.size() < size;
  return shorter ? count + 1 : count;
}

/// Whether it says that a run is not to be sent so, rather than what became of an earlier datagram.
bool refuses_segments(int error) {
  return error == EMSGSIZE || error == EINVAL || error == EIO || error == EOPNOTSUPP || error == ENOPROTOOPT;
}

}  // namespace

SocketName sender_name(const sockaddr_storage& storage, socklen_t length) {
  // Unnamed AF_UNIX senders have a name of just the family, or none at all.
  if (length <= sizeof(sa_family_t)) return {};
  return {reinterpret_cast<const sockaddr*>(&storage), length};
}

void Offload::join(int socket) {
  const int on = 1;
  joins = ::setsockopt(socket, SOL_UDP, UDP_GRO, &on, sizeof on) == 0;
}

Attempt receive_datagrams(int socket, Batch& into, std::size_t most, const Accepts& accepts,
                          const Offload& offload) {
  Headers headers;
  std::array<sockaddr_storage, most_at_once> names;
  const std::size_t count = std::min({into.slots(), most, most_at_once});
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes slot = into.slot(i);
    headers.parts[i] = {slot.data(), slot.size()};
    msghdr& header = headers.prepare(i, &headers.parts[i], 1);
    if (offload.joins) {
      header.msg_control = headers.controls[i].bytes.data();
      header.msg_controllen = Headers::control_size;
    }
    if (!accepts) continue;
    header.msg_name = &names[i];
    header.msg_namelen = sizeof names[i];
  }
  const auto got = uninterrupted([&] {
    return ::recvmmsg(socket, headers.all.data(), static_cast<unsigned>(count), MSG_DONTWAIT, nullptr);
  });
  if (got.count < 0) return got;
  const auto received = static_cast<std::size_t>(got.count);
  into.expect(received);
  for (std::size_t i = 0; i < received; ++i) {
    auto& [header, size] = headers.all[i];
    const SocketName from = accepts ? sender_name(names[i], header.msg_namelen) : SocketName();
    Bytes rest{static_cast<char*>(headers.parts[i].iov_base), size};
    const std::size_t segment = offload.joins ? Headers::segment_size(header) : 0;
    for (; segment > 0 && rest.size() > segment; rest = rest.subspan(segment))
      if (!accepts || accepts(from)) into.add_message(rest.first(segment));
    if (!accepts || accepts(from)) into.add_message(rest, (header.msg_flags & MSG_TRUNC) != 0);
  }
  return got;
}

Attempt send_datagrams(int socket, Batch& from, const SocketName& to, Offload& offload) {
  const std::span<const Message> messages = from.messages();
  for (;;) {
    Headers headers;
    std::array<std::uint8_t, most_at_once> runs;
    std::size_t count = 0;
    std::size_t taken = 0;
    std::size_t parts = 0;
    while (taken < messages.size() && parts < most_at_once) {
      auto rest = messages.subspan(taken);
      rest = rest.first(std::min(rest.size(), most_at_once - parts));
      const std::size_t run = run_length(rest, offload.largest_segment);
      iovec* const first = &headers.parts[parts];
      for (const Message& message : rest.first(run))
        headers.parts[parts++] = {message.data.data(), message.data.size()};
      msghdr& header = headers.prepare(count, first, run);
      if (run > 1) headers.make_segments(header, count, rest.front().data.size());
      if (!to.empty()) {
        header.msg_name = const_cast<sockaddr*>(to.data());
        header.msg_namelen = to.size();
      }
      runs[count++] = static_cast<std::uint8_t>(run);
      taken += run;
    }
    auto sent = uninterrupted([&] {
      return ::sendmmsg(socket, headers.all.data(), static_cast<unsigned>(count),
                        MSG_DONTWAIT | MSG_NOSIGNAL);
    });
    if (sent.count < 0 && runs[0] > 1 && refuses_segments(sent.error)) {
      // Too large for the way to the peer: smaller ones may not be. Nothing was sent of it.
      offload.largest_segment = sent.error == EMSGSIZE ? messages.front().data.size() - 1 : 0;
      continue;
    }
    if (sent.count <= 0) return sent;
    std::size_t gone = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(sent.count); ++i) gone += runs[i];
    for (std::size_t i = 0; i < gone; ++i) from.pop_message();
    return {static_cast<ssize_t>(gone), 0};
  }
}

}  // namespace sluice
