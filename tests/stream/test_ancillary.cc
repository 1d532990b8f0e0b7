#include "sluice/stream/ancillary.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>

#include <map>
#include <string>

#include "on_loop.h"
#include "sluice/core/fd.h"

namespace sluice {
namespace {

/// What is told of a datagram that a socket sends to itself over the loopback.
std::map<std::string, std::string> told(int family, std::initializer_list<std::pair<int, int>> asked,
                                        std::initializer_list<std::pair<int, int>> set) {
  const Fd socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage name{};
  socklen_t size = 0;
  if (family == AF_INET) {
    auto& four = reinterpret_cast<sockaddr_in&>(name);
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size = sizeof four;
  } else {
    auto& six = reinterpret_cast<sockaddr_in6&>(name);
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    size = sizeof six;
  }
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&name), size) != 0) return {{"", "no such family"}};
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size);
  const int on = 1;
  for (const auto& [level, option] : asked)
    EXPECT_EQ(::setsockopt(socket.get(), level, option, &on, sizeof on), 0);
  const int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
  for (const auto& [option, value] : set)
    EXPECT_EQ(::setsockopt(socket.get(), level, option, &value, sizeof value), 0);
  EXPECT_EQ(::sendto(socket.get(), "x", 1, 0, reinterpret_cast<sockaddr*>(&name), size), 1);
  pollfd ready{.fd = socket.get(), .events = POLLIN, .revents = 0};
  ::poll(&ready, 1, -1);
  std::map<std::string, std::string> found;
  const auto told = peek_ancillary(socket.get());
  if (!told) throw Failure("no datagram waits", last_error());
  for (const Ancillary& one : *told) found[one.variable] = one.value;
  char byte;
  EXPECT_EQ(::recv(socket.get(), &byte, 1, MSG_DONTWAIT), 1) << "it was taken";
  return found;
}

TEST(Ancillary, OfIpv4IsToldAsItWasAskedFor) {
  const auto found = told(AF_INET,
                          {{IPPROTO_IP, IP_PKTINFO},
                           {IPPROTO_IP, IP_RECVTTL},
                           {IPPROTO_IP, IP_RECVTOS},
                           {SOL_SOCKET, SO_TIMESTAMP}},
                          {{IP_TTL, 7}, {IP_TOS, 16}});
  EXPECT_EQ(found.at("IP_TTL"), "7");
  EXPECT_EQ(found.at("IP_TOS"), "16");
  EXPECT_EQ(found.at("IP_IF"), "lo");
  EXPECT_EQ(found.at("IP_LOCADDR"), "127.0.0.1");
  EXPECT_EQ(found.at("IP_DSTADDR"), "127.0.0.1");
  EXPECT_TRUE(found.at("TIMESTAMP").ends_with(" usecs")) << found.at("TIMESTAMP");
}

TEST(Ancillary, OfIpv6IsToldAsItWasAskedFor) {
  const auto found = told(
      AF_INET6,
      {{IPPROTO_IPV6, IPV6_RECVPKTINFO}, {IPPROTO_IPV6, IPV6_RECVHOPLIMIT}, {IPPROTO_IPV6, IPV6_RECVTCLASS}},
      {{IPV6_UNICAST_HOPS, 9}, {IPV6_TCLASS, 12}});
  if (found.count("") != 0) GTEST_SKIP() << "this system has no IPv6";
  EXPECT_EQ(found.at("IPV6_HOPLIMIT"), "9");
  EXPECT_EQ(found.at("IPV6_TCLASS"), "x0000000c");
  EXPECT_EQ(found.at("IPV6_DSTADDR"), "[0000:0000:0000:0000:0000:0000:0000:0001]");
  EXPECT_EQ(found.at("IPV6_IF"), "lo");
}

TEST(Ancillary, OfNoDatagramIsNotThatOfOneWithout) {
  const auto [one, other] = testing::socket_pair(SOCK_DGRAM);
  const bool waits = peek_ancillary(one.get()).has_value();
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_FALSE(waits);
  EXPECT_EQ(::send(other.get(), "", 0, 0), 0);
  const auto told = peek_ancillary(one.get());
  ASSERT_TRUE(told.has_value());
  EXPECT_TRUE(told->empty());
}

TEST(Ancillary, ThatNobodyAskedForIsNone) { EXPECT_TRUE(told(AF_INET, {}, {}).empty()); }

}  // namespace
}  // namespace sluice
