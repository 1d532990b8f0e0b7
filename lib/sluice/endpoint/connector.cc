#include "sluice/endpoint/connector.h"

#include "sluice/endpoint/apply.h"

namespace sluice {

Connector::Connector(const Address& address, const Context& context, Plan plan)
    : address_(address), context_(context), plan_(std::move(plan)), forks_(address.flag("fork")) {}

Task<std::unique_ptr<Stream>> Connector::open(Session& session) {
  if (forks_ && opened_before_)
    co_await context_.loop.sleep(address_.duration("interval").value_or(std::chrono::seconds(1)));
  opened_before_ = true;
  if (stopped_) co_return nullptr;
  // Names are asked for anew each time: they may have moved between two connections.
  const auto names = co_await plan_.find();
  Connected connected;
  for (std::size_t i = 0; !connected.socket; ++i) {
    try {
      connected = co_await connect(names[i]);
    } catch (const Failure& failure) {
      if (i + 1 == names.size()) throw;
      context_.log.info(failure.what());
    }
  }
  if (plan_.greet) co_await plan_.greet(*connected.socket);
  note_names(session, connected.socket->number(), connected.name);
  co_return stream_of_socket(address_, context_, std::move(connected.socket), plan_.kind.type);
}

Task<Connector::Connected> Connector::connect(SocketName to) {
  SocketKind kind = plan_.kind;
  kind.family = to.family();
  context_.log.notice([&] { return "opening connection to " + to.log_text(); });
  Fd fd = make_socket(address_, kind, context_);
  apply(address_, {Phase::prebind}, fd.get(), context_);
  co_await plan_.bind(fd.get(), kind);
  Connected connected{std::make_unique<Descriptor>(context_.loop, std::move(fd)), to};
  co_await connect_socket(*connected.socket, to, address_.duration("connect-timeout"));
  log_connected(context_.log, connected.socket->number());
  co_return connected;
}

}  // namespace sluice
