#include "sluice/endpoint/listener.h"

#include <sys/socket.h>

#include "sluice/endpoint/apply.h"

namespace sluice {
namespace {

/// As many as the kernel grants (net.core.somaxconn): a burst of clients is not to be refused.
constexpr int usual_backlog = SOMAXCONN;

}  // namespace

Listener::Listener(const Address& address, const Context& context, std::string_view transport,
                   SocketKind kind, Bind bind)
    : address_(address),
      context_(context),
      transport_(transport),
      kind_(kind),
      bind_(std::move(bind)),
      forks_(address.flag("fork")),
      admission_(address) {}

Task<> Listener::prepare() {
  if (socket_) co_return;
  Bound bound = co_await bind_();
  apply(address_, {Phase::pastbind, Phase::prelisten}, bound.socket.get(), context_);
  const auto backlog = static_cast<int>(address_.integer("backlog").value_or(usual_backlog));
  check(std::string(address_.written()) + ": listen", ::listen(bound.socket.get(), backlog));
  name_ = SocketName::of_socket(bound.socket.get());
  companion_ = std::move(bound.companion);
  socket_ = std::make_unique<Descriptor>(context_.loop, std::move(bound.socket));
  context_.log.notice("listening on " + name_.log_text());
}

std::vector<std::string> Listener::names() const {
  if (name_.empty()) return {};
  return {transport_ + ' ' + name_.host_and_port()};
}

void Listener::stop() {
  stopped_ = true;
  if (socket_) socket_->stop(Descriptor::readable);
}

Task<Fd> Listener::accept() {
  const auto limit = address_.duration("accept-timeout");
  for (;;) {
    Fd peer = co_await accept_from(*socket_, limit);
    if (!peer) co_return peer;
    const SocketName name = SocketName::of_peer(peer.get());
    const std::string_view against = admission_.objection(name);
    if (against.empty()) co_return peer;
    context_.log.warning("refusing connection from " + name.log_text() + " due to " + std::string(against) +
                         " option");
  }
}

Task<std::unique_ptr<Stream>> Listener::open(Session& session) {
  co_await prepare();
  if (stopped_) co_return nullptr;
  Fd peer = co_await accept();
  if (!peer) co_return nullptr;
  // Not everything that was set on the listening socket passes on to its children (SO_PRIORITY).
  apply(address_, {Phase::pastsocket}, peer.get(), context_);
  auto socket = std::make_unique<Descriptor>(context_.loop, std::move(peer));
  const SocketName local = SocketName::of_socket(socket->number());
  const SocketName remote = SocketName::of_peer(socket->number());
  if (context_.log.enabled(Severity::notice))
    context_.log.notice("accepting connection from " + remote.log_text() + " on " + local.log_text());
  note_names(session, local, remote);
  std::shared_ptr<void> companion;
  if (!forks_) {
    // One peer is all that was asked for: nobody else is left waiting in the backlog. The path stays until
    // the end, as socat leaves it.
    socket_.reset();
    stopped_ = true;
    companion = std::move(companion_);
  }
  co_return stream_of_socket(address_, context_, std::move(socket), kind_.type, std::move(companion));
}

}  // namespace sluice
