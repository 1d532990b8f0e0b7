#include "sluice/stream/fd_stream.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "sluice/stream/progress.h"
#include "sluice/stream/session.h"
#include "sluice/stream/turn.h"

namespace sluice {
namespace {

bool is_socket(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

/// What is written to a local socket is with its peer at once, and stays there when we close.
bool is_local(int socket) {
  int family = 0;
  socklen_t size = sizeof family;
  return ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family == AF_UNIX;
}

/// Bytes that the peer has not acknowledged yet (tcp(7) SIOCOUTQ).
int undelivered(int socket) {
  int count = 0;
  return ::ioctl(socket, SIOCOUTQ, &count) == 0 ? count : 0;
}

/// The last holder's closing becomes a reset (socket(7), SO_LINGER).
void reset_by_closing(int socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

FdStream::FdStream(Parts parts) : parts_(std::move(parts)) {
  info_.traits = parts_.traits;
  if (parts_.in) info_.in = parts_.shown_in >= 0 ? parts_.shown_in : parts_.in->number();
  info_.readable = parts_.in != nullptr;
  info_.peer = std::move(parts_.peer);
  info_.writable = out() != nullptr;
  if (auto* to = out()) info_.out = parts_.shown_out >= 0 ? parts_.shown_out : to->number();
  info_.echoes = parts_.echoes;
  info_.traits.reading_tells_closed = parts_.socket && parts_.both;
  info_.traits.is_connection = parts_.connection || (parts_.socket && parts_.both);
  // Only sockets can be told in these ways.
  const bool needs_socket =
      parts_.finish == FinishBy::shutting_down || parts_.finish == FinishBy::empty_packet;
  if (needs_socket && !parts_.socket && out() != nullptr && !is_socket(out()->number()))
    info_.traits.can_finish = false;
}

Task<End> FdStream::read_some(Batch& into) {
  while (!stopped_reading_) {
    if (!parts_.in) co_return End{End::finished, {}};
    if (std::exchange(parts_.awaits_writer, false)) {
      into.relax();
      if (!co_await parts_.in->wait(Descriptor::readable)) break;
    }
    const auto attempt = parts_.in->try_read(into.room());
    if (attempt.count > 0) {
      into.added(static_cast<std::size_t>(attempt.count));
      co_return End{};
    }
    if (attempt.count == 0) {
      parts_.in->rest();
      // Kept in mind of sockets only: a file may grow, a FIFO may get another writer (ignoreeof).
      input_over_ = parts_.socket;
      co_return End{End::finished, {}};
    }
    if (leaves_direct(attempt, *parts_.in)) continue;
    // A pseudo terminal whose other side has closed says EIO: that is its end of input.
    if (attempt.error == EIO && ::isatty(parts_.in->number()) != 0) co_return End{End::finished, {}};
    if (!attempt.would_block()) co_return end_of(attempt.error);
    into.relax();
    if (!co_await parts_.in->wait(Descriptor::readable)) break;
  }
  co_return End{End::abandoned, {}};
}

Task<End> FdStream::write_some(Batch& from) {
  while (!stopped_writing_) {
    auto* to = out();
    if (to == nullptr && !output_over_) co_return end_of(EBADF);
    if (output_over_) co_return end_of(EPIPE);
    const ConstBytes bytes = from.carries_messages() ? ConstBytes(from.messages().front().data) : from.data();
    if (bytes.empty()) {
      // An empty message leaves no trace among bytes.
      from.pop_message();
      co_return End{};
    }
    const auto attempt = to->try_write(bytes);
    if (attempt.count > 0) {
      from.consume(static_cast<std::size_t>(attempt.count));
      co_return End{};
    }
    if (leaves_direct(attempt, *to)) continue;
    if (attempt.error != 0 && !attempt.would_block()) co_return end_of(attempt.error);
    if (!co_await to->wait(Descriptor::writable)) break;
  }
  co_return End{End::abandoned, {}};
}

/// Past the page cache (O_DIRECT) only whole blocks go; a file's last part is none, and goes as usual, as
/// with dd(1). The flags of what we inherited stay.
bool FdStream::leaves_direct(const Attempt& attempt, const Descriptor& descriptor) const {
  if (attempt.error != EINVAL || parts_.shown_in >= 0 || parts_.shown_out >= 0) return false;
  const int flags = ::fcntl(descriptor.number(), F_GETFL);
  return flags >= 0 && (flags & O_DIRECT) != 0 &&
         ::fcntl(descriptor.number(), F_SETFL, flags & ~O_DIRECT) == 0;
}

Task<End> FdStream::finish() {
  auto* to = out();
  if (to == nullptr || output_over_) co_return End{};
  output_over_ = parts_.finish == FinishBy::shutting_down || parts_.finish == FinishBy::closing;
  if (parts_.finish != FinishBy::closing) co_return tell_the_end(to->number(), parts_.finish);
  if (parts_.both) co_return End{};
  to->stop(Descriptor::hung_up);
  const auto error = to->close_checked();
  if (parts_.inherited_out >= 0) {
    // The reader sees the end only when the inherited descriptor has gone too; its number stays taken.
    const Fd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (null) ::dup2(null.get(), parts_.inherited_out);
  }
  if (error) co_return End{End::broken, error};
  co_return End{};
}

Task<> FdStream::closed() {
  if (auto* to = out(); to != nullptr && !(output_over_ && !parts_.both))
    co_await to->wait(Descriptor::hung_up);
}

Task<> FdStream::discard_input() {
  if (!parts_.in || (!parts_.socket && !parts_.answers)) co_return;
  Batch scrap = Batch::of_bytes(kib(16));
  Turn turn(parts_.in->loop());
  for (;;) {
    const End end = co_await read_some(scrap);
    if (end.kind != End::open) co_return;
    if (turn.over(scrap.size(), Clock::now())) co_await turn.pass();
    scrap.clear();
  }
}

void FdStream::stop_reading() {
  stopped_reading_ = true;
  if (parts_.in) parts_.in->stop(Descriptor::readable);
}

void FdStream::stop_writing() {
  stopped_writing_ = true;
  if (auto* to = out()) {
    to->stop(Descriptor::writable);
    to->stop(Descriptor::hung_up);
  }
}

Task<> FdStream::close(const Limits& limits) {
  if (broken_off_) {
    // A local peer is reset by what it has sent and nobody has read, and by nothing else; nor does socat
    // reset one otherwise.
    const bool just_closes = is_own_socket() && (limits.as_socat || is_local(parts_.in->number()));
    if (just_closes) output_over_ = true;
    parts_.only_close = parts_.only_close || just_closes;
    parts_.reset = parts_.reset || is_own_socket();
  }
  if (!output_over_ && !parts_.reset) co_await finish();
  if (is_own_socket()) co_await deliver_and_discard(limits);
  if (parts_.reset && parts_.in) reset_by_closing(parts_.in->number());
  parts_.in.reset();
  parts_.out.reset();
  parts_.companion.reset();
}

bool FdStream::is_own_socket() const {
  return parts_.socket && !parts_.only_close && parts_.in && parts_.in->access() == Access::own;
}

// As long as something could be lost. What is unread in the receive buffer makes close(2) reset the peer,
// which drops what it has not acknowledged yet; once it has acknowledged all and nothing is unread, the
// kernel needs us no more. What a peer still says counts only while something of ours is on its way: one that
// talks on for ever is left in the end.
Task<> FdStream::deliver_and_discard(const Limits& limits) {
  // After the peer's end nothing unread can come any more: the kernel delivers the rest by itself, but not
  // before a reset.
  if (input_over_ && !parts_.reset) co_return;
  constexpr Duration longest_nap = std::chrono::milliseconds(20);
  Descriptor& socket = *parts_.in;
  const bool acknowledges = !is_local(socket.number());
  const Duration patience =
      limits.cut ? std::min(limits.grace, limits.linger_or_default()) : limits.linger_or_default();
  Batch scrap = Batch::of_bytes(kib(16));
  auto last = Clock::now();
  int before = -1;
  Duration nap = std::chrono::milliseconds(1);
  Turn turn(socket.loop());
  for (;;) {
    const auto attempt = socket.try_read(scrap.room());
    if (attempt.count == 0 && !parts_.reset) co_return;
    if (attempt.count < 0 && !attempt.would_block()) co_return;
    const int left = acknowledges ? undelivered(socket.number()) : 0;
    if (attempt.count <= 0 && left == 0) co_return;
    const auto now = Clock::now();
    if (std::exchange(before, left) != left) last = now;
    if (now - last >= patience) co_return;
    if (attempt.count > 0) {
      if (turn.over(static_cast<std::size_t>(attempt.count), now)) co_await turn.pass();
      continue;
    }
    co_await socket.loop().sleep(nap);
    nap = std::min(2 * nap, longest_nap);
  }
}

std::optional<std::uint64_t> FdStream::size_left() const {
  if (!parts_.in) return {};
  return bytes_left(parts_.in->number());
}

Raw FdStream::raw() {
  const auto raw_one = [](Descriptor* one) {
    return one != nullptr && one->access() != Access::shared_socket ? one : nullptr;
  };
  return {raw_one(parts_.in.get()), output_over_ ? nullptr : raw_one(out())};
}

}  // namespace sluice
