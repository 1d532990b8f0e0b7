#include <sys/socket.h>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/datagram_server.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/socket.h"
#include "sluice/endpoint/unix_path.h"
#include "sluice/stream/message_stream.h"

namespace sluice {
namespace {

constexpr SocketKind datagrams{AF_UNIX, SOCK_DGRAM, 0};

Task<DatagramServer::Bound> bind_receiver(Address address, Context context) {
  const SocketKind kind = with_options(address, datagrams);
  Fd fd = make_socket(address, kind, context);
  apply(address, {Phase::prebind, Phase::bind}, fd.get(), context);
  const SocketName name = unix_name(address, address.parameters[0].text);
  auto path = co_await bind_unix(address, fd.get(), kind.type, name, context);
  co_return DatagramServer::Bound{std::move(fd), std::move(path)};
}

/// UNIX-SENDTO: the far side's path is looked up for each datagram, so that its server may be restarted. It
/// can answer only if bind= gives us a name.
class UnixSender final : public Endpoint {
 public:
  UnixSender(const Address& address, Use use, const Context& context)
      : address_(address),
        use_(use),
        context_(context),
        to_(unix_name(address, address.parameters[0].text)) {}

  Task<std::unique_ptr<Stream>> open(Session& session) override {
    const SocketKind kind = with_options(address_, datagrams);
    Fd fd = make_socket(address_, kind, context_);
    apply(address_, {Phase::prebind, Phase::bind}, fd.get(), context_);
    MessageStream::Parts parts;
    if (const auto local = client_name(address_))
      parts.companion = co_await bind_unix(address_, fd.get(), kind.type, *local, context_);
    apply(address_, {Phase::connected, Phase::fd, Phase::late}, fd.get(), context_);
    context_.log.notice(
        [&] { return "successfully prepared local socket " + SocketName::of_socket(fd.get()).log_text(); });
    note_names(session, fd.get(), to_);
    parts.socket = std::make_shared<Descriptor>(context_.loop, std::move(fd));
    parts.peer = to_;
    parts.readable = use_ != Use::writing;
    parts.null_eof = address_.flag("null-eof");
    parts.finish = finish_by(address_, FinishBy::nothing);
    parts.heard = log_received(session.log);
    co_return std::make_unique<MessageStream>(std::move(parts));
  }

 private:
  Address address_;
  Use use_;
  Context context_;
  SocketName to_;
};

/// UNIX-RECV: whatever arrives from whoever.
class UnixReceiver final : public Endpoint {
 public:
  UnixReceiver(const Address& address, const Context& context) : address_(address), context_(context) {}

  Task<> prepare() override {
    if (bound_.socket) co_return;
    bound_ = co_await bind_receiver(address_, context_);
    apply(address_, {Phase::pastbind, Phase::connected, Phase::fd, Phase::late}, bound_.socket.get(),
          context_);
    name_ = SocketName::of_socket(bound_.socket.get());
  }
  std::vector<std::string> names() const override {
    if (name_.empty()) return {};
    return {"unix " + name_.host()};
  }
  bool serves_until_told() const override { return true; }
  Task<std::unique_ptr<Stream>> open(Session& session) override {
    co_await prepare();
    MessageStream::Parts parts;
    parts.socket = std::make_shared<Descriptor>(context_.loop, std::move(bound_.socket));
    parts.companion = std::move(bound_.companion);
    parts.writable = false;
    parts.null_eof = address_.flag("null-eof");
    parts.heard = log_received(session.log);
    co_return std::make_unique<MessageStream>(std::move(parts));
  }

 private:
  Address address_;
  Context context_;
  DatagramServer::Bound bound_;
  SocketName name_;
};

}  // namespace

std::unique_ptr<Endpoint> make_unix_datagram(const Address& address, Use use, const Context& context) {
  const std::string_view keyword = address.keyword->name;
  unix_name(address, address.parameters[0].text);
  if (keyword.ends_with("SENDTO")) return std::make_unique<UnixSender>(address, use, context);
  if (keyword.ends_with("RECVFROM"))
    return std::make_unique<DatagramServer>(address, context, "unix", DatagramServer::Peers::each_datagram,
                                            [=] { return bind_receiver(address, context); });
  if (use == Use::writing)
    throw AddressError(address, address.place, std::string(keyword) + " cannot be written to");
  return std::make_unique<UnixReceiver>(address, context);
}

}  // namespace sluice
