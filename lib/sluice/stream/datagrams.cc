#include "sluice/stream/datagrams.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice {
namespace {

constexpr std::size_t most_at_once = Batch::most_messages;
/// What older kernels take (UDP_MAX_SEGMENTS), and what IPv4 has room for.
constexpr std::size_t most_segments = 64;
constexpr std::size_t largest_datagram = 65507;

/// What the kernel is told of a message and tells of it; only what is used is ever filled in.
struct Headers {
  static constexpr std::size_t control_size =
      CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_SPACE(sizeof(in6_pktinfo));
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

  /// Says one thing more about a message that is sent.
  template <class Value>
  void add_control(std::size_t number, int level, int type, const Value& value) {
    msghdr& header = all[number].msg_hdr;
    char* const place = controls[number].bytes.data() + header.msg_controllen;
    const cmsghdr control{CMSG_LEN(sizeof value), level, type};
    std::memcpy(place, &control, sizeof control);
    std::memcpy(place + CMSG_LEN(0), &value, sizeof value);
    header.msg_control = controls[number].bytes.data();
    header.msg_controllen += CMSG_SPACE(sizeof value);
  }
};

template <class Value>
Value value_of(const cmsghdr& control) {
  Value value;
  std::memcpy(&value, CMSG_DATA(&control), sizeof value);
  return value;
}

/// What was told about a message that was received.
struct Told {
  std::size_t segment = 0;  ///< the size of the messages that were joined in it; 0 if it is one
  LocalAddress local;

  explicit Told(msghdr& header) {
    bool is_ip4 = false;
    for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
      if (one->cmsg_level == SOL_UDP && one->cmsg_type == UDP_GRO)
        segment = static_cast<std::size_t>(std::max(value_of<int>(*one), 0));
      if (one->cmsg_level == IPPROTO_IP && one->cmsg_type == IP_PKTINFO) {
        is_ip4 = true;
        if (local.empty()) local.family = AF_INET;
        // Of a datagram to all, or to a group, an address of ours on the way back: what it was sent to is not
        // one.
        const auto info = value_of<in_pktinfo>(*one);
        local.address = {};
        local.address.s6_addr[10] = local.address.s6_addr[11] = 0xff;
        std::memcpy(local.address.s6_addr + 12, &info.ipi_spec_dst, sizeof info.ipi_spec_dst);
      }
      if (one->cmsg_level == IPPROTO_IPV6 && one->cmsg_type == IPV6_PKTINFO) {
        const auto info = value_of<in6_pktinfo>(*one);
        // Nothing can be sent from a group's address.
        if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr)) continue;
        local.family = AF_INET6;
        // A socket of both versions says of IPv4 both things, and the other one is right.
        if (is_ip4) continue;
        local.address = info.ipi6_addr;
        if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) local.interface = info.ipi6_ifindex;
      }
    }
  }
};

void send_from(Headers& headers, std::size_t number, const LocalAddress& local) {
  if (local.family == AF_INET) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, local.address.s6_addr + 12, sizeof info.ipi_spec_dst);
    headers.add_control(number, IPPROTO_IP, IP_PKTINFO, info);
  } else if (local.family == AF_INET6) {
    headers.add_control(number, IPPROTO_IPV6, IPV6_PKTINFO, in6_pktinfo{local.address, local.interface});
  }
}

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

SocketName LocalAddress::name() const {
  if (empty()) return {};
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_addr = address;
  six.sin6_scope_id = interface;
  return {reinterpret_cast<const sockaddr*>(&six), sizeof six};
}

bool operator==(const LocalAddress& a, const LocalAddress& b) {
  return a.family == b.family && a.interface == b.interface && IN6_ARE_ADDR_EQUAL(&a.address, &b.address);
}

void Offload::join(int socket) {
  const int on = 1;
  joins = ::setsockopt(socket, SOL_UDP, UDP_GRO, &on, sizeof on) == 0;
}

void Offload::tell_local(int socket, const SocketName& bound) {
  const bool six = bound.family() == AF_INET6;
  const std::string_view everywhere = six ? "::" : "0.0.0.0";
  if (!bound.is_ip() || bound.host() != everywhere) return;
  const int on = 1;
  tells_local = ::setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0;
  if (six) tells_local = ::setsockopt(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) == 0;
}

Attempt receive_datagrams(int socket, Batch& into, std::size_t most, const Accepts& accepts,
                          const Offload& offload, int flags) {
  Headers headers;
  std::array<sockaddr_storage, most_at_once> names;
  const std::size_t count = (flags & MSG_PEEK) != 0 ? 1 : std::min({into.slots(), most, most_at_once});
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes slot = into.slot(i);
    headers.parts[i] = {slot.data(), slot.size()};
    msghdr& header = headers.prepare(i, &headers.parts[i], 1);
    if (offload.joins || offload.tells_local) {
      header.msg_control = headers.controls[i].bytes.data();
      header.msg_controllen = Headers::control_size;
    }
    if (!accepts) continue;
    header.msg_name = &names[i];
    header.msg_namelen = sizeof names[i];
  }
  const auto got = uninterrupted([&] {
    return ::recvmmsg(socket, headers.all.data(), static_cast<unsigned>(count), MSG_DONTWAIT | flags,
                      nullptr);
  });
  if (got.count < 0) return got;
  const auto received = static_cast<std::size_t>(got.count);
  into.expect(received);
  for (std::size_t i = 0; i < received; ++i) {
    auto& [header, size] = headers.all[i];
    const Told told(header);
    Origin origin;
    if (accepts) origin = {sender_name(names[i], header.msg_namelen), told.local};
    Bytes rest{static_cast<char*>(headers.parts[i].iov_base), size};
    for (; told.segment > 0 && rest.size() > told.segment; rest = rest.subspan(told.segment))
      if (!accepts || accepts(origin)) into.add_message(rest.first(told.segment));
    if (!accepts || accepts(origin)) into.add_message(rest, (header.msg_flags & MSG_TRUNC) != 0);
  }
  return got;
}

Attempt send_datagrams(int socket, std::span<const Message> messages, const SocketName& to,
                       const LocalAddress& local, Offload& offload) {
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
      if (run > 1)
        headers.add_control(count, SOL_UDP, UDP_SEGMENT,
                            static_cast<std::uint16_t>(rest.front().data.size()));
      if (!local.empty()) send_from(headers, count, local);
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
    return {static_cast<ssize_t>(gone), 0};
  }
}

}  // namespace sluice
