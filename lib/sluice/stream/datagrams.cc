#include "sluice/stream/datagrams.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace sluice {
namespace {

constexpr std::size_t most_at_once = Batch::most_messages;

/// What the kernel is told of a message and tells of it; only what is used is ever filled in.
struct Headers {
  std::array<mmsghdr, most_at_once> all;
  std::array<iovec, most_at_once> parts;

  msghdr& prepare(std::size_t number, Bytes data) {
    parts[number] = {data.data(), data.size()};
    all[number] = {};
    msghdr& header = all[number].msg_hdr;
    header.msg_iov = &parts[number];
    header.msg_iovlen = 1;
    return header;
  }
};

}  // namespace

SocketName sender_name(const sockaddr_storage& storage, socklen_t length) {
  // Unnamed AF_UNIX senders have a name of just the family, or none at all.
  if (length <= sizeof(sa_family_t)) return {};
  return {reinterpret_cast<const sockaddr*>(&storage), length};
}

Attempt receive_datagrams(int socket, Batch& into, std::size_t most, const Accepts& accepts) {
  Headers headers;
  std::array<sockaddr_storage, most_at_once> names;
  const std::size_t count = std::min({into.slots(), most, most_at_once});
  for (std::size_t i = 0; i < count; ++i) {
    msghdr& header = headers.prepare(i, into.slot(i));
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
    const auto& [header, size] = headers.all[i];
    if (accepts && !accepts(sender_name(names[i], header.msg_namelen))) continue;
    into.add_message({static_cast<char*>(headers.parts[i].iov_base), size},
                     (header.msg_flags & MSG_TRUNC) != 0);
  }
  return got;
}

Attempt send_datagrams(int socket, Batch& from, const SocketName& to) {
  Headers headers;
  std::size_t count = 0;
  for (const Message& message : from.messages()) {
    if (count == most_at_once) break;
    msghdr& header = headers.prepare(count++, message.data);
    if (to.empty()) continue;
    header.msg_name = const_cast<sockaddr*>(to.data());
    header.msg_namelen = to.size();
  }
  const auto sent = uninterrupted([&] {
    return ::sendmmsg(socket, headers.all.data(), static_cast<unsigned>(count), MSG_DONTWAIT | MSG_NOSIGNAL);
  });
  for (ssize_t i = 0; i < sent.count; ++i) from.pop_message();
  return sent;
}

}  // namespace sluice
