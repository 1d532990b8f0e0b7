#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/datagram_sockets.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/numbers.h"
#include "sluice/endpoint/socket.h"
#include "sluice/stream/decorator.h"

namespace sluice {
namespace {

/// Raw sockets of IPv4 deliver packets with their header (raw(7)); whoever reads gets what is behind it.
class WithoutHeader final : public Decorator {
 public:
  using Decorator::Decorator;

  Task<End> read_some(Batch& into) override {
    const End end = co_await inner().read_some(into);
    if (end.kind != End::open) co_return end;
    if (into.carries_messages())
      for (Message& message : into.messages())
        message.data = message.data.subspan(header_length(message.data));
    else if (!into.empty())
      into.consume(header_length(into.data()));
    co_return end;
  }

 private:
  /// As the header itself says, in words of four bytes (RFC 791).
  static std::size_t header_length(ConstBytes packet) {
    if (packet.empty()) return 0;
    return std::min<std::size_t>(packet.size(), (static_cast<unsigned char>(packet[0]) & 15) * 4UL);
  }
};

std::unique_ptr<Stream> without_header(std::unique_ptr<Stream> stream) {
  return std::make_unique<WithoutHeader>(std::move(stream));
}

Dress dress_for(int family) {
  if (family == AF_INET) return without_header;
  return {};
}

int family_of(const Address& address) {
  const std::string_view keyword = address.keyword->name;
  if (keyword.starts_with("IP4-")) return AF_INET;
  if (keyword.starts_with("IP6-")) return AF_INET6;
  const bool six = std::any_of(address.options.begin(), address.options.end(), [](const Option& option) {
    return option.row->effect.kind == Effect::socket_option && option.row->effect.level == IPPROTO_IPV6;
  });
  return six ? AF_INET6 : AF_UNSPEC;
}

SocketKind kind_of(const Address& address) {
  const int protocol = number_in<int>(address, address.parameters.back(), "IP protocol", 255);
  if (protocol < 0)
    throw AddressError(address, address.parameters.back().place,
                       "IP protocol \"" + address.parameters.back().text + "\" is out of range (0..255)");
  return with_options(address, {family_of(address), SOCK_RAW, protocol});
}

/// Raw sockets have no ports.
Parameter no_port(const Address& address) { return {"0", address.place}; }

Task<DatagramServer::Bound> bind_ip(Address address, Context context, SocketKind kind) {
  // One socket serves one version: there are no raw packets of IPv4 on a socket of IPv6.
  if (address.find("bind") == nullptr && kind.family == AF_UNSPEC)
    kind.family = context.listening_family != AF_UNSPEC ? context.listening_family : AF_INET;
  const SocketName name = co_await local_name(address, kind, no_port(address), context);
  kind.family = name.family();
  DatagramServer::Bound bound{make_socket(address, kind, context)};
  apply(address, {Phase::prebind, Phase::bind}, bound.socket.get(), context);
  bind_socket(address, bound.socket.get(), name);
  bound.dress = dress_for(kind.family);
  context.log.notice("receiving IP protocol " + std::to_string(kind.protocol));
  co_return bound;
}

Task<SocketName> find_ip(Address address, Context context, SocketKind kind) {
  const Parameter service = no_port(address);
  const auto names = co_await resolve(address, address.parameters[0], service, kind, context);
  co_return names.front();
}

Task<> bind_sender(Address address, int fd, SocketKind kind, Context context) {
  if (address.find("bind") == nullptr) co_return;
  const SocketName name = co_await resolve_bind(address, kind.family, kind.type, 0, context);
  bind_socket(address, fd, name);
}

}  // namespace

std::unique_ptr<Endpoint> make_ip(const Address& address, Use use, const Context& context) {
  const std::string_view keyword = address.keyword->name;
  const SocketKind kind = kind_of(address);
  const auto bind = [=] { return bind_ip(address, context, kind); };
  if (keyword.ends_with("RECVFROM"))
    return std::make_unique<DatagramServer>(address, context, "ip", DatagramServer::Peers::each_datagram,
                                            bind);
  if (keyword.ends_with("RECV")) {
    if (use == Use::writing)
      throw AddressError(address, address.place, std::string(keyword) + " cannot be written to");
    return std::make_unique<DatagramReceiver>(address, context, "ip", bind);
  }
  DatagramClient::Plan plan;
  plan.kind = kind;
  plan.hears = keyword.ends_with("SENDTO") ? DatagramClient::Hears::far_side : DatagramClient::Hears::anybody;
  plan.find = [=] { return find_ip(address, context, kind); };
  plan.bind = [=](int fd, SocketKind found) { return bind_sender(address, fd, found, context); };
  plan.dress = dress_for;
  return std::make_unique<DatagramClient>(address, use, context, std::move(plan));
}

}  // namespace sluice
