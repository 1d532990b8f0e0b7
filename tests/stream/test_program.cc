#include "sluice/stream/program.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "on_loop.h"
#include "sluice/stream/session.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

class ProgramTest : public ::testing::Test {
 protected:
  static Task<> end_later(Loop& loop, Program& program) {
    co_await loop.sleep(milliseconds(10));
    program.ended = true;
    program.changed.notify();
  }
  static Task<> drain_later(Loop& loop, Session& session) {
    co_await loop.sleep(milliseconds(10));
    session.drain();
  }

  Loop loop_;
  Logger log_{LogSettings{}};
  Session session_{loop_, log_, Limits{}};
  std::shared_ptr<Program> program_ = std::make_shared<Program>(loop_, -1, std::vector<int>{});
};

TEST_F(ProgramTest, IsWaitedForUntilItsEnd) {
  loop_.start(end_later(loop_, *program_));
  EXPECT_TRUE(testing::run(loop_, ends_by_itself(*program_, session_, session_.limits)));
  EXPECT_FALSE(program_->overdue);
}

TEST_F(ProgramTest, IsNotWaitedForBeyondTheIdleLimit) {
  session_.limits.idle = milliseconds(10);
  EXPECT_FALSE(testing::run(loop_, ends_by_itself(*program_, session_, session_.limits)));
  EXPECT_TRUE(program_->overdue);
}

TEST_F(ProgramTest, IsNotWaitedForOnceItsSessionDrains) {
  session_.programs.push_back(program_);
  loop_.start(drain_later(loop_, session_));
  EXPECT_FALSE(testing::run(loop_, ends_by_itself(*program_, session_, session_.limits)));
  EXPECT_FALSE(program_->overdue);
}

TEST_F(ProgramTest, HasALimitToEndWithin) {
  EXPECT_FALSE(testing::run(loop_, ends_within(*program_, milliseconds(10))));
  loop_.start(end_later(loop_, *program_));
  EXPECT_TRUE(testing::run(loop_, ends_within(*program_, std::chrono::hours(1))));
}

// A child of the test, for signals to reach.
pid_t waiting_child(bool leads_group) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (leads_group) ::setpgid(0, 0);
    for (;;) ::pause();
  }
  if (leads_group) ::setpgid(pid, pid);
  return pid;
}

TEST_F(ProgramTest, GetsASignalAloneOrWithTheGroupThatItLeads) {
  for (const bool leads_group : {false, true}) {
    const pid_t pid = waiting_child(leads_group);
    const pid_t member = waiting_child(false);
    if (leads_group) {
      ASSERT_EQ(::setpgid(member, pid), 0);
    }
    Program program(loop_, pid, {});
    end_by_signal(program, SIGTERM);
    EXPECT_TRUE(program.ended_by_us);
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(WTERMSIG(status), SIGTERM);
    if (!leads_group) ::kill(member, SIGKILL);
    EXPECT_EQ(::waitpid(member, &status, 0), member);
    EXPECT_EQ(WTERMSIG(status), leads_group ? SIGTERM : SIGKILL);
  }
}

TEST_F(ProgramTest, ThatHasEndedGetsNoSignal) {
  program_->ended = true;
  end_by_signal(*program_, SIGTERM);
  EXPECT_FALSE(program_->ended_by_us) << "its number may be another process's by now";
}

}  // namespace
}  // namespace sluice
