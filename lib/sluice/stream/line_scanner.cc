#include "sluice/stream/line_scanner.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>

#include "sluice/core/denied.h"
#include "sluice/core/failure.h"
#include "sluice/core/own_output.h"
#include "sluice/core/pipe.h"
#include "sluice/stream/file_part.h"
#include "sluice/stream/plain.h"

namespace sluice {
namespace {

/// An input that gave so much is worth a few more system calls.
constexpr std::size_t much = plain::buffer_size;

/// So much is read of it at once then: from the page cache, whose large folios are copied the quicker the
/// more is asked for, 256 MiB take 20 ms, with a quarter of it 25.
constexpr std::size_t large_buffer = mib(1);

/// How much pipes hold between which is teed: it stands in both of them until it is read, so that they need
/// twice as much as others to keep all busy.
constexpr std::size_t teeing_pipe_size = 2 * wide_pipe_size;

/// Puts what stands in one pipe, at most `most` bytes, into another one too; waits until it can. Returns 0 at
/// the end, and where the kernel does not do it: reading will show which.
std::size_t tee_some(int from, int to, std::size_t most) {
  for (;;) {
    const ssize_t count = ::tee(from, to, most, 0);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EPIPE) throw Failure("write error", last_error());
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return 0;
    // One of them arrived non-blocking, and the error does not say which is to be waited for.
    for (pollfd ready : {pollfd{from, POLLIN, 0}, pollfd{to, POLLOUT, 0}}) ::poll(&ready, 1, -1);
  }
}

}  // namespace

LineScanner::LineScanner(const ScanRules& rules, ProgressCounts& running)
    : rules_(rules), running_(running), buffer_(large_buffer) {}

Scan LineScanner::count(int fd) {
  Scan scan{LineCounter(rules_.lines.delimiter), {}, false};
  for (bool was_much = false;;) {
    const Bytes room = buffer_.bytes().first(was_much ? large_buffer : plain::buffer_size);
    const plain::Reading reading = plain::read_some(fd, room);
    if (reading.count == 0) return finished(scan, reading.why);
    scan.counter.feed(room.first(reading.count));
    show(scan);
    if (scan.too_many) return scan;
    if (was_much || scan.counter.bytes() < much) continue;
    was_much = true;
    widen_pipe(fd);
    count_ahead(fd, scan);
    if (scan.too_many) return scan;
  }
}

void LineScanner::count_ahead(int fd, Scan& scan) {
  const auto part = part_ahead(fd, rules_.threads);
  if (!part) return;
  // A line that is still open is counted when its delimiter comes.
  running_.lines.store(lines_ + scan.counter.terminated(), std::memory_order_relaxed);
  const auto found = count_part(*part, {rules_.lines.delimiter, rules_.most}, buffer_.bytes(), running_);
  if (found) scan.counter.add(static_cast<std::uint64_t>(part->end - part->begin), *found);
  show(scan);
}

Scan LineScanner::pass(int from, int to) {
  Scan scan{LineCounter(rules_.lines.delimiter), {}, false};
  const bool limited = rules_.most != std::numeric_limits<std::uint64_t>::max();
  // What goes on before it is counted cannot be held back.
  const auto own = OwnOutput::of(from, to);
  const bool tees = !limited && is_pipe(from) && is_pipe(to) && !denied(Facility::splice);
  for (bool was_much = false;;) {
    std::size_t ahead = tees ? tee_some(from, to, plain::buffer_size) : 0;
    const bool written = ahead > 0;
    do {
      const Bytes room = buffer_.bytes().first(written ? ahead : plain::buffer_size);
      if (own && own->is_met()) return finished(scan, input_is_output());
      const plain::Reading reading = plain::read_some(from, room);
      if (reading.count == 0) return finished(scan, reading.why);
      if (own && own->is_met(reading.count)) return finished(scan, input_is_output());
      const Bytes piece = room.first(reading.count);
      const std::uint64_t before = scan.counter.terminated();
      scan.counter.feed(piece);
      scan.too_many = are_too_many(scan.counter);
      if (!written) plain::write_all(to, scan.too_many ? allowed(piece, before) : piece);
      show(scan);
      if (scan.too_many) return scan;
      ahead -= written ? reading.count : 0;
    } while (ahead > 0);
    if (was_much || scan.counter.bytes() < much) continue;
    was_much = true;
    for (const int pipe : {from, to}) widen_pipe(pipe, tees ? teeing_pipe_size : wide_pipe_size);
  }
}

bool LineScanner::are_too_many(const LineCounter& counter) const {
  return lines_ + lines_of(counter, rules_.lines) > rules_.most;
}

void LineScanner::show(Scan& scan) {
  running_.bytes.store(bytes_ + scan.counter.bytes(), std::memory_order_relaxed);
  running_.lines.store(lines_ + lines_of(scan.counter, rules_.lines), std::memory_order_relaxed);
  scan.too_many = are_too_many(scan.counter);
}

Scan LineScanner::finished(Scan scan, std::error_code why) {
  scan.why = why;
  bytes_ += scan.counter.bytes();
  lines_ += lines_of(scan.counter, rules_.lines);
  return scan;
}

/// With an unterminated line as one of them, the last that is allowed ends with its delimiter; else what
/// stands behind that is no line before its own delimiter comes.
ConstBytes LineScanner::allowed(ConstBytes piece, std::uint64_t before) const {
  const std::uint64_t left = rules_.most - (lines_ + before);
  auto end = piece.begin();
  for (std::uint64_t i = 0; i < left; ++i) end = std::find(end, piece.end(), rules_.lines.delimiter) + 1;
  if (!rules_.lines.partial) end = std::find(end, piece.end(), rules_.lines.delimiter);
  return piece.first(static_cast<std::size_t>(end - piece.begin()));
}

}  // namespace sluice
