#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "sluice/endpoint/host_addresses.h"
#include "sluice/endpoint/socket.h"
#include "sluice/stream/background.h"

namespace sluice {

namespace {

/// `[::1]` as it stands in an address, without its brackets.
std::string without_brackets(const std::string& host) {
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') return host.substr(1, host.size() - 2);
  return host;
}

std::optional<SocketName> numeric(const std::string& host, int family) {
  const HostAddresses found = addresses_of_host(host, family, AI_NUMERICHOST);
  if (found.names.empty()) return std::nullopt;
  return found.names.front();
}

/// `<host>`, `<host>:<port>` or `[<host>]:<port>`, as res-nsaddr= has it.
struct NameServer {
  std::string host;
  std::uint16_t port = NAMESERVER_PORT;
};

/// What an address asks of the resolver itself (ai-..., res-...).
struct Manner {
  int lookup_flags = 0;
  unsigned long on = 0, off = 0;  ///< bits of the resolver's options (resolver(3))
  std::optional<int> seconds, attempts;
  std::optional<NameServer> server;

  bool is_usual() const { return on == 0 && off == 0 && !seconds && !attempts && !server; }
};

NameServer name_server(const Address& address, const Option& option) {
  const std::string& text = option.text;
  const auto colon = text.find(':', text.starts_with('[') ? std::min(text.find(']'), text.size()) : 0);
  NameServer server{without_brackets(text.substr(0, colon))};
  // The resolver asks by IPv4.
  if (server.host.empty() || server.host.find_first_of(":[]") != std::string::npos)
    throw AddressError(
        address, option.place,
        '"' + text + "\" is not a name server: <host>, <host>:<port> or [<host>]:<port> (IPv4)");
  if (colon != text.npos) server.port = port_of(address, {text.substr(colon + 1), option.place}, SOCK_DGRAM);
  return server;
}

Manner manner_of(const Address& address) {
  Manner manner;
  for (const Option& option : address.options) {
    const Effect& effect = option.row->effect;
    const bool* flag = std::get_if<bool>(&option.value);
    if (effect.kind == Effect::lookup_flag && *flag) manner.lookup_flags |= effect.number;
    if (effect.kind == Effect::resolver_flag)
      (*flag ? manner.on : manner.off) |= static_cast<unsigned long>(effect.number);
    if (option.row->name == "res-nsaddr") manner.server = name_server(address, option);
  }
  if (const auto seconds = address.integer("res-retrans")) manner.seconds = static_cast<int>(*seconds);
  if (const auto attempts = address.integer("res-retry")) manner.attempts = static_cast<int>(*attempts);
  return manner;
}

/// As the system's own resolver finds it. Throws Failure.
sockaddr_in name_of(const NameServer& server, const std::string& address) {
  const HostAddresses found = addresses_of_host(server.host, AF_INET, 0);
  if (found.names.empty())
    throw Failure(address + ": option \"res-nsaddr\": resolve " + server.host + ": " + found.message());
  sockaddr_in name{};
  const SocketName with_port = found.names.front().with_port(server.port);
  std::memcpy(&name, with_port.data(), sizeof name);
  return name;
}

/// While it lives, the resolver of this thread works in a manner of its own.
class ResolverSection {
 public:
  ResolverSection(const Manner& manner, const std::optional<sockaddr_in>& server)
      : usual_(manner.is_usual()) {
    if (usual_) return;
    ::res_init();
    _res.options = (_res.options | manner.on) & ~manner.off;
    if (manner.seconds) _res.retrans = *manner.seconds;
    if (manner.attempts) _res.retry = *manner.attempts;
    if (!server) return;
    _res.nsaddr_list[0] = *server;
    _res.nscount = 1;
  }
  ~ResolverSection() {
    if (!usual_) ::res_init();
  }
  ResolverSection(const ResolverSection&) = delete;
  ResolverSection& operator=(const ResolverSection&) = delete;

 private:
  bool usual_;
};

HostAddresses ask_resolver(const std::string& host, int family, const Manner& manner,
                           const std::string& address) {
  // Mapped addresses are those of a question for IPv6 (getaddrinfo(3)).
  const bool mapped = (manner.lookup_flags & (AI_V4MAPPED | AI_ALL)) != 0;
  std::optional<sockaddr_in> server;
  if (manner.server) server = name_of(*manner.server, address);
  const ResolverSection section(manner, server);
  return addresses_of_host(host, mapped ? family : AF_UNSPEC, manner.lookup_flags);
}

Task<std::vector<SocketName>> look_up(const Address& address, const std::string& host, int family,
                                      const Context& context) {
  const std::string plain = without_brackets(host);
  if (auto name = numeric(plain, family)) co_return std::vector{*name};
  if (numeric(plain, AF_UNSPEC))
    throw Failure(std::string(address.written()) + ": " + host + " is no " +
                  (family == AF_INET ? "IPv4" : "IPv6") + " address");
  // GCC 12 frees what a temporary in an awaited expression holds twice, so it has a name.
  const Manner manner = manner_of(address);
  auto asking =
      in_background(context.loop, [plain, family, manner, written = std::string(address.written())] {
        return ask_resolver(plain, family, manner, written);
      });
  const HostAddresses resolved = co_await asking;
  if (resolved.error != 0)
    throw Failure(std::string(address.written()) + ": resolve " + host + ": " + resolved.message());
  std::vector<SocketName> names;
  for (const SocketName& name : resolved.names)
    // A mapped address was asked for as one of IPv6, whatever it is called here.
    if (family == AF_UNSPEC || name.family() == family || (manner.lookup_flags & AI_V4MAPPED) != 0)
      names.push_back(name);
  if (names.empty())
    throw Failure(std::string(address.written()) + ": " + host + " has no " +
                  (family == AF_INET ? "IPv4" : "IPv6") + " address");
  if (context.preferred_family != AF_UNSPEC)
    std::stable_partition(names.begin(), names.end(),
                          [&](const SocketName& name) { return name.family() == context.preferred_family; });
  co_return names;
}

}  // namespace

std::optional<SocketName> numeric_host(const std::string& host, int family) {
  return numeric(without_brackets(host), family);
}

std::uint16_t port_of(const Address& address, const Parameter& service, int type) {
  if (const auto port = numeric_port(address, service)) return *port;
  servent entry{};
  servent* found = nullptr;
  char buffer[1024];
  const char* protocol = type == SOCK_DGRAM ? "udp" : "tcp";
  if (::getservbyname_r(service.text.c_str(), protocol, &entry, buffer, sizeof buffer, &found) != 0 ||
      found == nullptr)
    throw AddressError(address, service.place, "unknown service \"" + service.text + '"');
  return ntohs(static_cast<std::uint16_t>(found->s_port));
}

Task<std::vector<SocketName>> resolve(const Address& address, const Parameter& host, const Parameter& service,
                                      SocketKind kind, const Context& context) {
  const std::uint16_t port = port_of(address, service, kind.type);
  if (host.text.empty()) throw AddressError(address, host.place, "a host is missing");
  auto names = co_await look_up(address, host.text, kind.family, context);
  for (auto& name : names) name = name.with_port(port);
  co_return names;
}

Task<SocketName> resolve_bind(const Address& address, int family, int type, std::uint16_t port,
                              const Context& context) {
  const Option* option = address.find("bind");
  std::string host = option->text;
  Parameter service{std::to_string(port), option->place};
  const auto bracket = host.rfind(']');
  const auto colon = host.rfind(':');
  const bool only_colon =
      colon != host.npos && (bracket != host.npos ? colon > bracket : host.find(':') == colon);
  if (only_colon) {
    service.text = host.substr(colon + 1);
    host.resize(colon);
  }
  const std::uint16_t number = port_of(address, service, type);
  if (host.empty()) host = family == AF_INET6 ? "::" : "0.0.0.0";
  const auto names = co_await look_up(address, host, family, context);
  co_return names.front().with_port(number);
}

SocketName wildcard(int family) {
  sockaddr_in6 six{};
  sockaddr_in four{};
  six.sin6_family = AF_INET6;
  four.sin_family = AF_INET;
  if (family == AF_INET6) return {reinterpret_cast<const sockaddr*>(&six), sizeof six};
  return {reinterpret_cast<const sockaddr*>(&four), sizeof four};
}

Task<SocketName> local_name(const Address& address, SocketKind kind, const Parameter& service,
                            const Context& context) {
  const std::uint16_t port = port_of(address, service, kind.type);
  const int family = kind.family != AF_UNSPEC ? kind.family : context.listening_family;
  if (address.find("bind") != nullptr)
    co_return co_await resolve_bind(address, family, kind.type, port, context);
  const int usual = context.as_socat && !context.listens_on_both ? AF_INET : AF_INET6;
  co_return wildcard(family != AF_UNSPEC ? family : usual).with_port(port);
}

}  // namespace sluice
