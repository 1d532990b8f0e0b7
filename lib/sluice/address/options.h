#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice {

/// Which kinds of address an option fits (socat's option groups), a bit each.
enum class Group : std::uint64_t {
  none = 0,
  fd = 1ULL << 0,
  fifo = 1ULL << 1,
  chr = 1ULL << 2,
  blk = 1ULL << 3,
  reg = 1ULL << 4,
  socket = 1ULL << 5,
  named = 1ULL << 6,
  open = 1ULL << 7,
  exec = 1ULL << 8,
  fork = 1ULL << 9,
  shell = 1ULL << 10,
  listen = 1ULL << 11,
  child = 1ULL << 12,
  retry = 1ULL << 13,
  range = 1ULL << 14,
  termios = 1ULL << 15,
  pty = 1ULL << 16,
  parent = 1ULL << 17,
  unix_ = 1ULL << 18,
  ip4 = 1ULL << 19,
  ip6 = 1ULL << 20,
  udp = 1ULL << 21,
  tcp = 1ULL << 22,
  sctp = 1ULL << 23,
  dccp = 1ULL << 24,
  udplite = 1ULL << 25,
  socks = 1ULL << 26,
  http = 1ULL << 27,
  openssl = 1ULL << 28,
  readline = 1ULL << 29,
  interface = 1ULL << 30,
  posixmq = 1ULL << 31,
  process = 1ULL << 32,
  appl = 1ULL << 33,
  upper = 1ULL << 34,  ///< ours
  every = ~0ULL,
};
constexpr Group operator|(Group a, Group b) {
  return static_cast<Group>(static_cast<std::uint64_t>(a) | static_cast<std::uint64_t>(b));
}
constexpr bool overlap(Group a, Group b) {
  return (static_cast<std::uint64_t>(a) & static_cast<std::uint64_t>(b)) != 0;
}

/// The groups that every address has: they are about the process and the data, not about what is opened.
inline constexpr Group every_address = Group::process | Group::appl;

/// When an option takes effect, in this order (socat's phases).
enum class Phase : std::uint8_t {
  init,
  early,
  preopen,
  open,
  pastopen,
  presocket,
  socket,
  pastsocket,
  prebigen,
  bigen,
  pastbigen,
  prebind,
  bind,
  pastbind,
  prelisten,
  listen,
  pastlisten,
  preconnect,
  connect,
  pastconnect,
  preaccept,
  accept,
  pastaccept,
  connected,
  prefork,
  fork,
  pastfork,
  fd,
  late,
  late2,
  preexec,
  exec,
  specific,
  offset,
};

/// How the text behind `=` is read.
enum class ValueType : std::uint8_t {
  boolean,
  constant,
  byte,
  integer,
  integer_or_nothing,
  long_integer,
  unsigned_integer,
  unsigned_short,
  size,
  offset,
  mode,
  user,
  group,
  text,
  text_or_nothing,
  timeval,
  timespec,
  linger,
  ip4_name,
  ip4_socket,
  ip_membership,
  ip_source_membership,
  binary,
  int_int,
  int_binary,
  int_intp,
  int_text,
  int_int_int,
  int_int_binary,
  int_int_text,
  int_unsigned_long,
  int_triple,
  generic,
};

/// How an option takes effect, as data that one place (endpoint/apply) interprets.
struct Effect {
  enum Kind : std::uint8_t {
    not_yet,                 ///< the name is known, nothing applies it: using it is an error that says so
    code,                    ///< an endpoint, a decorator or the session asks for it by name
    socket_option,           ///< setsockopt(level, number, value)
    numbered_socket_option,  ///< setsockopt(2) with the numbers and the data of the value
    open_flag,               ///< `number` goes into open(2)'s flags; set with F_SETFL where nothing is opened
    fcntl_flag,              ///< `number` is set or cleared with F_SETFL
    record_lock,             ///< fcntl(2) command `level` with a lock of type `number` on the whole file
    file_lock,               ///< flock(2) with operation `number`
    file_attribute,          ///< bit `number` of FS_IOC_SETFLAGS (ioctl_iflags(2))
    ioctl,                   ///< ioctl(2) with the request and the argument of the value
    ioctl_number,            ///< ioctl(2) with request `number`, and the value by its place
    seek,                    ///< lseek with whence `number`
    mode,
    user,
    group,
    truncate,
    terminal_flag,       ///< the bits `number` of Word `level` are set or cleared
    terminal_value,      ///< the bits `number` of Word `level` become `bits`
    terminal_number,     ///< the bits `number` of Word `level` become the value
    terminal_set_flags,  ///< bits of a word, both by number
    terminal_speed,      ///< Speed `level` becomes `number` baud, or the value if that is 0
    control_character,   ///< the character with index `number` becomes the value
    terminal_mode,       ///< Mode `number`
    window_size,
    lookup_flag,     ///< bit `number` of ai_flags (getaddrinfo(3))
    resolver_flag,   ///< bit `number` of the resolver's options (resolver(3))
    interface_flag,  ///< bit `number` of SIOCSIFFLAGS (netdevice(7))
  } kind = not_yet;
  int level = 0;
  int number = 0;
  int bits = 0;

  /// The words of flags in a terminal's settings (termios(3)).
  enum class Word : std::uint8_t { input, output, control, local };
  enum class Speed : std::uint8_t { both, input, output };
  enum class Mode : std::uint8_t { raw, rawer, cfmakeraw, sane };
};

/// Whether it changes the settings of a terminal.
constexpr bool is_terminal(Effect::Kind kind) {
  return kind >= Effect::terminal_flag && kind <= Effect::window_size;
}

/// One option of the language. Aliases stand in a table of their own, each naming its canonical row.
struct OptionRow {
  std::string_view name;
  Group groups = Group::none;
  Phase phase = Phase::init;
  ValueType type = ValueType::boolean;
  Effect effect = {};
  std::string_view help = {};     ///< a line for the manual; empty only while `not_yet`
  std::string_view choices = {};  ///< of a text: "first-eof|both|left|right"; empty lets any text through
};

struct OptionAlias {
  std::string_view alias;
  std::string_view name;
};

/// Every option of the language, sorted by name; every alias, sorted by alias.
std::span<const OptionRow> option_rows();
std::span<const OptionAlias> option_aliases();

/// The row for a name or an alias in any case, or nullptr.
const OptionRow* find_option(std::string_view spelling);

/// A value of several parts, `1:6:x01000000`: numbers, and behind them what is passed by its place (data; a
/// text with its NUL; a number as an int), if the type has that.
struct Numbered {
  std::vector<std::int64_t> numbers;
  std::string data;

  friend bool operator==(const Numbered&, const Numbered&) = default;
};

/// What a value became. Durations are nanoseconds, sizes and offsets bytes (suffixes k, M, G as powers of
/// 1024 are understood), users and groups their numbers.
using Value =
    std::variant<std::monostate, bool, std::int64_t, std::chrono::nanoseconds, std::string, Numbered>;

}  // namespace sluice
