#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdlib>

#include "opened.h"
#include "sluice/endpoint/passed_descriptors.h"

namespace sluice {
namespace {

class AcceptFd : public testing::EndpointTest {
 protected:
  static Fd listening(int flags) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
    EXPECT_EQ(::listen(fd.get(), 8), 0);
    return fd;
  }
  static std::string port_of(const Fd& fd) { return std::to_string(SocketName::of_socket(fd.get()).port()); }
};

TEST_F(AcceptFd, AcceptsAndLeavesTheFlagsOfWhatItWasGiven) {
  for (const int flags : {0, int{SOCK_NONBLOCK}}) {
    const Fd fd = listening(flags);
    const int before = ::fcntl(fd.get(), F_GETFL);
    const auto acceptor = endpoint("ACCEPT-FD:" + std::to_string(fd.get()) + ",fork");
    EXPECT_TRUE(acceptor->serves_many());
    run(loop_, acceptor->prepare());
    EXPECT_EQ(acceptor->names().at(0), "tcp 0.0.0.0:" + port_of(fd));
    for (int i = 0; i < 3; ++i) {
      auto client = open("TCP4:127.0.0.1:" + port_of(fd));
      auto server = open(*acceptor);
      write(*client, "hello");
      finish(*client);
      EXPECT_EQ(read(*server), "hello");
      EXPECT_EQ(SocketName::of_peer(server->info().in).host(), "127.0.0.1");
    }
    EXPECT_EQ(::fcntl(fd.get(), F_GETFL), before);
  }
}

TEST_F(AcceptFd, TakesOneConnectionOnlyWithoutFork) {
  const Fd fd = listening(0);
  const auto acceptor = endpoint("ACCEPT-FD:" + std::to_string(fd.get()));
  auto first = open("TCP4:127.0.0.1:" + port_of(fd));
  auto second = open("TCP4:127.0.0.1:" + port_of(fd));
  auto server = open(*acceptor);
  ASSERT_NE(server, nullptr);
  EXPECT_EQ(open(*acceptor), nullptr);
  // The second one is still there for whoever else has the socket.
  EXPECT_TRUE(Fd(::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC)));
}

TEST_F(AcceptFd, LeavesToOthersWhatComesAfterItsEnd) {
  const Fd fd = listening(0);
  const auto acceptor = endpoint("ACCEPT-FD:" + std::to_string(fd.get()) + ",fork");
  run(loop_, acceptor->prepare());
  const auto stop_later = [](Loop& on, Endpoint& what) -> Task<> {
    co_await on.yield();
    what.stop();
  };
  loop_.start(stop_later(loop_, *acceptor));
  EXPECT_EQ(open(*acceptor), nullptr) << "it was waiting for one";
  auto client = open("TCP4:127.0.0.1:" + port_of(fd));
  const timeval limit{30, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  EXPECT_TRUE(Fd(::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC)));
}

TEST_F(AcceptFd, LetsInWhomItsOptionsDo) {
  const Fd fd = listening(0);
  const auto acceptor = endpoint("ACCEPT-FD:" + std::to_string(fd.get()) + ",range=10.0.0.0/8,fork");
  auto client = open("TCP4:127.0.0.1:" + port_of(fd));
  const auto stop_later = [](Loop& on, Endpoint& what, Stream& refused) -> Task<> {
    Batch batch = Batch::of_bytes(1);
    co_await refused.read_some(batch);
    what.stop();
    co_await on.yield();
  };
  loop_.start(stop_later(loop_, *acceptor, *client));
  EXPECT_EQ(open(*acceptor), nullptr);
}

TEST_F(AcceptFd, RefusesWhatDoesNotListen) {
  const Fd plain(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const std::string number = std::to_string(plain.get());
  EXPECT_EQ(failure("ACCEPT-FD:" + number),
            "ACCEPT-FD:" + number + ": descriptor " + number + " is no listening socket");
  EXPECT_EQ(failure("ACCEPT-FD:999"), "ACCEPT-FD:999: descriptor 999: Bad file descriptor");
  EXPECT_THROW(endpoint("ACCEPT-FD:name"), AddressError);
  EXPECT_THROW(endpoint("ACCEPT-FD:-1"), AddressError);
}

TEST(PassedDescriptors, AreFoundByName) {
  const auto pid = std::to_string(::getpid());
  struct Case {
    std::string pid, count, names;
    std::optional<int> web;
  };
  const Case cases[] = {
      {pid, "2", "shell:web", 4},
      {pid, "3", "web::web", 3},
      {pid, "1", "shell:web", std::nullopt},
      {pid, "2", "", std::nullopt},
      {"1", "1", "web", std::nullopt},
      {pid, "x", "web", std::nullopt},
      {pid, "-1", "web", std::nullopt},
  };
  for (const auto& one : cases) {
    ::setenv("LISTEN_PID", one.pid.c_str(), 1);
    ::setenv("LISTEN_FDS", one.count.c_str(), 1);
    ::setenv("LISTEN_FDNAMES", one.names.c_str(), 1);
    EXPECT_EQ(passed_descriptor("web"), one.web) << one.names;
    EXPECT_EQ(tells_of_passed_descriptors("LISTEN_FDS=2"), one.pid == pid);
    EXPECT_FALSE(tells_of_passed_descriptors("LISTEN_FDSX=2"));
  }
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  EXPECT_EQ(passed_descriptor("web"), std::nullopt);
}

}  // namespace
}  // namespace sluice
