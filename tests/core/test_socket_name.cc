#include "sluice/core/socket_name.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include <unordered_set>

#include "sluice/core/failure.h"

namespace sluice {
namespace {

SocketName four(const char* host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  EXPECT_EQ(::inet_pton(AF_INET, host, &address.sin_addr), 1);
  return {reinterpret_cast<sockaddr*>(&address), sizeof address};
}

SocketName six(const char* host, std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  EXPECT_EQ(::inet_pton(AF_INET6, host, &address.sin6_addr), 1);
  return {reinterpret_cast<sockaddr*>(&address), sizeof address};
}

TEST(SocketName, PrintsAsReadinessAndLogWantIt) {
  struct Case {
    SocketName name;
    std::string host, host_and_port, log;
  };
  const Case cases[] = {
      {four("127.0.0.1", 80), "127.0.0.1", "127.0.0.1:80", "AF=2 127.0.0.1:80"},
      {four("0.0.0.0", 0), "0.0.0.0", "0.0.0.0:0", "AF=2 0.0.0.0:0"},
      {SocketName::vsock(1, 99), "1", "1:99", "AF=40 cid:1 port:99"},
      {SocketName::vsock(0xffffffff, 0xfffffffe), "4294967295", "4294967295:4294967294",
       "AF=40 cid:4294967295 port:4294967294"},
      {SocketName::of_family(AF_PACKET, std::string_view("\x08\0\xfe", 3)), "0x0800fe", "0x0800fe",
       "AF=17 0x0800fe"},
      {SocketName::of_family(AF_INET, std::string_view("\0\x50\x7f\0\0\1", 6)), "127.0.0.1", "127.0.0.1:80",
       "AF=2 127.0.0.1:80"},
      {six("::1", 65535), "::1", "[::1]:65535", "AF=10 [0000:0000:0000:0000:0000:0000:0000:0001]:65535"},
      {six("fe80::abcd:12", 1), "fe80::abcd:12", "[fe80::abcd:12]:1",
       "AF=10 [fe80:0000:0000:0000:0000:0000:abcd:0012]:1"},
      {six("::ffff:10.1.2.3", 9), "10.1.2.3", "10.1.2.3:9", "AF=2 10.1.2.3:9"},
      {SocketName::unix_path("/tmp/x"), "/tmp/x", "/tmp/x", "AF=1 \"/tmp/x\""},
      {SocketName::unix_abstract("x"), "@x", "@x", "AF=1 \"\\0x\""},
      {SocketName::unix_abstract("x", false), "@x", "@x", "AF=1 \"\\0x\""},
      {SocketName(), "", "", "<anon>"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(one.name.host(), one.host);
    EXPECT_EQ(one.name.host_and_port(), one.host_and_port);
    EXPECT_EQ(one.name.log_text(), one.log);
  }
}

TEST(SocketName, IsAKeyByValue) {
  EXPECT_EQ(four("127.0.0.1", 80), six("::ffff:127.0.0.1", 80));
  EXPECT_NE(four("127.0.0.1", 80), four("127.0.0.1", 81));
  EXPECT_NE(SocketName::unix_path("x"), SocketName::unix_abstract("x"));
  std::unordered_set<SocketName> names{four("1.2.3.4", 5), six("::1", 5)};
  EXPECT_EQ(names.count(six("::ffff:1.2.3.4", 5)), 1U);
}

TEST(SocketName, GoesBackToTheFamilyOfItsSocket) {
  const SocketName mapped = four("10.1.2.3", 9).for_family(AF_INET6);
  EXPECT_EQ(mapped.family(), AF_INET6);
  EXPECT_EQ(mapped.port(), 9);
  EXPECT_EQ(SocketName(mapped.data(), mapped.size()), four("10.1.2.3", 9));
  EXPECT_EQ(six("::1", 9).for_family(AF_INET6), six("::1", 9));
}

TEST(SocketName, ChangesItsPortOnly) {
  EXPECT_EQ(four("10.1.2.3", 9).with_port(4242), four("10.1.2.3", 4242));
  EXPECT_EQ(six("::1", 9).with_port(4242), six("::1", 4242));
  EXPECT_EQ(SocketName::unix_path("x").with_port(1), SocketName::unix_path("x"));
}

TEST(SocketName, HasRoomForPathsOfUpTo108Bytes) {
  for (const std::size_t length : {1, 107, 108})
    EXPECT_EQ(SocketName::unix_path(std::string(length, 'p')).path(), std::string(length, 'p'));
  for (const std::size_t length : {0, 109, 1000})
    EXPECT_THROW(SocketName::unix_path(std::string(length, 'p')), UsageError) << length;
  EXPECT_EQ(SocketName::unix_abstract(std::string(107, 'p')).host(), '@' + std::string(107, 'p'));
  EXPECT_THROW(SocketName::unix_abstract(std::string(108, 'p')), UsageError);
}

TEST(SocketName, OfALongestPathIsReadBackWhole) {
  char folder[] = "/tmp/sluice-name-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  for (const std::size_t length : {107, 108}) {
    std::string path = std::string(folder) + '/';
    path.resize(length, 'p');
    const auto name = SocketName::unix_path(path);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(fd, name.data(), name.size()), 0);
    EXPECT_EQ(SocketName::of_socket(fd).path(), path);
    EXPECT_LE(SocketName::of_socket(fd).size(), sizeof(sockaddr_un)) << "else it cannot be sent to";
    EXPECT_EQ(SocketName::of_socket(fd).log_text(), "AF=1 \"" + path + '"');
    EXPECT_EQ(::unlink(path.c_str()), 0);
    ::close(fd);
  }
  ::rmdir(folder);
}

TEST(SocketName, OfAnUnboundSocketIsUnnamed) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(SocketName::of_socket(fd).host(), "");
  EXPECT_TRUE(SocketName::of_peer(fd).empty());
  ::close(fd);
}

TEST(SocketName, OfAnyFamilyHoldsWhatASockaddrDoes) {
  const SocketName longest = SocketName::of_family(77, std::string(126, 'x'));
  EXPECT_EQ(longest.size(), sizeof(sockaddr_storage));
  EXPECT_EQ(longest.family(), 77);
  EXPECT_EQ(longest.family_data(), std::string(126, 'x'));
  EXPECT_EQ(longest.service(), "");
  EXPECT_EQ(SocketName::of_family(77, "").size(), sizeof(sa_family_t));
  EXPECT_THROW(SocketName::of_family(77, std::string(127, 'x')), UsageError);
  // Longer than a path can be.
  EXPECT_EQ(SocketName::of_family(AF_UNIX, std::string(126, 'x')).path(), std::string(108, 'x'));
  EXPECT_EQ(SocketName::of_family(AF_UNIX, '\0' + std::string(125, 'x')).host(), '@' + std::string(107, 'x'));
  EXPECT_EQ(SocketName().family_data(), "");
  EXPECT_EQ(SocketName::vsock(3, 70000).service(), "70000");
}

}  // namespace
}  // namespace sluice
