#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>

#include "tools/run.h"

namespace sluice::test {
namespace {

/// The port in `tcp [::]:43121`.
std::string port_of(const std::optional<std::string>& name) {
  return name ? name->substr(name->rfind(':') + 1) : "none";
}

TEST(Explain, SaysWhatAnAddressMeansOrPointsAtWhatIsWrongInIt) {
  const Ended good = run({example("explain"), "tcp-l:9000,fork"});
  EXPECT_TRUE(good.out.starts_with("TCP-LISTEN: ")) << good.out;
  EXPECT_NE(good.out.find("  parameter 9000\n  option fork: "), std::string::npos) << good.out;
  EXPECT_EQ(good.status, 0);
  const Ended dual = run({example("explain"), "STDIN!!OPEN:x"});
  EXPECT_NE(dual.out.find("written to:\nOPEN: "), std::string::npos) << dual.out;
  const Ended bad = run({example("explain"), "tcp-l:9000,frok"});
  EXPECT_NE(bad.err.find("fork"), std::string::npos) << bad.err;
  EXPECT_NE(bad.err.find("\n           ^"), std::string::npos) << bad.err;
  EXPECT_EQ(bad.status, 2);
}

TEST(CountInterfaces, CountsTheLinesOfAnyAddress) {
  const TemporaryDirectory directory;
  const std::string text = sample(300'000);
  const auto lines = std::count(text.begin(), text.end(), '\n');
  const std::string path = directory.file("text", text);
  for (const std::string& address : {"OPEN:" + path, "EXEC:cat " + path})
    EXPECT_EQ(run({example("count_interfaces"), address}).out, std::to_string(lines) + '\n') << address;
  EXPECT_EQ(run({example("count_interfaces"), "OPEN:/none"}).status, 1);
}

TEST(CountInterfaces, CountsWhatIpLists) {
  if (run({"sh", "-c", "command -v ip"}).status != 0) GTEST_SKIP() << "iproute2 is not installed";
  EXPECT_EQ(run({example("count_interfaces")}).out, run({"sh", "-c", "ip -o link | wc -l"}).out);
}

TEST(UpperServers, AnswerEachClientAndEndWhenTold) {
  for (const auto& [server, client] :
       {std::pair{"tcp_upper_server", "TCP:127.0.0.1:"}, {"udp_upper_server", "UDP:127.0.0.1:"}}) {
    Running running({example(server), "0"});
    const std::string address = client + port_of(running.line());
    for (const std::string word : {"labi", "Über", "a b"}) {
      const Ended ended = run({example("ask"), address, word});
      EXPECT_EQ(ended.out, run({tool("upper")}, {.input = word}).out) << server;
      EXPECT_EQ(ended.err, "");
      EXPECT_EQ(ended.status, 0);
    }
    running.signal(SIGTERM);
    EXPECT_EQ(running.wait().status, 0) << server;
  }
}

TEST(UpperServers, SayWhoHoldsAPortThatIsTaken) {
  Running first({example("tcp_upper_server"), "0"});
  const std::string port = port_of(first.line());
  const Ended second = run({example("tcp_upper_server"), port});
  EXPECT_NE(second.err.find("Address already in use"), std::string::npos) << second.err;
  EXPECT_NE(second.err.find(std::to_string(first.pid())), std::string::npos) << second.err;
  EXPECT_EQ(second.status, 1);
}

TEST(Ask, SaysThatNobodyListens) {
  const TemporaryDirectory directory;
  const Ended ended = run({example("ask"), "UNIX-CONNECT:" + directory.path() + "/none", "x"});
  EXPECT_NE(ended.err.find("No such file or directory"), std::string::npos) << ended.err;
  EXPECT_EQ(ended.status, 1);
}

TEST(Rot13, IsAFilterOfOnesOwnBehindAnyAddress) {
  const Ended once = run({example("rot13"), "STDIO"}, {.input = "Uryyb, 1 world"});
  EXPECT_EQ(once.out, "Hello, 1 jbeyq");
  EXPECT_EQ(once.status, 0);
  const std::string text = sample(200'000);
  const std::string there = run({example("rot13"), "STDIO"}, {.input = text}).out;
  EXPECT_TRUE(run({example("rot13"), "STDIO"}, {.input = there}).out == text);
}

}  // namespace
}  // namespace sluice::test
