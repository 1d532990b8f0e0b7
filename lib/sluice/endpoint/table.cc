#include <array>

#include "sluice/endpoint/endpoint.h"
#include "sluice/endpoint/families.h"

namespace sluice {
namespace {

constexpr std::array types = {
    EndpointType{"STDIO", make_standard},
    EndpointType{"STDIN", make_standard},
    EndpointType{"STDOUT", make_standard},
    EndpointType{"STDERR", make_standard},
    EndpointType{"FD", make_standard},
    EndpointType{"OPEN", make_file},
    EndpointType{"CREATE", make_file},
    EndpointType{"GOPEN", make_generic_open},
    EndpointType{"PIPE", make_pipe},
    EndpointType{"TCP-CONNECT", make_tcp_connect},
    EndpointType{"TCP4-CONNECT", make_tcp_connect},
    EndpointType{"TCP6-CONNECT", make_tcp_connect},
    EndpointType{"TCP-LISTEN", make_tcp_listen},
    EndpointType{"TCP4-LISTEN", make_tcp_listen},
    EndpointType{"TCP6-LISTEN", make_tcp_listen},
    EndpointType{"UNIX-CONNECT", make_unix_connect},
    EndpointType{"UNIX-CLIENT", make_unix_client},
    EndpointType{"UNIX-LISTEN", make_unix_listen},
    EndpointType{"ABSTRACT-CONNECT", make_unix_connect},
    EndpointType{"ABSTRACT-CLIENT", make_unix_client},
    EndpointType{"ABSTRACT-LISTEN", make_unix_listen},
    EndpointType{"UDP-CONNECT", make_udp},
    EndpointType{"UDP-SENDTO", make_udp},
    EndpointType{"UDP-DATAGRAM", make_udp},
    EndpointType{"UDP-RECV", make_udp},
    EndpointType{"UDP-LISTEN", make_udp_server},
    EndpointType{"UDP-RECVFROM", make_udp_server},
    EndpointType{"UDP4-CONNECT", make_udp},
    EndpointType{"UDP4-SENDTO", make_udp},
    EndpointType{"UDP4-DATAGRAM", make_udp},
    EndpointType{"UDP4-RECV", make_udp},
    EndpointType{"UDP4-LISTEN", make_udp_server},
    EndpointType{"UDP4-RECVFROM", make_udp_server},
    EndpointType{"UDP6-CONNECT", make_udp},
    EndpointType{"UDP6-SENDTO", make_udp},
    EndpointType{"UDP6-DATAGRAM", make_udp},
    EndpointType{"UDP6-RECV", make_udp},
    EndpointType{"UDP6-LISTEN", make_udp_server},
    EndpointType{"UDP6-RECVFROM", make_udp_server},
    EndpointType{"UNIX-SENDTO", make_unix_datagram},
    EndpointType{"UNIX-RECV", make_unix_datagram},
    EndpointType{"UNIX-RECVFROM", make_unix_datagram},
    EndpointType{"ABSTRACT-SENDTO", make_unix_datagram},
    EndpointType{"ABSTRACT-RECV", make_unix_datagram},
    EndpointType{"ABSTRACT-RECVFROM", make_unix_datagram},
    EndpointType{"EXEC", make_exec},
    EndpointType{"SYSTEM", make_exec},
    EndpointType{"UPPER", make_in_process_filter},
    EndpointType{"COUNT-LINES", make_in_process_filter},
};

}  // namespace

std::span<const EndpointType> endpoint_types() { return types; }

}  // namespace sluice
