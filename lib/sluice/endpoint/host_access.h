#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sluice/address/address.h"
#include "sluice/core/socket_name.h"

namespace sluice {

/// What is known of a client when it is judged.
enum class Known { address, address_and_name };

/// The first pattern in a table of hosts_access(5) that a rule for this daemon has and that what is known
/// does not suffice for: a user or one of our own names, and, without the client's name, a host's name or
/// domain, a netgroup, LOCAL, KNOWN, UNKNOWN, PARANOID. As `pattern "X" in TABLE, line N`; empty if there is
/// none, or no such table.
std::string pattern_beyond(Known known, const std::string& table, const std::string& daemon);

/// What hosts_access(5) calls a client for which the reverse look-up gave `name` (empty: nothing) and the
/// look-up of that name `addresses`: `unknown` without a name, `paranoid` where both do not agree or what
/// came back is not a host's name.
std::string checked_name(const SocketName& client, const std::string& name,
                         const std::vector<SocketName>& addresses);
/// Asks for both. May take seconds (each name server is asked once, for two seconds): not for a loop's
/// thread.
std::string look_up_name(const SocketName& client);

/// `tcpwrap`: whether hosts.allow and hosts.deny (hosts_access(5)) let a client in, by its address and,
/// where the caller looks it up, its name. Rules that need more than is known let nobody in. The library of
/// TCP wrappers is loaded when it is first asked for.
class HostAccess {
 public:
  /// Nothing unless an option asks for it. Throws AddressError where the library is not installed, or where a
  /// rule needs more than will be known.
  static std::optional<HostAccess> of(const Address& address, Known known = Known::address);
  /// Whether a rule needs the client's name, as the tables are now.
  bool needs_names() const { return !rule_beyond(Known::address).empty(); }
  bool permits(const SocketName& client) const;
  /// `name` is what `look_up_name` says.
  bool permits(const SocketName& client, const std::string& name) const;

 private:
  std::string rule_beyond(Known known) const;
  bool ask(const SocketName& client, std::string name) const;

  std::string daemon_;
  std::string allow_, deny_;  ///< the tables
};

}  // namespace sluice
