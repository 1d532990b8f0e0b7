#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/address/address.h"
#include "sluice/core/socket_name.h"

namespace sluice {

/// `range=`: whether a peer's address is inside (`10.0.0.0/8`, `10.0.0.0:255.0.0.0`, `[::1]/128`).
class Range {
 public:
  /// Throws AddressError.
  static std::optional<Range> of(const Address& address);
  bool contains(const SocketName& peer) const;

 private:
  int family_ = 0;
  std::string network_;
  std::string mask_;
};

/// Whom an address that listens or receives lets in: range=, sourceport=, lowport.
class Admission {
 public:
  /// Throws AddressError.
  explicit Admission(const Address& address);
  /// The option that keeps a peer out, or nothing.
  std::string_view objection(const SocketName& peer) const;

 private:
  std::optional<Range> range_;
  std::optional<std::int64_t> source_port_;
  bool low_port_ = false;
};

}  // namespace sluice
