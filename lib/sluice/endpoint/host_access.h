#pragma once

#include <optional>
#include <string>

#include "sluice/address/address.h"
#include "sluice/core/socket_name.h"

namespace sluice {

/// `tcpwrap`: whether hosts.allow and hosts.deny (hosts_access(5)) let a client in, by its address; names of
/// hosts are not asked for. The library of TCP wrappers is loaded when it is first asked for.
class HostAccess {
 public:
  /// Nothing unless an option asks for it. Throws AddressError where the library is not installed.
  static std::optional<HostAccess> of(const Address& address);
  bool permits(const SocketName& client) const;

 private:
  std::string daemon_;
  std::string allow_, deny_;  ///< tables other than /etc's; empty for those
};

}  // namespace sluice
