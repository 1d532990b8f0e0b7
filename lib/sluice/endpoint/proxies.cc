#include "sluice/endpoint/proxies.h"

#include <sys/socket.h>

#include "sluice/endpoint/connector.h"

namespace sluice {
namespace {

Task<std::vector<SocketName>> find_proxy(Address address, Context context, SocketKind kind, Parameter port) {
  co_return co_await resolve(address, address.parameters[0], port, kind, context);
}

Task<> greet(Address address, Context context, Descriptor& socket, bool bounded,
             std::function<Task<std::unique_ptr<Dialogue>>()> begin) {
  const auto dialogue = co_await begin();
  const auto limit = address.duration("connect-timeout");
  const auto deadline = bounded && limit ? Clock::now() + *limit : Clock::time_point::max();
  try {
    co_await have_dialogue(socket, *dialogue, context.log, deadline);
  } catch (const Failure& failure) {
    throw Failure(std::string(address.written()) + ": " + failure.what(), failure.status());
  }
}

}  // namespace

std::unique_ptr<Endpoint> make_proxy_connector(const Address& address, const Context& context,
                                               const Parameter& port, bool bounded,
                                               std::function<Task<std::unique_ptr<Dialogue>>()> begin) {
  numeric_port(address, port);
  Connector::Plan plan;
  plan.kind = with_options(address, {AF_UNSPEC, SOCK_STREAM, 0});
  plan.find = [=, kind = plan.kind] { return find_proxy(address, context, kind, port); };
  plan.bind = [=](int fd, SocketKind kind) { return bind_client(address, fd, kind, context); };
  plan.greet = [=](Descriptor& socket) { return greet(address, context, socket, bounded, begin); };
  return std::make_unique<Connector>(address, context, std::move(plan));
}

}  // namespace sluice
