#include "sluice/stream/plain.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "sluice/core/failure.h"
#include "sluice/core/pipe.h"

namespace sluice::plain {
namespace {

/// Waits until a descriptor that arrived non-blocking can be used. An interrupted wait only tries too early.
void wait_for(int fd, short events) {
  pollfd ready{.fd = fd, .events = events, .revents = 0};
  ::poll(&ready, 1, -1);
}

/// Whether so much of an input is left that a thread pays.
bool is_large_file(int fd) {
  constexpr off_t large = mib(4);
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return false;
  const off_t offset = ::lseek(fd, 0, SEEK_CUR);
  return offset >= 0 && status.st_size - offset >= large;
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

std::error_code Reader::each(int fd, const std::function<void(ConstBytes)>& take,
                             const std::optional<OwnOutput>& own) {
  const Bytes buffer = buffer_.bytes();
  std::size_t had = 0;
  for (;;) {
    if (own && own->is_met()) return input_is_output();
    const Reading reading = read_some(fd, buffer);
    if (reading.count == 0) return reading.why;
    if (own && own->is_met(reading.count)) return input_is_output();
    if (had < usual_pipe_size && (had += reading.count) >= usual_pipe_size) {
      widen_pipe(fd);
      ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    take(buffer.first(reading.count));
    if (moved_ != nullptr) moved_->fetch_add(reading.count, std::memory_order_relaxed);
  }
}

WriteBehind::~WriteBehind() {
  written_.acquire();
  over_ = true;
  given_.release();
  thread_.join();
}

void WriteBehind::give(Output& piece) {
  written_.acquire();
  std::swap(piece, piece_);
  const bool failed = error_ != nullptr;
  failed ? written_.release() : given_.release();
  if (failed) rethrow();
}

void WriteBehind::finish() {
  written_.acquire();
  written_.release();
  rethrow();
}

void WriteBehind::rethrow() {
  if (error_ != nullptr) std::rethrow_exception(error_);
}

void WriteBehind::work() {
  for (;;) {
    given_.acquire();
    if (over_) return;
    try {
      write_all(fd_, piece_.data());
    } catch (...) {
      error_ = std::current_exception();
    }
    piece_.clear();
    written_.release();
  }
}

std::error_code Runner::feed(int from) {
  const auto own = OwnOutput::of(from, to_);
  std::optional<WriteBehind> behind;
  // Where reading meets writing is only known if nothing is still to be written.
  if (!own && is_large_file(from) && std::thread::hardware_concurrency() > 1) {
    try {
      behind.emplace(to_);
    } catch (const std::system_error&) {
      // No thread is to be had: it goes without one.
    }
  }
  const auto take = [&](ConstBytes piece) {
    filter_.feed(piece, output_);
    behind ? behind->give(output_) : flush();
  };
  const auto why = reader_.each(from, take, own);
  if (behind) behind->finish();
  return why;
}

void Runner::finish() {
  filter_.finish(output_);
  flush();
}

void Runner::flush() {
  write_all(to_, output_.data());
  if (written_ < usual_pipe_size && (written_ += output_.data().size()) >= usual_pipe_size) widen_pipe(to_);
  output_.clear();
}

}  // namespace sluice::plain
