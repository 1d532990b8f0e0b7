#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "sluice/endpoint/admission.h"
#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/datagram_server.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/socket.h"
#include "sluice/stream/message_stream.h"

namespace sluice {
namespace {

int family_of(const Address& address) {
  const std::string_view keyword = address.keyword->name;
  if (keyword.starts_with("UDP4")) return AF_INET;
  if (keyword.starts_with("UDP6")) return AF_INET6;
  // Options of IPv4 (multicast groups, say) belong on a socket of IPv4.
  const bool four = std::any_of(address.options.begin(), address.options.end(), [](const Option& option) {
    return option.row->effect.kind == Effect::socket_option && option.row->effect.level == IPPROTO_IP;
  });
  const bool six = std::any_of(address.options.begin(), address.options.end(), [](const Option& option) {
    return option.row->effect.kind == Effect::socket_option && option.row->effect.level == IPPROTO_IPV6;
  });
  return four ? AF_INET : six ? AF_INET6 : AF_UNSPEC;
}

SocketKind kind_of(const Address& address) {
  return with_options(address, {family_of(address), SOCK_DGRAM, 0});
}

/// UDP-CONNECT, UDP-SENDTO and UDP-DATAGRAM: one far side, named in the address.
class UdpClient final : public Endpoint {
 public:
  UdpClient(const Address& address, Use use, const Context& context)
      : address_(address), use_(use), context_(context), kind_(kind_of(address)), range_(Range::of(address)) {
    numeric_port(address_, address_.parameters[1]);
  }

  Task<std::unique_ptr<Stream>> open(Session& session) override {
    const auto names =
        co_await resolve(address_, address_.parameters[0], address_.parameters[1], kind_, context_);
    const SocketName to = names.front();
    SocketKind kind = kind_;
    kind.family = to.family();
    Fd fd = make_socket(address_, kind, context_);
    apply(address_, {Phase::prebind, Phase::bind}, fd.get(), context_);
    co_await bind_client(address_, fd.get(), kind, context_);
    const bool connects = is("CONNECT");
    if (connects) {
      context_.log.notice([&] { return "opening connection to " + to.log_text(); });
      check(std::string(address_.written()) + ": connect to " + to.host_and_port(),
            ::connect(fd.get(), to.data(), to.size()));
      log_connected(context_.log, fd.get());
    }
    note_names(session, fd.get(), to);
    apply(address_, {Phase::connected, Phase::fd, Phase::late}, fd.get(), context_);
    MessageStream::Parts parts;
    if (!connects) parts.peer = to;
    if (is("SENDTO")) parts.accepts = [to](const Origin& origin) { return origin.sender == to; };
    if (range_)
      parts.accepts = [range = *range_](const Origin& origin) { return range.contains(origin.sender); };
    parts.socket = std::make_shared<Descriptor>(context_.loop, std::move(fd));
    parts.offloads = true;
    parts.readable = use_ != Use::writing;
    parts.null_eof = address_.flag("null-eof");
    parts.finish = finish_by(address_, FinishBy::nothing);
    co_return std::make_unique<MessageStream>(std::move(parts));
  }

 private:
  bool is(std::string_view what) const { return address_.keyword->name.ends_with(what); }

  Address address_;
  Use use_;
  Context context_;
  SocketKind kind_;
  std::optional<Range> range_;
};

Task<Fd> bind_udp(Address address, Context context, SocketKind kind) {
  SocketName name = co_await local_name(address, kind, address.parameters[0], context);
  Fd fd = make_local_socket(address, kind, name, context);
  apply(address, {Phase::prebind, Phase::bind}, fd.get(), context);
  bind_socket(address, fd.get(), name);
  co_return fd;
}

/// UDP-RECV: whatever arrives from whoever.
class UdpReceiver final : public Endpoint {
 public:
  UdpReceiver(const Address& address, const Context& context)
      : address_(address), context_(context), admission_(address) {}

  Task<> prepare() override {
    if (socket_) co_return;
    Fd fd = co_await bind_udp(address_, context_, kind_of(address_));
    apply(address_, {Phase::pastbind, Phase::fd, Phase::late}, fd.get(), context_);
    name_ = SocketName::of_socket(fd.get());
    socket_ = std::make_shared<Descriptor>(context_.loop, std::move(fd));
  }
  std::vector<std::string> names() const override {
    if (name_.empty()) return {};
    return {"udp " + name_.host_and_port()};
  }
  Task<std::unique_ptr<Stream>> open(Session&) override {
    co_await prepare();
    MessageStream::Parts parts;
    parts.socket = std::move(socket_);
    parts.offloads = true;
    parts.writable = false;
    parts.null_eof = address_.flag("null-eof");
    parts.accepts = [admission = admission_](const Origin& origin) {
      return admission.objection(origin.sender).empty();
    };
    co_return std::make_unique<MessageStream>(std::move(parts));
  }

 private:
  Address address_;
  Context context_;
  Admission admission_;
  SocketName name_;
  std::shared_ptr<Descriptor> socket_;
};

Task<DatagramServer::Bound> bind_server(Address address, Context context, SocketKind kind) {
  Fd fd = co_await bind_udp(address, context, kind);
  co_return DatagramServer::Bound{std::move(fd)};
}

}  // namespace

std::unique_ptr<Endpoint> make_udp(const Address& address, Use use, const Context& context) {
  if (!address.keyword->name.ends_with("-RECV")) return std::make_unique<UdpClient>(address, use, context);
  numeric_port(address, address.parameters[0]);
  if (use == Use::writing) throw AddressError(address, address.place, "UDP-RECV cannot be written to");
  return std::make_unique<UdpReceiver>(address, context);
}

std::unique_ptr<Endpoint> make_udp_server(const Address& address, Use, const Context& context) {
  numeric_port(address, address.parameters[0]);
  const SocketKind kind = kind_of(address);
  const auto peers = address.keyword->name.ends_with("LISTEN") ? DatagramServer::Peers::each_sender
                                                               : DatagramServer::Peers::each_datagram;
  return std::make_unique<DatagramServer>(address, context, "udp", peers,
                                          [=] { return bind_server(address, context, kind); });
}

}  // namespace sluice
