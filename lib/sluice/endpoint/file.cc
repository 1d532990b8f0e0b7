#include "sluice/endpoint/file.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "sluice/core/denied.h"
#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/file_kind.h"
#include "sluice/endpoint/socket.h"
#include "sluice/endpoint/terminal.h"
#include "sluice/endpoint/unix_path.h"
#include "sluice/stream/fd_stream.h"

namespace sluice {
namespace {

constexpr mode_t usual_mode = 0666;
/// Between two looks at a FIFO, where nothing tells when its other side comes.
constexpr Duration nap = std::chrono::milliseconds(10);

Fd try_open(const Address& address, const std::string& path, int flags) {
  const ProcessSection section(address);
  return Fd(::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                   wanted_mode(address).value_or(usual_mode)));
}

bool is_fifo(const Address& address, const std::string& path) {
  const ProcessSection section(address);
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
}

/// What failed; in socat's words under its name, since scripts look for them.
std::string attempt_to_open(const Address& address, const std::string& path, int flags,
                            const Context& context) {
  if (!context.as_socat) return std::string(address.written()) + ": open " + path;
  char call[64];
  std::snprintf(call, sizeof call, "\", 0%o, 0%o)", static_cast<unsigned>(flags),
                wanted_mode(address).value_or(usual_mode));
  return "open(\"" + path + call;
}

/// Without blocking the loop, though the other side of a FIFO may be long in coming.
Task<Fd> open_when_possible(const Address& address, const std::string& path, int flags,
                            const Context& context) {
  for (;;) {
    Fd fd = try_open(address, path, flags);
    if (fd) co_return fd;
    const std::error_code why = last_error();
    // A FIFO that nobody reads yet, opened for writing (fifo(7)); nothing tells when somebody does.
    const bool may_come = why == std::errc::no_such_device_or_address && is_fifo(address, path);
    if (!may_come || (flags & O_ACCMODE) != O_WRONLY || address.flag("o-nonblock"))
      throw Failure(attempt_to_open(address, path, flags, context), why);
    co_await context.loop.sleep(nap);
  }
}

/// Waits as open(2) does: for a writer, whether or not that has anything to say. Whether there is one is
/// asked by copying a byte, which stays there (tee(2)): an empty FIFO with a writer says EAGAIN, one without
/// says 0, and one whose writer has gone hangs up.
Task<> wait_for_writer(Descriptor& fifo) {
  Loop& loop = fifo.loop();
  int ends[2];
  check("create a pipe", ::pipe2(ends, O_CLOEXEC | O_NONBLOCK));
  const Fd unread(ends[0]), scratch(ends[1]);
  // Begun before the first look, so that nobody is missed.
  Fd watch(denied(Facility::inotify) ? -1 : ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const std::string path = "/proc/self/fd/" + std::to_string(fifo.number());
  const bool told = watch && ::inotify_add_watch(watch.get(), path.c_str(), IN_OPEN) >= 0;
  Descriptor openings(loop, std::move(watch));
  for (;;) {
    const Attempt copied = try_tee(fifo.number(), scratch.get(), 1);
    if (copied.count > 0 || copied.would_block() || fifo.is_ready(Descriptor::readable)) co_return;
    // Without tee(2), only what a writer says or its end tells of it.
    if (copied.count < 0) break;
    if (!told) {
      co_await loop.sleep(nap);
      continue;
    }
    co_await openings.wait(Descriptor::readable);
    std::array<char, 4096> buffer;
    while (openings.try_read(buffer).count > 0) {
    }
  }
  co_await fifo.wait(Descriptor::readable);
}

/// Before anything is read that could not be delivered.
void check_use(const Address& address, Use use, int mode) {
  if (use == Use::writing ? mode == O_RDONLY : use == Use::reading && mode == O_WRONLY)
    throw Failure(std::string(address.written()) + ": would not be open for " +
                  (use == Use::reading ? "reading" : "writing"));
}

/// What is done to a file before it is opened: unlink-early, perm-early, user-early, group-early, then
/// unlink. Whether there is one then; one that is not is given all that once it is made.
bool prepare_path(const Address& address, const std::string& path) {
  const ProcessSection section(address);
  if (address.flag("unlink-early")) ::unlink(path.c_str());
  // One that is not there is made with it.
  if (const auto mode = address.integer("perm-early"))
    if (::chmod(path.c_str(), static_cast<mode_t>(*mode)) != 0 && errno != ENOENT)
      throw Failure(std::string(address.written()) + ": option \"perm-early\"", last_error());
  if (::access(path.c_str(), F_OK) == 0) apply_ownership(address, path, Phase::preopen);
  if (address.flag("unlink")) ::unlink(path.c_str());
  return ::access(path.c_str(), F_OK) == 0;
}

int access_mode(Use use) { return use == Use::reading ? O_RDONLY : use == Use::writing ? O_WRONLY : O_RDWR; }

}  // namespace

Task<std::unique_ptr<Stream>> open_path(const Address& address, const std::string& path, int flags, Use use,
                                        const Context& context, std::shared_ptr<void> companion) {
  const int all_flags = open_flags(address, flags | access_mode(use));
  const int mode = all_flags & O_ACCMODE;
  check_use(address, use, mode);
  const bool existed = prepare_path(address, path);
  Fd fd = co_await open_when_possible(address, path, all_flags, context);
  struct stat status {};
  check("stat " + path, ::fstat(fd.get(), &status));
  if (S_ISDIR(status.st_mode))
    throw Failure(std::string(address.written()) + ": open " + path,
                  std::make_error_code(std::errc::is_a_directory));
  // Whatever the umask; a file that was there keeps its own.
  if (const auto wanted = wanted_mode(address); wanted && !existed)
    check(std::string(address.written()) + ": option \"perm\"", ::fchmod(fd.get(), *wanted));
  if (!existed) apply(address, {Phase::preopen}, fd.get(), context);
  apply(address, socket_phases, fd.get(), context);
  const bool terminal = ::isatty(fd.get()) != 0;
  const auto settings =
      terminal && has_terminal_options(address) ? keep_terminal_settings(fd.get()) : nullptr;
  apply(address, {Phase::fd, Phase::late}, fd.get(), context);
  {
    const ProcessSection section(address);
    if (address.flag("unlink-late")) ::unlink(path.c_str());
    if (address.flag("unlink-close")) companion = unlink_at_end(path);
  }
  const bool fifo = S_ISFIFO(status.st_mode);
  FdStream::Parts parts;
  const auto access = access_of_inherited(fd.get()).value_or(Access::own);
  auto descriptor = std::make_unique<Descriptor>(context.loop, std::move(fd), access);
  if (fifo && mode == O_RDONLY) {
    // Opening waits unless it was told not to: then reading waits for what the first writer says.
    parts.awaits_writer = address.flag("o-nonblock");
    if (!parts.awaits_writer) co_await wait_for_writer(*descriptor);
  }
  parts.both = mode == O_RDWR;
  parts.echoes = parts.both && fifo;
  parts.finish = finish_by(address, terminal || parts.both ? FinishBy::nothing : FinishBy::closing);
  parts.traits = {Shape::bytes, !terminal && !(fifo && mode == O_RDWR),
                  !terminal && !(fifo && mode == O_RDWR)};
  if (settings)
    parts.companion = std::make_shared<std::array<std::shared_ptr<void>, 2>>(
        std::array<std::shared_ptr<void>, 2>{settings, std::move(companion)});
  else
    parts.companion = std::move(companion);
  (mode == O_WRONLY ? parts.out : parts.in) = std::move(descriptor);
  co_return std::make_unique<FdStream>(std::move(parts));
}

void log_opening(const Address& address, Logger& log, const std::string& path, Use use) {
  if (!log.enabled(Severity::notice)) return;
  const bool creates = address.keyword->name == "CREATE";
  const ProcessSection section(address);
  struct stat status {};
  // One that is not there has no kind yet.
  const bool is_there = ::stat(path.c_str(), &status) == 0;
  const auto kind = file_kind(is_there ? status.st_mode : creates ? S_IFREG : 0).name;
  log.notice(std::string(creates ? "creating " : "opening ") + std::string(kind) + " \"" + path + "\" for " +
             (use == Use::both      ? "reading and writing"
              : use == Use::reading ? "reading"
                                    : "writing"));
}

namespace {

class File final : public Endpoint {
 public:
  File(const Address& address, Use use, const Context& context, int flags)
      : address_(address), use_(use), context_(context), flags_(flags) {}

  /// Each client would cut short or overwrite what another has written.
  bool opens_once(bool usual) const override {
    const int flags = open_flags(address_, flags_);
    if (usual || (flags & O_TRUNC) != 0) return true;
    const bool makes = use_ == Use::writing || (use_ == Use::both && (flags & O_CREAT) != 0);
    return makes && (flags & O_APPEND) == 0 && is_file_or_nothing();
  }

  Task<std::unique_ptr<Stream>> open(Session&) override {
    const auto& path = address_.parameters[0].text;
    log_opening(address_, context_.log, path, use_);
    return open_path(address_, path, flags_, use_, context_);
  }

 private:
  bool is_file_or_nothing() const {
    const ProcessSection section(address_);
    struct stat status {};
    return ::stat(address_.parameters[0].text.c_str(), &status) != 0 || S_ISREG(status.st_mode);
  }

  Address address_;
  Use use_;
  Context context_;
  int flags_;
};

}  // namespace

std::unique_ptr<Endpoint> make_file(const Address& address, Use use, const Context& context) {
  if (address.keyword->name != "CREATE") return std::make_unique<File>(address, use, context, 0);
  if (use == Use::reading)
    throw AddressError(address, address.place, "CREATE cannot be read from (OPEN with creat and trunc can)");
  return std::make_unique<File>(address, Use::writing, context, O_CREAT | O_TRUNC);
}

}  // namespace sluice
