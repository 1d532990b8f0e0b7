#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <termios.h>

#include <algorithm>
#include <filesystem>

#include "sockcat.h"

namespace sluice::test {
namespace {

bool is_raw(const Terminal& terminal) {
  termios settings{};
  ::tcgetattr(terminal.slave.get(), &settings);
  return (settings.c_lflag & (ICANON | ECHO)) == 0;
}

void make_sane(const Terminal& terminal) {
  termios settings{};
  ::tcgetattr(terminal.slave.get(), &settings);
  settings.c_lflag |= ICANON | ECHO;
  ::tcsetattr(terminal.slave.get(), TCSANOW, &settings);
}

int status_of(const Ended& ended) { return ended.signal != 0 ? 128 + ended.signal : ended.status; }

struct Ending {
  int number;
  int of_server;   ///< exit status of who listens
  bool is_error;   ///< it is told of at the lowest level
  bool for_socat;  ///< and so it is under the name socat
};
constexpr Ending endings[] = {
    {SIGHUP, 0, false, false},
    {SIGINT, 0, false, false},
    {SIGQUIT, 0, false, true},
    {SIGTERM, 0, false, false},
    {SIGILL, 128 + SIGILL, true, true},
    {SIGABRT, 128 + SIGABRT, true, true},
    {SIGBUS, 128 + SIGBUS, true, true},
    {SIGFPE, 128 + SIGFPE, true, true},
    {SIGSEGV, 128 + SIGSEGV, true, true},
};

class EndingSignals : public ::testing::TestWithParam<bool> {
 protected:
  static std::vector<std::string> named(std::vector<std::string> words) {
    if (GetParam()) words.insert(words.begin(), "--socat");
    return words;
  }
  /// A listener on a path, with a lock file, between a terminal that it has made raw and its peer.
  struct Server {
    explicit Server(std::vector<std::string> options) : terminal(make_terminal()) {
      make_sane(terminal);
      RunOptions run;
      run.descriptors = {{0, terminal.slave.get()}, {1, terminal.slave.get()}};
      options.insert(options.end(), {"-d", "-d", "-L", lock, "-,raw,echo=0", "UNIX-LISTEN:" + path});
      process.emplace(sockcat(named(std::move(options))), std::move(run));
      while (process->line(2).value_or("listening on").find("listening on") == std::string::npos) {
      }
    }
    TemporaryDirectory directory;
    std::string path = directory.path() + "/socket", lock = directory.path() + "/lock";
    Terminal terminal;
    std::optional<Running> process;
  };
};

TEST_P(EndingSignals, LeaveNothingBehind) {
  for (const Ending& ending : endings) {
    Server server({});
    const Socket peer = Socket::to_unix(server.path);
    ASSERT_TRUE(eventually([&] { return is_raw(server.terminal); }));
    ASSERT_TRUE(std::filesystem::exists(server.lock));
    server.process->signal(ending.number);
    const Ended ended = server.process->wait();
    EXPECT_EQ(ended.status, 128 + ending.number) << ended.err;
    EXPECT_FALSE(is_raw(server.terminal)) << ending.number;
    EXPECT_FALSE(std::filesystem::exists(server.lock)) << ending.number;
    EXPECT_FALSE(std::filesystem::exists(server.path)) << ending.number;
    EXPECT_NE(ended.err.find("exiting on signal " + std::to_string(ending.number)), std::string::npos)
        << ended.err;
  }
}

TEST_P(EndingSignals, OfFaultsAreToldOfAsErrors) {
  for (const Ending& ending : endings) {
    const bool told = GetParam() ? ending.for_socat : ending.is_error;
    Serving server(named({"-d0", "TCP-LISTEN:0,bind=127.0.0.1,fork", "PIPE"}));
    server->signal(ending.number);
    const Ended ended = server->wait();
    EXPECT_EQ(ended.status, GetParam() ? 128 + ending.number : ending.of_server) << ended.err;
    EXPECT_EQ(ended.err.find(" E exiting on signal ") != std::string::npos, told) << ended.err;
  }
}

TEST_P(EndingSignals, AreThoseOfTheMask) {
  struct {
    const char* mask;
    int signal;
    bool told;
  } constexpr cases[] = {
      {"0x8000", SIGTERM, true}, {"0x8", SIGQUIT, true},        {"2", SIGHUP, true},
      {"0", SIGTERM, false},     {"0x1000", SIGUSR2, true},     {"0x80000000", SIGSYS, true},
      {"4", SIGSEGV, false},     {"0xffffffff", SIGXCPU, true}, {"4", SIGUSR2, false}};
  for (const auto& [mask, signal, told] : cases) {
    Serving server(named({"-d", "-d", "-S", mask, "TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"}),
                   {.environment = {"ASAN_OPTIONS=handle_segv=0:disable_coredump=0"}});
    server->signal(signal);
    const Ended ended = server->wait();
    const bool in_order = !GetParam() && signal != SIGUSR2 && signal != SIGSYS && signal != SIGXCPU;
    EXPECT_EQ(status_of(ended), told && in_order ? 0 : 128 + signal) << mask << ended.err;
    EXPECT_EQ(ended.signal == 0, told) << mask << ended.err;
    EXPECT_EQ(ended.err.find("exiting on signal " + std::to_string(signal)) != std::string::npos, told)
        << ended.err;
  }
}

INSTANTIATE_TEST_SUITE_P(BothNames, EndingSignals, ::testing::Bool());

}  // namespace
}  // namespace sluice::test
