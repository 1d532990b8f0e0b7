#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/address/address.h"
#include "sluice/core/socket_name.h"
#include "sluice/endpoint/endpoint.h"

namespace sluice {

/// Family, type and protocol of a socket.
struct SocketKind {
  int family = 0;  ///< AF_UNSPEC where the name decides
  int type = 0;
  int protocol = 0;
};

/// A new socket, non-blocking and close-on-exec, with the options of the phases from SOCKET to PREBIND
/// applied. `so-type`, `so-protocol` and `protocol-family` have been taken into `kind`.
Fd make_socket(const Address& address, SocketKind kind, const Context& context);
/// `kind` with what socktype=, so-protocol= and pf= say.
SocketKind with_options(const Address& address, SocketKind kind);

/// The addresses of host and service, best first. Numbers are understood at once, names asked for on a
/// thread of the resolver. Throws Failure (status 1) for an unknown host, AddressError for a bad port.
Task<std::vector<SocketName>> resolve(const Address& address, const Parameter& host, const Parameter& service,
                                      SocketKind kind, const Context& context);
/// The address that a host is, if it is a number already; brackets around one of IPv6 are none of it.
std::optional<SocketName> numeric_host(const std::string& host, int family);
/// The port of a service, which is a number or a name. Throws AddressError.
std::uint16_t port_of(const Address& address, const Parameter& service, int type);
/// What resolve() gives, for what bind= says (`host`, `host:port`, `:port`, `[::1]:port`); `port` where it
/// has none.
Task<SocketName> resolve_bind(const Address& address, int family, int type, std::uint16_t port,
                              const Context& context);

/// `0.0.0.0` or `::`, port 0.
SocketName wildcard(int family);
/// What a listening or receiving socket binds to: bind=, else every interface; both IP families where that
/// was left open (not for socat, whose default is IPv4).
Task<SocketName> local_name(const Address& address, SocketKind kind, const Parameter& service,
                            const Context& context);
/// A socket for that name, ready to be bound. Where both families were left open it serves both, whatever the
/// system's default is (IPV6_V6ONLY), or just IPv4, and `name` with it, on a system without IPv6.
Fd make_local_socket(const Address& address, SocketKind kind, SocketName& name, const Context& context);

/// Connects a socket; waits no longer than `limit`. Throws Failure: `connect to X: Connection refused`.
Task<> connect_socket(Descriptor& socket, const SocketName& to, std::optional<Duration> limit);

/// One connection that has come, non-blocking and close-on-exec, or nothing if there is none now. Throws
/// Failure for want of descriptors (EMFILE).
std::optional<Arrival> try_accept(Descriptor& socket);
/// Ends a connection that is not wanted, so that its peer sees an end and no reset.
void dismiss(Fd connection);
using TryAccept = std::function<std::optional<Arrival>(Descriptor& socket)>;
/// Waits for one, at once if nobody has come so far (`drained`); its socket is empty if the descriptor was
/// stopped. Throws Failure with ExitStatus::timed_out if nobody came by the deadline.
Task<Arrival> accept_from(Descriptor& socket, const TryAccept& try_one, Clock::time_point deadline,
                          bool drained);
/// That failure.
[[noreturn]] void throw_nobody_came();

/// Binds, and says who holds a name that is taken where that can be seen.
void bind_socket(const Address& address, int fd, const SocketName& name);
/// Gives a socket that connects or sends the name that bind=, lowport or sourceport= ask for, if they do.
Task<> bind_client(const Address& address, int fd, SocketKind kind, const Context& context);
/// ` (held by NAME, process PID)` for a name that another process listens on, or nothing.
std::string holder_of(const SocketName& name, int type);

/// shut-none, shut-down, shut-close, shut-null and end-close as `finish` understands them.
FinishBy finish_by(const Address& address, FinishBy usual);

/// How a session with one UDP peer ends: to socat an empty packet is the end of input, and it sends one at
/// the end of its own. null-eof and shut-... say otherwise.
struct UdpEnds {
  bool null_eof;
  FinishBy finish;
};
UdpEnds udp_ends(const Address& address, const Context& context);

/// The notice that a socket has been connected.
void log_connected(Logger& log, int socket);

/// What peers look like to started programs: SOCAT_PEERADDR, SOCAT_PEERPORT, SOCAT_SOCKADDR, SOCAT_SOCKPORT.
/// Nothing happens where no programs are started.
void note_names(Session& session, const SocketName& local, const SocketName& peer);
void note_names(Session& session, int socket, const SocketName& peer);

/// A stream over a connected socket: bytes, or whole packets where it is a SOCK_SEQPACKET.
std::unique_ptr<Stream> stream_of_socket(const Address& address, const Context& context,
                                         std::unique_ptr<Descriptor> socket, int type,
                                         std::shared_ptr<void> companion = {}, const SocketName& peer = {});

}  // namespace sluice
