#include "sluice/endpoint/terminal.h"

// The kernel's own header: its termios2 knows speeds of any number. It cannot stand beside glibc's
// <termios.h>.
#include <asm/termbits.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>

#include "sluice/endpoint/option_value.h"

namespace sluice {
namespace {

using Settings = termios2;

struct SpeedRow {
  unsigned baud;
  unsigned code;
};

constexpr std::array speeds = {
    SpeedRow{0, B0},
    SpeedRow{50, B50},
    SpeedRow{75, B75},
    SpeedRow{110, B110},
    SpeedRow{134, B134},
    SpeedRow{150, B150},
    SpeedRow{200, B200},
    SpeedRow{300, B300},
    SpeedRow{600, B600},
    SpeedRow{1200, B1200},
    SpeedRow{1800, B1800},
    SpeedRow{2400, B2400},
    SpeedRow{4800, B4800},
    SpeedRow{9600, B9600},
    SpeedRow{19200, B19200},
    SpeedRow{38400, B38400},
    SpeedRow{57600, B57600},
    SpeedRow{115200, B115200},
    SpeedRow{230400, B230400},
    SpeedRow{460800, B460800},
    SpeedRow{500000, B500000},
    SpeedRow{576000, B576000},
    SpeedRow{921600, B921600},
    SpeedRow{1000000, B1000000},
    SpeedRow{1152000, B1152000},
    SpeedRow{1500000, B1500000},
    SpeedRow{2000000, B2000000},
    SpeedRow{2500000, B2500000},
    SpeedRow{3000000, B3000000},
    SpeedRow{3500000, B3500000},
    SpeedRow{4000000, B4000000},
};

unsigned& word(Settings& settings, Effect::Word which) {
  switch (which) {
    case Effect::Word::input:
      return settings.c_iflag;
    case Effect::Word::output:
      return settings.c_oflag;
    case Effect::Word::control:
      return settings.c_cflag;
    case Effect::Word::local:
      break;
  }
  return settings.c_lflag;
}

void set_bits(unsigned& flags, unsigned mask, unsigned bits) { flags = (flags & ~mask) | (bits & mask); }

/// Where in c_cflag the speed of input stands (termios(3): CIBAUD).
constexpr int input_shift = IBSHIFT;

void set_speed(Settings& settings, Effect::Speed which, unsigned baud) {
  auto known =
      std::find_if(speeds.begin(), speeds.end(), [&](const SpeedRow& row) { return row.baud == baud; });
  // Scripts have the numbers of termios(3) as well (13 is 9600), which are no speed of any line.
  if (known == speeds.end()) {
    known = std::find_if(speeds.begin(), speeds.end(), [&](const SpeedRow& row) { return row.code == baud; });
    if (known != speeds.end()) baud = known->baud;
  }
  const unsigned code = known != speeds.end() ? known->code : BOTHER;
  if (which != Effect::Speed::input) {
    set_bits(settings.c_cflag, CBAUD, code);
    settings.c_ospeed = baud;
  }
  if (which != Effect::Speed::output) {
    set_bits(settings.c_cflag, CBAUD << input_shift, code << input_shift);
    settings.c_ispeed = baud;
  }
}

void make_raw(Settings& settings) {
  settings.c_iflag &= ~static_cast<unsigned>(IGNBRK | BRKINT | IGNPAR | PARMRK | INPCK | ISTRIP | INLCR |
                                             IGNCR | ICRNL | IXON | IXOFF | IUCLC | IXANY | IMAXBEL);
  settings.c_oflag &= ~static_cast<unsigned>(OPOST);
  settings.c_lflag &= ~static_cast<unsigned>(ISIG | ICANON | XCASE);
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
}

void make_sane(Settings& settings) {
  // As stty(1) understands it.
  settings.c_iflag = (settings.c_iflag | BRKINT | ICRNL | IMAXBEL | IXON) &
                     ~static_cast<unsigned>(IGNBRK | INLCR | IGNCR | IXOFF | IUCLC | IXANY | PARMRK | ISTRIP);
  settings.c_oflag = (settings.c_oflag | OPOST | ONLCR) &
                     ~static_cast<unsigned>(OLCUC | OCRNL | ONOCR | ONLRET | OFILL | OFDEL | NLDLY | CRDLY |
                                            TABDLY | BSDLY | VTDLY | FFDLY);
  settings.c_cflag |= CREAD;
  settings.c_lflag = (settings.c_lflag | ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE) &
                     ~static_cast<unsigned>(ECHONL | NOFLSH | XCASE | TOSTOP | ECHOPRT | FLUSHO | EXTPROC);
  constexpr std::array<std::pair<int, unsigned char>, 15> characters = {{{VINTR, 3},
                                                                         {VQUIT, 28},
                                                                         {VERASE, 127},
                                                                         {VKILL, 21},
                                                                         {VEOF, 4},
                                                                         {VEOL, 0},
                                                                         {VEOL2, 0},
                                                                         {VSWTC, 0},
                                                                         {VSTART, 17},
                                                                         {VSTOP, 19},
                                                                         {VSUSP, 26},
                                                                         {VREPRINT, 18},
                                                                         {VDISCARD, 15},
                                                                         {VWERASE, 23},
                                                                         {VLNEXT, 22}}};
  for (const auto& [index, character] : characters) settings.c_cc[index] = character;
}

void set_mode(Settings& settings, Effect::Mode mode) {
  if (mode == Effect::Mode::sane) return make_sane(settings);
  make_raw(settings);
  if (mode == Effect::Mode::raw) return;
  settings.c_lflag &= ~static_cast<unsigned>(ECHO | ECHONL | IEXTEN);
  set_bits(settings.c_cflag, CSIZE | PARENB, CS8);
  if (mode != Effect::Mode::rawer) return;
  settings.c_iflag = 0;
  settings.c_oflag = 0;
  settings.c_lflag = 0;
}

/// The value, moved to where the bits of a mask are.
unsigned value_under(const Address& address, const Option& option, unsigned mask) {
  const unsigned most = mask >> std::countr_zero(mask);
  const auto value = number_of(option);
  if (value < 0 || value > most)
    refuse(address, option, "the value is out of range (0.." + std::to_string(most) + ")");
  return static_cast<unsigned>(value) << std::countr_zero(mask);
}

void set_flags_by_number(Settings& settings, const Address& address, const Option& option) {
  const auto& numbers = std::get<Numbered>(option.value).numbers;
  if (numbers[0] < 0 || numbers[0] > static_cast<int>(Effect::Word::local))
    refuse(address, option, "there are the words 0 to 3");
  word(settings, static_cast<Effect::Word>(numbers[0])) |= static_cast<unsigned>(numbers[1]);
}

void change(Settings& settings, const Address& address, const Option& option) {
  const Effect& effect = option.row->effect;
  const auto bits = static_cast<unsigned>(effect.number);
  const auto flags = [&]() -> unsigned& { return word(settings, static_cast<Effect::Word>(effect.level)); };
  switch (effect.kind) {
    case Effect::terminal_flag:
      return set_bits(flags(), bits, number_of(option) != 0 ? bits : 0);
    case Effect::terminal_value:
      return set_bits(flags(), bits, static_cast<unsigned>(effect.bits));
    case Effect::terminal_number:
      return set_bits(flags(), bits, value_under(address, option, bits));
    case Effect::terminal_set_flags:
      return set_flags_by_number(settings, address, option);
    case Effect::terminal_speed: {
      const bool named = option.row->type == ValueType::constant;
      return set_speed(settings, static_cast<Effect::Speed>(effect.level),
                       named ? bits : static_cast<unsigned>(number_of(option)));
    }
    case Effect::control_character:
      settings.c_cc[effect.number] = static_cast<unsigned char>(number_of(option));
      return;
    case Effect::terminal_mode:
      return set_mode(settings, static_cast<Effect::Mode>(effect.number));
    default:
      return;
  }
}

void set_window_size(const Address& address, const Option& option, int fd) {
  const auto& numbers = std::get<Numbered>(option.value).numbers;
  winsize size{};
  for (const auto number : numbers)
    if (number < 0 || number > 65535) refuse(address, option, "columns and rows are 0 to 65535");
  size.ws_col = static_cast<unsigned short>(numbers[0]);
  size.ws_row = static_cast<unsigned short>(numbers[1]);
  if (::ioctl(fd, TIOCSWINSZ, &size) != 0) fail(address, option, last_error());
}

class KeptSettings {
 public:
  KeptSettings(int fd, const Settings& settings)
      : fd_(::fcntl(fd, F_DUPFD_CLOEXEC, 10)), settings_(settings) {}
  ~KeptSettings() { ::ioctl(fd_.get(), TCSETS2, &settings_); }
  KeptSettings(const KeptSettings&) = delete;
  KeptSettings& operator=(const KeptSettings&) = delete;

 private:
  Fd fd_;
  Settings settings_;
};

}  // namespace

bool is_terminal_option(const Option& option) { return is_terminal(option.row->effect.kind); }

bool has_terminal_options(const Address& address) {
  return std::any_of(address.options.begin(), address.options.end(), is_terminal_option);
}

void apply_terminal_options(const Address& address, int fd) {
  const auto first = std::find_if(address.options.begin(), address.options.end(), is_terminal_option);
  if (first == address.options.end()) return;
  Settings settings{};
  if (::ioctl(fd, TCGETS2, &settings) != 0) fail(address, *first, last_error());
  for (const Option& option : address.options) change(settings, address, option);
  if (::ioctl(fd, TCSETS2, &settings) != 0) fail(address, *first, last_error());
  for (const Option& option : address.options)
    if (option.row->effect.kind == Effect::window_size) set_window_size(address, option, fd);
}

std::shared_ptr<void> keep_terminal_settings(int fd) {
  Settings settings{};
  if (::ioctl(fd, TCGETS2, &settings) != 0) return nullptr;
  return std::make_shared<KeptSettings>(fd, settings);
}

}  // namespace sluice
