#include <netinet/in.h>
#include <sys/socket.h>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/listener.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

int family_of(const Address& address) {
  const std::string_view keyword = address.keyword->name;
  if (keyword.starts_with("TCP4")) return AF_INET;
  if (keyword.starts_with("TCP6")) return AF_INET6;
  return AF_UNSPEC;
}

class TcpConnect final : public Endpoint {
 public:
  TcpConnect(const Address& address, const Context& context)
      : address_(address),
        context_(context),
        kind_(with_options(address, {family_of(address), SOCK_STREAM, 0})),
        forks_(address.flag("fork")) {
    numeric_port(address_, address_.parameters[1]);
  }

  bool serves_many() const override { return forks_; }
  void stop() override { stopped_ = true; }

  Task<std::unique_ptr<Stream>> open(Session& session) override {
    if (forks_ && opened_before_) co_await context_.loop.sleep(interval());
    opened_before_ = true;
    if (stopped_) co_return nullptr;
    // Names are asked for anew each time: they may have moved between two connections.
    const auto names =
        co_await resolve(address_, address_.parameters[0], address_.parameters[1], kind_, context_);
    for (std::size_t i = 0;; ++i) {
      try {
        co_return co_await connect(names[i], session);
      } catch (const Failure& failure) {
        if (i + 1 == names.size()) throw;
        context_.log.info(failure.what());
      }
    }
  }

 private:
  Duration interval() const { return address_.duration("interval").value_or(std::chrono::seconds(1)); }

  Task<std::unique_ptr<Stream>> connect(const SocketName& to, Session& session) {
    SocketKind kind = kind_;
    kind.family = to.family();
    context_.log.notice([&] { return "opening connection to " + to.log_text(); });
    Fd fd = make_socket(address_, kind, context_);
    apply(address_, {Phase::prebind}, fd.get(), context_);
    co_await bind_client(address_, fd.get(), kind, context_);
    auto socket = std::make_unique<Descriptor>(context_.loop, std::move(fd));
    co_await connect_socket(*socket, to, address_.duration("connect-timeout"));
    log_connected(context_.log, socket->number());
    note_names(session, socket->number(), to);
    co_return stream_of_socket(address_, context_, std::move(socket), kind.type);
  }

  Address address_;
  Context context_;
  SocketKind kind_;
  bool forks_;
  bool opened_before_ = false;
  bool stopped_ = false;
};

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

}  // namespace

std::unique_ptr<Endpoint> make_tcp_connect(const Address& address, Use, const Context& context) {
  return std::make_unique<TcpConnect>(address, context);
}

std::unique_ptr<Endpoint> make_tcp_listen(const Address& address, Use, const Context& context) {
  numeric_port(address, address.parameters[0]);
  const SocketKind kind = with_options(address, {family_of(address), SOCK_STREAM, 0});
  return std::make_unique<Listener>(address, context, "tcp", kind,
                                    [=] { return bind_tcp(address, context, kind); });
}

}  // namespace sluice
