#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/connector.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/listener.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

/// What TCP has in common with SCTP and DCCP is all but the kind of the socket.
struct Transport {
  std::string_view keyword;
  std::string_view name;
  int type;
  int protocol;
};

constexpr std::array transports = {Transport{"TCP", "tcp", SOCK_STREAM, 0},
                                   Transport{"SCTP", "sctp", SOCK_STREAM, IPPROTO_SCTP},
                                   Transport{"DCCP", "dccp", SOCK_DCCP, IPPROTO_DCCP}};

const Transport& transport_of(const Address& address) {
  for (const Transport& transport : transports)
    if (address.keyword->name.starts_with(transport.keyword)) return transport;
  return transports.front();
}

SocketKind kind_of(const Address& address) {
  const Transport& transport = transport_of(address);
  const std::string_view version = std::string_view(address.keyword->name).substr(transport.keyword.size());
  const int family = version.starts_with('4') ? AF_INET : version.starts_with('6') ? AF_INET6 : AF_UNSPEC;
  return with_options(address, {family, transport.type, transport.protocol});
}

Task<Listener::Bound> bind_tcp(Address address, Context context, SocketKind kind) {
  SocketName name = co_await local_name(address, kind, address.parameters[0], context);
  Fd fd = make_local_socket(address, kind, name, context);
  const int on = 1;
  if (address.find("so-reuseaddr") == nullptr)
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  apply(address, {Phase::prebind, Phase::bind}, fd.get(), context);
  bind_socket(address, fd.get(), name);
  co_return Listener::Bound{std::move(fd), name};
}

Task<std::vector<SocketName>> find_tcp(Address address, Context context, SocketKind kind) {
  co_return co_await resolve(address, address.parameters[0], address.parameters[1], kind, context);
}

}  // namespace

std::unique_ptr<Endpoint> make_tcp_connect(const Address& address, Use, const Context& context) {
  numeric_port(address, address.parameters[1]);
  Connector::Plan plan;
  plan.kind = kind_of(address);
  plan.find = [=, kind = plan.kind] { return find_tcp(address, context, kind); };
  plan.bind = [=](int fd, SocketKind kind) { return bind_client(address, fd, kind, context); };
  return std::make_unique<Connector>(address, context, std::move(plan));
}

std::unique_ptr<Endpoint> make_tcp_listen(const Address& address, Use, const Context& context) {
  numeric_port(address, address.parameters[0]);
  const SocketKind kind = kind_of(address);
  return std::make_unique<Listener>(address, context, transport_of(address).name, kind,
                                    [=] { return bind_tcp(address, context, kind); });
}

}  // namespace sluice
