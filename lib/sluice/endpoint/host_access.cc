#include "sluice/endpoint/host_access.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

/// What is used of libwrap (hosts_access(3)). Its tables are variables, so one asks at a time.
struct Library {
  int (*ask)(char* daemon, char* name, char* address, char* user) = nullptr;
  const char** allow_table = nullptr;
  const char** deny_table = nullptr;
  std::mutex mutex;

  Library() {
    void* const library = ::dlopen("libwrap.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return;
    allow_table = static_cast<const char**>(::dlsym(library, "hosts_allow_table"));
    deny_table = static_cast<const char**>(::dlsym(library, "hosts_deny_table"));
    if (allow_table != nullptr && deny_table != nullptr)
      ask = reinterpret_cast<decltype(ask)>(::dlsym(library, "hosts_ctl"));
  }
};

Library& library() {
  static Library one;
  return one;
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// The lines of a file; none where it cannot be read.
std::vector<std::string> lines_of(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  std::string text;
  char part[4096];
  for (Attempt got{1}; file && got.count > 0;) {
    got = uninterrupted([&] { return ::read(file.get(), part, sizeof part); });
    if (got.count > 0) text.append(part, static_cast<std::size_t>(got.count));
  }
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

/// A rule of a table, with the number of its first line. One that ends in a backslash goes on in the next
/// line.
struct Rule {
  std::string text;
  std::size_t number;
};

std::vector<Rule> rules_of(const std::string& table) {
  std::vector<Rule> rules;
  bool goes_on = false;
  std::size_t number = 0;
  for (std::string& line : lines_of(table)) {
    ++number;
    if (!std::exchange(goes_on, line.ends_with('\\'))) rules.push_back({{}, number});
    if (goes_on) line.pop_back();
    rules.back().text += line;
  }
  return rules;
}

/// The first two fields of a rule; a colon in brackets is one of an address of IPv6.
std::vector<std::string> fields_of(std::string_view rule) {
  std::vector<std::string> fields(1);
  int brackets = 0;
  for (const char c : rule) {
    if (c == '[') ++brackets;
    if (c == ']') --brackets;
    if (c == ':' && brackets <= 0)
      fields.emplace_back();
    else
      fields.back() += c;
  }
  fields.resize(2);
  return fields;
}

std::vector<std::string> elements_of(std::string_view list) {
  constexpr std::string_view separators = ", \t\r";
  std::vector<std::string> elements;
  for (;;) {
    const auto begin = list.find_first_not_of(separators);
    if (begin == list.npos) return elements;
    const auto end = std::min(list.find_first_of(separators, begin), list.size());
    elements.emplace_back(list.substr(begin, end - begin));
    list.remove_prefix(end);
  }
}

/// Whether a list of daemons may mean this one. Exceptions are not looked at: too much is refused then.
bool may_mean(const std::vector<std::string>& daemons, const std::string& daemon) {
  return std::any_of(daemons.begin(), daemons.end(), [&](const std::string& one) {
    const std::string_view name = std::string_view(one).substr(0, one.find('@'));
    return same(name, "ALL") || same(name, daemon) || name.starts_with('/') ||
           name.find_first_of("*?") != name.npos;
  });
}

bool suffices(Known known, std::string_view pattern) {
  // The library's own question to the client's host (RFC 1413) is not asked.
  if (pattern.find('@', 1) != pattern.npos) return false;
  if (known == Known::address_and_name) return true;
  if (same(pattern, "ALL") || same(pattern, "EXCEPT")) return true;
  if (pattern.starts_with('[')) return true;
  // A wildcard alone takes an address in as well as a name.
  return pattern.find_first_not_of("0123456789./*?") == pattern.npos && !pattern.starts_with('.') &&
         !pattern.starts_with('/');
}

std::string first_beyond(Known known, const std::vector<std::string>& patterns) {
  for (const std::string& one : patterns) {
    if (one.starts_with('/')) {
      for (const std::string& line : lines_of(one))
        for (const std::string& listed : elements_of(line))
          if (!suffices(known, listed)) return listed;
    } else if (!suffices(known, one)) {
      return one;
    }
  }
  return {};
}

}  // namespace

std::string pattern_beyond(Known known, const std::string& table, const std::string& daemon) {
  for (const auto& [rule, number] : rules_of(table)) {
    if (rule.starts_with('#')) continue;
    const auto fields = fields_of(rule);
    const auto daemons = elements_of(fields[0]);
    if (!may_mean(daemons, daemon)) continue;
    // Where a rule is for a daemon at one of our names, which the library does not get either.
    const auto at = std::find_if(daemons.begin(), daemons.end(),
                                 [](const std::string& one) { return one.find('@') != one.npos; });
    const std::string pattern = at != daemons.end() ? *at : first_beyond(known, elements_of(fields[1]));
    if (!pattern.empty())
      return "pattern \"" + pattern + "\" in " + table + ", line " + std::to_string(number);
  }
  return {};
}

std::string checked_name(const SocketName& client, const std::string& name,
                         const std::vector<SocketName>& addresses) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  constexpr std::array<std::string_view, 5> words = {"unknown", "paranoid", "known", "local", "all"};
  if (name.empty()) return "unknown";
  const bool is_word =
      std::any_of(words.begin(), words.end(), [&](std::string_view word) { return same(word, name); });
  const bool is_name =
      !is_word && name.find_first_not_of(letters) == name.npos && !numeric_host(name, AF_UNSPEC);
  const bool agrees = std::any_of(addresses.begin(), addresses.end(), [&](const SocketName& one) {
    return one.with_port(0).host() == client.with_port(0).host();
  });
  return is_name && agrees ? name : "paranoid";
}

std::string look_up_name(const SocketName& client) {
  // Of this thread alone (resolver(3)).
  ::res_init();
  _res.retrans = 2;
  _res.retry = 1;
  // What a client's name server calls it is a whole name.
  _res.options &= ~static_cast<unsigned long>(RES_DNSRCH | RES_DEFNAMES);
  char name[NI_MAXHOST] = "";
  if (::getnameinfo(client.data(), client.size(), name, sizeof name, nullptr, 0, NI_NAMEREQD) != 0)
    return checked_name(client, "", {});
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = client.family();
  addrinfo* found = nullptr;
  std::vector<SocketName> addresses;
  if (::getaddrinfo(name, nullptr, &hints, &found) == 0) {
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next)
      addresses.emplace_back(one->ai_addr, one->ai_addrlen);
    ::freeaddrinfo(found);
  }
  return checked_name(client, name, addresses);
}

std::optional<HostAccess> HostAccess::of(const Address& address, Known known) {
  const Option* option = address.find("tcpwrappers");
  const auto etc = path_option(address, "tcpwrap-etc");
  const auto allow = path_option(address, "tcpwrap-hosts-allow-table");
  const auto deny = path_option(address, "tcpwrap-hosts-deny-table");
  if (option == nullptr && !etc && !allow && !deny) return std::nullopt;
  if (library().ask == nullptr)
    throw AddressError(address, option != nullptr ? option->place : address.place,
                       "tcpwrap needs libwrap.so.0 (Debian's package libwrap0)");
  HostAccess access;
  access.daemon_ = option != nullptr && option->has_text ? option->text : program_invocation_short_name;
  access.allow_ = allow ? *allow : etc ? *etc + "/hosts.allow" : *library().allow_table;
  access.deny_ = deny ? *deny : etc ? *etc + "/hosts.deny" : *library().deny_table;
  if (const std::string rule = access.rule_beyond(known); !rule.empty())
    throw AddressError(address, option != nullptr ? option->place : address.place,
                       std::string("tcpwrap judges clients by their ") +
                           (known == Known::address ? "addresses" : "addresses and names") +
                           " only here, but there is a " + rule);
  return access;
}

std::string HostAccess::rule_beyond(Known known) const {
  std::string rule = pattern_beyond(known, allow_, daemon_);
  return rule.empty() ? pattern_beyond(known, deny_, daemon_) : rule;
}

bool HostAccess::permits(const SocketName& client) const {
  // The tables may have changed since.
  return rule_beyond(Known::address).empty() && ask(client, "unknown");
}

bool HostAccess::permits(const SocketName& client, const std::string& name) const {
  return rule_beyond(Known::address_and_name).empty() && ask(client, name);
}

bool HostAccess::ask(const SocketName& client, std::string name) const {
  Library& all = library();
  const std::lock_guard lock(all.mutex);
  const char* const usual_allow = *all.allow_table;
  const char* const usual_deny = *all.deny_table;
  *all.allow_table = allow_.c_str();
  *all.deny_table = deny_.c_str();
  std::string daemon = daemon_, address = client.host(), user = "unknown";
  const bool granted = all.ask(daemon.data(), name.data(), address.data(), user.data()) != 0;
  *all.allow_table = usual_allow;
  *all.deny_table = usual_deny;
  return granted;
}

}  // namespace sluice
