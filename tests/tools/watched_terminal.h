#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/screen.h"
#include "sockcat.h"

namespace sluice::test {

/// A terminal that a program under test writes to, and what it has written.
class WatchedTerminal {
 public:
  explicit WatchedTerminal(unsigned short columns = 80) : terminal_(make_terminal()) {
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    check("set a terminal's size", ::ioctl(terminal_.slave.get(), TIOCSWINSZ, &size));
  }

  /// How to start a program that has these descriptors on it.
  RunOptions of(std::initializer_list<int> descriptors, RunOptions options = {}) const {
    for (const int one : descriptors) options.descriptors[one] = terminal_.slave.get();
    options.environment.emplace_back("TERM=xterm");
    return options;
  }

  /// Waits until a text was written that was not waited for before.
  void wait_for(std::string_view text) {
    std::size_t place = 0;
    while ((place = written_.find(text, seen_)) == std::string::npos)
      if (!read_some()) FAIL() << text << " was not written, but " << written_.substr(seen_);
    seen_ = place + text.size();
  }

  /// What it shows when no program has it open any more; from then on it cannot be used.
  std::vector<std::string> rows_at_end() {
    terminal_.slave.reset();
    while (read_some()) {
    }
    return screen(written_);
  }
  const std::string& written() const { return written_; }
  /// What it shows of all that was waited for.
  std::vector<std::string> rows_now() const { return screen(std::string_view(written_).substr(0, seen_)); }

 private:
  bool read_some() {
    pollfd state{.fd = terminal_.master.get(), .events = POLLIN, .revents = 0};
    if (::poll(&state, 1, static_cast<int>(std::chrono::milliseconds(deadline).count())) != 1) return false;
    char buffer[4096];
    const ssize_t count = ::read(terminal_.master.get(), buffer, sizeof buffer);
    if (count <= 0) return false;
    written_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  Terminal terminal_;
  std::string written_;
  std::size_t seen_ = 0;
};

/// A program that takes all its input and then waits until it is let go: a test can see what the transfer has
/// come to.
class Held {
 public:
  Held() {
    check("make a FIFO", ::mkfifo(path_.c_str(), 0600));
    // Both ways, so that neither opening nor letting go waits.
    fifo_.reset(check("open a FIFO", ::open(path_.c_str(), O_RDWR | O_CLOEXEC)));
  }
  /// Its address; `first` is done before it.
  std::string address(const std::string& first = "") const {
    return "SYSTEM:" + first + "cat > /dev/null; read x < " + path_;
  }
  void let_go() const { EXPECT_EQ(::write(fifo_.get(), "\n", 1), 1); }

 private:
  TemporaryDirectory folder_;
  std::string path_ = folder_.path() + "/fifo";
  Fd fifo_;
};

/// Whether it is `wanted` and then a time and an average, as at the end of a last line of progress.
inline bool is_last_line(std::string_view line, std::string_view wanted) {
  if (!line.starts_with(std::string(wanted) + " in ")) return false;
  const auto rest = line.substr(wanted.size() + 4);
  return rest.find(", average ") != rest.npos && rest.ends_with("B/s");
}

}  // namespace sluice::test
