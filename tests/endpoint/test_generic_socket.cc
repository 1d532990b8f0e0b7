#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "opened.h"
#include "sluice/endpoint/transport.h"

namespace sluice {
namespace {

class GenericSocket : public testing::EndpointTest {
 protected:
  /// What stands in a sockaddr_in of loopback behind sa_family, as data.
  static std::string loopback(const std::string& port) {
    char hex[5];
    std::snprintf(hex, sizeof hex, "%04x", static_cast<unsigned>(std::stoi(port)));
    return std::string("x") + hex + " 7f000001 x0000000000000000";
  }
};

TEST_F(GenericSocket, ConnectsAndListensInAnyFamily) {
  struct Case {
    std::string server, client;
  };
  const std::string abstract = R"(x00\"sluice-generic-)" + std::to_string(::getpid()) + R"(\")";
  const Case cases[] = {
      {"SOCKET-LISTEN:2:6:" + loopback("0"), "TCP4:127.0.0.1:%"},
      {"SOCKET-LISTEN:0x2:0:x,bind=x0000x00000000x0000000000000000", "TCP4:127.0.0.1:%"},
      {R"(SOCKET-LISTEN:1:0:\")" + path("socket") + R"(\")", "UNIX-CONNECT:" + path("socket")},
      {"UNIX-LISTEN:" + path("other"), R"(SOCKET-CONNECT:1:0:\")" + path("other") + R"(\"x00)"},
      {"SOCKET-LISTEN:1:0:" + abstract, "SOCKET-CONNECT:1:0:" + abstract},
  };
  for (const auto& one : cases) {
    auto [server, client] = meet(one.server, one.client);
    ASSERT_TRUE(server && client) << one.server;
    write(*client, "hello");
    finish(*client);
    EXPECT_EQ(read(*server), "hello") << one.server;
  }
}

TEST_F(GenericSocket, ConnectsToWhatItsDataSays) {
  const auto listener = endpoint("TCP4-LISTEN:0,bind=127.0.0.1,accept-timeout=10");
  run(loop_, listener->prepare());
  auto client =
      open("SOCKET-CONNECT:2:6:" + loopback(bound(*listener)) + ",bind=x0000x7f000002x0000000000000000");
  auto server = open(*listener);
  EXPECT_EQ(SocketName::of_peer(server->info().in).host(), "127.0.0.2");
}

TEST_F(GenericSocket, IsReportedAsItsFamilyCallsIt) {
  struct Case {
    std::string address, name;
  };
  const Case cases[] = {
      {"SOCKET-LISTEN:2:6:" + loopback("0"), "tcp 127.0.0.1:"},
      {"SOCKET-RECV:2:2:0:" + loopback("0"), "udp 127.0.0.1:"},
      {"SOCKET-RECVFROM:2:2:17:" + loopback("0"), "udp 127.0.0.1:"},
      {R"(SOCKET-RECV:1:2:0:\")" + path("datagrams") + R"(\")", "unix " + path("datagrams")},
  };
  for (const auto& one : cases) {
    const auto server = endpoint(one.address, Use::reading);
    run(loop_, server->prepare());
    EXPECT_EQ(server->names().at(0).substr(0, one.name.size()), one.name);
  }
}

TEST_F(GenericSocket, SendsAndReceivesMessages) {
  const auto server = endpoint("SOCKET-RECVFROM:2:2:17:" + loopback("0") + ",fork");
  run(loop_, server->prepare());
  for (const std::string keyword : {"SOCKET-SENDTO", "SOCKET-DATAGRAM"}) {
    auto client = open(keyword + ":2:2:17:" + loopback(bound(*server)));
    write(*client, "hello");
    auto peer = open(*server);
    EXPECT_EQ(read(*peer), "hello");
    write(*peer, "re: hello");
    EXPECT_EQ(read_once(*client), "re: hello");
  }
  const auto receiver = endpoint("SOCKET-RECV:2:2:17:" + loopback("0"), Use::reading);
  run(loop_, receiver->prepare());
  auto stream = open(*receiver);
  auto client = open("UDP4-SENDTO:127.0.0.1:" + bound(*receiver));
  write(*client, "one");
  EXPECT_EQ(read_once(*stream), "one");
}

TEST_F(GenericSocket, AnswersCountOnlyFromWhomItSendsTo) {
  // The name of an AF_UNIX socket is shorter as data than as the kernel tells it.
  const auto server = endpoint("UNIX-RECVFROM:" + path("server"));
  run(loop_, server->prepare());
  auto client =
      open(R"(SOCKET-SENDTO:1:2:0:\")" + path("server") + R"(\",bind=\")" + path("client") + R"(\")");
  auto stranger = open("UNIX-SENDTO:" + path("client"));
  write(*stranger, "not this");
  write(*client, "hello");
  auto peer = open(*server);
  EXPECT_EQ(read(*peer), "hello");
  write(*peer, "this");
  EXPECT_EQ(read_once(*client), "this");
}

TEST_F(GenericSocket, LetsInWhomItsRangeOfDataDoes) {
  struct Case {
    std::string range;
    bool inside;
  };
  const Case cases[] = {
      {"x0000x7f000000x0000000000000000:x0000xff000000x0000000000000000", true},
      {"x0000 7f000000:x0000 ff000000", true},
      {"x:x", true},
      {"x0000x0a000000:x0000xff000000", false},
  };
  for (const auto& one : cases) {
    const auto listener =
        endpoint("SOCKET-LISTEN:2:6:" + loopback("0") + ",accept-timeout=0.2,range=" + one.range);
    run(loop_, listener->prepare());
    auto client = open("TCP4:127.0.0.1:" + bound(*listener));
    if (one.inside)
      EXPECT_NE(open(*listener), nullptr) << one.range;
    else
      EXPECT_THROW(open(*listener), Failure) << one.range;
  }
}

TEST_F(GenericSocket, BadAddressesFailBeforeAnythingIsOpened) {
  struct Case {
    std::string address, complaint;
  };
  const Case cases[] = {
      {"SOCKET-CONNECT:inet:6:x00", "domain \"inet\" is not a number"},
      {"SOCKET-CONNECT:2:x:x00", "protocol \"x\" is not a number"},
      {"SOCKET-CONNECT:-1:6:x00", "domain \"-1\" is out of range (0..65535)"},
      {"SOCKET-CONNECT:2:9999999999:x00", "protocol \"9999999999\" is out of range"},
      {"SOCKET-SENDTO:2:dgram:0:x00", "socket type \"dgram\" is not a number"},
      {"SOCKET-CONNECT:2:6:x000", "\"x000\" has an odd number of hex digits"},
      {"SOCKET-LISTEN:2:6:x00,bind=y", "\"y\" is not an int"},
      {"SOCKET-LISTEN:2:6:x" + std::string(254, '0'), "a socket's address is 127 bytes long (at most 126)"},
      {"SOCKET-LISTEN:2:6:x00,range=x00", "expects <address-data>:<mask-data>"},
      {"SOCKET-LISTEN:2:6:x00,range=x00:x0000", "address and mask are of different lengths"},
      {"SOCKET-LISTEN:2:6:x00,range=x0:x00", "\"x0\" has an odd number of hex digits"},
  };
  for (const auto& one : cases) {
    try {
      endpoint(one.address);
      FAIL() << one.address;
    } catch (const AddressError& error) {
      EXPECT_NE(std::string(error.what()).find(one.complaint), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW(endpoint("SOCKET-RECV:2:2:17:" + loopback("0"), Use::writing), AddressError);
}

TEST_F(GenericSocket, WhatTheKernelRefusesIsItsError) {
  EXPECT_EQ(failure("SOCKET-CONNECT:2:6:x"), "connect to 0.0.0.0:0: Invalid argument");
  const std::string text = failure("SOCKET-LISTEN:2:254:" + loopback("0"));
  EXPECT_NE(text.find("create a socket: "), std::string::npos) << text;
}

TEST(Transport, IsCalledAsItsOwnAddressesAre) {
  struct Case {
    SocketKind kind;
    std::string_view name;
  };
  for (const auto& [kind, name] :
       {Case{{AF_INET, SOCK_STREAM, 0}, "tcp"}, Case{{AF_INET6, SOCK_STREAM, IPPROTO_TCP}, "tcp"},
        Case{{AF_INET, SOCK_STREAM, IPPROTO_MPTCP}, "tcp"},
        Case{{AF_INET, SOCK_STREAM, IPPROTO_SCTP}, "sctp"}, Case{{AF_INET, SOCK_SEQPACKET, 0}, "socket"},
        Case{{AF_INET6, SOCK_DGRAM, 0}, "udp"}, Case{{AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE}, "udplite"},
        Case{{AF_INET, SOCK_RAW, 145}, "ip"}, Case{{AF_UNIX, SOCK_DGRAM, 0}, "unix"},
        Case{{AF_VSOCK, SOCK_STREAM, 0}, "vsock"}, Case{{AF_PACKET, SOCK_RAW, 0}, "socket"}})
    EXPECT_EQ(transport_of(kind), name) << kind.family << ' ' << kind.type << ' ' << kind.protocol;
}

}  // namespace
}  // namespace sluice
