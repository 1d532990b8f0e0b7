#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "reliability.h"

/// How long things take is measured by a clock that nobody can set.
namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Runs sockcat under a wall clock that jumps by years.
class WallClock : public testing::Test {
 protected:
  void SetUp() override {
    if (under_sanitizers()) GTEST_SKIP() << "sanitizers want to be loaded first";
    if (::access(clock().c_str(), R_OK) != 0) GTEST_SKIP() << "may not read " << clock();
  }
  static RunOptions jumping() { return {.environment = {"LD_PRELOAD=" + clock()}}; }

 private:
  static std::string clock() { return helper("libjumping-clock.so"); }
};

/// Else the other cases say nothing.
TEST_F(WallClock, IsSeenToJump) {
  const Ended ended = run_sockcat({"-d", "-d", "/dev/null", "/dev/null"}, jumping());
  EXPECT_EQ(ended.status, 0);
  const int year = std::stoi(ended.err), next = std::stoi(ended.err.substr(ended.err.find('\n') + 1));
  EXPECT_GE(std::abs(year - next), 19) << ended.err;
}

TEST_F(WallClock, DoesNotEndWhatIsNotSilent) {
  Channel channel(Way::tcp, {"-T", "20", "-t", "20"}, jumping());
  for (std::size_t i = 0; i < 20; ++i) {
    exchange(channel.left, channel.right, 100, i * 100);
    std::this_thread::sleep_for(milliseconds(10));
  }
  channel.left.finish();
  EXPECT_EQ(read_text(channel.right.reading.get(), there, pieces_of(1), 2000), (Moved{0}));
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(write_text(channel.right.writing.get(), back, 100, pieces_of(1), 2000), (Moved{100}));
  channel.right.finish();
  EXPECT_EQ(read_text(channel.left.reading.get(), back, pieces_of(100), 2000), (Moved{100}));
  expect_good_end(channel.process());
}

struct Wait {
  const char* name;
  std::vector<std::string> words;
  int status;
};

class WallClockAndWait : public WallClock, public testing::WithParamInterface<Wait> {};

TEST_P(WallClockAndWait, LastsAsLongAsItShould) {
  RunOptions options = jumping();
  options.more_input = true;
  const auto begin = steady_clock::now();
  Running tool(sockcat(GetParam().words), options);
  if (GetParam().words.front() == "-t") tool.finish_input();
  // Of the others, input stays open until they have ended by themselves.
  while (tool.line(2) || tool.line(1)) {
  }
  EXPECT_EQ(tool.wait().status, GetParam().status);
  const auto took = steady_clock::now() - begin;
  EXPECT_GE(took, milliseconds(300));
  // The machine may be busy, but not for years.
  EXPECT_LT(took, deadline / 2);
}

INSTANTIATE_TEST_SUITE_P(
    Wait, WallClockAndWait,
    testing::ValuesIn(std::vector<Wait>{
        {"ForInactivity", {"-T", "0.3", "-", "EXEC:sleep 1000"}, 124},
        {"AfterTheFirstEnd", {"-t", "0.3", "-", "EXEC:sleep 1000"}, 0},
        {"ForAClient", {"-", "TCP4-LISTEN:0,bind=127.0.0.1,accept-timeout=0.3"}, 124},
        {"ForAServer", {"-", "UNIX-CONNECT:/nonexistent/socket,retry=3,interval=0.1"}, 1},
    }),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace sluice::test
