#pragma once

#include <string>
#include <vector>

#include "sluice/core/socket_name.h"

namespace sluice {

/// The addresses of a host, best first, or the reason why there are none.
struct HostAddresses {
  std::vector<SocketName> names;
  int error = 0;         ///< of getaddrinfo(3), EAI_...; 0 if the host is known
  int system_error = 0;  ///< errno, where `error` is EAI_SYSTEM

  std::string message() const;
};

/// What getaddrinfo(3) finds for a host (of stream sockets, with AI_... as `flags`). But `localhost` and the
/// names below it never go to a resolver: /etc/hosts decides if it has the name, else they are loopback (RFC
/// 6761, 6.3). Blocks while a resolver is asked.
HostAddresses addresses_of_host(const std::string& host, int family, int flags);

}  // namespace sluice
