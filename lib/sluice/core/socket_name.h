#pragma once

#include <sys/socket.h>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

/// The name of a socket: family, address and port, or a path. A value; usable as a key of a table.
/// An IPv4 address that came through an IPv6 socket (::ffff:a.b.c.d) is unmapped at construction.
class SocketName {
 public:
  SocketName() = default;
  SocketName(const sockaddr* address, socklen_t length);

  /// An AF_UNIX name. Throws UsageError if the path is too long (107 bytes; 108 abstract). An abstract name
  /// has no leading NUL here; `tight` sends just its bytes, else it is padded with NULs to full size.
  static SocketName unix_path(std::string_view path);
  static SocketName unix_abstract(std::string_view name, bool tight = true);

  /// What the kernel says of a socket: its own name, its peer's. Empty where it has none.
  static SocketName of_socket(int fd);
  static SocketName of_peer(int fd);

  bool empty() const { return length_ == 0; }
  int family() const { return length_ == 0 ? AF_UNSPEC : storage_.ss_family; }
  bool is_ip() const { return family() == AF_INET || family() == AF_INET6; }

  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return length_; }
  /// The same name for a socket of another family: an IPv4 name mapped for an AF_INET6 socket.
  SocketName for_family(int family) const;

  std::uint16_t port() const;  ///< host order; 0 for AF_UNIX
  SocketName with_port(std::uint16_t) const;
  std::string host() const;           ///< "127.0.0.1", "::1", "/tmp/x.sock", "@abstract"
  std::string host_and_port() const;  ///< "127.0.0.1:80", "[::1]:80", "/tmp/x.sock", "@abstract"
  std::string log_text() const;       ///< as socat's log prints it: `AF=2 127.0.0.1:80`, `AF=1 "/tmp/x"`
  /// The path in the file system; empty for others and for abstract and unnamed sockets.
  std::string path() const;

  friend bool operator==(const SocketName& a, const SocketName& b) { return a.bytes() == b.bytes(); }
  friend auto operator<=>(const SocketName& a, const SocketName& b) { return a.bytes() <=> b.bytes(); }

  std::string_view bytes() const { return {reinterpret_cast<const char*>(&storage_), length_}; }

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

}  // namespace sluice

template <>
struct std::hash<sluice::SocketName> {
  std::size_t operator()(const sluice::SocketName& name) const noexcept {
    return std::hash<std::string_view>{}(name.bytes());
  }
};
