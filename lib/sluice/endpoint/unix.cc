#include <sys/socket.h>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/listener.h"
#include "sluice/endpoint/socket.h"
#include "sluice/endpoint/unix_path.h"

namespace sluice {
namespace {

/// UNIX-CONNECT and UNIX-CLIENT: the latter takes datagrams where streams are refused by type.
class UnixConnect final : public Endpoint {
 public:
  UnixConnect(const Address& address, const Context& context, bool any_type)
      : address_(address),
        context_(context),
        to_(unix_name(address, address.parameters[0].text)),
        kind_(with_options(address, {AF_UNIX, SOCK_STREAM, 0})),
        any_type_(any_type && address.find("so-type") == nullptr) {}

  Task<std::unique_ptr<Stream>> open(Session& session) override {
    context_.log.notice([&] { return "opening connection to " + to_.log_text(); });
    SocketKind kind = kind_;
    for (;;) {
      try {
        co_return co_await connect(kind, session);
      } catch (const Failure& failure) {
        if (!any_type_ || !may_have_another_type(failure) || kind.type != SOCK_STREAM) throw;
      }
      // A server of sequenced packets refuses datagrams as well.
      kind.type = accepts(SOCK_DGRAM) ? SOCK_DGRAM : SOCK_SEQPACKET;
    }
  }

 private:
  /// The kernel looks for abstract names among those of the same type only.
  bool may_have_another_type(const Failure& failure) const {
    return failure.code() == std::errc::wrong_protocol_type ||
           (failure.code() == std::errc::connection_refused && address_.keyword->name == "ABSTRACT-CLIENT");
  }
  bool accepts(int type) const {
    const Fd probe(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const ProcessSection section(address_);
    return ::connect(probe.get(), to_.data(), to_.size()) == 0;
  }

  Task<std::unique_ptr<Stream>> connect(SocketKind kind, Session& session) {
    Fd fd = make_socket(address_, kind, context_);
    apply(address_, {Phase::prebind}, fd.get(), context_);
    std::shared_ptr<void> own_path;
    if (const auto local = client_name(address_))
      own_path = co_await bind_unix(address_, fd.get(), kind.type, *local, context_);
    auto socket = std::make_unique<Descriptor>(context_.loop, std::move(fd));
    {
      const ProcessSection section(address_);
      // An AF_UNIX connect never has to wait, but for a full backlog.
      if (::connect(socket->number(), to_.data(), to_.size()) != 0 && errno != EAGAIN)
        throw Failure(std::string(address_.written()) + ": connect to " + to_.host(), last_error());
    }
    if (SocketName::of_peer(socket->number()).empty())
      co_await connect_socket(*socket, to_, address_.duration("connect-timeout"));
    log_connected(context_.log, socket->number());
    note_names(session, socket->number(), to_);
    co_return stream_of_socket(address_, context_, std::move(socket), kind.type, std::move(own_path));
  }

  Address address_;
  Context context_;
  SocketName to_;
  SocketKind kind_;
  bool any_type_;
};

Task<Listener::Bound> bind_unix_listener(Address address, Context context, SocketKind kind) {
  const SocketName name = unix_name(address, address.parameters[0].text);
  Fd fd = make_socket(address, kind, context);
  apply(address, {Phase::prebind, Phase::bind}, fd.get(), context);
  auto path = co_await bind_unix(address, fd.get(), kind.type, name, context);
  co_return Listener::Bound{std::move(fd), name, std::move(path)};
}

}  // namespace

std::unique_ptr<Endpoint> make_unix_connect(const Address& address, Use, const Context& context) {
  return std::make_unique<UnixConnect>(address, context, false);
}

std::unique_ptr<Endpoint> make_unix_client(const Address& address, Use, const Context& context) {
  return std::make_unique<UnixConnect>(address, context, true);
}

std::unique_ptr<Endpoint> make_unix_listen(const Address& address, Use, const Context& context) {
  unix_name(address, address.parameters[0].text);
  const SocketKind kind = with_options(address, {AF_UNIX, SOCK_STREAM, 0});
  return std::make_unique<Listener>(address, context, "unix", kind,
                                    [=] { return bind_unix_listener(address, context, kind); });
}

}  // namespace sluice
