#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/datagram_server.h"
#include "sluice/endpoint/datagram_sockets.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

int family_of(const Address& address) {
  const std::string_view keyword = address.keyword->name;
  if (keyword.starts_with("UDP4-") || keyword.starts_with("UDPLITE4-")) return AF_INET;
  if (keyword.starts_with("UDP6-") || keyword.starts_with("UDPLITE6-")) return AF_INET6;
  // Options of IPv4 (multicast groups, say) belong on a socket of IPv4.
  const bool four = std::any_of(address.options.begin(), address.options.end(), [](const Option& option) {
    return option.row->effect.kind == Effect::socket_option && option.row->effect.level == IPPROTO_IP;
  });
  const bool six = std::any_of(address.options.begin(), address.options.end(), [](const Option& option) {
    return option.row->effect.kind == Effect::socket_option && option.row->effect.level == IPPROTO_IPV6;
  });
  return four ? AF_INET : six ? AF_INET6 : AF_UNSPEC;
}

bool is_lite(const Address& address) { return address.keyword->name.starts_with("UDPLITE"); }

SocketKind kind_of(const Address& address) {
  return with_options(address, {family_of(address), SOCK_DGRAM, is_lite(address) ? IPPROTO_UDPLITE : 0});
}

std::string_view transport_of(const Address& address) { return is_lite(address) ? "udplite" : "udp"; }

Task<DatagramServer::Bound> bind_udp(Address address, Context context, SocketKind kind) {
  SocketName name = co_await local_name(address, kind, address.parameters[0], context);
  DatagramServer::Bound bound{make_local_socket(address, kind, name, context)};
  apply(address, {Phase::prebind, Phase::bind}, bound.socket.get(), context);
  bind_socket(address, bound.socket.get(), name);
  // Checksums over parts of a datagram know no segments.
  bound.offloads = !is_lite(address);
  co_return bound;
}

Task<SocketName> find_udp(Address address, Context context, SocketKind kind) {
  const auto names = co_await resolve(address, address.parameters[0], address.parameters[1], kind, context);
  co_return names.front();
}

}  // namespace

std::unique_ptr<Endpoint> make_udp(const Address& address, Use use, const Context& context) {
  const std::string_view keyword = address.keyword->name;
  const SocketKind kind = kind_of(address);
  if (keyword.ends_with("-RECV")) {
    numeric_port(address, address.parameters[0]);
    if (use == Use::writing)
      throw AddressError(address, address.place, std::string(keyword) + " cannot be written to");
    return std::make_unique<DatagramReceiver>(address, context, transport_of(address),
                                              [=] { return bind_udp(address, context, kind); });
  }
  numeric_port(address, address.parameters[1]);
  DatagramClient::Plan plan;
  plan.kind = kind;
  plan.hears = keyword.ends_with("CONNECT")  ? DatagramClient::Hears::connected
               : keyword.ends_with("SENDTO") ? DatagramClient::Hears::far_side
                                             : DatagramClient::Hears::far_host;
  plan.far_port = keyword.ends_with("DATAGRAM") && address.find("sourceport") != nullptr &&
                  !address.flag("udp-ignore-peerport");
  plan.find = [=] { return find_udp(address, context, kind); };
  plan.bind = [=](int fd, SocketKind found) { return bind_client(address, fd, found, context); };
  plan.offloads = !is_lite(address);
  return std::make_unique<DatagramClient>(address, use, context, std::move(plan));
}

std::unique_ptr<Endpoint> make_udp_server(const Address& address, Use, const Context& context) {
  numeric_port(address, address.parameters[0]);
  const SocketKind kind = kind_of(address);
  const auto peers = address.keyword->name.ends_with("LISTEN") ? DatagramServer::Peers::each_sender
                                                               : DatagramServer::Peers::each_datagram;
  return std::make_unique<DatagramServer>(address, context, transport_of(address), peers,
                                          [=] { return bind_udp(address, context, kind); });
}

}  // namespace sluice
