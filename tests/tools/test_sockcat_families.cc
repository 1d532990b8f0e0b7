#include <gtest/gtest.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <string>

#include "sluice/core/failure.h"
#include "sluice/core/socket_name.h"
#include "sockcat.h"

/// The less usual families of addresses through the real program.
namespace sluice::test {
namespace {

using namespace std::string_literals;

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''"s : std::string(1, c);
  return text + "'";
}

std::string command_of(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += quoted(word) + ' ';
  return text;
}

/// What stands in a sockaddr_in of loopback behind sa_family, as data.
std::string loopback_data(int port) {
  char hex[8];
  std::snprintf(hex, sizeof hex, "x%04x", static_cast<unsigned>(port));
  return hex + "x7f000001x0000000000000000"s;
}

/// Whether the log says all of these, in this order.
void expect_in_order(const std::string& log, const std::vector<std::string>& texts) {
  std::size_t at = 0;
  for (const auto& text : texts) {
    const auto found = log.find(text, at);
    EXPECT_NE(found, log.npos) << text << "\nis not in its place in\n" << log;
    if (found != log.npos) at = found + text.size();
  }
}

TEST(SockcatFamilies, ServesManyOverGenericSockets) {
  Serving server({"SOCKET-LISTEN:2:6:" + loopback_data(0) + ",fork", "UPPER"});
  EXPECT_TRUE(server.names().at(0).starts_with("tcp 127.0.0.1:")) << server.names().at(0);
  for (int i = 0; i < 3; ++i) {
    const Ended ended = run_sockcat({"-d", "-d", "-", "SOCKET-CONNECT:2:6:" + loopback_data(server.port())},
                                    {.input = "hello"});
    EXPECT_EQ(ended.out, "HELLO");
    EXPECT_EQ(ended.status, 0);
    expect_in_order(ended.err,
                    {"opening connection to AF=2 127.0.0.1:", "successfully connected from local address"});
  }
}

TEST(SockcatFamilies, RefusesPeersOutsideARangeOfData) {
  const std::string range = "x0000x0a000000x0000000000000000:x0000xff000000x0000000000000000";
  Serving server({"-d", "-d", "SOCKET-LISTEN:2:6:" + loopback_data(0) + ",range=" + range, "UPPER"});
  const Socket client = Socket::to_tcp(server.port());
  EXPECT_EQ(client.receive_all(), "");
  server->signal(SIGTERM);
  expect_in_order(server->wait().err, {"refusing connection from AF=2 127.0.0.1:", "due to range option"});
}

TEST(SockcatFamilies, AnswersUdpLite) {
  if (!Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE)))
    GTEST_SKIP() << "this kernel has no UDP-Lite";
  Serving server({"UDPLITE4-RECVFROM:0,fork", "UPPER"});
  EXPECT_TRUE(server.names().at(0).starts_with("udplite 0.0.0.0:")) << server.names().at(0);
  const Ended ended = run_sockcat({"-", "UDPLITE4-SENDTO:127.0.0.1:" + std::to_string(server.port()) +
                                            ",udplite-send-cscov=20,udplite-recv-cscov=8"},
                                  {.input = "hello"});
  EXPECT_EQ(ended.out, "HELLO");
  EXPECT_EQ(ended.status, 0);
}

TEST(SockcatFamilies, WhatTheKernelLacksFailsWithItsError) {
  struct Kind {
    std::string address;
    int family, type, protocol;
  };
  const Kind kinds[] = {
      {"SCTP4-CONNECT:127.0.0.1:1", AF_INET, SOCK_STREAM, IPPROTO_SCTP},
      {"SCTP-LISTEN:0", AF_INET, SOCK_STREAM, IPPROTO_SCTP},
      {"DCCP4-CONNECT:127.0.0.1:1", AF_INET, SOCK_DCCP, IPPROTO_DCCP},
      {"DCCP-LISTEN:0", AF_INET, SOCK_DCCP, IPPROTO_DCCP},
      {"VSOCK-LISTEN:4294967295", AF_VSOCK, SOCK_STREAM, 0},
  };
  for (const auto& kind : kinds) {
    if (Fd(::socket(kind.family, kind.type | SOCK_CLOEXEC, kind.protocol))) continue;
    const std::string why = last_error().message();
    const Ended ended = run_sockcat({"-", kind.address});
    EXPECT_EQ(ended.err, "sockcat: " + kind.address + ": create a socket: " + why + '\n');
    EXPECT_EQ(ended.status, 1);
  }
}

TEST(SockcatFamilies, RelaysRawPackets) {
  const Fd probe(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 254));
  if (!probe) GTEST_SKIP() << "raw sockets are root's";
  // On loopback a socket hears what it sends itself: both sides have addresses of their own.
  Serving server({"-d", "-d", "IP4-RECVFROM:254,bind=127.0.0.8,fork", "UPPER"});
  EXPECT_EQ(server.names().at(0), "ip 127.0.0.8:254");
  const Ended ended = run_sockcat({"-", "IP4-SENDTO:127.0.0.8:254,bind=127.0.0.9"}, {.input = "hello"});
  EXPECT_EQ(ended.out, "HELLO");
  server->signal(SIGTERM);
  expect_in_order(server->wait().err, {"receiving IP protocol 254", "receiving packet from AF=2 127.0.0.9:"});
}

TEST(SockcatFamilies, EchoesOverASocketPair) {
  for (const auto* type : {"", ",socktype=1", ",socktype=2", ",socktype=5"}) {
    const Ended ended = run_sockcat({"-", "SOCKETPAIR"s + type}, {.input = "hello"});
    EXPECT_EQ(ended.out, "hello") << type;
    EXPECT_EQ(ended.status, 0) << type;
  }
}

TEST(SockcatFamilies, AcceptsFromADescriptorThatAServiceManagerPasses) {
  for (const auto* address : {"ACCEPT-FD:3,fork", "ACCEPT-FD:web,fork"}) {
    const Socket listening = Socket::listening_tcp();
    // Who starts a service knows its process id, and so does a shell that becomes it.
    const std::string command =
        "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec " +
        command_of(sockcat(
            {address, "SYSTEM:echo $LISTEN_PID$LISTEN_FDS$LISTEN_FDNAMES done; ls /proc/self/fd | wc -l"}));
    Running server({"sh", "-c", command}, {.descriptors = {{3, listening.number()}}});
    for (int i = 0; i < 3; ++i) {
      const Socket client = Socket::to_tcp(listening.port());
      client.finish();
      // 0 to 2, and the folder that is read.
      EXPECT_EQ(client.receive_all(), "done\n4\n") << address;
    }
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait().status, 0);
  }
  const Ended none = run_sockcat({"ACCEPT-FD:web", "-"});
  EXPECT_EQ(none.status, 2);
  EXPECT_NE(none.err.find("\"web\" is neither a descriptor number nor in LISTEN_FDNAMES"), none.err.npos);
}

TEST(SockcatFamilies, ConnectsThroughSocks) {
  const Socket listening = Socket::listening_tcp();
  const auto proxy = beside([&] {
    const Socket client = listening.accept();
    const std::string request = client.receive(12);
    client.send("\0\x5a\0\0\0\0\0\0"s + "from afar, ");
    const std::string text = client.receive_all();
    client.send("heard " + text);
    return request;
  });
  const Ended ended = run_sockcat(
      {"-d", "-d", "-d", "-", "SOCKS4:127.0.0.1:127.0.0.1:80,socksport=" + std::to_string(listening.port())},
      {.input = "hello", .environment = {"LOGNAME=me!"}});
  EXPECT_EQ(ended.out, "from afar, heard hello");
  EXPECT_EQ(ended.status, 0) << ended.err;
  expect_in_order(ended.err,
                  {"opening connection to AF=2 127.0.0.1:", "successfully connected from local address",
                   "opening connection to 127.0.0.1:80 via socks4 server 127.0.0.1:", "as user \"me!\"",
                   "sending socks4 request VN=4 DC=1 DSTPORT=80 DSTIP=127.0.0.1 USERID=me!",
                   "waiting for socks reply", "received socks reply VN=0 CD=90",
                   "successfully connected via socks4", "starting data transfer loop"});
}

TEST(SockcatFamilies, ForwardsThroughAnHttpProxy) {
  const Socket listening = Socket::listening_tcp();
  const std::string port = std::to_string(listening.port());
  Serving forwarder({"TCP4-LISTEN:0,bind=127.0.0.1,fork",
                     "PROXY:127.0.0.1:www.example:80,proxyauth=user:password,proxyport=" + port});
  const std::string request =
      "CONNECT www.example:80 HTTP/1.0\r\nProxy-Authorization: Basic dXNlcjpwYXNzd29yZA==\r\n\r\n";
  for (int i = 0; i < 2; ++i) {
    const Socket client = Socket::to_tcp(forwarder.port());
    const Socket proxy = listening.accept();
    EXPECT_EQ(proxy.receive(request.size()), request);
    proxy.send("HTTP/1.0 200 OK\r\nServer: x\r\n\r\n\r\nfrom afar");
    client.send("hello");
    client.finish();
    EXPECT_EQ(proxy.receive_all(), "hello");
    proxy.finish();
    EXPECT_EQ(client.receive_all(), "\r\nfrom afar");
  }
}

TEST(SockcatFamilies, AProxyThatRefusesIsAFailure) {
  struct Case {
    std::string address, answer, says;
    int status;
  };
  const Case cases[] = {
      {"PROXY:127.0.0.1:h:80,proxyport=", "HTTP/1.0 403 No\r\n\r\n",
       R"(the proxy refuses: "HTTP/1.0 403 No")", 1},
      {"SOCKS4A:127.0.0.1:h:80,socksport=", "\0\x5b\0\0\0\0\0\0"s,
       "socks: connect request rejected or failed", 1},
      {"SOCKS5:127.0.0.1:h:80,socksport=", "\5\xff", "socks: the server demands authentication", 1},
      {"SOCKS5:127.0.0.1:h:80,socksport=", "\5", "the proxy closed the connection before it had answered", 1},
  };
  for (const auto& one : cases) {
    const Socket listening = Socket::listening_tcp();
    const auto proxy = beside([&] {
      const Socket client = listening.accept();
      client.receive(3);
      client.send(one.answer);
      client.finish();
      client.receive_all();
    });
    const Ended ended = run_sockcat({"-", one.address + std::to_string(listening.port())});
    EXPECT_EQ(ended.status, one.status);
    EXPECT_NE(ended.err.find(one.says), ended.err.npos) << ended.err;
  }
  // One that never answers is waited for no longer than the connection may take.
  const Socket silent = Socket::listening_tcp();
  EXPECT_EQ(run_sockcat(
                {"-", "SOCKS5:127.0.0.1:h:80,connect-timeout=0.2,socksport=" + std::to_string(silent.port())})
                .status,
            124);
}

TEST(SockcatFamilies, HandsEachMessageOfAQueueToASession) {
  const std::string name = "/sluice-tools-" + std::to_string(::getpid());
  const mqd_t probe = ::mq_open(name.c_str(), O_RDWR | O_CREAT, 0600, nullptr);
  if (probe < 0) GTEST_SKIP() << "no message queue for us: " << last_error().message();
  ::mq_close(probe);
  Serving receiver({"-u", "POSIXMQ-RECEIVE:" + name + ",fork,unlink-close", "SYSTEM:cat; echo ."});
  EXPECT_EQ(receiver.names().at(0), "mq " + name);
  for (const std::string text : {"one", "two", "three"}) {
    EXPECT_EQ(run_sockcat({"-u", "-", "POSIXMQ-SEND:" + name}, {.input = text}).status, 0);
    EXPECT_EQ(receiver->line(), text + '.');
  }
  receiver->signal(SIGTERM);
  EXPECT_EQ(receiver->wait().status, 0);
  EXPECT_LT(::mq_open(name.c_str(), O_RDONLY), 0) << "unlink-close";
}

TEST(SockcatFamilies, JoinsAnInterfaceAndAProgram) {
  const bool own = beside([] { return ::unshare(CLONE_NEWNET) == 0; }).get();
  if (!own || ::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "no network of its own for us";
  // Whoever writes to the tunnel sees the packet on the interface.
  auto words = sockcat(
      {"-d", "-d", "TUN:10.8.0.1/24,iff-up,iff-no-pi,tun-name=wire", "SYSTEM:ip -o address show wire >&2"});
  words.insert(words.begin(), {"unshare", "--net"});
  const Ended ended = run(words);
  EXPECT_NE(ended.err.find("inet 10.8.0.1/24"), ended.err.npos) << ended.err;
  EXPECT_NE(ended.err.find("creating tunnel network interface"), ended.err.npos) << ended.err;
  EXPECT_EQ(ended.status, 0);
}

/// An /etc that holds this hosts file, or nothing, for the calling thread and what it starts; false where it
/// may not be had.
bool mount_bare_etc(const std::optional<std::string>& hosts) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("none", "/etc", "tmpfs", 0, "size=64k") != 0)
    return false;
  if (hosts) std::ofstream("/etc/hosts") << *hosts;
  return true;
}

TEST(SockcatFamilies, KnowsLocalhostWithoutAnyFileOrResolver) {
  constexpr const char* listed = "127.0.0.2 app.localhost # not.localhost\n127.0.0.3\tx LOCALHOST\n";
  const struct {
    std::optional<std::string> hosts;
    std::string host, reached;
  } cases[] = {
      {{}, "localhost", "127.0.0.1"},         {{}, "LocalHost.", "127.0.0.1"},
      {{}, "app.localhost", "127.0.0.1"},     {"", "localhost", "127.0.0.1"},
      {listed, "localhost.", "127.0.0.3"},    {listed, "App.localhost", "127.0.0.2"},
      {listed, "not.localhost", "127.0.0.1"}, {"::1 localhost\n", "app.localhost", "127.0.0.1"},
  };
  // A name server that never answers, and shows whether it was asked.
  const Fd resolver(check("socket", ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check("bind", ::bind(resolver.get(), reinterpret_cast<sockaddr*>(&loopback), sizeof loopback));
  const std::string asking = ",res-nsaddr=" + SocketName::of_socket(resolver.get()).host_and_port();
  Serving server({"TCP4-LISTEN:0,fork", "SYSTEM:echo $SOCAT_SOCKADDR"});
  for (const auto& [hosts, host, reached] : cases) {
    SCOPED_TRACE(host + " with " + (hosts ? "hosts: " + *hosts : "no hosts"));
    const std::string address = host + ':' + std::to_string(server.port()) + asking;
    const auto ended =
        beside([&]() -> std::optional<std::vector<Ended>> {
          if (!mount_bare_etc(hosts)) return std::nullopt;
          return std::vector{run_sockcat({"-", "TCP:" + address}), run_sockcat({"-", "TCP4:" + address}),
                             run_sockcat({"--explain", "-", "TCP4:" + host + ":80"})};
        }).get();
    if (!ended) GTEST_SKIP() << "no mounts of its own for us";
    for (const Ended& one : {ended->at(0), ended->at(1)}) {
      EXPECT_EQ(one.out, reached + '\n');
      EXPECT_EQ(one.err, "");
      EXPECT_EQ(one.status, 0);
    }
    EXPECT_NE(ended->at(2).out.find(host + " (" + reached + ')'), std::string::npos) << ended->at(2).out;
    char question;
    EXPECT_LT(::recv(resolver.get(), &question, 1, MSG_DONTWAIT), 0) << "a resolver was asked";
  }
}

}  // namespace
}  // namespace sluice::test
