#include "sluice/endpoint/transport.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

namespace sluice {
namespace {

struct TransportRow {
  int type;
  int protocol;
  std::string_view name;
};

constexpr std::array transports_over_ip = {TransportRow{SOCK_STREAM, 0, "tcp"},
                                           TransportRow{SOCK_STREAM, IPPROTO_TCP, "tcp"},
                                           TransportRow{SOCK_STREAM, IPPROTO_MPTCP, "tcp"},
                                           TransportRow{SOCK_STREAM, IPPROTO_SCTP, "sctp"},
                                           TransportRow{SOCK_DGRAM, 0, "udp"},
                                           TransportRow{SOCK_DGRAM, IPPROTO_UDP, "udp"},
                                           TransportRow{SOCK_DGRAM, IPPROTO_UDPLITE, "udplite"},
                                           TransportRow{SOCK_DCCP, IPPROTO_DCCP, "dccp"}};

}  // namespace

std::string_view transport_of(const SocketKind& kind) {
  switch (kind.family) {
    case AF_INET:
    case AF_INET6:
      if (kind.type == SOCK_RAW) return "ip";
      for (const auto& [type, protocol, name] : transports_over_ip)
        if (type == kind.type && protocol == kind.protocol) return name;
      return "socket";
    case AF_UNIX:
      return "unix";
    case AF_VSOCK:
      return "vsock";
    default:
      return "socket";
  }
}

}  // namespace sluice
