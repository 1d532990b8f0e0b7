#include "sluice/stream/plain.h"

#include <poll.h>
#include <unistd.h>

#include "sluice/core/failure.h"

namespace sluice::plain {
namespace {

/// Waits until a descriptor that arrived non-blocking can be used. An interrupted wait only tries too early.
void wait_for(int fd, short events) {
  pollfd ready{.fd = fd, .events = events, .revents = 0};
  ::poll(&ready, 1, -1);
}

}  // namespace

Reading read_some(int fd, Bytes into) {
  for (;;) {
    const ssize_t count = ::read(fd, into.data(), into.size());
    if (count >= 0) return {.count = static_cast<std::size_t>(count), .why = {}};
    if (errno == EAGAIN)
      wait_for(fd, POLLIN);
    else if (errno != EINTR)
      return {.count = 0, .why = last_error()};
  }
}

void write_all(int fd, ConstBytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count >= 0)
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    else if (errno == EAGAIN)
      wait_for(fd, POLLOUT);
    else if (errno != EINTR)
      throw Failure("write error", last_error());
  }
}

std::error_code Reader::each(int fd, const std::function<void(ConstBytes)>& take) {
  const Bytes buffer(buffer_.get(), buffer_size);
  for (;;) {
    const Reading reading = read_some(fd, buffer);
    if (reading.count == 0) return reading.why;
    take(buffer.first(reading.count));
    if (moved_ != nullptr) moved_->fetch_add(reading.count, std::memory_order_relaxed);
  }
}

std::error_code Runner::feed(int from) {
  return reader_.each(from, [this](ConstBytes piece) {
    filter_.feed(piece, output_);
    flush();
  });
}

void Runner::finish() {
  filter_.finish(output_);
  flush();
}

void Runner::flush() {
  write_all(to_, output_.data());
  output_.clear();
}

}  // namespace sluice::plain
