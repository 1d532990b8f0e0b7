#include "sluice/endpoint/readiness.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "opened.h"

namespace sluice {
namespace {

class ReadinessTest : public testing::EndpointTest {
 protected:
  std::string contents(const std::string& name) {
    const Fd file(::open(path(name).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return "(none)";
    char text[256];
    return {text, static_cast<std::size_t>(::read(file.get(), text, sizeof text))};
  }
};

TEST_F(ReadinessTest, WritesNamesToAFileThatGoesWithIt) {
  Fd(::open(path("r").c_str(), O_CREAT | O_WRONLY, 0600));
  {
    Readiness readiness({}, path("r"));
    EXPECT_EQ(contents("r"), "(none)") << "what stood in it is not true any more";
    readiness.report({"tcp 127.0.0.1:1", "unix /x"});
    EXPECT_EQ(contents("r"), "tcp 127.0.0.1:1\nunix /x\n");
  }
  EXPECT_EQ(contents("r"), "(none)");
}

TEST_F(ReadinessTest, WritesThroughNothingThatWasPlanted) {
  const std::string number = std::to_string(::getpid());
  Fd(::open(path("victim").c_str(), O_CREAT | O_WRONLY, 0600));
  // Whatever a name can be guessed from is of no use.
  for (const std::string name : {"r", "r.new", "r.tmp", "r~", ".r.new", "r.new-"})
    for (const std::string& guess : {name, name + number})
      ASSERT_EQ(::symlink(path("victim").c_str(), path(guess).c_str()), 0);
  ASSERT_EQ(::mkfifo(path("f").c_str(), 0600), 0);
  for (const char* name : {"r", "f"}) {
    Readiness readiness({}, path(name));
    readiness.report({"tcp 127.0.0.1:1"});
    EXPECT_EQ(contents(name), "tcp 127.0.0.1:1\n");
  }
  EXPECT_EQ(contents("victim"), "");
}

TEST_F(ReadinessTest, DoesNotReplaceFoldersAndDevices) {
  ASSERT_EQ(::mkdir(path("folder").c_str(), 0700), 0);
  Readiness readiness({}, path("folder"));
  EXPECT_THROW(readiness.report({}), Failure);
  for (const char* device : {"/dev/null", "/dev/stdout", "/proc/self/fd/1"})
    EXPECT_THROW(Readiness({}, std::string(device)), Failure) << device;
}

TEST_F(ReadinessTest, LeavesAFileThatSomebodyElsePutThere) {
  {
    Readiness readiness({}, path("r"));
    readiness.report({"tcp 127.0.0.1:1"});
    ::unlink(path("r").c_str());
    Fd(::open(path("r").c_str(), O_CREAT | O_WRONLY, 0600));
  }
  EXPECT_EQ(contents("r"), "");
}

TEST_F(ReadinessTest, WritesToADescriptorOnceAndClosesIt) {
  auto [in, out] = testing::pipe_ends();
  const int number = out.release();
  Readiness readiness(number, {});
  EXPECT_EQ(::fcntl(number, F_GETFD), FD_CLOEXEC);
  readiness.report({"udp [::]:5"});
  char text[64];
  EXPECT_EQ(::read(in.get(), text, sizeof text), 11);
  EXPECT_EQ(::read(in.get(), text, sizeof text), 0);
}

TEST_F(ReadinessTest, KeepsTheNumberOfAStandardStreamTaken) {
  auto [in, out] = testing::pipe_ends();
  const Fd before(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  ::dup2(out.get(), STDIN_FILENO);
  out.reset();
  Readiness(STDIN_FILENO, {}).report({});
  char text[64];
  EXPECT_EQ(::read(in.get(), text, sizeof text), 6) << "ready, and a newline";
  EXPECT_EQ(::read(in.get(), text, sizeof text), 0);
  EXPECT_NE(::fcntl(STDIN_FILENO, F_GETFD), -1);
  ::dup2(before.get(), STDIN_FILENO);
}

TEST_F(ReadinessTest, RefusesWhatCannotBeWritten) {
  EXPECT_THROW(Readiness(987654, {}), Failure);
  Readiness readiness({}, "/nowhere/r");
  EXPECT_THROW(readiness.report({}), Failure);
}

}  // namespace
}  // namespace sluice
