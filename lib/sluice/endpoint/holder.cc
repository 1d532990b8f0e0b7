#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

std::string contents_of(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[16384];
  for (ssize_t count = 0; file && (count = ::read(file.get(), buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(count));
  return text;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (;;) {
    const auto begin = line.find_first_not_of(" \t\n");
    if (begin == line.npos) return words;
    const auto end = line.find_first_of(" \t\n", begin);
    words.push_back(line.substr(begin, end - begin));
    if (end == line.npos) return words;
    line.remove_prefix(end);
  }
}

/// The inode of the socket that is bound to a name: proc(5) /proc/net/tcp, udp, unix.
std::string inode_of(const SocketName& name, int type) {
  if (name.family() == AF_UNIX) {
    const std::string text = contents_of("/proc/net/unix");
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end = std::min(text.find('\n', begin), text.size());
      const auto words = words_of(std::string_view(text).substr(begin, end - begin));
      if (words.size() >= 8 && words[7] == name.host()) return std::string(words[6]);
      begin = end + 1;
    }
    return {};
  }
  constexpr std::string_view listening = "0A";
  for (const char* family : {"", "6"}) {
    const std::string text =
        contents_of((type == SOCK_DGRAM ? "/proc/net/udp" : "/proc/net/tcp") + std::string(family));
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end = std::min(text.find('\n', begin), text.size());
      const auto words = words_of(std::string_view(text).substr(begin, end - begin));
      begin = end + 1;
      if (words.size() < 10 || (type != SOCK_DGRAM && words[3] != listening)) continue;
      const auto colon = words[1].rfind(':');
      unsigned port = 0;
      const auto digits = words[1].substr(colon + 1);
      std::from_chars(digits.data(), digits.data() + digits.size(), port, 16);
      if (port == name.port()) return std::string(words[9]);
    }
  }
  return {};
}

bool is_number(const char* text) {
  return *text != '\0' && std::strspn(text, "0123456789") == std::strlen(text);
}

struct Directory {
  explicit Directory(const std::string& path) : handle(::opendir(path.c_str())) {}
  ~Directory() {
    if (handle != nullptr) ::closedir(handle);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  const dirent* next() { return handle == nullptr ? nullptr : ::readdir(handle); }
  DIR* handle;
};

bool holds(const std::string& descriptors, const std::string& wanted) {
  Directory all(descriptors);
  char target[64];
  while (const dirent* one = all.next()) {
    const auto length = ::readlink((descriptors + '/' + one->d_name).c_str(), target, sizeof target);
    if (length > 0 && std::string_view(target, static_cast<std::size_t>(length)) == wanted) return true;
  }
  return false;
}

}  // namespace

std::string holder_of(const SocketName& name, int type) {
  const std::string inode = inode_of(name, type);
  if (inode.empty()) return {};
  const std::string wanted = "socket:[" + inode + ']';
  Directory processes("/proc");
  while (const dirent* one = processes.next()) {
    if (!is_number(one->d_name)) continue;
    const std::string process = std::string("/proc/") + one->d_name;
    if (!holds(process + "/fd", wanted)) continue;
    std::string command = contents_of(process + "/comm");
    if (!command.empty() && command.back() == '\n') command.pop_back();
    return " (held by " + command + ", process " + one->d_name + ')';
  }
  return {};
}

}  // namespace sluice
