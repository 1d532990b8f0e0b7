#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

/// Prints the options of the socket that is its standard input, one `name=value` a line, on standard output:
/// started by sockcat with nofork, so that a test sees what sockcat has set.
namespace {

struct Row {
  const char* name;
  int level;
  int option;
};

constexpr std::array rows = {
    Row{"type", SOL_SOCKET, SO_TYPE},
    Row{"acceptconn", SOL_SOCKET, SO_ACCEPTCONN},
    Row{"reuseaddr", SOL_SOCKET, SO_REUSEADDR},
    Row{"reuseport", SOL_SOCKET, SO_REUSEPORT},
    Row{"keepalive", SOL_SOCKET, SO_KEEPALIVE},
    Row{"sndbuf", SOL_SOCKET, SO_SNDBUF},
    Row{"rcvbuf", SOL_SOCKET, SO_RCVBUF},
    Row{"rcvlowat", SOL_SOCKET, SO_RCVLOWAT},
    Row{"linger", SOL_SOCKET, SO_LINGER},
    Row{"oobinline", SOL_SOCKET, SO_OOBINLINE},
    Row{"dontroute", SOL_SOCKET, SO_DONTROUTE},
    Row{"broadcast", SOL_SOCKET, SO_BROADCAST},
    Row{"priority", SOL_SOCKET, SO_PRIORITY},
    Row{"nodelay", IPPROTO_TCP, TCP_NODELAY},
    Row{"cork", IPPROTO_TCP, TCP_CORK},
    Row{"keepidle", IPPROTO_TCP, TCP_KEEPIDLE},
    Row{"keepintvl", IPPROTO_TCP, TCP_KEEPINTVL},
    Row{"keepcnt", IPPROTO_TCP, TCP_KEEPCNT},
    Row{"syncnt", IPPROTO_TCP, TCP_SYNCNT},
    Row{"linger2", IPPROTO_TCP, TCP_LINGER2},
    Row{"maxseg", IPPROTO_TCP, TCP_MAXSEG},
    Row{"defer-accept", IPPROTO_TCP, TCP_DEFER_ACCEPT},
    Row{"window-clamp", IPPROTO_TCP, TCP_WINDOW_CLAMP},
    Row{"tos", IPPROTO_IP, IP_TOS},
    Row{"ttl", IPPROTO_IP, IP_TTL},
    Row{"mtu-discover", IPPROTO_IP, IP_MTU_DISCOVER},
    Row{"freebind", IPPROTO_IP, IP_FREEBIND},
    Row{"transparent", IPPROTO_IP, IP_TRANSPARENT},
    Row{"v6only", IPPROTO_IPV6, IPV6_V6ONLY},
};

}  // namespace

int main() {
  std::string text;
  for (const Row& row : rows) {
    int value[2] = {0, 0};
    socklen_t size = sizeof value;
    if (::getsockopt(STDIN_FILENO, row.level, row.option, value, &size) != 0) continue;
    // A linger is a switch and its seconds.
    text += row.name +
            ('=' + std::to_string(row.option == SO_LINGER && row.level == SOL_SOCKET ? value[1] : value[0])) +
            '\n';
  }
  std::array<char, 16> congestion{};
  socklen_t size = congestion.size();
  if (::getsockopt(STDIN_FILENO, IPPROTO_TCP, TCP_CONGESTION, congestion.data(), &size) == 0)
    text += std::string("congestion=") + congestion.data() + '\n';
  return ::write(STDOUT_FILENO, text.data(), text.size()) < 0;
}
