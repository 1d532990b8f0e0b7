#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "opened.h"

namespace sluice {
namespace {

class Unix : public testing::EndpointTest {
 protected:
  static bool exists(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
  }
  /// A path that no server has any more.
  static void leave_dead(const std::string& path, int type) {
    const Fd dead(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    const auto name = SocketName::unix_path(path);
    ASSERT_EQ(::bind(dead.get(), name.data(), name.size()), 0);
  }
  /// As another server has it that looks whether a path is dead.
  Fd lock_folder() const {
    Fd lock(::open(folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    EXPECT_EQ(::flock(lock.get(), LOCK_EX), 0);
    return lock;
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

TEST_F(Unix, ReplacesADeadPathOnlyWhileItsFolderIsLocked) {
  struct Case {
    std::string address;  ///< `%`: the path
    int type;
  };
  const Case cases[] = {
      {"UNIX-LISTEN:%", SOCK_STREAM},
      {"UNIX-LISTEN:%,socktype=5", SOCK_SEQPACKET},
      {"UNIX-RECV:%", SOCK_DGRAM},
      {"UNIX-RECVFROM:%", SOCK_DGRAM},
      {"UNIX-SENDTO:/nowhere,bind=%", SOCK_DGRAM},
      {"UNIX-CONNECT:" + path("server") + ",bind=%", SOCK_STREAM},
  };
  const auto server = endpoint("UNIX-LISTEN:" + path("server"));
  run(loop_, server->prepare());
  for (const Case& one : cases) {
    leave_dead(path("dead"), one.type);
    std::string address = one.address;
    replace(address, path("dead"));
    Fd lock = lock_folder();
    const auto bound = endpoint(address);
    const auto bind = [&]() -> Task<> {
      if (address.find("bind=") == address.npos)
        co_await bound->prepare();
      else
        co_await bound->open(session_);
    };
    try {
      run(loop_, bind());
      ADD_FAILURE() << address;
    } catch (const Failure& failure) {
      EXPECT_NE(std::string(failure.what()).find("another process keeps its folder locked"),
                std::string::npos)
          << failure.what();
    }
    EXPECT_TRUE(exists(path("dead"))) << address;
    // Released while it is waited for.
    const auto release = [](Loop& loop, Fd& held) -> Task<> {
      for (int turn = 0; turn < 10; ++turn) co_await loop.yield();
      held.reset();
    };
    loop_.start(release(loop_, lock));
    EXPECT_NO_THROW(run(loop_, bind())) << address;
    ::unlink(path("dead").c_str());
  }
}

TEST_F(Unix, BindsWhereNothingIsInALockedFolder) {
  const Fd lock = lock_folder();
  auto [server, client] = meet("UNIX-LISTEN:" + path("new"), "UNIX-CONNECT:%");
  write(*client, "x");
  EXPECT_EQ(read_once(*server), "x");
}

TEST_F(Unix, SaysThatAFolderWhichItCannotReadIsNotLocked) {
  if (::geteuid() == 0) GTEST_SKIP() << "root can read every folder";
  leave_dead(path("dead"), SOCK_STREAM);
  ASSERT_EQ(::chmod(folder().c_str(), 0300), 0);
  EXPECT_NE(failure("UNIX-LISTEN:" + path("dead")).find("its folder cannot be locked: Permission denied"),
            std::string::npos);
  const auto forced = endpoint("UNIX-LISTEN:" + path("dead") + ",unlink-early");
  EXPECT_NO_THROW(run(loop_, forced->prepare()));
  ::chmod(folder().c_str(), 0700);
}

TEST_F(Unix, LeavesItsDeadPathToWhoeverIsReplacingIt) {
  auto [server, client] = meet("UNIX-LISTEN:" + path("s"), "UNIX-CONNECT:%");
  {
    // Nobody listens any more, so another server may have seen that it is dead.
    const Fd lock = lock_folder();
    server.reset();
    EXPECT_TRUE(exists(path("s")));
  }
  auto [second, other] = meet("UNIX-LISTEN:" + path("s"), "UNIX-CONNECT:%");
  second.reset();
  EXPECT_FALSE(exists(path("s")));
}

TEST_F(Unix, UnlinksNoSuccessorWithTheInodeNumberOfItsOwn) {
  // File systems give the number of a file that is gone to the next one.
  auto [first, client] = meet("UNIX-LISTEN:" + path("s"), "UNIX-CONNECT:%");
  const auto second = endpoint("UNIX-LISTEN:" + path("s"));
  run(loop_, second->prepare());
  first.reset();
  EXPECT_TRUE(exists(path("s")));
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

TEST_F(Unix, HasPathsOfUpTo108Bytes) {
  const auto longest = [&](char fill) {
    std::string name = path("");
    name.resize(sizeof(sockaddr_un::sun_path), fill);
    return name;
  };
  const std::string at = longest('s'), from = longest('c');
  for (const std::string type : {"1", "5"}) {
    auto [server, client] =
        meet("UNIX-LISTEN:" + at + ",socktype=" + type, "UNIX-CONNECT:%,bind=" + from + ",socktype=" + type);
    ASSERT_TRUE(server && client);
    EXPECT_TRUE(exists(at) && exists(from));
    write(*client, "hello");
    EXPECT_EQ(read_once(*server), "hello");
    client.reset();
    server.reset();
    EXPECT_FALSE(exists(at) || exists(from));
  }
  // A peer's name is where the answer goes.
  const auto receiver = endpoint("UNIX-RECVFROM:" + at);
  run(loop_, receiver->prepare());
  EXPECT_EQ(receiver->names(), std::vector{"unix " + at});
  const auto sender = open("UNIX-SENDTO:" + at + ",bind=" + from);
  write(*sender, "question");
  const auto answering = open(*receiver);
  EXPECT_EQ(read_once(*answering), "question");
  write(*answering, "answer");
  EXPECT_EQ(read_once(*sender), "answer");
  for (const auto* keyword : {"UNIX-LISTEN:", "UNIX-CONNECT:", "UNIX-RECV:", "UNIX-SENDTO:"})
    EXPECT_THROW(endpoint(keyword + at + 'x', Use::reading), AddressError) << keyword;
}

TEST_F(Unix, SaysWhyItCannotConnect) {
  EXPECT_NE(failure("UNIX-CONNECT:" + path("none")).find("No such file or directory"), std::string::npos);
  EXPECT_THROW(endpoint("UNIX-CONNECT:" + std::string(120, 'x')), AddressError);
}

}  // namespace
}  // namespace sluice
