#include <sys/socket.h>

#include "sluice/address/binary_data.h"
#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/connector.h"
#include "sluice/endpoint/datagram_sockets.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/listener.h"
#include "sluice/endpoint/numbers.h"
#include "sluice/endpoint/socket.h"
#include "sluice/endpoint/transport.h"

namespace sluice {
namespace {

SocketName name_of_data(const Address& address, int family, const std::string& text, std::size_t place) {
  const BinaryData data = read_binary(text);
  if (!data.complaint.empty()) throw AddressError(address, place, data.complaint);
  try {
    return SocketName::of_family(family, data.bytes);
  } catch (const UsageError& error) {
    throw AddressError(address, place, error.what());
  }
}

/// What an address of sockets of any family says.
struct Generic {
  SocketKind kind;
  SocketName name;                  ///< of the last parameter: the far side's, or our own
  std::optional<SocketName> bound;  ///< bind=, also in place of our own
};

Generic read_generic(const Address& address) {
  const auto& parameters = address.parameters;
  const auto number = [&](std::size_t index, std::string_view what) {
    return number_in<int>(address, parameters[index], what);
  };
  Generic generic;
  const bool typed = parameters.size() == 4;
  generic.kind = {number(0, "domain"), typed ? number(1, "socket type") : SOCK_STREAM,
                  number(typed ? 2 : 1, "protocol")};
  generic.kind = with_options(address, generic.kind);
  if (generic.kind.family < 0 || generic.kind.family > 65535)
    throw AddressError(address, parameters[0].place,
                       "domain \"" + parameters[0].text + "\" is out of range (0..65535)");
  const Parameter& name = parameters.back();
  generic.name = name_of_data(address, generic.kind.family, name.text, name.place);
  if (const Option* bind = address.find("bind"))
    generic.bound = name_of_data(address, generic.kind.family, bind->text, bind->place);
  return generic;
}

Fd make_bound(const Address& address, const Context& context, const Generic& generic) {
  Fd fd = make_socket(address, generic.kind, context);
  apply(address, {Phase::prebind, Phase::bind}, fd.get(), context);
  bind_socket(address, fd.get(), generic.bound.value_or(generic.name));
  return fd;
}

Task<Listener::Bound> bind_listener(Address address, Context context, Generic generic) {
  Fd fd = make_bound(address, context, generic);
  co_return Listener::Bound{std::move(fd), generic.name};
}

Task<DatagramServer::Bound> bind_receiver(Address address, Context context, Generic generic) {
  Fd fd = make_bound(address, context, generic);
  co_return DatagramServer::Bound{std::move(fd)};
}

Task<> bind_generic(Address address, int fd, std::optional<SocketName> name) {
  if (name) bind_socket(address, fd, *name);
  co_return;
}

Task<SocketName> the_one(SocketName name) { co_return name; }
Task<std::vector<SocketName>> only(SocketName name) { co_return std::vector{name}; }

}  // namespace

std::unique_ptr<Endpoint> make_generic_connect(const Address& address, Use, const Context& context) {
  const Generic generic = read_generic(address);
  Connector::Plan plan;
  plan.kind = generic.kind;
  plan.find = [name = generic.name] { return only(name); };
  plan.bind = [address, bound = generic.bound](int fd, SocketKind) {
    return bind_generic(address, fd, bound);
  };
  return std::make_unique<Connector>(address, context, std::move(plan));
}

std::unique_ptr<Endpoint> make_generic_listen(const Address& address, Use, const Context& context) {
  const Generic generic = read_generic(address);
  return std::make_unique<Listener>(address, context, transport_of(generic.kind), generic.kind,
                                    [=] { return bind_listener(address, context, generic); });
}

std::unique_ptr<Endpoint> make_generic_datagram(const Address& address, Use use, const Context& context) {
  const Generic generic = read_generic(address);
  const std::string_view keyword = address.keyword->name;
  const auto transport = transport_of(generic.kind);
  const auto bind = [=] { return bind_receiver(address, context, generic); };
  if (keyword.ends_with("RECVFROM"))
    return std::make_unique<DatagramServer>(address, context, transport, DatagramServer::Peers::each_datagram,
                                            bind);
  if (keyword.ends_with("RECV")) {
    if (use == Use::writing)
      throw AddressError(address, address.place, std::string(keyword) + " cannot be written to");
    return std::make_unique<DatagramReceiver>(address, context, transport, bind);
  }
  DatagramClient::Plan plan;
  plan.kind = generic.kind;
  plan.hears = keyword.ends_with("SENDTO") ? DatagramClient::Hears::far_side : DatagramClient::Hears::anybody;
  plan.find = [name = generic.name] { return the_one(name); };
  plan.bind = [address, bound = generic.bound](int fd, SocketKind) {
    return bind_generic(address, fd, bound);
  };
  return std::make_unique<DatagramClient>(address, use, context, std::move(plan));
}

}  // namespace sluice
