#include "sluice/address/value_help.h"

#include <array>

#include "sluice/address/lookup.h"

namespace sluice {
namespace {

constexpr auto meanings = std::to_array<Placeholder>({
    {"BAUD", "bits a second, as a number"},
    {"BYTE", "a character by its number, 0 to 255"},
    {"BYTES", "a number of bytes"},
    {"COMMAND", "words; see QUOTES AND ESCAPES"},
    {"COUNT", "a number"},
    {"DATA", "bytes as x01a2, \"text\" or i12345; see socat(1), DATA VALUES"},
    {"DESCRIPTOR", "the number of an inherited descriptor"},
    {"DIRECTORY", "a path"},
    {"FAMILY", "one of ip4, ip6 and unix, or a number"},
    {"FILE", "a path"},
    {"GROUP", "a group's name or number"},
    {"HOPS", "a number of routers, 0 to 255"},
    {"HOST", "a name or a number; an IPv6 number needs brackets: [::1]"},
    {"INTERFACE", "the name of a network interface"},
    {"MODE", "permission bits in octal: 640"},
    {"NUMBER", "decimal, hexadecimal with 0x, octal with 0"},
    {"PORT", "0 to 65535, or a service's name; 0 lets the system choose where a server listens"},
    {"RANGE", "host/bits or host:mask; [host]/bits for IPv6"},
    {"SECONDS", "0.5 is half a second; with a unit: 20ms, 3m, 1h"},
    {"SIZE", "a number of bytes; a k, M or G after it multiplies it by 1024, 1024^2 and 1024^3"},
    {"USER", "a user's name or number"},
    {"WHOLE-SECONDS", "a number of seconds"},
});

/// What is known of an option's value beyond its type.
struct ValueRow {
  std::string_view option;
  std::string_view placeholder;
  std::string_view otherwise = {};
};

constexpr auto values = std::to_array<ValueRow>({
    {"accept-timeout", "SECONDS", "no limit"},
    {"backlog", "COUNT", "as many as the kernel grants"},
    {"bind", "HOST", "every interface, of a client what the kernel chooses"},
    {"chdir", "DIRECTORY", "the current one"},
    {"children-shutup", "COUNT", "0"},
    {"chroot", "DIRECTORY"},
    {"chroot-early", "DIRECTORY"},
    {"connect-timeout", "SECONDS", "the kernel's, some two minutes"},
    {"crdly", "NUMBER"},
    {"csize", "NUMBER"},
    {"dccp-set-ccid", "NUMBER"},
    {"escape", "BYTE"},
    {"exit-on", "WHEN", "both, as sockcat's end rule has it"},
    {"f-setpipe-sz", "BYTES", "the kernel's, 64k"},
    {"fdin", "DESCRIPTOR", "0"},
    {"fdout", "DESCRIPTOR", "1"},
    {"fiosetown", "PROCESS"},
    {"history-file", "FILE"},
    {"http-version", "VERSION", "1.0"},
    {"interface-mtu", "BYTES"},
    {"interval", "SECONDS", "1"},
    {"ioctl-void", "NUMBER"},
    {"ip-add-membership", "GROUP:INTERFACE"},
    {"ip-add-source-membership", "GROUP:HOST:HOST"},
    {"ip-mtu", "BYTES"},
    {"ip-mtu-discover", "NUMBER"},
    {"ip-multicast-if", "HOST"},
    {"ip-multicast-ttl", "HOPS", "1"},
    {"ip-options", "DATA"},
    {"ip-tos", "NUMBER", "0"},
    {"ip-ttl", "HOPS", "the kernel's, 64"},
    {"ipv6-hoplimit", "HOPS"},
    {"ipv6-join-group", "GROUP:INTERFACE"},
    {"ipv6-join-source-group", "GROUP:INTERFACE:HOST"},
    {"ipv6-mtu-discover", "NUMBER"},
    {"ipv6-tclass", "NUMBER", "0"},
    {"ipv6-unicast-hops", "HOPS", "the kernel's, 64"},
    {"ispeed", "BAUD"},
    {"locale", "LANGUAGE", "Unicode's own rules"},
    {"lockfile", "FILE"},
    {"max-children", "COUNT", "no limit"},
    {"max-queued", "SIZE", "64M"},
    {"netns", "NAMESPACE", "the current one"},
    {"noecho", "PATTERN"},
    {"ospeed", "BAUD"},
    {"path", "DIRECTORIES", "PATH of the environment"},
    {"posixmq-maxmsg", "COUNT", "the kernel's, 10"},
    {"posixmq-msgsize", "BYTES", "the kernel's, 8192"},
    {"posixmq-priority", "NUMBER", "0"},
    {"prompt", "TEXT"},
    {"protocol-family", "FAMILY", "what the address says"},
    {"proxy-authorization", "NAME:PASSWORD"},
    {"proxy-authorization-file", "FILE"},
    {"proxyport", "PORT", "8080"},
    {"pty-interval", "SECONDS", "1"},
    {"range", "RANGE", "everybody"},
    {"readbytes", "SIZE", "all"},
    {"res-nsaddr", "HOST"},
    {"res-retrans", "WHOLE-SECONDS"},
    {"res-retry", "COUNT"},
    {"retry", "COUNT", "0"},
    {"sctp-maxseg", "BYTES"},
    {"sctp-maxseg-late", "BYTES"},
    {"setpgid", "GROUP-ID"},
    {"sharp-s", "LETTERS", "SS"},
    {"shell", "FILE", "SHELL of the environment, else /bin/sh"},
    {"siocspgrp", "PROCESS"},
    {"sitout-eio", "SECONDS", "0"},
    {"so-bindtodevice", "INTERFACE", "every one"},
    {"so-linger", "WHOLE-SECONDS"},
    {"so-priority", "NUMBER", "0"},
    {"so-protocol", "NUMBER"},
    {"so-rcvbuf", "BYTES", "the kernel's"},
    {"so-rcvbuf-late", "BYTES", "the kernel's"},
    {"so-rcvlowat", "BYTES", "1"},
    {"so-sndbuf", "BYTES", "the kernel's"},
    {"so-sndbuf-late", "BYTES", "the kernel's"},
    {"so-sndlowat", "BYTES", "1"},
    {"so-type", "NUMBER"},
    {"sockspass", "PASSWORD"},
    {"socksport", "PORT", "1080"},
    {"socksuser", "NAME", "LOGNAME or USER of the environment"},
    {"sourceport", "NUMBER", "what the kernel chooses; of a listener any"},
    {"symbolic-link", "FILE"},
    {"tabdly", "NUMBER"},
    {"tcp-defer-accept", "WHOLE-SECONDS"},
    {"tcp-keepcnt", "COUNT", "the kernel's, 9"},
    {"tcp-keepidle", "WHOLE-SECONDS", "the kernel's, two hours"},
    {"tcp-keepintvl", "WHOLE-SECONDS", "the kernel's, 75"},
    {"tcp-linger2", "WHOLE-SECONDS", "the kernel's, 60"},
    {"tcp-maxseg", "BYTES"},
    {"tcp-maxseg-late", "BYTES"},
    {"tcp-syncnt", "COUNT", "the kernel's, 6"},
    {"tcp-window-clamp", "BYTES"},
    {"tcpwrap-etc", "DIRECTORY", "/etc"},
    {"tcpwrap-hosts-allow-table", "FILE", "/etc/hosts.allow"},
    {"tcpwrap-hosts-deny-table", "FILE", "/etc/hosts.deny"},
    {"tcpwrappers", "DAEMON", "no rules; without a name that of this program"},
    {"tiocswinsz", "COLUMNS:ROWS"},
    {"tun-device", "FILE", "/dev/net/tun"},
    {"tun-name", "INTERFACE", "what the kernel chooses"},
    {"tun-type", "tun|tap", "tun"},
    {"udplite-recv-cscov", "BYTES"},
    {"udplite-send-cscov", "BYTES"},
    {"unix-bind-tempname", "FILE"},
    {"waitlock", "FILE"},
});

static_assert(ascending(meanings, &Placeholder::name));
static_assert(ascending(values, &ValueRow::option));

const ValueRow* value_row(const OptionRow& row) {
  return find_row(std::span<const ValueRow>(values), &ValueRow::option, row.name);
}

/// What a type says where the table says nothing.
constexpr std::string_view placeholder_of_type(ValueType type) {
  switch (type) {
    case ValueType::boolean:
    case ValueType::constant:
    // Numbers of the kernel that are switches, unless the table says what they count.
    case ValueType::integer:
    case ValueType::integer_or_nothing:
      return {};
    case ValueType::byte:
      return "BYTE";
    case ValueType::long_integer:
    case ValueType::unsigned_integer:
    case ValueType::unsigned_short:
      return "NUMBER";
    case ValueType::size:
    case ValueType::offset:
      return "SIZE";
    case ValueType::mode:
      return "MODE";
    case ValueType::user:
      return "USER";
    case ValueType::group:
      return "GROUP";
    case ValueType::timeval:
    case ValueType::timespec:
      return "SECONDS";
    case ValueType::linger:
      return "WHOLE-SECONDS";
    case ValueType::ip4_name:
    case ValueType::ip4_socket:
      return "HOST";
    case ValueType::binary:
      return "DATA";
    case ValueType::int_int:
    case ValueType::int_intp:
    case ValueType::int_unsigned_long:
      return "NUMBER:NUMBER";
    case ValueType::int_binary:
      return "NUMBER:DATA";
    case ValueType::int_text:
      return "NUMBER:TEXT";
    case ValueType::int_int_int:
    case ValueType::int_triple:
      return "NUMBER:NUMBER:NUMBER";
    case ValueType::int_int_binary:
      return "NUMBER:NUMBER:DATA";
    case ValueType::int_int_text:
      return "NUMBER:NUMBER:TEXT";
    case ValueType::ip_membership:
    case ValueType::ip_source_membership:
    case ValueType::generic:
    case ValueType::text:
    case ValueType::text_or_nothing:
      return "TEXT";
  }
  return {};
}

struct ParameterRow {
  std::string_view parameter, placeholder;
};

constexpr auto parameters = std::to_array<ParameterRow>({
    {"command-line", "COMMAND"},
    {"fdnum", "DESCRIPTOR"},
    {"filename", "FILE"},
    {"host", "HOST"},
    {"interface", "INTERFACE"},
    {"listen-host", "HOST"},
    {"listen-port", "PORT"},
    {"port", "PORT"},
    {"proxy-server", "HOST"},
    {"shell-command", "COMMAND"},
    {"socks-port", "PORT"},
    {"socks-server", "HOST"},
    {"target-host", "HOST"},
    {"target-port", "PORT"},
});
static_assert(ascending(parameters, &ParameterRow::parameter));

struct ExampleRow {
  std::string_view keyword, command;
};

// Keywords that name an IP version (TCP4-LISTEN) have the example of those that do not.
constexpr auto examples = std::to_array<ExampleRow>({
    {"ABSTRACT-CLIENT", "sockcat - ABSTRACT-CLIENT:name"},
    {"ABSTRACT-CONNECT", "sockcat - ABSTRACT-CONNECT:name"},
    {"ABSTRACT-LISTEN", "sockcat ABSTRACT-LISTEN:name,fork PIPE"},
    {"ABSTRACT-RECV", "sockcat -u ABSTRACT-RECV:name -"},
    {"ABSTRACT-RECVFROM", "sockcat ABSTRACT-RECVFROM:name,fork UPPER"},
    {"ABSTRACT-SENDTO", "sockcat -u - ABSTRACT-SENDTO:name"},
    {"ACCEPT-FD", "sockcat ACCEPT-FD:3,fork PIPE"},
    {"COUNT-LINES", "sockcat TCP-LISTEN:9000,fork COUNT-LINES"},
    {"CREATE", "sockcat -u TCP-LISTEN:9000 CREATE:copy"},
    {"DCCP-CONNECT", "sockcat - DCCP-CONNECT:localhost:9000"},
    {"DCCP-LISTEN", "sockcat DCCP-LISTEN:9000,fork PIPE"},
    {"EXEC", "sockcat - 'EXEC:tr a-z A-Z'"},
    {"FD", "sockcat -u FD:3 -"},
    {"GOPEN", "sockcat -u ./file TCP-CONNECT:localhost:9000"},
    {"INTERFACE", "sockcat -u INTERFACE:lo -"},
    {"IP-DATAGRAM", "sockcat - IP-DATAGRAM:255.255.255.255:254,broadcast"},
    {"IP-RECV", "sockcat -u IP-RECV:254 -"},
    {"IP-RECVFROM", "sockcat IP-RECVFROM:254,fork UPPER"},
    {"IP-SENDTO", "sockcat - IP-SENDTO:localhost:254"},
    {"OPEN", "sockcat -u OPEN:log,creat,append -"},
    {"PIPE", "sockcat TCP-LISTEN:9000,fork PIPE"},
    {"POSIXMQ-BIDIRECTIONAL", "sockcat - POSIXMQ-BIDIRECTIONAL:/queue"},
    {"POSIXMQ-READ", "sockcat -u POSIXMQ-READ:/queue -"},
    {"POSIXMQ-RECEIVE", "sockcat -u POSIXMQ-RECEIVE:/queue,fork -"},
    {"POSIXMQ-SEND", "sockcat -u - POSIXMQ-SEND:/queue"},
    {"POSIXMQ-WRITE", "sockcat -u - POSIXMQ-WRITE:/queue"},
    {"PROXY", "sockcat - PROXY:proxy.example:www.example:80,proxyport=3128"},
    {"PTY", "sockcat PTY,link=./serial,raw,echo=0 TCP-CONNECT:localhost:9000"},
    {"READLINE", "sockcat READLINE,history-file=./history TCP-CONNECT:localhost:9000"},
    {"SCTP-CONNECT", "sockcat - SCTP-CONNECT:localhost:9000"},
    {"SCTP-LISTEN", "sockcat SCTP-LISTEN:9000,fork PIPE"},
    {"SHELL", "sockcat - 'SHELL:sort | uniq -c'"},
    {"SOCKET-CONNECT", "sockcat - SOCKET-CONNECT:2:6:x0016x7f000001x0000000000000000"},
    {"SOCKET-DATAGRAM", "sockcat - SOCKET-DATAGRAM:2:2:17:x2328xe0000001x0000000000000000"},
    {"SOCKET-LISTEN", "sockcat SOCKET-LISTEN:2:6:x2328x7f000001x0000000000000000,fork PIPE"},
    {"SOCKET-RECV", "sockcat -u SOCKET-RECV:2:2:17:x2328x7f000001x0000000000000000 -"},
    {"SOCKET-RECVFROM", "sockcat SOCKET-RECVFROM:2:2:17:x2328x7f000001x0000000000000000,fork UPPER"},
    {"SOCKET-SENDTO", "sockcat - SOCKET-SENDTO:2:2:17:x2328x7f000001x0000000000000000"},
    {"SOCKETPAIR", "sockcat - SOCKETPAIR"},
    {"SOCKS4", "sockcat - SOCKS4:proxy.example:www.example:80,socksuser=me"},
    {"SOCKS4A", "sockcat - SOCKS4A:proxy.example:www.example:80"},
    {"SOCKS5-CONNECT", "sockcat - SOCKS5-CONNECT:proxy.example:1080:www.example:80"},
    {"SOCKS5-LISTEN", "sockcat SOCKS5-LISTEN:proxy.example:1080:0.0.0.0:9000 PIPE"},
    {"STALL", "sockcat TCP-LISTEN:9000,fork STALL"},
    {"STDERR", "sockcat -u TCP-LISTEN:9000 STDERR"},
    {"STDIN", "sockcat -u STDIN TCP-CONNECT:localhost:9000"},
    {"STDIO", "sockcat STDIO TCP-CONNECT:localhost:9000"},
    {"STDOUT", "sockcat -u TCP-LISTEN:9000 STDOUT"},
    {"SYSTEM", "sockcat TCP-LISTEN:9000,fork 'SYSTEM:read name; echo hello $name'"},
    {"TCP-CONNECT", "sockcat - TCP-CONNECT:localhost:9000,connect-timeout=3"},
    {"TCP-LISTEN", "sockcat TCP-LISTEN:9000,fork,reuseaddr PIPE"},
    {"TEXT", "sockcat -u TEXT:'hello\\n' -"},
    {"TUN", "sockcat TUN:192.168.255.1/24,up UDP-CONNECT:localhost:9000"},
    {"UDP-CONNECT", "sockcat -t 1 - UDP-CONNECT:localhost:9000"},
    {"UDP-DATAGRAM", "sockcat - UDP-DATAGRAM:224.0.0.1:9000,ip-add-membership=224.0.0.1:lo"},
    {"UDP-LISTEN", "sockcat UDP-LISTEN:9000,fork UPPER"},
    {"UDP-RECV", "sockcat -u UDP-RECV:9000 -"},
    {"UDP-RECVFROM", "sockcat UDP-RECVFROM:9000,fork UPPER"},
    {"UDP-SENDTO", "sockcat -u - UDP-SENDTO:localhost:9000"},
    {"UDPLITE-CONNECT", "sockcat -t 1 - UDPLITE-CONNECT:localhost:9000"},
    {"UDPLITE-DATAGRAM", "sockcat - UDPLITE-DATAGRAM:224.0.0.1:9000"},
    {"UDPLITE-LISTEN", "sockcat UDPLITE-LISTEN:9000,fork UPPER"},
    {"UDPLITE-RECV", "sockcat -u UDPLITE-RECV:9000 -"},
    {"UDPLITE-RECVFROM", "sockcat UDPLITE-RECVFROM:9000,fork UPPER"},
    {"UDPLITE-SENDTO", "sockcat -u - UDPLITE-SENDTO:localhost:9000"},
    {"UNIX-CLIENT", "sockcat - UNIX-CLIENT:./socket"},
    {"UNIX-CONNECT", "sockcat - UNIX-CONNECT:./socket"},
    {"UNIX-LISTEN", "sockcat UNIX-LISTEN:./socket,fork,mode=600 PIPE"},
    {"UNIX-RECV", "sockcat -u UNIX-RECV:./socket -"},
    {"UNIX-RECVFROM", "sockcat UNIX-RECVFROM:./socket,fork UPPER"},
    {"UNIX-SENDTO", "sockcat -u - UNIX-SENDTO:./socket"},
    {"UPPER", "sockcat TCP-LISTEN:9000,fork UPPER"},
    {"VSOCK-CONNECT", "sockcat - VSOCK-CONNECT:2:9000"},
    {"VSOCK-LISTEN", "sockcat VSOCK-LISTEN:9000,fork PIPE"},
});
static_assert(ascending(examples, &ExampleRow::keyword));

}  // namespace

std::span<const Placeholder> placeholders() { return meanings; }

std::string_view placeholder_of(const OptionRow& row) {
  const ValueRow* known = value_row(row);
  return known != nullptr ? known->placeholder : placeholder_of_type(row.type);
}

bool needs_value(const OptionRow& row) {
  return !placeholder_of(row).empty() && row.type != ValueType::text_or_nothing;
}

std::string_view default_of(const OptionRow& row) {
  const ValueRow* known = value_row(row);
  return known != nullptr ? known->otherwise : std::string_view{};
}

std::string_view next_parameter(std::string_view& syntax) {
  const auto begin = syntax.find('<');
  const auto end = syntax.find('>', begin);
  if (begin == syntax.npos || end == syntax.npos) return {};
  const auto name = syntax.substr(begin + 1, end - begin - 1);
  syntax.remove_prefix(end + 1);
  return name;
}

std::string_view placeholder_of_parameter(std::string_view parameter) {
  const auto* row = find_row(std::span<const ParameterRow>(parameters), &ParameterRow::parameter, parameter);
  return row != nullptr ? row->placeholder : parameter;
}

std::string_view example_of(const KeywordRow& row) {
  std::string name(row.name);
  const auto find = [&] {
    return find_row(std::span<const ExampleRow>(examples), &ExampleRow::keyword, std::string_view(name));
  };
  const auto* example = find();
  const auto version = name.find_first_of("46");
  if (example == nullptr && version != name.npos) {
    name.erase(version, 1);
    example = find();
  }
  return example != nullptr ? example->command : std::string_view{};
}

}  // namespace sluice
