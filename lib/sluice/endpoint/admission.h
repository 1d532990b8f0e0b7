#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/address/address.h"
#include "sluice/core/socket_name.h"
#include "sluice/endpoint/endpoint.h"
#include "sluice/endpoint/host_access.h"

namespace sluice {

/// `range=`: whether a peer's address is inside (`10.0.0.0/8`, `10.0.0.0:255.0.0.0`, `[::1]/128`). A host can
/// be a name too, in brackets for its addresses of IPv6; each of its addresses counts. A range of IPv6 has
/// peers of IPv4 inside as the mapped addresses that they are (`[::ffff:10.0.0.0]/104`). Generic sockets have
/// it as data, `<address>:<mask>`, each a sockaddr without sa_family; what the mask does not
/// reach does not count.
class Range {
 public:
  /// Throws AddressError.
  static std::optional<Range> of(const Address& address);
  /// Asks for the addresses of a host that is a name; before that, it contains nobody. Throws Failure.
  Task<> resolve(const Address& address, const Context& context);
  bool contains(const SocketName& peer) const;

 private:
  static Range of_data(const Address& address, const Option& option);

  int family_ = 0;    ///< AF_UNSPEC: the bytes are those of the whole sockaddr behind sa_family
  std::string host_;  ///< a name; empty if it was a number
  std::vector<std::string> networks_;
  std::string mask_;
};

/// Whom an address that listens or receives lets in: range=, sourceport=, lowport, tcpwrap.
class Admission {
 public:
  /// Throws AddressError.
  explicit Admission(const Address& address, Known known = Known::address);
  /// To be awaited before the first peer is judged. Throws Failure for an unknown host.
  Task<> prepare(const Address& address, const Context& context);
  /// The option that keeps a peer out, or nothing.
  std::string_view objection(const SocketName& peer) const;
  /// Of a peer whose name has been looked up (`look_up_name`).
  std::string_view objection(const SocketName& peer, const std::string& name) const;
  /// Whether the peer must be looked up first: nothing else keeps it out, and a rule of tcpwrap needs its
  /// name.
  bool needs_name_of(const SocketName& peer) const;
  /// Whether nobody would be kept out.
  bool lets_all_in() const { return !range_ && !source_port_ && !low_port_ && !hosts_; }

 private:
  std::string_view objection_by_address(const SocketName& peer) const;

  std::optional<Range> range_;
  std::optional<std::int64_t> source_port_;
  bool low_port_ = false;
  std::optional<HostAccess> hosts_;
};

}  // namespace sluice
