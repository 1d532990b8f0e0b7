#include "sluice/endpoint/descriptor_report.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "sluice/address/lookup.h"
#include "sluice/address/options.h"
#include "sluice/core/failure.h"
#include "sluice/core/figures.h"
#include "sluice/core/socket_name.h"
#include "sluice/core/visible.h"
#include "sluice/endpoint/file_kind.h"

namespace sluice {
namespace {

struct EventName {
  short event;
  std::string_view name;
};

constexpr std::array events = {EventName{POLLIN, "IN,"},   EventName{POLLPRI, "PRI,"},
                               EventName{POLLOUT, "OUT,"}, EventName{POLLERR, "ERR,"},
                               EventName{POLLHUP, "HUP,"}, EventName{POLLNVAL, "NVAL,"}};

std::string octal(unsigned value) {
  char text[24];
  return {text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "0%o", value))};
}

std::string device(dev_t number) {
  return std::to_string(major(number)) + ',' + std::to_string(minor(number));
}

std::string character_text(cc_t c) {
  if (c < 0x20) return {'^', static_cast<char>(c + 0x40)};
  if (c < 0x7f) return {'\'', static_cast<char>(c), '\''};
  return "x" + hexadecimal(c, 2);
}

/// Every option of sockets that is a number and that the kernel tells.
std::string socket_options(int fd) {
  std::string text;
  for (const OptionRow& row : option_rows()) {
    if (row.effect.kind != Effect::socket_option || row.name.ends_with("-late")) continue;
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(fd, row.effect.level, row.effect.number, &value, &size) != 0 || size != sizeof value)
      continue;
    std::string name = upper_case(row.name.starts_with("so-") ? row.name.substr(3) : row.name);
    for (char& c : name)
      if (c == '-') c = '_';
    text += name + '=' + std::to_string(value) + '\t';
  }
  return text;
}

std::string socket_text(int fd) {
  return socket_options(fd) + visible(SocketName::of_socket(fd).log_text()) + " <-> " +
         visible(SocketName::of_peer(fd).log_text());
}

std::string terminal_text(int fd) {
  termios settings{};
  if (::tcgetattr(fd, &settings) != 0) return {};
  char path[64] = "";
  ::ttyname_r(fd, path, sizeof path);
  std::string text = '\t' + visible(path) + " \tIFLAGS=" + hexadecimal(settings.c_iflag, 8) +
                     " OFLAGS=" + hexadecimal(settings.c_oflag, 8) +
                     " CFLAGS=" + hexadecimal(settings.c_cflag, 8) +
                     " LFLAGS=" + hexadecimal(settings.c_lflag, 8);
  for (int i = 0; i < NCCS; ++i) text += " cc[" + std::to_string(i) + "]=" + character_text(settings.c_cc[i]);
  return text;
}

std::string poll_text(int fd) {
  pollfd state{.fd = fd, .events = POLLIN | POLLPRI | POLLOUT, .revents = 0};
  ::poll(&state, 1, 0);
  std::string text = "poll: ";
  for (const auto& [event, name] : events)
    if ((state.revents & event) != 0) text += name;
  int waiting = 0;
  if ((state.revents & POLLIN) != 0 && ::ioctl(fd, FIONREAD, &waiting) == 0)
    text += "; FIONREAD=" + std::to_string(waiting);
  return text;
}

std::string line_of(int fd) {
  char number[16];
  std::snprintf(number, sizeof number, "%4d: ", fd);
  std::string line = number;
  struct stat status {};
  if (::fstat(fd, &status) != 0) return line + last_error().message() + '\n';
  const auto column = [&line](const std::string& text) { (line += '\t') += text; };
  line += file_kind(status.st_mode).short_name;
  column(device(status.st_dev));
  column(std::to_string(status.st_ino));
  column(octal(status.st_mode));
  column(std::to_string(status.st_nlink));
  column(std::to_string(status.st_uid));
  column(std::to_string(status.st_gid));
  column(device(status.st_rdev));
  column(std::to_string(status.st_size));
  column(std::to_string(status.st_blksize));
  column(std::to_string(status.st_blocks));
  for (const timespec& moment : {status.st_atim, status.st_mtim, status.st_ctim})
    column(date_text(moment.tv_sec));
  column(std::to_string(::fcntl(fd, F_GETFD) & FD_CLOEXEC));
  column('x' + hexadecimal(static_cast<unsigned long>(::fcntl(fd, F_GETFL)), 6));
  column(std::to_string(::fcntl(fd, F_GETOWN)));
  column(std::to_string(::fcntl(fd, F_GETSIG)));
  if (S_ISSOCK(status.st_mode)) line += socket_text(fd);
  if (S_ISCHR(status.st_mode)) line += terminal_text(fd);
  return line + poll_text(fd) + '\n';
}

}  // namespace

std::string descriptor_report(std::span<const int> descriptors) {
  std::string text =
      "  FD  "
      "type\tdevice\tinode\tmode\tlinks\tuid\tgid\trdev\tsize\tblksize\tblocks\tatime\t\t\t\tmtime\t\t\t\t"
      "ctime\t\t\t\tcloexec\tflags\tsigown\tsigio\n";
  for (const int fd : descriptors) text += line_of(fd);
  return text;
}

}  // namespace sluice
