#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "sluice/core/socket_name.h"
#include "sluice/endpoint/dialogue.h"

namespace sluice {

/// What a SOCKS server is asked for.
struct SocksRequest {
  enum Command : std::uint8_t { connect = 1, bind = 2 } command = connect;
  SocketName address;     ///< where to, without its port; empty where the server is to resolve `host`
  std::string host = {};  ///< at most 255 bytes
  std::uint16_t port = 0;
  std::string user = {};  ///< at most 255 bytes in SOCKS 5, without NUL in SOCKS 4
  std::optional<std::string> password = {};

  /// What is wrong with it for a version, or nothing.
  std::string objection(int version) const;
};

/// SOCKS 4, or 4a where the server resolves the name (the memos of Ying-Da Lee).
std::unique_ptr<Dialogue> socks4_dialogue(SocksRequest request);

/// SOCKS 5 (RFC 1928), with user name and password where a user is given (RFC 1929). `bind` is over when
/// somebody has connected to the server.
std::unique_ptr<Dialogue> socks5_dialogue(SocksRequest request);

}  // namespace sluice
