#pragma once

#include <sys/socket.h>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

/// An address of IPv6 (16 bytes, network order) with all its digits: `0000:0000:...:0001`.
std::string all_digits(const void* ip6);

/// The name of a socket: family, address and port, or a path. A value; usable as a key of a table.
/// An IPv4 address that came through an IPv6 socket (::ffff:a.b.c.d) is unmapped at construction.
class SocketName {
 public:
  SocketName() = default;
  SocketName(const sockaddr* address, socklen_t length);

  /// An AF_UNIX name. Throws UsageError if the path is too long (more than 108 bytes; 107 abstract). An
  /// abstract name has no leading NUL here; `tight` sends just its bytes, else it is padded with NULs to full
  /// size.
  static SocketName unix_path(std::string_view path);
  static SocketName unix_abstract(std::string_view name, bool tight = true);

  /// A name of any family: what stands in its sockaddr behind sa_family. Throws UsageError if it is too long
  /// (126 bytes).
  static SocketName of_family(int family, std::string_view data);
  /// A port of a virtual machine or its host (vsock(7)).
  static SocketName vsock(std::uint32_t cid, std::uint32_t port);

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

  std::uint16_t port() const;  ///< host order; 0 for what is no IP name
  SocketName with_port(std::uint16_t) const;
  /// "127.0.0.1", "::1", "/tmp/x.sock", "@abstract", the cid of AF_VSOCK, "0x..." where the family is none of
  /// these
  std::string host() const;
  std::string service() const;        ///< the port as text, also that of AF_VSOCK; empty where there is none
  std::string host_and_port() const;  ///< "127.0.0.1:80", "[::1]:80", "/tmp/x.sock", "@abstract", "1:99"
  /// What the log and programs call it, as socat does: as `host`, but IPv6 with all its digits and in
  /// brackets, `\0abstract` (with a backslash) and `<anon>`.
  std::string shown_host() const;
  /// As socat's log prints it: `AF=2 127.0.0.1:80`, `AF=1 "/tmp/x"`, `AF=40 cid:1 port:99`, `AF=17 0x...`
  std::string log_text() const;
  /// The path in the file system; empty for others and for abstract and unnamed sockets.
  std::string path() const;

  friend bool operator==(const SocketName& a, const SocketName& b) { return a.bytes() == b.bytes(); }
  friend auto operator<=>(const SocketName& a, const SocketName& b) { return a.bytes() <=> b.bytes(); }

  std::string_view bytes() const { return {reinterpret_cast<const char*>(&storage_), length_}; }
  /// The bytes behind sa_family.
  std::string_view family_data() const { return bytes().substr(empty() ? 0 : sizeof(sa_family_t)); }

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
