#pragma once

#include <optional>
#include <string>

#include "sluice/address/address.h"
#include "sluice/core/socket_name.h"

namespace sluice {

/// The first pattern in a table of hosts_access(5) that a rule for this daemon has and that cannot be judged
/// by a client's address: a host's name or domain, a netgroup, a user, LOCAL, KNOWN, UNKNOWN, PARANOID. As
/// `pattern "X" in TABLE, line N`; empty if there is none, or no such table.
std::string pattern_by_name(const std::string& table, const std::string& daemon);

/// `tcpwrap`: whether hosts.allow and hosts.deny (hosts_access(5)) let a client in, by its address. Names of
/// hosts are not asked for, so tables whose rules for this daemon need them let nobody in. The library of TCP
/// wrappers is loaded when it is first asked for.
class HostAccess {
 public:
  /// Nothing unless an option asks for it. Throws AddressError where the library is not installed, or where a
  /// rule needs names.
  static std::optional<HostAccess> of(const Address& address);
  bool permits(const SocketName& client) const;

 private:
  std::string rule_by_name() const;

  std::string daemon_;
  std::string allow_, deny_;  ///< the tables
};

}  // namespace sluice
