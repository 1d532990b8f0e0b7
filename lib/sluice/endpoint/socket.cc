#include "sluice/endpoint/socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <charconv>

#include "sluice/endpoint/apply.h"
#include "sluice/stream/fd_stream.h"
#include "sluice/stream/message_stream.h"

namespace sluice {
namespace {

struct FamilyRow {
  std::string_view name;
  int number;
};

constexpr std::array family_names = {
    FamilyRow{"ip4", AF_INET},    FamilyRow{"ipv4", AF_INET}, FamilyRow{"inet", AF_INET},
    FamilyRow{"inet4", AF_INET},  FamilyRow{"ip6", AF_INET6}, FamilyRow{"ipv6", AF_INET6},
    FamilyRow{"inet6", AF_INET6}, FamilyRow{"unix", AF_UNIX}, FamilyRow{"local", AF_UNIX},
};

/// Why a port may not be bound to (ip(7), ip_unprivileged_port_start), or nothing.
std::string ports_kept_from_us(const SocketName& name) {
  const bool is_ip = name.family() == AF_INET || name.family() == AF_INET6;
  if (!is_ip || name.port() == 0 || name.port() >= IPPORT_RESERVED) return {};
  return " (ports below " + std::to_string(IPPORT_RESERVED) +
         " need root or the capability CAP_NET_BIND_SERVICE; one from there on does not)";
}

/// A port that only root can have, which some servers take for a proof (rsh, lpd).
void bind_low_port(const Address& address, int fd, const SocketName& any) {
  constexpr std::uint16_t first = 640, last = IPPORT_RESERVED - 1;
  for (std::uint16_t port = last; port > first; --port) {
    const SocketName name = any.with_port(port);
    if (::bind(fd, name.data(), name.size()) == 0) return;
    if (errno != EADDRINUSE) break;
  }
  bind_socket(address, fd, any.with_port(first));
}

}  // namespace

SocketKind with_options(const Address& address, SocketKind kind) {
  if (const auto type = address.integer("so-type")) kind.type = static_cast<int>(*type);
  if (const auto protocol = address.integer("so-protocol")) kind.protocol = static_cast<int>(*protocol);
  if (const auto* family = address.find("protocol-family")) {
    int number = -1;
    for (const auto& [name, value] : family_names)
      if (name == family->text) number = value;
    if (number < 0) {
      const auto& text = family->text;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc{} || end != text.data() + text.size())
        throw AddressError(address, family->place, "unknown protocol family \"" + text + '"');
    }
    kind.family = number;
  }
  return kind;
}

Fd make_socket(const Address& address, SocketKind kind, const Context& context) {
  const ProcessSection section(address);
  Fd fd(check(std::string(address.written()) + ": create a socket",
              ::socket(kind.family, kind.type | SOCK_NONBLOCK | SOCK_CLOEXEC, kind.protocol)));
  apply(address, {Phase::socket, Phase::pastsocket}, fd.get(), context);
  return fd;
}

Fd make_local_socket(const Address& address, SocketKind kind, SocketName& name, const Context& context) {
  const bool both = kind.family == AF_UNSPEC && name.host() == "::";
  kind.family = name.family();
  Fd fd;
  try {
    fd = make_socket(address, kind, context);
  } catch (const Failure& failure) {
    if (!both || failure.code() != std::errc::address_family_not_supported) throw;
    name = wildcard(AF_INET).with_port(name.port());
    kind.family = AF_INET;
    return make_socket(address, kind, context);
  }
  const int off = 0;
  if (both) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  return fd;
}

Task<> connect_socket(Descriptor& socket, const SocketName& to, std::optional<Duration> limit) {
  const auto deadline = limit ? Clock::now() + *limit : Clock::time_point::max();
  const auto give_up = [&](int error, ExitStatus status = ExitStatus::failure) {
    throw Failure("connect to " + to.host_and_port(), std::error_code(error, std::generic_category()),
                  status);
  };
  for (;;) {
    if (::connect(socket.number(), to.data(), to.size()) == 0) co_return;
    switch (errno) {
      case EISCONN:
        co_return;
      case EINTR:
      case EINPROGRESS:  // A peer on this machine has answered by now: asking again is cheaper than to wait.
        continue;
      case EALREADY: {
        const bool answered = co_await socket.wait_until(Descriptor::writable, deadline);
        if (!answered) break;
        // An AF_VSOCK socket that is asked again after a failure connects anew.
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(socket.number(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) give_up(error, error == ETIMEDOUT ? ExitStatus::timed_out : ExitStatus::failure);
        continue;
      }
      case EAGAIN:
        // The backlog of an AF_UNIX listener is full, and nothing tells when it no longer is.
        if (Clock::now() >= deadline) break;
        co_await socket.loop().sleep(std::chrono::milliseconds(5));
        continue;
      case ETIMEDOUT:
        give_up(ETIMEDOUT, ExitStatus::timed_out);
        break;
      default:
        give_up(errno);
    }
    throw Failure("connect to " + to.host_and_port() + ": timed out", ExitStatus::timed_out);
  }
}

void dismiss(Fd connection) {
  // A peer hears of what comes first: closing what holds unread bytes would reset it.
  ::shutdown(connection.get(), SHUT_RDWR);
  std::array<char, 4096> scrap;
  for (std::size_t left = mib(1); left > 0;) {
    const ssize_t count = ::recv(connection.get(), scrap.data(), scrap.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    left -= std::min(left, static_cast<std::size_t>(count));
  }
}

std::optional<Arrival> try_accept(Descriptor& socket) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  for (;;) {
    const int number =
        ::accept4(socket.number(), reinterpret_cast<sockaddr*>(&name), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (number >= 0) return Arrival{Fd(number), {reinterpret_cast<const sockaddr*>(&name), size}};
    if (errno == EAGAIN) return std::nullopt;
    // Errors of one connection (accept(2)) say nothing about the next.
    if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO && errno != EPERM)
      throw Failure("accept", last_error());
  }
}

void throw_nobody_came() { throw Failure("nobody connected in time", ExitStatus::timed_out); }

Task<Arrival> accept_from(Descriptor& socket, const TryAccept& try_one, Clock::time_point deadline,
                          bool drained) {
  for (;;) {
    if (!std::exchange(drained, false))
      if (auto arrival = try_one(socket)) co_return std::move(*arrival);
    if (Clock::now() >= deadline) throw_nobody_came();
    co_await socket.wait_until(Descriptor::readable, deadline);
    if (socket.stopped(Descriptor::readable)) co_return Arrival{};
  }
}

void bind_socket(const Address& address, int fd, const SocketName& name) {
  if (::bind(fd, name.data(), name.size()) == 0) return;
  const auto why = last_error();
  int type = SOCK_STREAM;
  socklen_t size = sizeof type;
  ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
  std::string message =
      std::string(address.written()) + ": bind " + name.host_and_port() + ": " + why.message();
  if (why == std::errc::address_in_use) message += holder_of(name, type);
  if (why == std::errc::permission_denied) message += ports_kept_from_us(name);
  throw Failure(message);
}

Task<> bind_client(const Address& address, int fd, SocketKind kind, const Context& context) {
  const auto port = static_cast<std::uint16_t>(address.integer("sourceport").value_or(0));
  const bool bound = address.find("bind") != nullptr;
  SocketName name = wildcard(kind.family).with_port(port);
  if (bound) name = co_await resolve_bind(address, kind.family, kind.type, port, context);
  if (address.flag("lowport") && name.port() == 0)
    bind_low_port(address, fd, name);
  else if (bound || port != 0)
    bind_socket(address, fd, name);
}

FinishBy finish_by(const Address& address, FinishBy usual) {
  // An end in good order must not come before the reset.
  if (address.flag("reset")) return FinishBy::nothing;
  constexpr std::array<std::pair<const char*, FinishBy>, 4> ways = {{{"shut-none", FinishBy::nothing},
                                                                     {"shut-down", FinishBy::shutting_down},
                                                                     {"shut-close", FinishBy::closing},
                                                                     {"shut-null", FinishBy::empty_packet}}};
  for (const auto& [name, way] : ways)
    if (address.flag(name)) return way;
  return address.flag("end-close") ? FinishBy::closing : usual;
}

UdpEnds udp_ends(const Address& address, const Context& context) {
  return {address.find("null-eof") != nullptr ? address.flag("null-eof") : context.as_socat,
          finish_by(address, context.as_socat ? FinishBy::empty_packet : FinishBy::nothing)};
}

void log_connected(Logger& log, int socket) {
  log.notice([&] {
    return "successfully connected from local address " + SocketName::of_socket(socket).log_text();
  });
}

void note_names(Session& session, int socket, const SocketName& peer) {
  if (session.names_wanted) note_names(session, SocketName::of_socket(socket), peer);
}

void note_names(Session& session, const SocketName& local, const SocketName& peer) {
  if (!session.names_wanted) return;
  const auto note = [&](const char* name, const std::string& value) {
    session.environment.emplace_back(name, value);
  };
  if (!peer.empty()) {
    note("PEERADDR", peer.shown_host());
    if (const auto port = peer.service(); !port.empty()) note("PEERPORT", port);
  } else if (local.family() == AF_UNIX) {
    note("PEERADDR", peer.log_text());
  }
  if (!local.empty()) {
    note("SOCKADDR", local.shown_host());
    if (const auto port = local.service(); !port.empty()) note("SOCKPORT", port);
  }
}

std::unique_ptr<Stream> stream_of_socket(const Address& address, const Context& context,
                                         std::unique_ptr<Descriptor> socket, int type,
                                         std::shared_ptr<void> companion, const SocketName& peer) {
  apply(address, {Phase::connected, Phase::fd, Phase::late}, socket->number(), context);
  if (type != SOCK_STREAM) {
    MessageStream::Parts parts;
    parts.socket = std::move(socket);
    parts.sequenced = type == SOCK_SEQPACKET || type == SOCK_DCCP;
    parts.null_eof = address.flag("null-eof");
    parts.finish = finish_by(address, parts.sequenced ? FinishBy::shutting_down : FinishBy::nothing);
    parts.companion = std::move(companion);
    return std::make_unique<MessageStream>(std::move(parts));
  }
  FdStream::Parts parts;
  parts.in = std::move(socket);
  parts.both = true;
  parts.socket = true;
  parts.finish = finish_by(address, FinishBy::shutting_down);
  // Only shutting down tells the peer: a stream has no empty packets, and a socket that is still read from is
  // not closed yet.
  parts.traits = {Shape::bytes, true, parts.finish == FinishBy::shutting_down};
  parts.reset = address.flag("reset");
  parts.only_close = address.flag("end-close");
  if (!peer.empty()) parts.peer = peer.host_and_port();
  parts.companion = std::move(companion);
  return std::make_unique<FdStream>(std::move(parts));
}

}  // namespace sluice
