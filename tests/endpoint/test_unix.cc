#include <gtest/gtest.h>
#include <sys/stat.h>

#include "opened.h"

namespace sluice {
namespace {

class Unix : public testing::EndpointTest {
 protected:
  static bool exists(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
  }
  static unsigned mode_of(const std::string& path) {
    struct stat status {};
    ::lstat(path.c_str(), &status);
    return status.st_mode & 07777;
  }
};

TEST_F(Unix, ConnectsByPathAndByAbstractName) {
  const std::string abstract = "sluice-test-" + std::to_string(::getpid());
  struct Case {
    std::string server, client;
  };
  const Case cases[] = {
      {"UNIX-LISTEN:" + path("s"), "UNIX-CONNECT:%"},
      {"UNIX-LISTEN:" + path("s"), "UNIX-CLIENT:%"},
      {"UNIX-LISTEN:" + path("s"), "GOPEN:%"},
      {"UNIX-LISTEN:" + path("s") + ",socktype=5", "UNIX-CONNECT:%,socktype=5"},
      {"UNIX-LISTEN:" + path("s") + ",socktype=5", "UNIX-CLIENT:%"},
      {"ABSTRACT-LISTEN:" + abstract, "ABSTRACT-CONNECT:%"},
      {"ABSTRACT-LISTEN:" + abstract, "ABSTRACT-CLIENT:%"},
      {"ABSTRACT-LISTEN:" + abstract + ",unix-tightsocklen=0", "ABSTRACT-CONNECT:%,unix-tightsocklen=0"},
  };
  for (const auto& one : cases) {
    auto [server, client] = meet(one.server, one.client);
    ASSERT_TRUE(server && client) << one.server;
    write(*client, "hello");
    finish(*client);
    EXPECT_EQ(read(*server), "hello") << one.server;
    client.reset();
    server.reset();
    EXPECT_FALSE(exists(path("s"))) << one.server;
  }
}

TEST_F(Unix, HasItsModeBeforeAnybodyCanConnect) {
  for (const unsigned mode : {0600U, 0666U, 0777U}) {
    const auto listener = endpoint("UNIX-LISTEN:" + path("m") + ",mode=" +
                                   (mode == 0600   ? "600"
                                    : mode == 0666 ? "666"
                                                   : "777"));
    run(loop_, listener->prepare());
    EXPECT_EQ(mode_of(path("m")), mode);
  }
  const auto listener = endpoint("UNIX-LISTEN:" + path("m") + ",umask=077");
  run(loop_, listener->prepare());
  EXPECT_EQ(mode_of(path("m")), 0700U);
}

TEST_F(Unix, ReplacesWhatADeadServerLeftBehind) {
  {
    const Fd dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto name = SocketName::unix_path(path("stale"));
    ASSERT_EQ(::bind(dead.get(), name.data(), name.size()), 0);
    ASSERT_EQ(::listen(dead.get(), 1), 0);
  }
  ASSERT_TRUE(exists(path("stale")));
  auto [server, client] = meet("UNIX-LISTEN:" + path("stale"), "UNIX-CONNECT:%");
  write(*client, "x");
  EXPECT_EQ(read_once(*server), "x");
}

TEST_F(Unix, RefusesThePathOfALiveServerAndUsesUpNoneOfItsPeers) {
  const auto live = endpoint("UNIX-LISTEN:" + path("live") + ",backlog=1");
  run(loop_, live->prepare());
  const auto second = endpoint("UNIX-LISTEN:" + path("live"));
  try {
    run(loop_, second->prepare());
    FAIL();
  } catch (const Failure& refused) {
    EXPECT_NE(std::string(refused.what()).find("Address already in use (held by "), std::string::npos)
        << refused.what();
  }
  EXPECT_TRUE(exists(path("live")));
  auto client = open("UNIX-CONNECT:" + path("live"));
  auto server = open(*live);
  write(*client, "mine");
  EXPECT_EQ(read_once(*server), "mine");
}

TEST_F(Unix, NeverReplacesWhatIsNoSocket) {
  Fd(::open(path("file").c_str(), O_CREAT | O_WRONLY, 0600));
  EXPECT_NE(failure("UNIX-LISTEN:" + path("file")).find("in use"), std::string::npos);
  EXPECT_TRUE(exists(path("file")));
}

TEST_F(Unix, UnlinksOnlyItsOwnPath) {
  {
    const auto listener = endpoint("UNIX-LISTEN:" + path("own"));
    run(loop_, listener->prepare());
    ::unlink(path("own").c_str());
    Fd(::open(path("own").c_str(), O_CREAT | O_WRONLY, 0600));
  }
  EXPECT_TRUE(exists(path("own"))) << "somebody else's by now";
  {
    const auto listener = endpoint("UNIX-LISTEN:" + path("kept") + ",unlink-close=0");
    run(loop_, listener->prepare());
  }
  EXPECT_TRUE(exists(path("kept")));
}

TEST_F(Unix, SaysWhyItCannotConnect) {
  EXPECT_NE(failure("UNIX-CONNECT:" + path("none")).find("No such file or directory"), std::string::npos);
  EXPECT_THROW(endpoint("UNIX-CONNECT:" + std::string(120, 'x')), AddressError);
}

}  // namespace
}  // namespace sluice
