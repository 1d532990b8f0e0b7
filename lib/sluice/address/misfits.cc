#include "sluice/address/misfits.h"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

/// Names in one text are separated by '|', as choices are; a star in one stands for the rest.
struct Misfit {
  std::string_view options;
  std::string_view keywords;
  std::string_view without;  ///< options of which each makes it fit; empty: none does
  std::string_view reason;
  std::string_view beside = {};  ///< it fits unless one of these is given
  Group groups = Group::none;    ///< instead of names: options of these groups alone
};

/// What stands for a parameter among those that make an option fit.
constexpr std::string_view parameter = "<filename>";

constexpr std::string_view programs = "EXEC|SYSTEM|SHELL";
constexpr std::string_view terminals = "pty|openpty|ptmx";
constexpr std::string_view inherited = "FD|STDIO|STDIN|STDOUT|STDERR";
constexpr std::string_view local_names =
    "UNIX-LISTEN|UNIX-RECV|UNIX-RECVFROM|ABSTRACT-LISTEN|ABSTRACT-RECV|ABSTRACT-RECVFROM";

constexpr auto rows = std::to_array<Misfit>({
    {"", programs, "", "its program is given what the other side has", "nofork",
     Group::fd | Group::fifo | Group::socket | Group::unix_ | Group::termios | Group::pty},
    {"readbytes|ignoreeof|cr|crnl", programs, "", "its program is given what the other side has", "nofork"},
    {"pty-end-on-close|pty-wait-slave", programs, "", "the program has its terminal open from the beginning"},
    {"pty-interval|sitout-eio|symbolic-link|tiocsctty", programs, terminals, "there is no pseudo terminal"},
    {"pty-interval", programs, "sitout-eio", "nobody is waited for"},
    {"protocol-family|so-protocol|so-type", programs, "", "there is no socket", "pipes|pty|openpty|ptmx"},
    {"bind|connect-timeout|unix-bind-tempname|unix-tightsocklen", programs, "",
     "the sockets of a program have no names"},
    {"bind|connect-timeout|lowport|protocol-family|so-protocol|so-type|sourceport|udp-ignore-peerport|"
     "unix-bind-tempname|unix-tightsocklen",
     inherited, "", "the descriptor is what it is"},
    {"bind|connect-timeout|protocol-family|so-protocol|so-type|udp-ignore-peerport|unix-bind-tempname|"
     "unix-tightsocklen",
     "ACCEPT-FD", "", "the listening socket is there already"},
    {"bind|connect-timeout", "SOCKETPAIR", "", "the sockets have no names"},
    {"bind|unix-bind-tempname", local_names, "", "its parameter is what it is bound to"},
    {"connect-timeout", "DCCP*-LISTEN|SCTP*-LISTEN|SOCKET-LISTEN|TCP*-LISTEN|UDP*-LISTEN|VSOCK-LISTEN", "",
     "it connects to nobody"},
    {"unlink-late", "UNIX-LISTEN", "", "nobody could connect any more"},
    {"unlink|unlink-early|unlink-late|perm|perm-early|user|user-early|group|group-early",
     "UNIX-CLIENT|UNIX-CONNECT|UNIX-SENDTO", "bind|unix-bind-tempname", "the server's path is its own"},
    {"unlink-late", "PTY", "symbolic-link", "the kernel removes its terminals itself"},
    {"unlink*|perm-early|user-early|group-early|o-creat|o-direct|o-directory|o-dsync|o-excl|o-largefile|"
     "o-noctty|o-nofollow|o-rdonly|o-rdwr|o-rsync|o-sync|o-trunc|o-wronly",
     "PIPE", parameter, "there is no file"},
    {"max-children", "*-LISTEN|*-CONNECT", "fork", "there is one session"},
    {"udp-ignore-peerport", "UDP*-CONNECT|UDP*-LISTEN|UDP*-RECV|UDP*-RECVFROM|UDP*-SENDTO", "",
     "only UDP-DATAGRAM hears other ports than the one that it sends to"},
    {"iff-no-pi|tun-*", "INTERFACE", "", "the interface is there already"},
    {"retrieve-vlan", "TUN", "", "the kernel takes no tags out of what comes here"},
});

/// A pattern with one star at most.
bool fits(std::string_view pattern, std::string_view name) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return name == pattern;
  const auto head = pattern.substr(0, star);
  const auto tail = pattern.substr(star + 1);
  return name.size() >= head.size() + tail.size() && name.starts_with(head) && name.ends_with(tail);
}

/// Whether something holds for one of the names.
template <class Holds>
bool any_of(std::string_view names, Holds holds) {
  while (!names.empty()) {
    const auto end = std::min(names.find('|'), names.size());
    if (holds(names.substr(0, end))) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

bool is_on(const Address& address, std::string_view name) {
  return name == parameter ? !address.parameters.empty() : address.flag(name);
}

/// Which of the names is given first, or nothing.
std::string_view given(const Address& address, std::string_view names) {
  std::string_view found;
  any_of(names, [&](std::string_view name) {
    if (is_on(address, name)) found = name;
    return !found.empty();
  });
  return found;
}

bool is_of(Group groups, const OptionRow& option) {
  return groups != Group::none &&
         (static_cast<std::uint64_t>(option.groups) & ~static_cast<std::uint64_t>(groups)) == 0;
}

bool is_about(const Misfit& row, const KeywordRow& keyword, const OptionRow& option) {
  return (is_of(row.groups, option) ||
          any_of(row.options, [&](auto name) { return fits(name, option.name); })) &&
         any_of(row.keywords, [&](auto name) { return fits(name, keyword.name); });
}

bool applies(const Misfit& row, const Address& address, const Option& option) {
  return is_about(row, *address.keyword, *option.row) &&
         (row.beside.empty() || !given(address, row.beside).empty()) && given(address, row.without).empty();
}

}  // namespace

bool can_fit(const KeywordRow& keyword, const OptionRow& option) {
  if (option.effect.kind == Effect::not_yet || !overlap(option.groups, keyword.groups | every_address))
    return false;
  return std::none_of(rows.begin(), rows.end(), [&](const Misfit& row) {
    return row.without.empty() && row.beside.empty() && is_about(row, keyword, option);
  });
}

std::optional<std::string> misfit(const Address& address, const Option& option) {
  // What is switched off has nothing to do.
  const bool* const on = std::get_if<bool>(&option.value);
  if (on != nullptr && !*on) return std::nullopt;
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const Misfit& one) { return applies(one, address, option); });
  if (row == rows.end()) return std::nullopt;
  std::string when;
  if (!row->beside.empty())
    when = " beside " + std::string(given(address, row->beside));
  else if (!row->without.empty() && row->without != parameter)
    when = " without " + std::string(row->without.substr(0, row->without.find('|')));
  return when + ": " + std::string(row->reason);
}

}  // namespace sluice
