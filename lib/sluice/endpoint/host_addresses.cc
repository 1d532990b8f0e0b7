#include "sluice/endpoint/host_addresses.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>

namespace sluice {
namespace {

bool equal_names(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// `localhost` or a name below it.
bool is_localhost(std::string_view name) {
  constexpr std::string_view localhost = "localhost";
  if (name.size() < localhost.size()) return false;
  const auto below = name.substr(0, name.size() - localhost.size());
  return equal_names(name.substr(below.size()), localhost) &&
         (below.empty() || (below.size() > 1 && below.back() == '.'));
}

/// getaddrinfo(3). No host at all is loopback, in the order that this system prefers.
HostAddresses ask_system(const char* host, int family, int flags) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = host != nullptr ? flags : flags & ~AI_PASSIVE;
  addrinfo* found = nullptr;
  HostAddresses result;
  result.error = ::getaddrinfo(host, host != nullptr ? nullptr : "0", &hints, &found);
  result.system_error = errno;
  if (result.error != 0) return result;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next)
    result.names.emplace_back(one->ai_addr, one->ai_addrlen);
  ::freeaddrinfo(found);
  return result;
}

/// The address in a line of hosts(5), if the line is about this name.
std::optional<SocketName> address_in(std::string_view line, std::string_view name) {
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> words;
  constexpr std::string_view blanks = " \t\r\n";
  for (;;) {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    if (line.empty()) break;
    words.push_back(line.substr(0, line.find_first_of(blanks)));
    line.remove_prefix(words.back().size());
  }
  if (words.size() < 2 || std::none_of(words.begin() + 1, words.end(),
                                       [&](std::string_view word) { return equal_names(word, name); }))
    return std::nullopt;
  const auto found = ask_system(std::string(words.front()).c_str(), AF_UNSPEC, AI_NUMERICHOST);
  if (found.names.empty()) return std::nullopt;
  return found.names.front();
}

std::vector<SocketName> listed_in_hosts_file(std::string_view name) {
  std::vector<SocketName> listed;
  const std::unique_ptr<FILE, int (*)(FILE*)> file(::fopen("/etc/hosts", "re"), ::fclose);
  if (!file) return listed;
  char* line = nullptr;
  std::size_t room = 0;
  for (ssize_t size; (size = ::getline(&line, &room, file.get())) >= 0;)
    if (const auto address = address_in({line, static_cast<std::size_t>(size)}, name))
      listed.push_back(*address);
  ::free(line);
  return listed;
}

HostAddresses addresses_of_localhost(std::string_view name, int family, int flags) {
  HostAddresses loopback = ask_system(nullptr, family, flags);
  const auto listed = listed_in_hosts_file(name);
  if (listed.empty() || loopback.error != 0) return loopback;
  HostAddresses result;
  for (const SocketName& one : loopback.names)
    std::copy_if(listed.begin(), listed.end(), std::back_inserter(result.names),
                 [&](const SocketName& other) { return other.family() == one.family(); });
  if (result.names.empty()) result.error = EAI_ADDRFAMILY;
  return result;
}

}  // namespace

std::string HostAddresses::message() const {
  if (error == EAI_SYSTEM) return std::error_code(system_error, std::generic_category()).message();
  return ::gai_strerror(error);
}

HostAddresses addresses_of_host(const std::string& host, int family, int flags) {
  // The last dot says that a name is complete, and is no part of it.
  const auto name = std::string_view(host).substr(0, host.size() - (host.ends_with('.') ? 1 : 0));
  if ((flags & AI_NUMERICHOST) == 0 && is_localhost(name)) return addresses_of_localhost(name, family, flags);
  return ask_system(host.c_str(), family, flags);
}

}  // namespace sluice
