#include "sluice/endpoint/apply.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "sluice/endpoint/option_value.h"
#include "sluice/endpoint/terminal.h"

namespace sluice {
namespace {

int integer_of(const Option& option) { return static_cast<int>(number_of(option)); }

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

/// `group:interface-address:sender` (ip(7) ip_mreq_source).
ip_mreq_source source_membership_of(const Address& address, const Option& option) {
  const auto parts = split(option.text, ':');
  ip_mreq_source request{};
  if (parts.size() != 3 || ::inet_pton(AF_INET, parts[0].c_str(), &request.imr_multiaddr) != 1 ||
      ::inet_pton(AF_INET, parts[1].c_str(), &request.imr_interface) != 1 ||
      ::inet_pton(AF_INET, parts[2].c_str(), &request.imr_sourceaddr) != 1)
    refuse(address, option, "expects <multicast-address>:<interface-address>:<source-address>");
  return request;
}

/// Addresses of IPv6 hold colons: takes what stands before the next colon that no brackets enclose.
std::string take_part(std::string& text) {
  const auto bracket = text.starts_with('[') ? text.find(']') : 0;
  const auto colon = bracket == text.npos ? text.npos : text.find(':', bracket);
  std::string part = text.substr(0, colon);
  text = colon == text.npos ? std::string() : text.substr(colon + 1);
  if (part.size() >= 2 && part.front() == '[' && part.back() == ']') part = part.substr(1, part.size() - 2);
  return part;
}

sockaddr_storage ip6_of(const std::string& text) {
  sockaddr_in6 six{};
  sockaddr_storage storage{};
  if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) != 1) return storage;
  six.sin6_family = AF_INET6;
  std::memcpy(&storage, &six, sizeof six);
  return storage;
}

/// `[group]:interface:[sender]` (RFC 3678).
group_source_req source_group_of(const Address& address, const Option& option) {
  std::string rest = option.text;
  group_source_req request{};
  request.gsr_group = ip6_of(take_part(rest));
  const std::string interface = take_part(rest);
  request.gsr_source = ip6_of(take_part(rest));
  if (request.gsr_group.ss_family == 0 || request.gsr_source.ss_family == 0 || interface.empty() ||
      !rest.empty())
    refuse(address, option, "expects [<multicast-address>]:<interface>:[<source-address>]");
  request.gsr_interface = static_cast<unsigned>(interface_of(address, option, interface).index);
  return request;
}

template <class Bytes>
void set(const Address& address, const Option& option, int fd, const Bytes& value,
         std::size_t size = sizeof(Bytes)) {
  const Effect& effect = option.row->effect;
  if (::setsockopt(fd, effect.level, effect.number, &value, static_cast<socklen_t>(size)) != 0)
    fail(address, option, last_error());
}

void set_data(const Address& address, const Option& option, int fd, std::string_view data) {
  const Effect& effect = option.row->effect;
  if (::setsockopt(fd, effect.level, effect.number, data.data(), static_cast<socklen_t>(data.size())) != 0)
    fail(address, option, last_error());
}

/// The data of all uses of an option up to this one: each adds to what was set before (ip-options).
std::string data_so_far(const Address& address, const Option& option) {
  std::string data;
  for (const Option& one : address.options) {
    if (one.row == option.row) data += std::get<Numbered>(one.value).data;
    if (&one == &option) break;
  }
  return data;
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
    case ValueType::ip_source_membership:
      return set(address, option, fd, source_membership_of(address, option));
    case ValueType::generic:
      return set(address, option, fd, source_group_of(address, option));
    case ValueType::binary:
      return set_data(address, option, fd, data_so_far(address, option));
    case ValueType::int_triple: {
      const auto& numbers = std::get<Numbered>(option.value).numbers;
      const std::array<int, 3> three = {static_cast<int>(numbers[0]), static_cast<int>(numbers[1]),
                                        static_cast<int>(numbers[2])};
      return set(address, option, fd, three);
    }
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

/// setsockopt-int=1:6:10000 and the like.
bool set_numbered(const Option& option, int fd) {
  const auto& [numbers, data] = std::get<Numbered>(option.value);
  return ::setsockopt(fd, static_cast<int>(numbers[0]), static_cast<int>(numbers[1]), data.data(),
                      static_cast<socklen_t>(data.size())) == 0;
}

bool call_ioctl(const Option& option, int fd) {
  if (option.row->type == ValueType::integer)
    return ::ioctl(fd, static_cast<unsigned long>(static_cast<unsigned>(integer_of(option))), nullptr) >= 0;
  auto call = std::get<Numbered>(option.value);
  const auto request = static_cast<unsigned long>(call.numbers[0]);
  if (option.row->type == ValueType::int_int)
    return ::ioctl(fd, request, static_cast<unsigned long>(call.numbers[1])) >= 0;
  return ::ioctl(fd, request, call.data.data()) >= 0;
}

bool set_file_attribute(const Option& option, int fd) {
  int attributes = 0;
  if (::ioctl(fd, FS_IOC_GETFLAGS, &attributes) != 0) return false;
  const int wanted = integer_of(option) != 0 ? attributes | option.row->effect.number
                                             : attributes & ~option.row->effect.number;
  return ::ioctl(fd, FS_IOC_SETFLAGS, &wanted) == 0;
}

/// Tries to lock, as far as that needs no waiting. Locks on records belong to the open file, not to the
/// process (F_OFD_SETLK), so that sessions of one process hold each other off as those of several would.
bool try_lock(const Option& option, int fd) {
  const Effect& effect = option.row->effect;
  if (integer_of(option) == 0) return true;
  if (effect.kind == Effect::file_lock) return ::flock(fd, effect.number | LOCK_NB) == 0;
  struct flock lock {};
  lock.l_type = static_cast<short>(effect.number);
  lock.l_whence = SEEK_SET;
  return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool is_lock(const Option& option) {
  return option.row->effect.kind == Effect::file_lock || option.row->effect.kind == Effect::record_lock;
}

bool waits_for_lock(const Option& option) {
  const Effect& effect = option.row->effect;
  if (!is_lock(option) || integer_of(option) == 0) return false;
  return effect.kind == Effect::file_lock ? (effect.number & LOCK_NB) == 0 : effect.level == F_SETLKW;
}

/// Whether open(2) is what makes it: a pipe without a name is made otherwise.
bool is_opened(const Address& address) {
  const Group groups = address.keyword->groups;
  return overlap(groups, Group::open | Group::reg) &&
         !(overlap(groups, Group::named) && address.parameters.empty());
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
    case Effect::numbered_socket_option:
      return demand(set_numbered(option, fd));
    case Effect::fcntl_flag:
      return set_status_flag(address, option, fd);
    case Effect::open_flag:
      // Every descriptor of ours is non-blocking already, and one that we share must not become so.
      if ((overlap(address.keyword->groups, Group::open) && is_opened(address)) ||
          effect.number == O_NONBLOCK)
        return;
      return set_status_flag(address, option, fd);
    case Effect::record_lock:
    case Effect::file_lock:
      return demand(waits_for_lock(option) || try_lock(option, fd));
    case Effect::file_attribute:
      return demand(set_file_attribute(option, fd));
    case Effect::ioctl:
      return demand(call_ioctl(option, fd));
    case Effect::ioctl_number: {
      int value = integer_of(option);
      return demand(::ioctl(fd, static_cast<unsigned long>(effect.number), &value) == 0);
    }
    case Effect::seek:
      return demand(::lseek(fd, std::get<std::int64_t>(option.value), effect.number) >= 0);
    case Effect::truncate:
      return demand(::ftruncate(fd, std::get<std::int64_t>(option.value)) == 0);
    case Effect::mode:
      // What is opened by its name gets it as it is made (open(2)), or keeps its own.
      if (option.row->phase == Phase::fd && is_opened(address) &&
          overlap(address.keyword->groups, Group::named))
        return;
      return demand(::fchmod(fd, static_cast<mode_t>(std::get<std::int64_t>(option.value))) == 0);
    case Effect::user:
      return demand(::fchown(fd, identity(), static_cast<gid_t>(-1)) == 0);
    case Effect::group:
      return demand(::fchown(fd, static_cast<uid_t>(-1), identity()) == 0);
    case Effect::code:
      return demand(apply_by_name(option, fd));
    case Effect::interface_flag:  // the endpoint applies those, to the interface
    default:                      // and those of a terminal are applied together
      return;
  }
}

constexpr int access_flags = O_RDONLY | O_WRONLY | O_RDWR;

}  // namespace

void apply(const Address& address, std::initializer_list<Phase> phases, int fd, const Context& context) {
  const auto say = [&](const Option& option) {
    if (option.row->effect.kind == Effect::code || !context.log.enabled(Severity::info)) return;
    context.log.info("setting option \"" + std::string(option.row->name) + "\" to " +
                     (option.has_text ? option.text : "1"));
  };
  const auto attempt = [&](auto&& action) {
    try {
      action();
    } catch (const Failure& failure) {
      if (!context.sloppy) throw;
      context.log.warning(failure.what());
    }
  };
  for (const Phase phase : phases) {
    if (phase == Phase::fd && has_terminal_options(address))
      attempt([&] { apply_terminal_options(address, fd); });
    for (const Option& option : address.options)
      if (option.row->phase == phase) {
        say(option);
        attempt([&] { apply_one(address, option, fd); });
      }
  }
}

bool has_waiting_lock(const Address& address) {
  return std::any_of(address.options.begin(), address.options.end(), waits_for_lock);
}

Task<> wait_for_locks(const Address& address, int fd, const Context& context) {
  // The kernel tells nobody when a lock is released, but to a thread that waits in the call.
  constexpr auto pause = std::chrono::milliseconds(10);
  for (const Option& option : address.options) {
    if (!waits_for_lock(option)) continue;
    while (!try_lock(option, fd)) {
      if (errno != EWOULDBLOCK && errno != EACCES && errno != EINTR) fail(address, option, last_error());
      co_await context.loop.sleep(pause);
    }
  }
  const bool empties = address.flag("o-trunc") || address.keyword->name == "CREATE";
  if (empties && has_waiting_lock(address))
    check(std::string(address.written()) + ": empty the file", ::ftruncate(fd, 0));
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
  // What another is still writing is not to be cut before the lock is ours (wait_for_locks).
  if (has_waiting_lock(address)) flags &= ~O_TRUNC;
  return flags;
}

std::optional<mode_t> wanted_mode(const Address& address) {
  for (const auto* name : {"perm-early", "perm"})
    if (const auto mode = address.integer(name)) return static_cast<mode_t>(*mode);
  return std::nullopt;
}

void apply_ownership(const Address& address, const std::string& path, Phase phase) {
  for (const Option& option : address.options) {
    const auto kind = option.row->effect.kind;
    if ((kind != Effect::user && kind != Effect::group) || option.row->phase != phase) continue;
    const auto id = static_cast<unsigned>(std::get<std::int64_t>(option.value));
    const bool user = kind == Effect::user;
    if (::lchown(path.c_str(), user ? id : static_cast<uid_t>(-1), user ? static_cast<gid_t>(-1) : id) != 0)
      fail(address, option, last_error());
  }
}

std::optional<std::string> path_option(const Address& address, std::string_view name) {
  auto path = address.text(name);
  const auto directory = address.text("chdir");
  if (path && directory && !path->starts_with('/')) return *directory + '/' + *path;
  return path;
}

/// One that `ip netns add` has made (ip-netns(8)), or any by its path.
std::string network_namespace_path(const std::string& name) {
  return name.find('/') == name.npos ? "/run/netns/" + name : name;
}

namespace {

void enter_network_namespace(const Address& address, const std::string& name) {
  const std::string path = network_namespace_path(name);
  const Fd fd(check(std::string(address.written()) + ": open network namespace " + path,
                    ::open(path.c_str(), O_RDONLY | O_CLOEXEC)));
  check(std::string(address.written()) + ": enter network namespace " + path,
        ::setns(fd.get(), CLONE_NEWNET));
}

}  // namespace

// What was entered is left even if the next step fails: the object is whole once the other constructor is
// done.
ProcessSection::ProcessSection(const Address& address) : ProcessSection() {
  if (const auto directory = address.text("chdir")) {
    directory_ = Fd(check("open .", ::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
    check("chdir " + *directory, ::chdir(directory->c_str()));
  }
  if (const auto name = address.text("netns")) {
    namespace_ =
        Fd(check("open /proc/thread-self/ns/net", ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)));
    enter_network_namespace(address, *name);
  }
  if (const auto mask = address.integer("umask")) mask_ = ::umask(static_cast<mode_t>(*mask));
}

ProcessSection::~ProcessSection() {
  if (mask_) ::umask(*mask_);
  if (namespace_) ::setns(namespace_.get(), CLONE_NEWNET);
  if (directory_) [[maybe_unused]]
    auto ignored = ::fchdir(directory_.get());
}

}  // namespace sluice
