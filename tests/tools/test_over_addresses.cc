#include <gtest/gtest.h>

#include <string>

#include "run.h"
#include "sockcat.h"

/// The filters' --from, --to and --serve.
namespace sluice::test {
namespace {

TEST(OverAddresses, ReadsSourcesOneAfterTheOther) {
  const TemporaryDirectory folder;
  const std::string file = folder.file("f", "one\ntwo\n");
  const Ended upper = run(
      {tool("upper"), "--from", "EXEC:'printf a'", "--from", "FILE:" + file, "--from", "-"}, {.input = "b"});
  EXPECT_EQ(upper.out, "AONE\nTWO\nB");
  EXPECT_EQ(upper.status, 0);
  const Ended counts =
      run({tool("count-lines"), "--partial", "--from", "EXEC:'printf a'", "--from", "FILE:" + file});
  EXPECT_EQ(counts.out, "1\n2\n");
}

TEST(OverAddresses, WritesToAnAddress) {
  const TemporaryDirectory folder;
  const std::string out = folder.path() + "/out";
  const std::string large = sample(1 << 20);
  EXPECT_EQ(run({tool("upper"), "--ascii", "--to", "CREATE:" + out}, {.input = large}).status, 0);
  EXPECT_EQ(contents_of(out), run({"tr", "a-z", "A-Z"}, {.input = large, .environment = {"LC_ALL=C"}}).out);
  const std::string file = folder.file("name:with,odd 'bytes", "x");
  EXPECT_EQ(run({tool("upper"), "--to", "STDOUT", file}).out, "X");
  const Ended full = run({tool("upper"), "--to", "FILE:/dev/full", file});
  EXPECT_EQ(full.status, 1);
  EXPECT_NE(full.err.find("No space left on device"), std::string::npos) << full.err;
}

TEST(OverAddresses, ReportsASourceThatFailsAndGoesOn) {
  const Ended ended = run({tool("upper"), "--from", "FILE:/nowhere/x", "--from", "EXEC:'printf rest'"});
  EXPECT_EQ(ended.out, "REST");
  EXPECT_EQ(ended.status, 1);
  EXPECT_NE(ended.err.find("No such file or directory"), std::string::npos) << ended.err;
}

TEST(OverAddresses, WrongOnesAreUsageErrors) {
  struct Case {
    std::vector<std::string> words;
    std::string message;
  };
  const Case cases[] = {
      {{"--serve", "STDIO"}, "no clients come"},
      {{"--serve", "TCP-LISTEN:99999"}, "out of range"},
      {{"--from", "NOSUCH:x"}, "unknown"},
      {{"--to", "TCP:x"}, "parameters"},
      {{"--serve", "TCP-LISTEN:1", "--from", "-"}, "cannot be combined"},
  };
  for (const auto& one : cases) {
    std::vector<std::string> words = {tool("upper")};
    words.insert(words.end(), one.words.begin(), one.words.end());
    const Ended ended = run(words);
    EXPECT_EQ(ended.status, 2) << one.message;
    EXPECT_NE(ended.err.find(one.message), std::string::npos) << ended.err;
  }
}

TEST(OverAddresses, ServesManyClientsAtOnce) {
  Running upper({tool("upper"), "--ready-fd", "5", "--serve", "TCP4-LISTEN:0"}, {.captured = {5}});
  const std::string name = upper.line(5).value_or(":0");
  const int port = std::stoi(name.substr(name.rfind(':') + 1));
  std::vector<Socket> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(Socket::to_tcp(port));
  for (auto& client : clients) client.send("interleaved ");
  for (auto& client : clients) EXPECT_EQ(client.receive(12), "INTERLEAVED ") << "answered before the end";
  for (auto& client : clients) {
    client.send("end");
    client.finish();
    EXPECT_EQ(client.receive_all(), "END");
  }
  upper.signal(SIGTERM);
  EXPECT_EQ(upper.wait().status, 0);
}

}  // namespace
}  // namespace sluice::test
