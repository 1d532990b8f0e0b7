#include "sluice/core/terminal_place.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "sluice/core/figures.h"

namespace sluice {
namespace {

/// More than this many lines nobody looks at; somebody else may have taken the names, to no good.
constexpr int most_places = 16;

/// A socket, and the abstract name of a place.
struct Door {
  Fd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_un name{};
  socklen_t length = 0;

  Door(const std::string& key, int place) {
    const std::string text = '\0' + key + std::to_string(place);
    name.sun_family = AF_UNIX;
    text.copy(name.sun_path, sizeof name.sun_path);
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size());
  }
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&name); }
};

bool is_taken(const std::string& key, int place) {
  const Door door(key, place);
  return door.socket && ::connect(door.socket.get(), door.address(), door.length) == 0;
}

/// Terminals of containers have equal numbers, but not the same file system.
std::string key_of_terminal() {
  struct stat status {};
  if (::fstat(STDERR_FILENO, &status) != 0) return {};
  return "sluice/standing-line/" + hexadecimal(status.st_dev, 1) + '/' + hexadecimal(status.st_ino, 1) + '/' +
         std::to_string(::getpgrp()) + '/';
}

}  // namespace

int TerminalPlace::take() {
  if (key_.empty()) key_ = key_of_terminal();
  // One place at a time, so that those who move up stay in their order.
  const int first = place_ < 0 ? 0 : place_ - 1;
  const int end = place_ < 0 ? most_places : place_;
  for (int place = std::max(first, 0); place < end; ++place) {
    Door door(key_, place);
    if (!door.socket) break;
    if (::bind(door.socket.get(), door.address(), door.length) == 0) {
      held_ = std::move(door.socket);
      place_ = place;
      break;
    }
  }
  if (place_ < 0) place_ = 0;
  return place_;
}

void TerminalPlace::leave() {
  held_.reset();
  place_ = -1;
}

bool TerminalPlace::is_shared() const {
  if (place_ > 0) return true;
  const std::string key = key_.empty() ? key_of_terminal() : key_;
  return is_taken(key, place_ + 1);
}

}  // namespace sluice
