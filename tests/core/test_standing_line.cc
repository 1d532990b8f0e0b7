#include "sluice/core/standing_line.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "screen.h"
#include "sluice/core/fd.h"
#include "sluice/core/log.h"

namespace sluice {
namespace {

using Rows = std::vector<std::string>;
using test::screen;

/// Standard error is a terminal, which no shell has jobs on.
class Standing : public testing::Test {
 protected:
  Standing() : before_(::dup(STDERR_FILENO)) {
    int master = -1, slave = -1;
    winsize size{.ws_row = 24, .ws_col = 40, .ws_xpixel = 0, .ws_ypixel = 0};
    check("open a terminal", ::openpty(&master, &slave, nullptr, nullptr, &size));
    master_.reset(master);
    slave_.reset(slave);
    ::dup2(slave, STDERR_FILENO);
    ::setenv("TERM", "xterm", 1);
  }
  ~Standing() override { ::dup2(before_.get(), STDERR_FILENO); }

  /// All that was written up to now: a mark is put behind it.
  std::string written() {
    constexpr std::string_view mark = "#";
    EXPECT_EQ(::write(slave_.get(), mark.data(), mark.size()), 1);
    std::string text;
    char c = 0;
    while (::read(master_.get(), &c, 1) == 1 && c != mark[0]) text += c;
    return text;
  }

  Fd before_, master_, slave_;
};

TEST_F(Standing, IsDrawnInItsOwnPlaceAndTakenAway) {
  {
    StandingLine line;
    line.draw("the first one");
    EXPECT_EQ(written(), "\rthe first one\x1b[K");
    line.draw("second");
    EXPECT_EQ(written(), "\rsecond\x1b[K");
    line.clear();
    EXPECT_EQ(written(), "\r\x1b[K");
    line.clear();
    EXPECT_EQ(written(), "") << "nothing stood";
    line.draw("third");
    written();
  }
  EXPECT_EQ(written(), "\r\x1b[K");
}

TEST_F(Standing, GivesWayToLogLines) {
  Logger log({.program = "prog"});
  log.error("before");
  StandingLine line;
  log.error("nothing stands yet");
  line.draw("standing");
  log.error("one");
  log.write(Severity::error, "two", "  detail");
  line.end("last");
  log.error("after");
  EXPECT_EQ(screen(written()), (Rows{"prog: before", "prog: nothing stands yet", "prog: one", "prog: two",
                                     "  detail", "last", "prog: after", ""}));
}

TEST_F(Standing, IsWholeWhenManyThreadsWrite) {
  constexpr int each = 20;
  Logger log({.program = "prog"});
  StandingLine line;
  std::string all;
  // The terminal holds little: it is read while it is written.
  std::thread reading([&] {
    char c = 0;
    while (::read(master_.get(), &c, 1) == 1 && c != '#') all += c;
  });
  std::vector<std::thread> writing;
  for (int i = 0; i < 3; ++i)
    writing.emplace_back([&log] {
      for (int j = 0; j < each; ++j) log.error("a line of some length");
    });
  for (int j = 0; j < each; ++j) line.draw("standing " + std::to_string(j));
  for (auto& thread : writing) thread.join();
  line.end("last");
  EXPECT_EQ(::write(slave_.get(), "#", 1), 1);
  reading.join();
  Rows wanted(3 * each, "prog: a line of some length");
  wanted.insert(wanted.end(), {"last", ""});
  EXPECT_EQ(screen(all), wanted);
}

TEST_F(Standing, FollowsTheWidthOfTheTerminal) {
  const StandingLine line;
  EXPECT_EQ(line.columns(), 39U);
  for (const auto& [columns, wanted] : {std::pair<unsigned short, std::size_t>{100, 99}, {1, 0}, {0, 79}}) {
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    ASSERT_EQ(::ioctl(slave_.get(), TIOCSWINSZ, &size), 0);
    EXPECT_EQ(line.columns(), wanted) << columns;
  }
}

TEST_F(Standing, DoesNotWaitForAStoppedTerminal) {
  StandingLine line;
  ASSERT_EQ(::tcflow(slave_.get(), TCOOFF), 0);
  line.draw("nobody sees this");
  ASSERT_EQ(::tcflow(slave_.get(), TCOON), 0);
  EXPECT_EQ(written(), "");
  line.draw("but this");
  EXPECT_EQ(written(), "\rbut this\x1b[K");
}

TEST_F(Standing, DoesNotStandOnATerminalThatCannotGoBack) {
  ::setenv("TERM", "dumb", 1);
  StandingLine line;
  line.draw("standing");
  const StandingLine::Pause pause;
  line.end("last");
  EXPECT_EQ(written(), "last\r\n");
}

TEST_F(Standing, DoesNotStandInAFile) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reading(ends[0]);
  ::dup2(ends[1], STDERR_FILENO);
  ::close(ends[1]);
  {
    StandingLine line;
    line.draw("standing");
    Logger({.program = "prog"}).error("one");
    line.end("last");
  }
  ::dup2(before_.get(), STDERR_FILENO);
  char text[64];
  const auto count = ::read(reading.get(), text, sizeof text);
  EXPECT_EQ(std::string_view(text, static_cast<std::size_t>(count)), "prog: one\nlast\n");
}

TEST_F(Standing, KnowsWhatSharesItsTerminal) {
  EXPECT_TRUE(StandingLine::shares_terminal(slave_.get()));
  EXPECT_TRUE(StandingLine::shares_terminal(STDERR_FILENO));
  EXPECT_FALSE(StandingLine::shares_terminal(-1));
  const Fd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_FALSE(StandingLine::shares_terminal(null.get()));
  int master = -1, slave = -1;
  ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  const Fd other(master), another(slave);
  EXPECT_FALSE(StandingLine::shares_terminal(slave));
}

}  // namespace
}  // namespace sluice
