#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

namespace sluice {

/// One thing that the kernel told about a datagram beside its bytes (ip(7), ipv6(7), socket(7)).
struct Ancillary {
  std::string kind;      ///< as the log calls it: "IP_TTL"
  std::string name;      ///< what of it: "ttl"
  std::string variable;  ///< what a program finds it under, without its prefix: "IP_TTL"
  std::string value;     ///< "64", "lo", "x01010100"
};

/// Of all control messages that came with one. Times are local.
std::vector<Ancillary> read_ancillary(const msghdr& header);

/// Of the first datagram that waits in a socket, which stays there. Nothing, with errno, if none waits: one
/// that comes later has not been told of.
std::optional<std::vector<Ancillary>> peek_ancillary(int socket);

}  // namespace sluice
