#include "sluice/endpoint/apply.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace sluice {
namespace {

[[noreturn]] void fail(const Address& address, const Option& option, std::error_code why) {
  throw Failure(std::string(address.written()) + ": option \"" + std::string(option.row->name) + "\"", why);
}

[[noreturn]] void refuse(const Address& address, const Option& option, std::string_view message) {
  throw AddressError(address, option.place,
                     "option \"" + std::string(option.row->name) + "\": " + std::string(message));
}

int integer_of(const Option& option) {
  if (const auto* number = std::get_if<std::int64_t>(&option.value)) return static_cast<int>(*number);
  if (const auto* flag = std::get_if<bool>(&option.value)) return *flag ? 1 : 0;
  return 1;
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(at);
    parts.emplace_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// An interface by name, number, or one of its IPv4 addresses.
struct InterfaceName {
  in_addr address{};
  int index = 0;
};

InterfaceName interface_of(const Address& address, const Option& option, const std::string& text) {
  InterfaceName interface;
  if (::inet_pton(AF_INET, text.c_str(), &interface.address) == 1) return interface;
  interface.index = static_cast<int>(::if_nametoindex(text.c_str()));
  if (interface.index == 0 && !text.empty() && text.find_first_not_of("0123456789") == text.npos)
    interface.index = std::stoi(text);
  if (interface.index == 0) refuse(address, option, "no interface \"" + text + '"');
  return interface;
}

/// `group:interface` or, as socat has it too, `group:interface-address:interface-index` (ip(7) ip_mreqn).
ip_mreqn membership_of(const Address& address, const Option& option) {
  const auto parts = split(option.text, ':');
  ip_mreqn request{};
  if (parts.size() > 3 || ::inet_pton(AF_INET, parts[0].c_str(), &request.imr_multiaddr) != 1)
    refuse(address, option, "expects <multicast-address>:<interface>");
  if (!IN_MULTICAST(ntohl(request.imr_multiaddr.s_addr)))
    refuse(address, option, parts[0] + " is no multicast address");
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto interface = interface_of(address, option, parts[i]);
    if (interface.index != 0)
      request.imr_ifindex = interface.index;
    else
      request.imr_address = interface.address;
  }
  return request;
}

ipv6_mreq membership6_of(const Address& address, const Option& option) {
  std::string text = option.text;
  ipv6_mreq request{};
  std::string interface;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) refuse(address, option, "expects [<multicast-address>]:<interface>");
    if (end + 2 <= text.size()) interface = text.substr(end + 2);
    text = text.substr(1, end - 1);
  }
  if (::inet_pton(AF_INET6, text.c_str(), &request.ipv6mr_multiaddr) != 1)
    refuse(address, option, "expects [<multicast-address>]:<interface>");
  if (!interface.empty())
    request.ipv6mr_interface = static_cast<unsigned>(interface_of(address, option, interface).index);
  return request;
}

template <class Bytes>
void set(const Address& address, const Option& option, int fd, const Bytes& value,
         std::size_t size = sizeof(Bytes)) {
  const Effect& effect = option.row->effect;
  if (::setsockopt(fd, effect.level, effect.number, &value, static_cast<socklen_t>(size)) != 0)
    fail(address, option, last_error());
}

void set_socket_option(const Address& address, const Option& option, int fd) {
  switch (option.row->type) {
    case ValueType::linger: {
      const linger value{integer_of(option) >= 0 ? 1 : 0, integer_of(option)};
      return set(address, option, fd, value);
    }
    case ValueType::ip4_name: {
      const auto interface = interface_of(address, option, option.text);
      ip_mreqn value{};
      value.imr_address = interface.address;
      value.imr_ifindex = interface.index;
      return set(address, option, fd, value);
    }
    case ValueType::ip_membership:
      if (option.row->effect.level == IPPROTO_IPV6)
        return set(address, option, fd, membership6_of(address, option));
      return set(address, option, fd, membership_of(address, option));
    case ValueType::text:
    case ValueType::text_or_nothing:
      if (::setsockopt(fd, option.row->effect.level, option.row->effect.number, option.text.data(),
                       static_cast<socklen_t>(option.text.size())) != 0)
        fail(address, option, last_error());
      return;
    case ValueType::timeval: {
      const auto span = std::get<std::chrono::nanoseconds>(option.value);
      const timeval value{span.count() / 1'000'000'000, span.count() % 1'000'000'000 / 1000};
      return set(address, option, fd, value);
    }
    default:
      return set(address, option, fd, integer_of(option));
  }
}

void set_status_flag(const Address& address, const Option& option, int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  const int wanted =
      integer_of(option) != 0 ? flags | option.row->effect.number : flags & ~option.row->effect.number;
  if (flags < 0 || ::fcntl(fd, F_SETFL, wanted) != 0) fail(address, option, last_error());
}

/// The options that no table can describe and that still are a single call on a descriptor.
bool apply_by_name(const Option& option, int fd) {
  if (option.row->name == "cloexec")
    return ::fcntl(fd, F_SETFD, integer_of(option) != 0 ? FD_CLOEXEC : 0) == 0;
  if (option.row->name == "f-setpipe-sz") return ::fcntl(fd, F_SETPIPE_SZ, integer_of(option)) >= 0;
  return true;
}

void apply_one(const Address& address, const Option& option, int fd) {
  const Effect& effect = option.row->effect;
  const auto demand = [&](bool worked) {
    if (!worked) fail(address, option, last_error());
  };
  const auto identity = [&] { return static_cast<unsigned>(std::get<std::int64_t>(option.value)); };
  switch (effect.kind) {
    case Effect::socket_option:
      return set_socket_option(address, option, fd);
    case Effect::fcntl_flag:
      return set_status_flag(address, option, fd);
    case Effect::seek:
      return demand(::lseek(fd, std::get<std::int64_t>(option.value), effect.number) >= 0);
    case Effect::truncate:
      return demand(::ftruncate(fd, std::get<std::int64_t>(option.value)) == 0);
    case Effect::mode:
      return demand(::fchmod(fd, static_cast<mode_t>(std::get<std::int64_t>(option.value))) == 0);
    case Effect::user:
      return demand(::fchown(fd, identity(), static_cast<gid_t>(-1)) == 0);
    case Effect::group:
      return demand(::fchown(fd, static_cast<uid_t>(-1), identity()) == 0);
    case Effect::code:
      return demand(apply_by_name(option, fd));
    case Effect::not_yet:
    case Effect::open_flag:
      return;
  }
}

constexpr int access_flags = O_RDONLY | O_WRONLY | O_RDWR;

}  // namespace

void apply(const Address& address, std::initializer_list<Phase> phases, int fd, const Context& context) {
  for (const Phase phase : phases)
    for (const Option& option : address.options) {
      if (option.row->phase != phase) continue;
      try {
        apply_one(address, option, fd);
      } catch (const Failure& failure) {
        if (!context.sloppy) throw;
        context.log.warning(failure.what());
      }
    }
}

int open_flags(const Address& address, int flags) {
  for (const Option& option : address.options) {
    if (option.row->effect.kind != Effect::open_flag) continue;
    const int flag = option.row->effect.number;
    const bool on = integer_of(option) != 0;
    // O_RDONLY is no bit, it is 0.
    if ((flag & ~access_flags) == 0) {
      if (on) flags = (flags & ~access_flags) | flag;
    } else {
      flags = on ? flags | flag : flags & ~flag;
    }
  }
  return flags;
}

std::optional<mode_t> wanted_mode(const Address& address) {
  for (const auto* name : {"perm-early", "perm"})
    if (const auto mode = address.integer(name)) return static_cast<mode_t>(*mode);
  return std::nullopt;
}

void apply_ownership(const Address& address, const std::string& path) {
  for (const Option& option : address.options) {
    const auto kind = option.row->effect.kind;
    if (kind != Effect::user && kind != Effect::group) continue;
    const auto id = static_cast<unsigned>(std::get<std::int64_t>(option.value));
    const bool user = kind == Effect::user;
    if (::lchown(path.c_str(), user ? id : static_cast<uid_t>(-1), user ? static_cast<gid_t>(-1) : id) != 0)
      fail(address, option, last_error());
  }
}

ProcessSection::ProcessSection(const Address& address) {
  if (const auto directory = address.text("chdir")) {
    directory_ = Fd(check("open .", ::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
    check("chdir " + *directory, ::chdir(directory->c_str()));
  }
  if (const auto mask = address.integer("umask")) mask_ = ::umask(static_cast<mode_t>(*mask));
}

ProcessSection::~ProcessSection() {
  if (mask_) ::umask(*mask_);
  if (directory_) [[maybe_unused]]
    auto ignored = ::fchdir(directory_.get());
}

}  // namespace sluice
