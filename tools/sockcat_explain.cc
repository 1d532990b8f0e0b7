#include <sys/socket.h>

#include <array>

#include "sluice/address/names.h"
#include "sluice/address/value_help.h"
#include "sluice/cli/quote.h"
#include "sluice/core/socket_name.h"
#include "sluice/core/visible.h"
#include "sluice/endpoint/command_line.h"
#include "sluice/endpoint/host_addresses.h"
#include "sockcat_options.h"

namespace sluice {
namespace {

/// What holds for an address unless an option says otherwise, or whatever they say.
struct Note {
  Group groups;               ///< addresses that have all of these
  Group without;              ///< and none of these
  std::string_view option{};  ///< this option, given, makes it void
  std::string_view text;
};

using enum Group;

constexpr std::array defaults = {
    Note{listen, none, "backlog", "as many connections may wait as the kernel grants (backlog)"},
    Note{listen | tcp, none, "so-reuseaddr",
         "a port is taken though old connections still use it (reuseaddr)"},
    Note{listen | ip4 | ip6, none, "protocol-family", "both IP versions are served (pf, -4, -6)"},
    Note{listen, none, "fork", "one connection is served, and then no more (fork)"},
    Note{listen | child, none, "max-children", "any number of peers is served at once (max-children)"},
    Note{retry, none, "retry", "a failed attempt is not repeated (retry, forever)"},
    Note{fork, none, "pty", "the program is joined by a socket pair (pty, pipes)"},
    Note{fork, none, "stderr", "the program's standard error is ours (stderr)"},
    Note{socket | child | retry, listen, "connect-timeout",
         "the kernel limits how long connecting takes (connect-timeout)"},
    Note{open, socket, "o-creat", "a file that is not there is not made (creat)"},
    Note{open, socket, "o-trunc", "a file keeps what it has (trunc, append)"},
    Note{named, none, "unlink-close", "what this address makes itself is removed at the end (unlink-close)"},
};

constexpr std::array differences = {
    Note{none, none, "exit-on",
         "a side that can end is waited for without limit; socat cuts it after 0.5 s (-t)"},
    Note{exec, none, {}, "the exit status is the program's own; socat's is 0 or 1"},
    Note{listen | ip4 | ip6, none, "protocol-family", "socat listens on IPv4 alone"},
    Note{child, none, {}, "no process is forked for a session"},
    Note{socket | named | unix_,
         none,
         {},
         "a path that a dead server left behind is replaced, a live one is an error"},
    Note{udp, fifo, {}, "a datagram is never cut silently, and empty ones arrive"},
};

/// Whether an address has all groups of one set and none of another.
bool fits(Group groups, const Note& note) {
  const auto bits = [](Group group) { return static_cast<std::uint64_t>(group); };
  return (bits(groups) & bits(note.groups)) == bits(note.groups) && !overlap(groups, note.without);
}

template <std::size_t count>
std::vector<std::string_view> notes(const Address& address, const std::array<Note, count>& table) {
  std::vector<std::string_view> texts;
  for (const Note& note : table)
    if (fits(address.keyword->groups, note) && (note.option.empty() || address.find(note.option) == nullptr))
      texts.push_back(note.text);
  return texts;
}

void append_notes(std::string& text, std::string_view title, const std::vector<std::string_view>& notes) {
  for (const std::string_view note : notes)
    text += "  " + std::string(title) + ": " + std::string(note) + '\n';
}

/// What a program of EXEC will be started with.
std::string command_text(const Address& address) {
  if (address.keyword->name != "EXEC") return {};
  std::string text = "  runs:";
  for (const std::string& word : split_command_line(address.parameters[0].text))
    text += ' ' + quoted_if_needed(word);
  return text + '\n';
}

std::string resolved(const Address& address, const std::string& host) {
  if (host.empty()) return {};
  std::string plain = host;
  if (plain.front() == '[' && plain.back() == ']') plain = plain.substr(1, plain.size() - 2);
  const std::string_view keyword = address.keyword->name;
  int family = AF_UNSPEC;
  if (keyword.find("4-") != keyword.npos) family = AF_INET;
  if (keyword.find("6-") != keyword.npos) family = AF_INET6;
  const HostAddresses found = addresses_of_host(plain, family, 0);
  if (found.error != 0) return " (" + found.message() + ')';
  std::string text;
  for (const SocketName& name : found.names) (text += text.empty() ? " (" : ", ") += name.host();
  return text + ')';
}

std::string effect_text(const OptionRow& row) {
  const Effect& effect = row.effect;
  const auto call = [&](std::string_view name, std::initializer_list<int> numbers) {
    std::string text = std::string(name) + '(';
    for (const int number : numbers) (text += text.back() == '(' ? "" : ", ") += std::to_string(number);
    return text + ')';
  };
  switch (effect.kind) {
    case Effect::socket_option:
      return call("setsockopt", {effect.level, effect.number});
    case Effect::numbered_socket_option:
      return "setsockopt";
    case Effect::open_flag:
      return call("open flag", {effect.number});
    case Effect::fcntl_flag:
      return call("fcntl F_SETFL", {effect.number});
    case Effect::record_lock:
      return "fcntl lock";
    case Effect::file_lock:
      return call("flock", {effect.number});
    case Effect::ioctl:
    case Effect::ioctl_number:
      return "ioctl";
    case Effect::file_attribute:
      return call("FS_IOC_SETFLAGS", {effect.number});
    case Effect::interface_flag:
      return call("SIOCSIFFLAGS", {effect.number});
    default:
      return is_terminal(effect.kind) ? "tcsetattr" : "";
  }
}

std::string explained(const Address& address) {
  std::string text = visible(address.written());
  text +=
      "\n  keyword " + std::string(address.keyword->name) + ": " + std::string(address.keyword->help) + '\n';
  std::string_view syntax = address.keyword->syntax;
  for (const Parameter& parameter : address.parameters) {
    const auto known = next_parameter(syntax);
    const auto name = known.empty() ? std::string_view("parameter") : known;
    text += "  parameter <" + std::string(name) + ">: " + visible(parameter.text);
    if (name.ends_with("host") || name.ends_with("server")) text += resolved(address, parameter.text);
    text += '\n';
  }
  for (const Option& option : address.options) {
    text += "  option " + std::string(option.row->name);
    if (option.has_text) text += '=' + visible(option.text);
    text +=
        " [" + std::string(phase_name(option.row->phase)) + ", " + std::string(type_name(option.row->type));
    const std::string effect = effect_text(*option.row);
    if (!effect.empty()) text += ", " + effect;
    text += "]: " + std::string(option.row->help) + '\n';
  }
  text += command_text(address);
  append_notes(text, "default", notes(address, defaults));
  append_notes(text, "unlike socat", notes(address, differences));
  return text;
}

}  // namespace

std::vector<std::string_view> sockcat_defaults(const Address& address) { return notes(address, defaults); }

std::string sockcat_explanation(const Specification& left, const Specification& right) {
  std::string text;
  const auto add = [&](std::string_view title, const Address& address) {
    (text += title) += explained(address);
  };
  for (const auto& [name, one] :
       {std::pair<std::string, const Specification&>{"left", left}, {"right", right}}) {
    add(name + (one.writing ? ", read: " : ": "), one.reading);
    if (one.writing) add(name + ", written: ", *one.writing);
  }
  return text;
}

}  // namespace sluice
