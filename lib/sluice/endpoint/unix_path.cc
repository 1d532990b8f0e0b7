#include "sluice/endpoint/unix_path.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <filesystem>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

class OwnPath {
 public:
  explicit OwnPath(std::string path)
      : path_(std::move(path)), worked_(::stat(path_.c_str(), &status_) == 0) {}
  OwnPath(const OwnPath&) = delete;
  OwnPath& operator=(const OwnPath&) = delete;
  ~OwnPath() {
    struct stat now {};
    if (worked_ && ::lstat(path_.c_str(), &now) == 0 && now.st_dev == status_.st_dev &&
        now.st_ino == status_.st_ino)
      ::unlink(path_.c_str());
  }

 private:
  std::string path_;
  struct stat status_ {};
  bool worked_;
};

/// Whether a server is behind a socket's path. A connect of another type is answered EPROTOTYPE by a live
/// socket and ECONNREFUSED by a dead one, and uses up no accept.
bool is_alive(const SocketName& name, int type) {
  const Fd probe(
      ::socket(AF_UNIX, (type == SOCK_STREAM ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return ::connect(probe.get(), name.data(), name.size()) == 0 || errno != ECONNREFUSED;
}

bool is_socket(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace

bool is_abstract(const Address& address) { return address.keyword->name.starts_with("ABSTRACT"); }

SocketName unix_name(const Address& address, const std::string& text) {
  const auto* tight = address.find("unix-tightsocklen");
  try {
    if (is_abstract(address))
      return SocketName::unix_abstract(text, tight == nullptr || address.flag("unix-tightsocklen"));
    return SocketName::unix_path(text);
  } catch (const Failure& failure) {
    throw AddressError(address, address.parameters.front().place, failure.what());
  }
}

std::optional<SocketName> client_name(const Address& address) {
  if (const auto local = address.text("bind")) return unix_name(address, *local);
  const Option* option = address.find("unix-bind-tempname");
  if (option == nullptr) return std::nullopt;
  std::string name = option->has_text       ? option->text
                     : is_abstract(address) ? "sluice-XXXXXX"
                                            : "/tmp/sluice-XXXXXX";
  constexpr std::string_view place = "XXXXXX";
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  const auto at = name.rfind(place);
  if (at == name.npos)
    throw AddressError(address, option->place, "bind-tempname \"" + name + "\" has no XXXXXX to be replaced");
  std::array<unsigned char, place.size()> random{};
  check("get random bytes", ::getrandom(random.data(), random.size(), 0));
  for (std::size_t i = 0; i < place.size(); ++i) name[at + i] = letters[random[i] % letters.size()];
  return unix_name(address, name);
}

std::shared_ptr<void> unlink_at_end(const std::string& path) {
  // Absolute, so that a later change of directory leads nowhere else.
  std::error_code ignored;
  return std::make_shared<OwnPath>(std::filesystem::absolute(path, ignored).string());
}

std::shared_ptr<void> bind_unix(const Address& address, int fd, int type, const SocketName& name,
                                const Context& context) {
  const std::string path = name.path();
  const ProcessSection section(address);
  if (path.empty()) {
    bind_socket(address, fd, name);
    return nullptr;
  }
  if (address.flag("unlink-early") || address.flag("unlink")) ::unlink(path.c_str());
  // bind(2) gives the path the socket's own mode, less the umask.
  const auto mode = wanted_mode(address);
  if (mode) check(std::string(address.written()) + ": fchmod", ::fchmod(fd, *mode));
  const mode_t mask = mode ? ::umask(0) : 0;
  const auto restore = [&] {
    if (mode) ::umask(mask);
  };
  try {
    if (::bind(fd, name.data(), name.size()) != 0) {
      const bool stale = errno == EADDRINUSE && !context.as_socat && is_socket(path) && !is_alive(name, type);
      if (stale) {
        context.log.info("replacing " + path + ", which a dead server left behind");
        ::unlink(path.c_str());
      }
      bind_socket(address, fd, name);
    }
  } catch (...) {
    restore();
    throw;
  }
  restore();
  for (const Phase phase : {Phase::preopen, Phase::fd}) apply_ownership(address, path, phase);
  if (address.flag("unlink-late")) {
    check(std::string(address.written()) + ": unlink " + path, ::unlink(path.c_str()));
    return nullptr;
  }
  const auto* keep = address.find("unlink-close");
  if (keep != nullptr && !address.flag("unlink-close")) return nullptr;
  return unlink_at_end(path);
}

}  // namespace sluice
