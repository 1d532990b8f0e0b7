#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <fstream>

#include "opened.h"
#include "sluice/endpoint/host_access.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

class Tcp : public testing::EndpointTest {};

TEST_F(Tcp, ConnectsToWhatListensOnEveryFamily) {
  struct Case {
    std::string server, client;
  };
  const Case cases[] = {
      {"TCP-LISTEN:0", "TCP:127.0.0.1:%"},
      {"TCP-LISTEN:0", "TCP:[::1]:%"},
      {"TCP4-LISTEN:0", "TCP4:localhost:%"},
      {"TCP6-LISTEN:0,bind=[::1]", "TCP6:[::1]:%"},
      {"TCP-L:0,bind=127.0.0.1", "TCP:127.0.0.1:%"},
      {"tcp-listen:0,pf=ip4", "tcp:127.0.0.1:%,bind=127.0.0.1"},
  };
  for (const auto& one : cases) {
    auto [server, client] = meet(one.server, one.client);
    write(*client, "hello");
    finish(*client);
    EXPECT_EQ(read(*server), "hello") << one.server;
    EXPECT_FALSE(SocketName::of_peer(client->info().in).empty());
  }
}

TEST_F(Tcp, ListensOnOneInterfaceOnlyIfAskedTo) {
  const auto listener = endpoint("TCP-LISTEN:0,bind=127.0.0.1");
  run(loop_, listener->prepare());
  EXPECT_EQ(listener->names().at(0).rfind("tcp 127.0.0.1:", 0), 0U);
  EXPECT_NE(failure("TCP:127.0.0.2:" + bound(*listener)).find("Connection refused"), std::string::npos);
}

TEST_F(Tcp, NamesWhoHoldsAPort) {
  const auto holder = endpoint("TCP4-LISTEN:0,bind=127.0.0.1");
  run(loop_, holder->prepare());
  const auto second = endpoint("TCP4-LISTEN:" + bound(*holder) + ",bind=127.0.0.1");
  try {
    run(loop_, second->prepare());
    FAIL();
  } catch (const Failure& refused) {
    const std::string text = refused.what();
    EXPECT_NE(text.find("Address already in use (held by "), std::string::npos) << text;
    EXPECT_NE(text.find("process " + std::to_string(::getpid())), std::string::npos) << text;
  }
}

TEST_F(Tcp, GivesUpConnectingAndAcceptingInTime) {
  EXPECT_NE(failure("TCP-LISTEN:0,accept-timeout=0.01").find("nobody connected in time"), std::string::npos);
  // A backlog that is full answers no more connection requests.
  const Fd full(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const SocketName any = SocketName::of_socket(full.get());
  ASSERT_EQ(::bind(full.get(), any.data(), any.size()), 0);
  ASSERT_EQ(::listen(full.get(), 0), 0);
  const SocketName name = SocketName::of_socket(full.get());
  std::vector<Fd> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ::connect(waiting.back().get(), name.data(), name.size());
  }
  const auto text = failure("TCP:127.0.0.1:" + std::to_string(name.port()) + ",connect-timeout=0.05");
  EXPECT_NE(text.find("timed out"), std::string::npos) << text;
}

TEST_F(Tcp, AppliesSocketOptionsToWhatItConnects) {
  auto [server, client] =
      meet("TCP4-LISTEN:0", "TCP4:127.0.0.1:%,nodelay,keepalive,keepidle=77,sndbuf=20000");
  const auto value = [&](int level, int option) {
    int number = 0;
    socklen_t size = sizeof number;
    ::getsockopt(client->info().in, level, option, &number, &size);
    return number;
  };
  EXPECT_EQ(value(IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(value(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(value(IPPROTO_TCP, TCP_KEEPIDLE), 77);
  EXPECT_EQ(value(SOL_SOCKET, SO_SNDBUF), 40000);  // the kernel doubles it, socket(7)
}

TEST_F(Tcp, RefusesPeersOutsideItsRange) {
  const auto listener = endpoint("TCP4-LISTEN:0,range=10.0.0.0/8,accept-timeout=0.2");
  run(loop_, listener->prepare());
  auto client = open("TCP4:127.0.0.1:" + bound(*listener));
  EXPECT_THROW(open(*listener), Failure);
  EXPECT_EQ(read(*client), "");
}

TEST_F(Tcp, TellsProgramsWhoItsPeerIs) {
  auto [server, client] = meet("TCP4-LISTEN:0", "TCP4:127.0.0.1:%");
  std::string names;
  for (const auto& [name, value] : session_.environment) names += name + ' ';
  EXPECT_NE(names.find("PEERADDR PEERPORT SOCKADDR SOCKPORT"), std::string::npos) << names;
}

TEST_F(Tcp, StoppingEndsAWaitForPeers) {
  const auto listener = endpoint("TCP-LISTEN:0,fork");
  EXPECT_TRUE(listener->serves_many());
  run(loop_, listener->prepare());
  const auto stop_later = [](Loop& on, Endpoint& what) -> Task<> {
    co_await on.yield();
    what.stop();
  };
  loop_.start(stop_later(loop_, *listener));
  EXPECT_EQ(open(*listener), nullptr);
}

TEST_F(Tcp, LooksUpTheNamesThatTcpWrappersNeed) {
  if (::dlopen("libwrap.so.0", RTLD_NOW) == nullptr) GTEST_SKIP() << "libwrap is not installed";
  const std::string name = look_up_name(*numeric_host("127.0.0.1", AF_INET));
  if (name == "unknown" || name == "paranoid") GTEST_SKIP() << "127.0.0.1 has no name here";
  std::ofstream(path("hosts.deny")) << "ALL: ALL\n";
  for (const bool fork : {false, true}) {
    const std::string server =
        "TCP4-LISTEN:0,bind=127.0.0.1,tcpwrap=gate,tcpwrap-etc=" + folder() + (fork ? ",fork" : "");
    std::ofstream(path("hosts.allow")) << "gate: " << name << '\n';
    auto [ours, theirs] = meet(server, "TCP4:127.0.0.1:%");
    ASSERT_TRUE(ours && theirs);
    write(*theirs, "x");
    EXPECT_EQ(read_once(*ours), "x");
    std::ofstream(path("hosts.allow")) << "gate: other.invalid\n";
    const auto listener = endpoint(server + ",accept-timeout=0.3");
    run(loop_, listener->prepare());
    const auto refused = open("TCP4:127.0.0.1:" + bound(*listener));
    EXPECT_THROW(open(*listener), Failure);
    EXPECT_EQ(read(*refused), "");
  }
}

TEST_F(Tcp, BadAddressesFailBeforeAnythingIsOpened) {
  EXPECT_THROW(endpoint("TCP-LISTEN:70000"), AddressError);
  EXPECT_THROW(endpoint("TCP:localhost:99999"), AddressError);
  EXPECT_THROW(endpoint("TCP-LISTEN:1,range=300.0.0.0/8"), AddressError);
  EXPECT_THROW(endpoint("TCP-LISTEN:1,range=10.0.0.0/33"), AddressError);
  EXPECT_NE(failure("TCP:127.0.0.1:nosuchservice").find("unknown service"), std::string::npos);
  EXPECT_NE(failure("TCP4:[::1]:80").find("no IPv4 address"), std::string::npos);
}

TEST_F(Tcp, TriesAgainAsOftenAsAskedTo) {
  const auto listener = endpoint("TCP4-LISTEN:0");
  run(loop_, listener->prepare());
  const std::string port = bound(*listener);
  listener->stop();
  const auto start = Clock::now();
  EXPECT_NE(failure("TCP4:127.0.0.1:1,retry=3,interval=0.01").find("refused"), std::string::npos);
  EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(30));
}

/// Peers are accepted on one loop and served on another.
TEST_F(Tcp, HandsOverAsManyAsHaveComeToAnotherLoop) {
  const auto listener = endpoint("TCP4-LISTEN:0,bind=127.0.0.1,fork");
  ASSERT_TRUE(listener->hands_over());
  EXPECT_FALSE(endpoint("TCP4-LISTEN:0,bind=127.0.0.1")->hands_over()) << "the only peer stays here";
  run(loop_, listener->prepare());
  std::vector<std::unique_ptr<Stream>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(open("TCP4:127.0.0.1:" + bound(*listener)));
    write(*clients.back(), std::to_string(i));
  }
  auto arrivals = run(loop_, listener->accept(3));
  ASSERT_EQ(arrivals.size(), 3U);
  for (auto& late : run(loop_, listener->accept(64))) arrivals.push_back(std::move(late));
  ASSERT_EQ(arrivals.size(), 5U);

  Loop other;
  const Context there{other, log_};
  const auto adopting =
      make_endpoint(parse_specification("TCP4-LISTEN:0,fork,readbytes=1"), Use::both, there);
  Session session{other, log_, limits_};
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    EXPECT_EQ(arrivals[i].name.host(), "127.0.0.1");
    const auto stream = adopting->adopt(std::move(arrivals[i]), session);
    EXPECT_EQ(run(other, testing::read_all(*stream)).first, std::to_string(i));
  }
  listener->stop();
  EXPECT_TRUE(run(loop_, listener->accept(1)).empty());
}

TEST_F(Tcp, OtherTransportsWorkAlikeOrFailAsTheKernelDoes) {
  struct Case {
    std::string server, client, name;
    int type, protocol;
  };
  const Case cases[] = {
      {"SCTP4-LISTEN:0,bind=127.0.0.1", "SCTP4-CONNECT:127.0.0.1:%", "sctp 127.0.0.1:", SOCK_STREAM,
       IPPROTO_SCTP},
      {"DCCP4-LISTEN:0,bind=127.0.0.1", "DCCP4-CONNECT:127.0.0.1:%", "dccp 127.0.0.1:", SOCK_DCCP,
       IPPROTO_DCCP},
  };
  for (const auto& one : cases) {
    const Fd probe(::socket(AF_INET, one.type | SOCK_CLOEXEC, one.protocol));
    if (!probe) {
      const std::string why = ": create a socket: " + last_error().message();
      EXPECT_EQ(failure(one.server), one.server + why);
      EXPECT_EQ(failure(one.server.substr(0, 4) + "-CONNECT:127.0.0.1:1"),
                one.server.substr(0, 4) + "-CONNECT:127.0.0.1:1" + why);
      continue;
    }
    auto [server, client] = meet(one.server, one.client);
    write(*client, "hello");
    EXPECT_EQ(read_once(*server), "hello");
    const auto listener = endpoint(one.server);
    run(loop_, listener->prepare());
    EXPECT_TRUE(listener->names().at(0).starts_with(one.name));
  }
}

TEST_F(Tcp, BindsToALowPortOfTheAddressThatItIsGiven) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root has low ports";
  auto [server, client] = meet("TCP4-LISTEN:0,bind=127.0.0.1", "TCP4:127.0.0.1:%,bind=127.0.0.1,lowport");
  EXPECT_LT(SocketName::of_socket(client->info().in).port(), 1024);
  // One that is named is meant, here the server's own.
  const auto listener = endpoint("TCP4-LISTEN:0,bind=127.0.0.1");
  run(loop_, listener->prepare());
  EXPECT_NE(
      failure("TCP4:127.0.0.1:1,lowport,bind=127.0.0.1:" + bound(*listener)).find("Address already in use"),
      std::string::npos);
}

}  // namespace
}  // namespace sluice
