#include "sluice/core/standing_line.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "sluice/core/visible.h"

namespace sluice {
namespace {

constexpr std::size_t usual_columns = 80;
constexpr std::string_view line_begin = "\r";
constexpr std::string_view clear_to_end = "\x1b[K";
/// With all lines below.
constexpr std::string_view clear_below = "\x1b[J";

/// What stands on descriptor 2, which all of the process shares.
std::atomic<StandingLine*> standing = nullptr;
std::mutex standing_mutex;

bool can_go_back() {
  const char* kind = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) != 0 && !(kind != nullptr && std::string_view(kind) == "dumb");
}

/// Whether this process may draw: a terminal of another session has no jobs of ours.
bool in_foreground() {
  const pid_t front = ::tcgetpgrp(STDERR_FILENO);
  return front < 0 ? ::isatty(STDERR_FILENO) != 0 : front == ::getpgrp();
}

bool takes_output() {
  pollfd state{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&state, 1, 0) == 1 && (state.revents & POLLOUT) != 0;
}

/// Whether the terminal has so many lines below another one; one that does not say has.
bool has_lines(int below) {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || below + 1 < size.ws_row;
}

/// The process may have left the foreground since that was looked at: it is not to be stopped for this.
void write_unstopped(std::string_view text) {
  sigset_t stop, before;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTTOU);
  ::pthread_sigmask(SIG_BLOCK, &stop, &before);
  // What cannot be drawn is not worth the transfer.
  [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text.data(), text.size());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

StandingLine::StandingLine() : terminal_(can_go_back()) {
  if (!terminal_) return;
  const std::lock_guard lock(standing_mutex);
  standing = this;
}

StandingLine::~StandingLine() {
  if (!terminal_) return;
  const std::lock_guard lock(standing_mutex);
  take_away();
  if (standing == this) standing = nullptr;
}

bool StandingLine::shares_terminal(int descriptor) {
  struct stat one {
  }, other{};
  return ::isatty(descriptor) != 0 && ::fstat(descriptor, &one) == 0 && ::fstat(STDERR_FILENO, &other) == 0 &&
         S_ISCHR(other.st_mode) && one.st_rdev == other.st_rdev;
}

std::size_t StandingLine::columns() const {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  // A character in the last column leaves it to the terminal where the cursor is.
  return (known ? size.ws_col : usual_columns) - 1;
}

void StandingLine::draw(std::string_view text) {
  if (!terminal_) return;
  const std::lock_guard lock(standing_mutex);
  text_ = visible(text);
  put();
}

void StandingLine::clear() {
  if (!terminal_) return;
  const std::lock_guard lock(standing_mutex);
  take_away();
  text_.clear();
  place_.leave();
}

void StandingLine::end(std::string_view last) {
  const std::lock_guard lock(standing_mutex);
  finish(last);
}

bool StandingLine::end_at_once(std::string_view last) {
  // Somebody may be waiting for the terminal in the middle of a line of his own.
  const std::unique_lock lock(standing_mutex, std::try_to_lock);
  if (!lock || !takes_output()) return false;
  finish(last);
  return true;
}

void StandingLine::finish(std::string_view last) {
  take_away();
  text_.clear();
  place_.leave();
  if (::isatty(STDERR_FILENO) == 0 || in_foreground()) write_unstopped(visible(last) + '\n');
}

void StandingLine::put() {
  if (text_.empty()) return;
  if (!in_foreground()) {
    // What stood is the shell's to scroll away; another program's line is not ours to clear.
    drawn_ = false;
    return;
  }
  if (!takes_output()) return;
  const int place = place_.take();
  if (!has_lines(place)) return;
  std::string drawn(line_begin);
  // A newline makes room at the end of the screen, where the cursor could not go down.
  drawn.append(static_cast<std::size_t>(place), '\n');
  drawn += text_;
  // Who moves up leaves a line behind.
  drawn += drawn_ && place < drawn_at_ ? clear_below : clear_to_end;
  if (place > 0) drawn += std::string(line_begin) + "\x1b[" + std::to_string(place) + 'A';
  write_unstopped(drawn);
  drawn_ = true;
  drawn_at_ = place;
}

/// With those of other processes, which draw theirs again soon: what is written next would move them.
void StandingLine::take_away() {
  const bool shared = terminal_ && place_.is_shared();
  if ((drawn_ || shared) && in_foreground())
    write_unstopped(std::string(line_begin) + std::string(shared ? clear_below : clear_to_end));
  drawn_ = false;
}

StandingLine::Pause::Pause() {
  if (standing.load(std::memory_order_relaxed) == nullptr) return;
  lock_ = std::unique_lock(standing_mutex);
  line_ = standing;
  if (line_ != nullptr) line_->take_away();
}

StandingLine::Pause::~Pause() {
  if (line_ != nullptr) line_->put();
}

}  // namespace sluice
