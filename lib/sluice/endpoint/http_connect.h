#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sluice/endpoint/dialogue.h"

namespace sluice {

/// What an HTTP proxy is asked for (RFC 9110, 9.3.6).
struct HttpConnect {
  std::string target;                           ///< host:port
  std::string version = "1.0";                  ///< of HTTP; 1.1 has a Host header
  std::optional<std::string> credentials = {};  ///< user:password, sent as they are but for base64 (RFC 7617)
  bool ignore_returns = false;                  ///< lines of the answer may end in NL alone
  std::string proxy = {};                       ///< what the log calls the proxy

  /// What is wrong with it, or nothing: control characters would end a line.
  std::string objection() const;
};

/// An answer's headers are at most that long.
inline constexpr std::size_t most_http_headers = 65536;

/// Over when the proxy has answered with 2xx and the empty line behind its headers was read, and no byte
/// more.
std::unique_ptr<Dialogue> http_connect_dialogue(HttpConnect request);

/// RFC 4648.
std::string base64(std::string_view bytes);

}  // namespace sluice
