#include "sluice/cli/tool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <stdexcept>

namespace sluice {
namespace {

struct Caret final : UsageError {
  Caret() : UsageError("bad address") { set_detail("TPC:x\n^"); }
};

/// Runs a tool in a process of its own (it closes standard output) under the name /bin/thing.
[[noreturn]] void leave(const std::function<int(const Invocation&)>& body) {
  std::string path = "/bin/thing", word = "word";
  char* words[] = {path.data(), word.data(), nullptr};
  _exit(run_tool(2, words, body));
}

using RunToolDeathTest = testing::Test;

TEST_F(RunToolDeathTest, TurnsWhatItsBodyThrowsIntoOneLineAndAStatus) {
  struct Row {
    std::function<int(const Invocation&)> body;
    int status;
    const char* error;
  };
  const Row rows[] = {
      {[](const Invocation&) { return 0; }, 0, "^$"},
      {[](const Invocation&) { return 42; }, 42, "^$"},
      {[](const Invocation&) -> int {
         throw Failure("open x", std::make_error_code(std::errc::not_a_directory));
       },
       1, "^thing: open x: Not a directory\n$"},
      {[](const Invocation&) -> int { throw Failure("slow", ExitStatus::timed_out); }, 124,
       "^thing: slow\n$"},
      {[](const Invocation&) -> int { throw UsageError("bad"); }, 2,
       "^thing: bad\nTry 'thing --help' for more information.\n$"},
      {[](const Invocation&) -> int { throw Caret(); }, 2, "^thing: bad address\nTPC:x\n\\^\n$"},
      {[](const Invocation&) -> int { throw std::runtime_error("odd"); }, 1, "^thing: odd\n$"},
  };
  for (const Row& row : rows) EXPECT_EXIT(leave(row.body), testing::ExitedWithCode(row.status), row.error);
}

TEST_F(RunToolDeathTest, NamesTheProgramAndItsWords) {
  const auto body = [](const Invocation& invocation) {
    return invocation.program == "thing" && std::string(invocation.words[0]) == "word" &&
                   invocation.words.size() == 1
               ? 3
               : 4;
  };
  EXPECT_EXIT(leave(body), testing::ExitedWithCode(3), "");
}

TEST_F(RunToolDeathTest, LetsNoFileGetTheNumberOfAClosedDescriptor) {
  const auto start = [] {
    ::close(0);
    ::close(1);
    leave([](const Invocation&) {
      const int fd = ::open("/dev/zero", O_RDONLY);
      char byte = 0;
      const bool broken = ::read(0, &byte, 1) == -1 && ::write(1, &byte, 1) == -1;
      return fd > 2 && broken ? 5 : 6;
    });
  };
  EXPECT_EXIT(start(), testing::ExitedWithCode(5), "^$");
}

TEST_F(RunToolDeathTest, FailsWhenAPrintedTextDoesNotArrive) {
  const auto start = [] {
    ::dup2(::open("/dev/full", O_WRONLY), 1);
    leave([](const Invocation&) { return print("text"), 0; });
  };
  EXPECT_EXIT(start(), testing::ExitedWithCode(1), "^thing: write error: No space left on device\n$");
}

}  // namespace
}  // namespace sluice
