#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "tools/run.h"

namespace sluice::test {
namespace {

TEST(Run, CapturesWhatAProgramSaysAndHowItEnds) {
  const Ended ended = run({"sh", "-c", "cat; echo bad >&2; exit 7"}, {.input = "good\n"});
  EXPECT_EQ(ended, (Ended{.out = "good\n", .err = "bad\n", .captured = {}, .status = 7}));
  EXPECT_EQ(run({"sh", "-c", "kill -TERM $$"}).signal, SIGTERM);
}

TEST(Run, CarriesMuchDataBothWays) {
  const std::string much = sample(std::size_t{8} << 20);
  EXPECT_TRUE(run({"cat"}, {.input = much}).out == much);
  EXPECT_EQ(run({"true"}, {.input = much}).status, 0);
}

TEST(Run, SaysThatAProgramCannotBeStarted) {
  EXPECT_THROW(run({"/nonexistent/program"}), Failure);
  EXPECT_THROW(run({"no-such-program-anywhere"}), Failure);
  EXPECT_THROW(run({"/etc/passwd"}), Failure);
}

TEST(Run, GivesTheChildWhatTheSetupSaysAndNothingElse) {
  const TemporaryDirectory directory;
  const Pipe ours = make_pipe();
  const Ended listed = run({"sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"});
  EXPECT_EQ(listed.out, "0 1 2 3 ");  // 3 is ls's own
  const Ended run_there =
      run({"sh", "-c", "pwd; echo $NAME-${HOME-none}; echo more >&5; test -e /proc/self/fd/6"},
          {.captured = {5}, .environment = {"NAME=value", "HOME"}, .directory = directory.path()});
  EXPECT_EQ(run_there.out, directory.path() + "\nvalue-none\n");
  EXPECT_EQ(run_there.captured.at(5), "more\n");
  EXPECT_EQ(run_there.status, 1);
}

TEST(Running, AnswersLineByLineAndDiesWithItsOwner) {
  pid_t pid = 0;
  {
    Running cat({"cat"}, {.more_input = true});
    pid = cat.pid();
    for (const char* line : {"one", "two"}) {
      cat.write(std::string(line) + '\n');
      EXPECT_EQ(cat.line(), line);
    }
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(Running, EndsItsLinesWhenTheProgramEnds) {
  Running program({"sh", "-c", "printf 'a\\nb'; read x; exit 3"}, {.more_input = true});
  EXPECT_EQ(program.line(), "a");
  program.finish_input();
  EXPECT_EQ(program.line(), "b");
  EXPECT_EQ(program.line(), std::nullopt);
  EXPECT_EQ(program.wait().status, 3);
}

TEST(TemporaryDirectory, RemovesItselfWithAllThatIsInIt) {
  std::string path;
  {
    const TemporaryDirectory directory;
    path = directory.path();
    EXPECT_TRUE(std::filesystem::exists(directory.file("x", "content")));
    std::filesystem::create_directories(path + "/a/b");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace sluice::test
