#include <linux/vm_sockets.h>
#include <sys/socket.h>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/connector.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/listener.h"
#include "sluice/endpoint/numbers.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

SocketKind kind_of(const Address& address) { return with_options(address, {AF_VSOCK, SOCK_STREAM, 0}); }

std::uint32_t number_of(const Address& address, const Parameter& parameter, std::string_view what) {
  return number_in<std::uint32_t>(address, parameter, what);
}

/// What bind= says: `cid`, `cid:port` or `:port`; `port` where it has none.
SocketName bound_name(const Address& address, std::uint32_t port) {
  const Option* option = address.find("bind");
  if (option == nullptr) return SocketName::vsock(VMADDR_CID_ANY, port);
  const auto colon = option->text.find(':');
  std::uint32_t cid = VMADDR_CID_ANY;
  if (colon != 0) cid = number_of(address, {option->text.substr(0, colon), option->place}, "context id");
  if (colon != std::string::npos)
    port = number_of(address, {option->text.substr(colon + 1), option->place}, "port");
  return SocketName::vsock(cid, port);
}

Task<Listener::Bound> bind_listener(Address address, Context context, SocketKind kind) {
  const SocketName name = bound_name(address, number_of(address, address.parameters[0], "port"));
  Fd fd = make_socket(address, kind, context);
  apply(address, {Phase::prebind, Phase::bind}, fd.get(), context);
  bind_socket(address, fd.get(), name);
  co_return Listener::Bound{std::move(fd), name};
}

Task<> bind_connecting(Address address, int fd) {
  if (address.find("bind") != nullptr) bind_socket(address, fd, bound_name(address, VMADDR_PORT_ANY));
  co_return;
}

Task<std::vector<SocketName>> only(SocketName name) { co_return std::vector{name}; }

}  // namespace

std::unique_ptr<Endpoint> make_vsock_connect(const Address& address, Use, const Context& context) {
  const SocketName to = SocketName::vsock(number_of(address, address.parameters[0], "context id"),
                                          number_of(address, address.parameters[1], "port"));
  bound_name(address, 0);
  Connector::Plan plan;
  plan.kind = kind_of(address);
  plan.find = [to] { return only(to); };
  plan.bind = [address](int fd, SocketKind) { return bind_connecting(address, fd); };
  return std::make_unique<Connector>(address, context, std::move(plan));
}

std::unique_ptr<Endpoint> make_vsock_listen(const Address& address, Use, const Context& context) {
  bound_name(address, number_of(address, address.parameters[0], "port"));
  const SocketKind kind = kind_of(address);
  return std::make_unique<Listener>(address, context, "vsock", kind,
                                    [=] { return bind_listener(address, context, kind); });
}

}  // namespace sluice
