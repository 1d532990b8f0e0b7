#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <filesystem>
#include <set>

#include "sluice/core/socket_name.h"
#include "sockcat.h"

namespace sluice::test {
namespace {

std::string number(int value) { return std::to_string(value); }

struct Row {
  std::string option;  ///< as the address has it
  std::string shown;   ///< as the helper program sees it at the socket
};

void PrintTo(const Row& row, std::ostream* to) { *to << row.option; }

class SocketOption : public testing::TestWithParam<Row> {};

/// What a program sees of the socket that sockcat hands over to it.
std::string options_of_client(const std::string& options) {
  const Socket server = Socket::listening_tcp();
  Running client(sockcat(
      {"TCP4:127.0.0.1:" + number(server.port()) + options, "EXEC:" + helper("socket-options") + ",nofork"}));
  return server.accept().receive_all();
}

std::string options_of_server(const std::string& options) {
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1" + options, "EXEC:" + helper("socket-options") + ",nofork"});
  return Socket::to_tcp(server.port()).receive_all();
}

TEST_P(SocketOption, ReachesTheSocketOfAClient) {
  const std::string line = GetParam().shown + '\n';
  EXPECT_EQ(options_of_client("").find(line), std::string::npos) << "it is so without the option";
  const std::string with = options_of_client(',' + GetParam().option);
  EXPECT_NE(with.find(line), std::string::npos) << with;
}

TEST_P(SocketOption, ReachesTheSocketOfAServer) {
  const std::string line = GetParam().shown + '\n';
  const std::string with = options_of_server(',' + GetParam().option);
  EXPECT_NE(with.find(line), std::string::npos) << with;
}

INSTANTIATE_TEST_SUITE_P(Options, SocketOption,
                         testing::ValuesIn(std::vector<Row>{
                             {"nodelay", "nodelay=1"},
                             {"tcp-nodelay=1", "nodelay=1"},
                             {"keepalive", "keepalive=1"},
                             {"keepalive,keepidle=77", "keepidle=77"},
                             {"keepintvl=17", "keepintvl=17"},
                             {"keepcnt=5", "keepcnt=5"},
                             {"sndbuf=20000", "sndbuf=40000"},
                             {"rcvbuf=20000", "rcvbuf=40000"},
                             {"sndbuf-late=20000", "sndbuf=40000"},
                             {"rcvbuf-late=20000", "rcvbuf=40000"},
                             {"rcvlowat=5", "rcvlowat=5"},
                             {"linger=3", "linger=3"},
                             {"oobinline", "oobinline=1"},
                             {"priority=4", "priority=4"},
                             {"cork", "cork=1"},
                             {"tos=16", "tos=16"},
                             {"ttl=33", "ttl=33"},
                             {"mtudiscover=0", "mtu-discover=0"},
                             {"syncnt=3", "syncnt=3"},
                             {"linger2=11", "linger2=11"},
                             {"reuseport", "reuseport=1"},
                             {"broadcast", "broadcast=1"},
                             {"freebind", "freebind=1"},
                         }),
                         [](const auto& one) {
                           std::string name = one.param.option;
                           for (char& c : name)
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           return name;
                         });

/// Of the listening socket itself: proc(5), /proc/net/tcp and tcp6. The queue columns of a listener are
/// sk_ack_backlog and sk_max_ack_backlog; the latter stands only in netlink, so the queue's length is tried.
TEST(Backlog, LimitsHowManyWait) {
  // Nobody accepts: max-children is used up by the first.
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork,max-children=1,backlog=2", "PIPE"});
  const Socket first = Socket::to_tcp(server.port());
  first.send("x");
  EXPECT_EQ(first.receive(1), "x");
  std::vector<Fd> waiting;
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<std::uint16_t>(server.port()));
  ::inet_pton(AF_INET, "127.0.0.1", &name.sin_addr);
  int connected = 0;
  for (int i = 0; i < 8; ++i) {
    Fd one(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(one.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name);
    pollfd state{one.get(), POLLOUT, 0};
    if (::poll(&state, 1, 50) == 1 && (state.revents & POLLERR) == 0) ++connected;
    waiting.push_back(std::move(one));
  }
  EXPECT_LE(connected, 3);
  EXPECT_GE(connected, 2);
}

TEST(MaxChildren, LimitsHowManyAreServedAtOnce) {
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork,max-children=2", "PIPE"});
  std::vector<Socket> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(Socket::to_tcp(server.port()));
    clients.back().send("x");
  }
  EXPECT_EQ(clients[0].receive(1), "x");
  EXPECT_EQ(clients[1].receive(1), "x");
  pollfd state{clients[2].number(), POLLIN, 0};
  EXPECT_EQ(::poll(&state, 1, 100), 0);
  clients[0].close();
  EXPECT_EQ(clients[2].receive(1), "x");
}

TEST(Fork, IsWhatServesASecondClient) {
  Serving once({"TCP4-LISTEN:0,bind=127.0.0.1", "PIPE"});
  {
    const Socket client = Socket::to_tcp(once.port());
    EXPECT_THROW(Socket::to_tcp(once.port()).receive(1).at(0), std::exception);
    client.finish();
    EXPECT_EQ(client.receive_all(), "");
  }
  EXPECT_EQ(once->wait().status, 0);
}

TEST(Fork, OfAClientConnectsAgainAndAgain) {
  const Socket server = Socket::listening_tcp();
  Running client(
      sockcat({"TCP4:127.0.0.1:" + number(server.port()) + ",fork,interval=0.01", "EXEC:echo hi"}));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(server.accept().receive_all(), "hi\n");
}

struct Bound {
  std::string address;
  std::string name;  ///< of the bound socket, but for its port
};

TEST(Bind, ChoosesTheInterface) {
  const std::vector<Bound> rows = {
      {"TCP-LISTEN:0", "tcp [::]"},
      {"TCP4-LISTEN:0", "tcp 0.0.0.0"},
      {"TCP6-LISTEN:0", "tcp [::]"},
      {"TCP-LISTEN:0,bind=127.0.0.1", "tcp 127.0.0.1"},
      {"TCP-LISTEN:0,bind=127.0.0.2", "tcp 127.0.0.2"},
      {"TCP-LISTEN:0,bind=[::1]", "tcp [::1]"},
      {"TCP-LISTEN:0,bind=localhost,pf=ip4", "tcp 127.0.0.1"},
      {"TCP-LISTEN:0,pf=ip4", "tcp 0.0.0.0"},
      {"TCP-LISTEN:0,pf=ip6", "tcp [::]"},
  };
  for (const auto& [address, name] : rows) {
    Serving server({address, "PIPE"});
    EXPECT_EQ(server.names()[0].substr(0, server.names()[0].rfind(':')), name) << address;
  }
}

TEST(Bind, GivesAClientItsName) {
  const Socket server = Socket::listening_tcp();
  Running client(sockcat({"-", "TCP4:127.0.0.1:" + number(server.port()) + ",bind=127.0.0.3"}),
                 {.more_input = true});
  const Socket peer = server.accept();
  EXPECT_EQ(SocketName::of_peer(peer.number()).host(), "127.0.0.3");
}

TEST(SourcePort, IsTheClientsOwn) {
  int free = 0;
  { free = Socket::listening_tcp().port(); }
  const Socket server = Socket::listening_tcp();
  Running client(sockcat({"-", "TCP4:127.0.0.1:" + number(server.port()) + ",sourceport=" + number(free)}),
                 {.more_input = true});
  EXPECT_EQ(SocketName::of_peer(server.accept().number()).port(), free);
}

TEST(SourcePort, OfAListenerIsWhereItsPeersMustComeFrom) {
  int free = 0;
  { free = Socket::listening_tcp().port(); }
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork,sourceport=" + number(free), "PIPE"});
  EXPECT_EQ(run_sockcat({"-", "TCP4:127.0.0.1:" + number(server.port())}, {.input = "x"}).out, "");
  EXPECT_EQ(
      run_sockcat({"-", "TCP4:127.0.0.1:" + number(server.port()) + ",reuseaddr,sourceport=" + number(free)},
                  {.input = "x"})
          .out,
      "x");
}

TEST(LowPort, IsTakenByAClientAndDemandedByAListener) {
  if (!is_root()) GTEST_SKIP() << "needs root, to bind it";
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork,lowport", "SYSTEM:'echo $SOCAT_PEERPORT'"});
  const std::string address = "TCP4:127.0.0.1:" + number(server.port());
  EXPECT_EQ(run_sockcat({"-", address}).out, "");
  const Ended low = run_sockcat({"-", address + ",lowport"});
  ASSERT_EQ(low.status, 0) << low.err;
  EXPECT_GE(std::stoi(low.out), 640);
  EXPECT_LE(std::stoi(low.out), 1023);
}

TEST(LowPort, IsTakenAndDemandedForDatagramsToo) {
  if (!is_root()) GTEST_SKIP() << "needs root, to bind it";
  Serving server({"UDP4-RECVFROM:0,bind=127.0.0.1,fork,lowport", "SYSTEM:'printf %04d $SOCAT_PEERPORT'"});
  for (const std::string keyword : {"UDP4", "UDP4-SENDTO", "UDP4-DATAGRAM"}) {
    const Ended low =
        run_sockcat({"-t60", "-", keyword + ":127.0.0.1:" + number(server.port()) + ",lowport,readbytes=4"},
                    {.input = "x"});
    ASSERT_EQ(low.out.size(), 4U) << keyword << low.err;
    EXPECT_GE(std::stoi(low.out), 640);
    EXPECT_LE(std::stoi(low.out), 1023);
  }
  Serving receiver({"-u", "UDP4-RECV:0,bind=127.0.0.1,lowport,readbytes=3", "-"});
  const std::string address = "UDP4-SENDTO:127.0.0.1:" + number(receiver.port());
  EXPECT_EQ(run_sockcat({"-u", "-", address}, {.input = "any"}).status, 0);
  EXPECT_EQ(run_sockcat({"-u", "-", address + ",lowport"}, {.input = "low"}).status, 0);
  EXPECT_EQ(receiver->wait().out, "low");
}

TEST(V6Only, KeepsIpv4Out) {
  Serving both({"TCP6-LISTEN:0,fork,ipv6only=0", "PIPE"});
  EXPECT_NO_THROW(Socket::to_tcp(both.port()));
  EXPECT_NO_THROW(Socket::to_tcp(both.port(), "::1"));
  Serving six({"TCP6-LISTEN:0,fork,ipv6only=1", "PIPE"});
  EXPECT_THROW(Socket::to_tcp(six.port()), Failure);
  EXPECT_NO_THROW(Socket::to_tcp(six.port(), "::1"));
  Serving neither({"TCP-LISTEN:0,fork,ipv6only", "PIPE"});
  EXPECT_THROW(Socket::to_tcp(neither.port()), Failure);
}

TEST(ReusePort, LetsTwoServeOnePort) {
  Serving first({"TCP4-LISTEN:0,reuseport,fork", "PIPE"});
  Serving second({"TCP4-LISTEN:" + number(first.port()) + ",reuseport,fork", "PIPE"});
  EXPECT_EQ(first.port(), second.port());
  EXPECT_EQ(run_sockcat({"TCP4-LISTEN:" + number(first.port()), "PIPE"}).status, 1);
}

TEST(ReuseAddress, IsTheDefaultAndCanBeSwitchedOff) {
  // The server closes first, so its side is left in TIME_WAIT.
  int port = 0;
  {
    Serving server({"TCP4-LISTEN:0,bind=127.0.0.1", "EXEC:true"});
    port = server.port();
    const Socket client = Socket::to_tcp(port);
    client.receive_all();
    client.finish();
    server->wait();
  }
  const std::string address = "TCP4-LISTEN:" + number(port) + ",bind=127.0.0.1,accept-timeout=0.01";
  EXPECT_EQ(run_sockcat({address + ",reuseaddr=0", "PIPE"}).status, 1);
  EXPECT_EQ(run_sockcat({address, "PIPE"}).status, 124);
}

TEST(Range, UnderstandsItsForms) {
  const std::vector<std::pair<std::string, bool>> rows = {
      {"127.0.0.1/32", true}, {"127.0.0.0:255.0.0.0", true}, {"127.0.0.2/32", false},
      {"0.0.0.0/0", true},    {"[::1]/128", false},          {"10.0.0.0:255.0.0.0", false}};
  for (const auto& [range, inside] : rows) {
    Serving server({"TCP-LISTEN:0,fork,range=" + range, "PIPE"});
    const Socket client = Socket::to_tcp(server.port());
    client.send_until_broken("x");
    EXPECT_EQ(client.receive(1), inside ? "x" : "") << range;
  }
}

TEST(ConnectTimeout, EndsAVainAttempt) {
  const TemporaryDirectory directory;
  // A full backlog answers no more: for TCP the handshake stalls.
  const Socket server = Socket::listening_tcp(0);
  const Socket fills = Socket::to_tcp(server.port());
  const Ended ended = run_sockcat({"-", "TCP4:127.0.0.1:" + number(server.port()) + ",connect-timeout=0.1"},
                                  {.more_input = true});
  EXPECT_EQ(ended.status, 124);
  EXPECT_NE(ended.err.find("timed out"), ended.err.npos) << ended.err;
}

TEST(SocketType, MakesPackets) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/s";
  Serving server({"UNIX-LISTEN:" + path + ",socktype=5", "EXEC:" + helper("socket-options") + ",nofork"});
  const Socket client = Socket::to_unix(path, SOCK_SEQPACKET);
  EXPECT_NE(client.receive(10000).find("type=5\n"), std::string::npos);
}

}  // namespace
}  // namespace sluice::test
