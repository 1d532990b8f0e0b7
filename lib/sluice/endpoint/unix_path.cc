#include "sluice/endpoint/unix_path.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

/// How long a path's folder is waited for. Each holds it for some system calls only, unless it means harm.
constexpr auto longest_wait = std::chrono::seconds(1);
constexpr auto between_tries = std::chrono::milliseconds(2);
/// The same where the loop stands still meanwhile.
constexpr auto longest_stop = std::chrono::milliseconds(50);

/// Who holds it may look whether a path's socket is alive, and then unlink the path or bind to it: nobody
/// else of our kind does so meanwhile. It is a lock on the folder itself (flock(2)), so it leaves no file and
/// ends with its process; but everybody who can read the folder can hold it, for ever if they like.
class FolderLock {
 public:
  explicit FolderLock(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    folder_.reset(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder_) why_ = last_error();
  }
  /// Tries once. False if another holds it, or if it cannot be had at all.
  bool try_take() {
    if (!folder_ || held_) return held_;
    held_ = ::flock(folder_.get(), LOCK_EX | LOCK_NB) == 0;
    why_ = held_ ? std::error_code() : last_error();
    return held_;
  }
  /// After a try.
  bool is_busy() const { return why_ == std::errc::operation_would_block; }
  bool is_held() const { return held_; }
  std::string why_not() const {
    return is_busy() ? "another process keeps its folder locked"
                     : "its folder cannot be locked: " + why_.message();
  }

 private:
  Fd folder_;
  bool held_ = false;
  std::error_code why_;
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

/// A path that is unlinked at the end, if it still leads to what it leads to now.
class OwnPath {
 public:
  enum class Of { file, stream_socket, other_socket };

  OwnPath(std::string path, Of of)
      : path_(std::move(path)),
        of_(of),
        // Held, so that nothing else can get its inode number.
        held_(::open(path_.c_str(), O_PATH | O_CLOEXEC)),
        worked_(::stat(path_.c_str(), &status_) == 0) {}
  OwnPath(const OwnPath&) = delete;
  OwnPath& operator=(const OwnPath&) = delete;
  ~OwnPath() {
    if (!is_ours()) return;
    if (of_ != Of::file) {
      FolderLock lock(path_);
      const auto deadline = Clock::now() + longest_stop;
      while (!lock.try_take() && lock.is_busy() && Clock::now() < deadline)
        std::this_thread::sleep_for(between_tries);
      // Another may be replacing what is dead already. What is alive is not replaced.
      if (!lock.is_held() && lock.is_busy() && !is_open()) return;
      if (!is_ours()) return;
    }
    ::unlink(path_.c_str());
  }

 private:
  bool is_ours() const {
    struct stat now {};
    return worked_ && ::lstat(path_.c_str(), &now) == 0 && now.st_dev == status_.st_dev &&
           now.st_ino == status_.st_ino;
  }
  bool is_open() const {
    return held_ && is_alive(SocketName::unix_path("/proc/self/fd/" + std::to_string(held_.get())),
                             of_ == Of::stream_socket ? SOCK_STREAM : SOCK_DGRAM);
  }

  std::string path_;
  Of of_;
  Fd held_;
  struct stat status_ {};
  bool worked_;
};

/// The path is that of somebody else, dead or alive.
void replace_dead_path(const Address& address, int type, const SocketName& name, const FolderLock& lock,
                       const Context& context) {
  const std::string path = name.path();
  if (context.as_socat || !is_socket(path) || is_alive(name, type)) return;
  if (!lock.is_held())
    throw Failure(std::string(address.written()) + ": bind " + path +
                  ": a dead server left the path, but it cannot be replaced safely (" + lock.why_not() +
                  "); remove it, or use unlink-early");
  context.log.info("replacing " + path + ", which a dead server left behind");
  ::unlink(path.c_str());
}

std::shared_ptr<void> bind_path(const Address& address, int fd, int type, const SocketName& name,
                                const FolderLock& lock, const Context& context) {
  const std::string path = name.path();
  const ProcessSection section(address);
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
      if (errno == EADDRINUSE) replace_dead_path(address, type, name, lock, context);
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
  std::error_code ignored;
  return std::make_shared<OwnPath>(
      std::filesystem::absolute(path, ignored).string(),
      type == SOCK_STREAM ? OwnPath::Of::stream_socket : OwnPath::Of::other_socket);
}

/// In the folder that the address works in (chdir).
FolderLock folder_lock(const Address& address, const std::string& path) {
  const ProcessSection section(address);
  return FolderLock(path);
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
  return std::make_shared<OwnPath>(std::filesystem::absolute(path, ignored).string(), OwnPath::Of::file);
}

Task<std::shared_ptr<void>> bind_unix(const Address& address, int fd, int type, const SocketName& name,
                                      const Context& context) {
  const std::string path = name.path();
  if (path.empty()) {
    const ProcessSection section(address);
    bind_socket(address, fd, name);
    co_return nullptr;
  }
  FolderLock lock = folder_lock(address, path);
  const auto deadline = Clock::now() + longest_wait;
  while (!lock.try_take() && lock.is_busy() && Clock::now() < deadline)
    co_await context.loop.sleep(between_tries);
  // Without the lock nothing is replaced, but what has no path yet can be bound.
  co_return bind_path(address, fd, type, name, lock, context);
}

}  // namespace sluice
