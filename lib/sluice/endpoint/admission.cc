#include "sluice/endpoint/admission.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstddef>

#include "sluice/address/binary_data.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

std::string bytes_of(const SocketName& name) {
  // Where the address stands in sockaddr_in and sockaddr_in6.
  if (name.family() == AF_INET)
    return std::string(name.bytes().substr(offsetof(sockaddr_in, sin_addr), sizeof(in_addr)));
  return std::string(name.bytes().substr(offsetof(sockaddr_in6, sin6_addr), sizeof(in6_addr)));
}

}  // namespace

Range Range::of_data(const Address& address, const Option& option) {
  const auto refuse = [&](std::string_view message) -> AddressError {
    return {address, option.place, "range \"" + option.text + "\": " + std::string(message)};
  };
  const auto colon = option.text.find(':');
  if (colon == std::string::npos) throw refuse("expects <address-data>:<mask-data>");
  const std::string_view text = option.text;
  BinaryData network = read_binary(text.substr(0, colon));
  BinaryData mask = read_binary(text.substr(colon + 1));
  for (const BinaryData* data : {&network, &mask})
    if (!data->complaint.empty()) throw refuse(data->complaint);
  if (network.bytes.size() != mask.bytes.size()) throw refuse("address and mask are of different lengths");
  Range range;
  range.family_ = AF_UNSPEC;
  range.networks_.push_back(std::move(network.bytes));
  range.mask_ = std::move(mask.bytes);
  return range;
}

std::optional<Range> Range::of(const Address& address) {
  const Option* option = address.find("range");
  if (option == nullptr) return std::nullopt;
  if (address.keyword->name.starts_with("SOCKET-")) return of_data(address, *option);
  const auto refuse = [&](std::string_view message) -> AddressError {
    return {address, option->place, "range \"" + option->text + "\": " + std::string(message)};
  };
  const std::string& text = option->text;
  constexpr std::string_view forms = "expects <host>/<bits>, <host>:<mask> or [<host>]/<bits>";
  const bool six = text.starts_with('[');
  const auto close = text.find(']');
  if (six && close == text.npos) throw refuse(forms);
  const std::string host = six ? text.substr(1, close - 1) : text.substr(0, text.find_first_of("/:"));
  const std::string rest = six ? text.substr(close + 1) : text.substr(host.size());
  Range range;
  range.family_ = six ? AF_INET6 : AF_INET;
  if (host.empty()) throw refuse(forms);
  char bytes[16];
  const std::size_t length = six ? 16 : 4;
  if (::inet_pton(range.family_, host.c_str(), bytes) == 1)
    range.networks_.emplace_back(bytes, length);
  else if (host.find_first_not_of("0123456789.") == host.npos || host.find(':') != host.npos)
    throw refuse('"' + host + "\" is not an " + (six ? "IPv6" : "IPv4") + " address");
  else
    range.host_ = host;
  if (rest.starts_with(':') && !six) {
    if (::inet_pton(AF_INET, rest.c_str() + 1, bytes) != 1) throw refuse("the mask is not an IPv4 address");
    range.mask_.assign(bytes, length);
  } else if (rest.starts_with('/')) {
    unsigned bits = 0;
    const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), bits);
    if (error != std::errc{} || end != rest.data() + rest.size() || bits > length * 8)
      throw refuse("the number of bits is out of range (0-" + std::to_string(length * 8) + ')');
    range.mask_.assign(length, '\0');
    for (unsigned i = 0; i < bits; ++i)
      range.mask_[i / 8] = static_cast<char>(range.mask_[i / 8] | 0x80 >> i % 8);
  } else {
    throw refuse(forms);
  }
  return range;
}

Task<> Range::resolve(const Address& address, const Context& context) {
  if (host_.empty()) co_return;
  const Parameter host{host_, address.find("range")->place}, any_port{"0", host.place};
  const SocketKind kind{family_, SOCK_STREAM, 0};
  const auto names = co_await sluice::resolve(address, host, any_port, kind, context);
  networks_.clear();
  for (const SocketName& name : names) networks_.push_back(bytes_of(name.for_family(family_)));
}

bool Range::contains(const SocketName& peer) const {
  const SocketName name = peer.for_family(family_);
  if (family_ != AF_UNSPEC && name.family() != family_) return false;
  std::string address = family_ == AF_UNSPEC ? std::string(name.family_data()) : bytes_of(name);
  // What a name is too short for is zero, as it is for the kernel.
  address.resize(mask_.size());
  return std::any_of(networks_.begin(), networks_.end(), [&](const std::string& network) {
    for (std::size_t i = 0; i < address.size(); ++i)
      if (((address[i] ^ network[i]) & mask_[i]) != 0) return false;
    return true;
  });
}

Admission::Admission(const Address& address, Known known)
    : range_(Range::of(address)),
      source_port_(address.integer("sourceport")),
      low_port_(address.flag("lowport")),
      hosts_(HostAccess::of(address, known)) {}

Task<> Admission::prepare(const Address& address, const Context& context) {
  if (range_) co_await range_->resolve(address, context);
}

std::string_view Admission::objection_by_address(const SocketName& peer) const {
  if (range_ && !range_->contains(peer)) return "range";
  if (!peer.is_ip()) return {};
  if (source_port_ && peer.port() != *source_port_) return "sourceport";
  if (low_port_ && peer.port() >= IPPORT_RESERVED) return "lowport";
  return {};
}

std::string_view Admission::objection(const SocketName& peer) const {
  if (const auto against = objection_by_address(peer); !against.empty()) return against;
  return hosts_ && peer.is_ip() && !hosts_->permits(peer) ? "tcpwrap" : "";
}

std::string_view Admission::objection(const SocketName& peer, const std::string& name) const {
  if (const auto against = objection_by_address(peer); !against.empty()) return against;
  return hosts_ && peer.is_ip() && !hosts_->permits(peer, name) ? "tcpwrap" : "";
}

bool Admission::needs_name_of(const SocketName& peer) const {
  return hosts_ && peer.is_ip() && objection_by_address(peer).empty() && hosts_->needs_names();
}

}  // namespace sluice
