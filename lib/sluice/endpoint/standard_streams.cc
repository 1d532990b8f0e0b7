#include "sluice/endpoint/standard_streams.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <thread>

#include "sluice/core/denied.h"
#include "sluice/core/pipe.h"
#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/socket.h"
#include "sluice/endpoint/terminal.h"
#include "sluice/stream/background.h"
#include "sluice/stream/message_stream.h"

namespace sluice {
namespace {

/// Copies between a descriptor that must not be touched and a pipe of ours, blocking, on a thread.
class CopyingThread {
 public:
  CopyingThread(int from, int to, bool wait_at_end)
      : wait_at_end_(wait_at_end), thread_(quiet_thread([from, to] { copy(from, to); })) {}
  CopyingThread(const CopyingThread&) = delete;
  CopyingThread& operator=(const CopyingThread&) = delete;
  ~CopyingThread() {
    // What was written must arrive; a reader that is never given anything must not keep the process.
    if (wait_at_end_)
      thread_.join();
    else
      thread_.detach();
  }

 private:
  static void copy(int from, int to) {
    const Fd source(from), target(to);
    char buffer[16384];
    for (;;) {
      const ssize_t count = ::read(from, buffer, sizeof buffer);
      if (count == 0 || (count < 0 && !wait(from, POLLIN))) return;
      for (ssize_t done = 0; done < count;) {
        const ssize_t part = ::write(to, buffer + done, static_cast<std::size_t>(count - done));
        if (part >= 0)
          done += part;
        else if (!wait(to, POLLOUT))
          return;
      }
    }
  }
  /// Whether a failed call is worth another try: it was interrupted, or the description is non-blocking.
  static bool wait(int fd, short events) {
    if (errno == EINTR) return true;
    if (errno != EAGAIN) return false;
    pollfd state{fd, events, 0};
    ::poll(&state, 1, -1);
    return true;
  }

  bool wait_at_end_;
  std::thread thread_;
};

Fd duplicate(int number) {
  return Fd(check("duplicate descriptor " + std::to_string(number), ::fcntl(number, F_DUPFD_CLOEXEC, 10)));
}

std::unique_ptr<Descriptor> through_thread(Loop& loop, int number, Side side, std::shared_ptr<void>& keep) {
  int ends[2];
  check("create a pipe", ::pipe2(ends, O_CLOEXEC));
  const bool reading = side == Side::reading;
  Fd ours(ends[reading ? 0 : 1]);
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  Fd theirs(ends[reading ? 1 : 0]);
  Fd other = duplicate(number);
  if (reading)
    keep = std::make_shared<CopyingThread>(other.release(), theirs.release(), false);
  else
    keep = std::make_shared<CopyingThread>(theirs.release(), other.release(), true);
  return std::make_unique<Descriptor>(loop, std::move(ours), Access::own);
}

/// A description of our own for the same pipe or terminal.
Fd reopen(int number, Side side) {
  if (denied(Facility::reopen)) return Fd();
  const int access = side == Side::reading ? O_RDONLY : side == Side::writing ? O_WRONLY : O_RDWR;
  const std::string path = "/proc/self/fd/" + std::to_string(number);
  return Fd(::open(path.c_str(), access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

std::unique_ptr<Descriptor> open_inherited(Loop& loop, int number, Side side, std::shared_ptr<void>& keep) {
  check("descriptor " + std::to_string(number), ::fcntl(number, F_GETFD));
  const bool may_wait = !denied(Facility::epoll);
  const auto access = access_of_inherited(number);
  if (access == Access::always_ready) return std::make_unique<Descriptor>(loop, duplicate(number), *access);
  if (access && may_wait) return std::make_unique<Descriptor>(loop, duplicate(number), *access);
  if (!access)
    if (Fd own = reopen(number, side)) return std::make_unique<Descriptor>(loop, std::move(own), Access::own);
  if (is_pipe(number) && may_wait && !denied(Facility::splice))
    return std::make_unique<Descriptor>(loop, duplicate(number), Access::shared_pipe);
  return through_thread(loop, number, side, keep);
}

namespace {

std::optional<int> socket_type(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  if (fd < 0 || ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return std::nullopt;
  return type;
}

/// Whether two descriptors are of the same file or socket, as inetd(8) hands a connection over.
bool are_one_file(int a, int b) {
  struct stat one {
  }, other{};
  return ::fstat(a, &one) == 0 && ::fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

Address without_terminal_options(Address address) {
  std::erase_if(address.options, is_terminal_option);
  return address;
}

}  // namespace

std::unique_ptr<Stream> inherited_stream(const Address& address, int in, int out, bool exclusive,
                                         const Context& context) {
  const int any = in >= 0 ? in : out;
  const auto socket = socket_type(any);
  const bool terminal_in = in >= 0 && ::isatty(in) != 0;
  const bool terminal_out = out >= 0 && ::isatty(out) != 0;
  const bool terminal = terminal_in || terminal_out;
  const auto settings =
      has_terminal_options(address) && terminal ? keep_terminal_settings(terminal_in ? in : out) : nullptr;
  for (const int number : {in, out}) {
    if (number < 0) continue;
    // With a terminal on one side only, its options are for that side.
    const bool other = terminal && ::isatty(number) == 0;
    if (!socket || socket_type(number)) apply(address, socket_phases, number, context);
    apply(other ? without_terminal_options(address) : address, {Phase::fd, Phase::late}, number, context);
  }
  std::shared_ptr<void> reader, writer;
  if (socket && *socket != SOCK_STREAM) {
    MessageStream::Parts parts;
    parts.socket = open_inherited(context.loop, any, Side::both, reader);
    parts.readable = in >= 0;
    parts.writable = out >= 0;
    parts.sequenced = *socket == SOCK_SEQPACKET;
    parts.null_eof = address.flag("null-eof");
    parts.finish = finish_by(address, parts.sequenced ? FinishBy::shutting_down : FinishBy::nothing);
    return std::make_unique<MessageStream>(std::move(parts));
  }
  FdStream::Parts parts;
  if (in >= 0 && in == out && !denied(Facility::epoll)) {
    parts.in = open_inherited(context.loop, in, Side::both, reader);
    parts.both = true;
    parts.finish = socket ? FinishBy::shutting_down : FinishBy::nothing;
  } else {
    if (in >= 0) parts.in = open_inherited(context.loop, in, Side::reading, reader);
    if (out >= 0) parts.out = open_inherited(context.loop, out, Side::writing, writer);
    parts.finish = terminal_out                    ? FinishBy::nothing
                   : socket_type(out) && exclusive ? FinishBy::shutting_down
                                                   : FinishBy::closing;
    if (exclusive) parts.inherited_out = out;
  }
  parts.connection = socket && in >= 0 && out >= 0 && are_one_file(in, out);
  parts.finish = finish_by(address, parts.finish);
  parts.reset = address.flag("reset");
  parts.traits = {Shape::bytes, !terminal_in, !terminal_out && parts.finish != FinishBy::nothing};
  parts.companion = std::make_shared<std::array<std::shared_ptr<void>, 3>>(
      std::array<std::shared_ptr<void>, 3>{reader, writer, settings});
  parts.shown_in = in;
  parts.shown_out = out;
  return std::make_unique<FdStream>(std::move(parts));
}

namespace {

class StandardStreams final : public Endpoint {
 public:
  StandardStreams(const Address& address, Use use, const Context& context, int in, int out)
      : address_(address),
        context_(context),
        in_(use == Use::writing ? -1 : in),
        out_(use == Use::reading ? -1 : out) {}

  /// It is open, and every stream of it is of the same descriptors.
  bool opens_once(bool) const override { return false; }

  Task<std::unique_ptr<Stream>> open(Session& session) override {
    context_.log.notice(what());
    // Whoever gave us a connection may want its programs to know of whom.
    if (in_ == out_)
      if (const auto peer = SocketName::of_peer(in_); !peer.empty()) note_names(session, in_, peer);
    co_return inherited_stream(address_, in_, out_, session.alone, context_);
  }

 private:
  std::string what() const {
    constexpr std::array<std::string_view, 3> names = {"stdin", "stdout", "stderr"};
    const auto name = [&](int number) {
      return number < 3 && address_.keyword->name != "FD"
                 ? std::string(names[static_cast<std::size_t>(number)])
                 : "file descriptor " + std::to_string(number);
    };
    if (in_ == 0 && out_ == 1) return "reading from and writing to stdio";
    if (in_ >= 0 && out_ >= 0) return "reading from and writing to " + name(in_);
    return in_ >= 0 ? "using " + name(in_) + " for reading" : "using " + name(out_) + " for writing";
  }

  Address address_;
  Context context_;
  int in_;
  int out_;
};

struct Numbers {
  std::string_view keyword;
  int in;
  int out;
};

constexpr std::array standard_numbers = {Numbers{"STDIO", 0, 1}, Numbers{"STDIN", 0, 0},
                                         Numbers{"STDOUT", 1, 1}, Numbers{"STDERR", 2, 2}};

}  // namespace

std::unique_ptr<Endpoint> make_standard(const Address& address, Use use, const Context& context) {
  int in = -1;
  int out = -1;
  for (const auto& row : standard_numbers)
    if (row.keyword == address.keyword->name) in = row.in, out = row.out;
  if (in < 0) {
    const Parameter& parameter = address.parameters[0];
    const auto& text = parameter.text;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), in);
    if (error != std::errc{} || end != text.data() + text.size() || in < 0)
      throw AddressError(address, parameter.place, '"' + text + "\" is no descriptor number");
    out = in;
  }
  if (in == out) {
    // A pipe's reading end must not be opened for writing as well: it would never end.
    const int mode = ::fcntl(in, F_GETFL);
    if (mode < 0)
      throw Failure(std::string(address.written()) + ": descriptor " + std::to_string(in), last_error());
    if ((mode & O_ACCMODE) == O_WRONLY) in = -1;
    if ((mode & O_ACCMODE) == O_RDONLY) out = -1;
  }
  if ((use == Use::reading && in < 0) || (use == Use::writing && out < 0))
    throw Failure(std::string(address.written()) + ": the descriptor is not open for " +
                  (use == Use::reading ? "reading" : "writing"));
  return std::make_unique<StandardStreams>(address, use, context, in, out);
}

}  // namespace sluice
