#include "sluice/endpoint/datagram_sockets.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "sluice/endpoint/apply.h"

namespace sluice {
namespace {

/// What a name says, without the zeros that it may be filled with: a name that was written as data need not
/// be as long as the kernel's.
std::string_view essence(const SocketName& name) {
  const std::string_view bytes = name.bytes();
  return bytes.substr(0, bytes.find_last_not_of('\0') + 1);
}

/// Whether a sender's name is the one that is sent to. Others (AF_PACKET) say more of a packet than whose it
/// is.
bool names_senders_as_receivers(int family) {
  return family == AF_INET || family == AF_INET6 || family == AF_UNIX || family == AF_VSOCK;
}

/// Whether the kernel knows an address as that of all hosts of a network: a socket that may not broadcast is
/// not connected to it (ip(7)).
bool is_broadcast(const SocketName& name) {
  if (name.family() != AF_INET) return false;
  // To this one there may be no way yet.
  if (reinterpret_cast<const sockaddr_in*>(name.data())->sin_addr.s_addr == INADDR_BROADCAST) return true;
  const Fd probe(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return probe && ::connect(probe.get(), name.data(), name.size()) != 0 && errno == EACCES;
}

bool is_multicast(const SocketName& name) {
  if (name.family() == AF_INET)
    return IN_MULTICAST(ntohl(reinterpret_cast<const sockaddr_in*>(name.data())->sin_addr.s_addr));
  return name.family() == AF_INET6 &&
         IN6_IS_ADDR_MULTICAST(&reinterpret_cast<const sockaddr_in6*>(name.data())->sin6_addr);
}

/// Whether packets that are sent there reach one host, so that answers come from it.
bool is_one_host(const SocketName& name) {
  return !is_multicast(name) && !is_broadcast(name) && name.with_port(0) != wildcard(name.family());
}

std::unique_ptr<Stream> dressed(std::unique_ptr<Stream> stream, const Dress& dress) {
  return dress ? dress(std::move(stream)) : std::move(stream);
}

}  // namespace

DatagramClient::DatagramClient(const Address& address, Use use, const Context& context, Plan plan)
    : address_(address),
      use_(use),
      context_(context),
      plan_(std::move(plan)),
      range_(Range::of(address)),
      hosts_(HostAccess::of(address)) {}

Accepts DatagramClient::accepted(const SocketName& to) const {
  const bool far_side = plan_.hears == Hears::far_side && !range_ && names_senders_as_receivers(to.family());
  const bool far_host = plan_.hears == Hears::far_host && !range_ && !hosts_ && is_one_host(to);
  const bool far_port = plan_.far_port;
  if (!range_ && !hosts_ && !far_side && !far_host && !far_port) return {};
  return [=, range = range_, hosts = hosts_](const Origin& origin) {
    if (far_side && essence(origin.sender) != essence(to)) return false;
    if (far_host && origin.sender.with_port(0) != to.with_port(0)) return false;
    if (far_port && origin.sender.port() != to.port()) return false;
    if (range && !range->contains(origin.sender)) return false;
    return !hosts || hosts->permits(origin.sender);
  };
}

Task<std::unique_ptr<Stream>> DatagramClient::open(Session& session) {
  if (range_) co_await range_->resolve(address_, context_);
  const SocketName to = co_await plan_.find();
  SocketKind kind = plan_.kind;
  kind.family = to.family();
  Fd fd = make_socket(address_, kind, context_);
  apply(address_, {Phase::prebind, Phase::bind}, fd.get(), context_);
  co_await plan_.bind(fd.get(), kind);
  const bool connects = plan_.hears == Hears::connected;
  if (connects) {
    context_.log.notice([&] { return "opening connection to " + to.log_text(); });
    check(std::string(address_.written()) + ": connect to " + to.host_and_port(),
          ::connect(fd.get(), to.data(), to.size()));
    log_connected(context_.log, fd.get());
  } else {
    context_.log.notice(
        [&] { return "successfully prepared local socket " + SocketName::of_socket(fd.get()).log_text(); });
  }
  note_names(session, fd.get(), to);
  apply(address_, {Phase::connected, Phase::fd, Phase::late}, fd.get(), context_);
  MessageStream::Parts parts;
  if (!connects) parts.peer = to;
  {
    const ProcessSection section(address_);
    parts.accepts = accepted(to);
  }
  if (!connects) {
    parts.heard = log_received(session.log);
    parts.told = log_told(address_, session.log);
  }
  parts.socket = std::make_shared<Descriptor>(context_.loop, std::move(fd));
  parts.offloads = plan_.offloads;
  parts.readable = use_ != Use::writing;
  parts.null_eof = address_.flag("null-eof");
  parts.finish = finish_by(address_, FinishBy::nothing);
  if (connects) {
    const auto [null_eof, finish] = udp_ends(address_, context_);
    parts.null_eof = null_eof;
    parts.finish = finish;
  }
  const Dress dress = plan_.dress ? plan_.dress(kind.family) : Dress();
  co_return dressed(std::make_unique<MessageStream>(std::move(parts)), dress);
}

DatagramReceiver::DatagramReceiver(const Address& address, const Context& context, std::string_view transport,
                                   DatagramServer::Bind bind)
    : address_(address),
      context_(context),
      transport_(transport),
      bind_(std::move(bind)),
      admission_(address) {}

Task<> DatagramReceiver::prepare() {
  if (bound_.socket) co_return;
  co_await admission_.prepare(address_, context_);
  bound_ = co_await bind_();
  apply(address_, {Phase::pastbind, Phase::connected, Phase::fd, Phase::late}, bound_.socket.get(), context_);
  name_ = SocketName::of_socket(bound_.socket.get());
}

std::vector<std::string> DatagramReceiver::names() const {
  if (name_.empty()) return {};
  return {transport_ + ' ' + name_.host_and_port()};
}

Task<std::unique_ptr<Stream>> DatagramReceiver::open(Session& session) {
  co_await prepare();
  MessageStream::Parts parts;
  parts.socket = std::make_shared<Descriptor>(context_.loop, std::move(bound_.socket));
  parts.companion = std::move(bound_.companion);
  parts.offloads = bound_.offloads;
  parts.writable = false;
  parts.null_eof = address_.flag("null-eof");
  parts.heard = log_received(session.log);
  parts.told = log_told(address_, session.log);
  if (!admission_.lets_all_in())
    parts.accepts = [admission = admission_](const Origin& origin) {
      return admission.objection(origin.sender).empty();
    };
  co_return dressed(std::make_unique<MessageStream>(std::move(parts)), bound_.dress);
}

}  // namespace sluice
