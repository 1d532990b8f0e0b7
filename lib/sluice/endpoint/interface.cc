#include "sluice/endpoint/interface.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/packet_stream.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

/// A frame of the largest MTU with its headers.
constexpr std::size_t largest_frame = 65536 + 64;
/// A VLAN tag stands behind the two hardware addresses of a frame (IEEE 802.1Q).
constexpr std::size_t tag_place = std::size_t{2} * ETH_ALEN;
constexpr std::size_t tag_length = 4;

/// Only what the kernel has joined beyond 64 KiB (BIG TCP) does not fit.
Attempt unless_cut(const Attempt& got, const msghdr& header) {
  return got.count >= 0 && (header.msg_flags & MSG_TRUNC) != 0 ? Attempt{-1, EMSGSIZE} : got;
}

Attempt receive_frame(int socket, Bytes into) {
  iovec vector{into.data(), into.size()};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  const auto got = uninterrupted([&] { return ::recvmsg(socket, &header, MSG_DONTWAIT); });
  return unless_cut(got, header);
}

/// Receives a frame with the VLAN tag that the kernel took out of it (packet(7), PACKET_AUXDATA).
Attempt receive_with_tag(int socket, Bytes into) {
  iovec vector{into.data() + tag_length, into.size() - tag_length};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(tpacket_auxdata))];
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const auto got =
      unless_cut(uninterrupted([&] { return ::recvmsg(socket, &header, MSG_DONTWAIT); }), header);
  if (got.count < 0) return got;
  const auto length = static_cast<std::size_t>(got.count);
  char* const frame = into.data() + tag_length;
  for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
    if (one->cmsg_level != SOL_PACKET || one->cmsg_type != PACKET_AUXDATA || length < tag_place) continue;
    tpacket_auxdata told;
    std::memcpy(&told, CMSG_DATA(one), sizeof told);
    if ((told.tp_status & TP_STATUS_VLAN_VALID) == 0) continue;
    const bool typed = (told.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
    const std::uint16_t tag[2] = {htons(typed ? told.tp_vlan_tpid : ETH_P_8021Q), htons(told.tp_vlan_tci)};
    std::memmove(into.data(), frame, tag_place);
    std::memcpy(into.data() + tag_place, tag, sizeof tag);
    return {static_cast<ssize_t>(length + tag_length), 0};
  }
  std::memmove(into.data(), frame, length);
  return got;
}

Attempt send_frame(int socket, ConstBytes frame) {
  const ssize_t count = ::send(socket, frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return {count, count < 0 ? errno : 0};
}

/// The frames that come from an interface, and that go out of it, with all headers.
class Interface final : public Endpoint {
 public:
  Interface(const Address& address, Use use, const Context& context)
      : address_(address),
        use_(use),
        context_(context),
        kind_(with_options(address, {AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)})) {}

  Task<std::unique_ptr<Stream>> open(Session&) override {
    const std::string& name = address_.parameters[0].text;
    // Until it is bound, a socket that asks for a protocol would hear all interfaces.
    Fd fd = make_socket(address_, {kind_.family, kind_.type, 0}, context_);
    ifreq request = interface_request(address_, name);
    check(std::string(address_.written()) + ": interface " + name, ::ioctl(fd.get(), SIOCGIFINDEX, &request));
    const int on = 1;
    // What this host sends is none of what comes from the interface (packet(7)).
    check(std::string(address_.written()) + ": ignore outgoing packets",
          ::setsockopt(fd.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on));
    // A socket that is bound to an interface that is down begins with an error.
    apply_interface(address_, name, context_);
    sockaddr_ll local{};
    local.sll_family = AF_PACKET;
    local.sll_protocol = static_cast<std::uint16_t>(kind_.protocol);
    local.sll_ifindex = request.ifr_ifindex;
    apply(address_, {Phase::prebind, Phase::bind}, fd.get(), context_);
    bind_socket(address_, fd.get(), {reinterpret_cast<const sockaddr*>(&local), sizeof local});
    context_.log.notice(
        [&] { return "successfully prepared local socket " + SocketName::of_socket(fd.get()).log_text(); });
    apply(address_, {Phase::connected, Phase::fd, Phase::late}, fd.get(), context_);
    const bool tagged = address_.flag("retrieve-vlan");
    if (tagged)
      check(std::string(address_.written()) + ": option \"retrieve-vlan\"",
            ::setsockopt(fd.get(), SOL_PACKET, PACKET_AUXDATA, &on, sizeof on));
    PacketStream::Parts parts;
    parts.device = std::make_shared<Descriptor>(context_.loop, std::move(fd));
    parts.largest = largest_frame;
    if (use_ != Use::writing) parts.receive = tagged ? receive_with_tag : receive_frame;
    if (use_ != Use::reading) parts.send = send_frame;
    parts.null_eof = address_.flag("null-eof");
    parts.finish = finish_by(address_, FinishBy::nothing);
    co_return std::make_unique<PacketStream>(std::move(parts));
  }

 private:
  Address address_;
  Use use_;
  Context context_;
  SocketKind kind_;
};

}  // namespace

ifreq interface_request(const Address& address, const std::string& name) {
  ifreq request{};
  if (name.empty() || name.size() >= sizeof request.ifr_name)
    throw Failure(std::string(address.written()) + ": \"" + name + "\" is no name of an interface (1 to " +
                  std::to_string(sizeof request.ifr_name - 1) + " bytes)");
  name.copy(request.ifr_name, name.size());
  return request;
}

void apply_interface(const Address& address, const std::string& name, const Context& context) {
  const Fd any(check("create a socket", ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
  for (const Option& option : address.options) {
    const bool flag = option.row->effect.kind == Effect::interface_flag;
    if (!flag && option.row->name != "interface-mtu") continue;
    ifreq request = interface_request(address, name);
    bool worked = true;
    if (flag) {
      worked = ::ioctl(any.get(), SIOCGIFFLAGS, &request) == 0;
      const auto bit = static_cast<unsigned>(option.row->effect.number);
      const auto flags = static_cast<unsigned>(static_cast<unsigned short>(request.ifr_flags));
      const bool on = std::get<bool>(option.value);
      request.ifr_flags = static_cast<short>(on ? flags | bit : flags & ~bit);
      worked = worked && ::ioctl(any.get(), SIOCSIFFLAGS, &request) == 0;
    } else {
      request.ifr_mtu = static_cast<int>(std::get<std::int64_t>(option.value));
      worked = ::ioctl(any.get(), SIOCSIFMTU, &request) == 0;
    }
    if (worked) continue;
    const Failure failure(
        std::string(address.written()) + ": option \"" + std::string(option.row->name) + '"', last_error());
    if (!context.sloppy) throw failure;
    context.log.warning(failure.what());
  }
}

std::unique_ptr<Endpoint> make_interface(const Address& address, Use use, const Context& context) {
  return std::make_unique<Interface>(address, use, context);
}

}  // namespace sluice
