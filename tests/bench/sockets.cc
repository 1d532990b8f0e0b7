#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <charconv>

#include "sluice/core/socket_name.h"
#include "traffic.h"

namespace sluice::bench {
namespace {

struct Place {
  int type;
  SocketName name;
};

Place place_of(const std::string& address) {
  const std::size_t colon = address.find(':');
  const std::string_view kind = std::string_view(address).substr(0, colon);
  if (colon == std::string::npos) throw UsageError("not an address: " + address);
  const std::string_view rest = std::string_view(address).substr(colon + 1);
  if (kind == "unix") return {SOCK_STREAM, SocketName::unix_path(rest)};
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), port);
  if ((kind != "tcp" && kind != "udp") || error != std::errc() || end != rest.data() + rest.size())
    throw UsageError("not an address: " + address);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return {kind == "tcp" ? SOCK_STREAM : SOCK_DGRAM,
          SocketName(reinterpret_cast<const sockaddr*>(&name), sizeof name)};
}

Fd socket_of(const Place& place) {
  return Fd(check("create a socket", ::socket(place.name.family(), place.type | SOCK_CLOEXEC, 0)));
}

}  // namespace

Fd connect_to(const std::string& address) {
  const Place place = place_of(address);
  Fd fd = socket_of(place);
  check("connect to " + address, ::connect(fd.get(), place.name.data(), place.name.size()));
  const int on = 1;
  if (place.name.is_ip() && place.type == SOCK_STREAM)
    check("set TCP_NODELAY", ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  return fd;
}

Fd listen_on(const std::string& address) {
  const Place place = place_of(address);
  Fd fd = socket_of(place);
  check("bind " + address, ::bind(fd.get(), place.name.data(), place.name.size()));
  if (place.type == SOCK_STREAM) check("listen on " + address, ::listen(fd.get(), SOMAXCONN));
  return fd;
}

void report_ready(const Fd& listener) { report({{"port", SocketName::of_socket(listener.get()).port()}}); }

}  // namespace sluice::bench
