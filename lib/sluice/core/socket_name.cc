#include "sluice/core/socket_name.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "sluice/core/failure.h"
#include "sluice/core/figures.h"

namespace sluice {
namespace {

constexpr socklen_t path_offset = offsetof(sockaddr_un, sun_path);

template <class Address>
Address as(const sockaddr_storage& storage) {
  Address address;
  std::memcpy(&address, &storage, sizeof address);
  return address;
}

/// How much of a sockaddr_un's path a name of that length has. One that was written as data may be longer.
std::size_t path_room(socklen_t length) {
  return std::min<std::size_t>(length - path_offset, sizeof(sockaddr_un::sun_path));
}

SocketName unix_name(std::string_view bytes, bool padded) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  bytes.copy(address.sun_path, bytes.size());
  const auto length = padded ? sizeof address : path_offset + bytes.size();
  return {reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length)};
}

}  // namespace

SocketName::SocketName(const sockaddr* address, socklen_t length) {
  length_ = std::min<socklen_t>(length, sizeof storage_);
  std::memcpy(&storage_, address, length_);
  // Of a path that fills its sockaddr the kernel counts a NUL after it too, which it does not take back.
  if (storage_.ss_family == AF_UNIX) length_ = std::min<socklen_t>(length_, sizeof(sockaddr_un));
  if (storage_.ss_family == AF_INET6) {
    const auto six = as<sockaddr_in6>(storage_);
    if (!IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) return;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = six.sin6_port;
    std::memcpy(&four.sin_addr, six.sin6_addr.s6_addr + 12, 4);
    storage_ = {};
    std::memcpy(&storage_, &four, sizeof four);
    length_ = sizeof four;
  }
}

std::string all_digits(const void* ip6) {
  constexpr std::size_t size = 16, of_group = 2;
  const std::string_view bytes(static_cast<const char*>(ip6), size);
  std::string text;
  for (std::size_t i = 0; i < size; i += of_group)
    (text += i > 0 ? ":" : "") += hexadecimal(bytes.substr(i, of_group));
  return text;
}

SocketName SocketName::unix_path(std::string_view path) {
  if (path.empty()) throw UsageError("a UNIX socket needs a path");
  // The last byte need not be a NUL (unix(7)).
  if (path.size() > sizeof(sockaddr_un::sun_path))
    throw UsageError("UNIX socket path is " + std::to_string(path.size()) +
                     " bytes long (at most 108): " + std::string(path));
  return unix_name({path.data(), path.size()}, false);
}

SocketName SocketName::unix_abstract(std::string_view name, bool tight) {
  if (name.size() >= sizeof(sockaddr_un::sun_path))
    throw UsageError("abstract socket name is " + std::to_string(name.size()) + " bytes long (at most 107)");
  return unix_name(std::string(1, '\0').append(name), !tight);
}

SocketName SocketName::of_family(int family, std::string_view data) {
  constexpr auto room = sizeof(sockaddr_storage) - sizeof(sa_family_t);
  if (data.size() > room)
    throw UsageError("a socket's address is " + std::to_string(data.size()) + " bytes long (at most " +
                     std::to_string(room) + ")");
  SocketName name;
  name.storage_.ss_family = static_cast<sa_family_t>(family);
  data.copy(reinterpret_cast<char*>(&name.storage_) + sizeof(sa_family_t), data.size());
  name.length_ = static_cast<socklen_t>(sizeof(sa_family_t) + data.size());
  return name;
}

SocketName SocketName::vsock(std::uint32_t cid, std::uint32_t port) {
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = cid;
  address.svm_port = port;
  return {reinterpret_cast<const sockaddr*>(&address), sizeof address};
}

SocketName SocketName::of_socket(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return {reinterpret_cast<sockaddr*>(&storage), length};
}

SocketName SocketName::of_peer(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return {reinterpret_cast<sockaddr*>(&storage), length};
}

SocketName SocketName::for_family(int wanted) const {
  if (wanted != AF_INET6 || family() != AF_INET) return *this;
  const auto four = as<sockaddr_in>(storage_);
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = four.sin_port;
  six.sin6_addr.s6_addr[10] = six.sin6_addr.s6_addr[11] = 0xff;
  std::memcpy(six.sin6_addr.s6_addr + 12, &four.sin_addr, 4);
  SocketName mapped;
  std::memcpy(&mapped.storage_, &six, sizeof six);
  mapped.length_ = sizeof six;
  return mapped;
}

std::uint16_t SocketName::port() const {
  if (family() == AF_INET) return ntohs(as<sockaddr_in>(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(as<sockaddr_in6>(storage_).sin6_port);
  return 0;
}

SocketName SocketName::with_port(std::uint16_t port) const {
  SocketName copy = *this;
  // The port stands at the same place in both families (RFC 3493).
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  const std::uint16_t network = htons(port);
  if (is_ip())
    std::memcpy(reinterpret_cast<char*>(&copy.storage_) + offsetof(sockaddr_in, sin_port), &network,
                sizeof network);
  return copy;
}

std::string SocketName::path() const {
  if (family() != AF_UNIX || length_ <= path_offset) return {};
  const auto address = as<sockaddr_un>(storage_);
  if (address.sun_path[0] == '\0') return {};
  return {address.sun_path, ::strnlen(address.sun_path, path_room(length_))};
}

std::string SocketName::host() const {
  char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 1] = "";
  if (family() == AF_INET) {
    const auto four = as<sockaddr_in>(storage_);
    return ::inet_ntop(AF_INET, &four.sin_addr, text, sizeof text);
  }
  if (family() == AF_INET6) {
    const auto six = as<sockaddr_in6>(storage_);
    std::string host = ::inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text);
    char interface[IF_NAMESIZE];
    if (six.sin6_scope_id != 0 && ::if_indextoname(six.sin6_scope_id, interface) != nullptr)
      (host += '%') += interface;
    return host;
  }
  if (family() == AF_VSOCK) return std::to_string(as<sockaddr_vm>(storage_).svm_cid);
  if (family() != AF_UNIX) return empty() ? std::string() : "0x" + hexadecimal(family_data());
  if (length_ <= path_offset) return {};
  if (auto name = path(); !name.empty()) return name;
  const auto address = as<sockaddr_un>(storage_);
  std::string_view rest(address.sun_path + 1, path_room(length_) - 1);
  if (const auto end = rest.find_last_not_of('\0'); end != rest.npos) rest = rest.substr(0, end + 1);
  return "@" + std::string(rest);
}

std::string SocketName::service() const {
  if (is_ip()) return std::to_string(port());
  if (family() == AF_VSOCK) return std::to_string(as<sockaddr_vm>(storage_).svm_port);
  return {};
}

std::string SocketName::host_and_port() const {
  if (family() == AF_INET6) return '[' + host() + "]:" + service();
  if (family() == AF_INET || family() == AF_VSOCK) return host() + ':' + service();
  return host();
}

std::string SocketName::shown_host() const {
  std::string name = host();
  if (family() == AF_INET6) {
    const auto six = as<sockaddr_in6>(storage_);
    const auto interface = std::min(name.find('%'), name.size());
    return '[' + all_digits(&six.sin6_addr) + name.substr(interface) + ']';
  }
  if (family() != AF_UNIX || !path().empty()) return name;
  return name.empty() ? "<anon>" : "\\0" + name.substr(1);
}

std::string SocketName::log_text() const {
  const auto prefix = "AF=" + std::to_string(family()) + ' ';
  if (family() == AF_UNIX) return prefix + '"' + shown_host() + '"';
  if (family() == AF_VSOCK) return prefix + "cid:" + host() + " port:" + service();
  if (empty()) return "<anon>";
  return prefix + (family() == AF_INET6 ? shown_host() + ':' + service() : host_and_port());
}

}  // namespace sluice
