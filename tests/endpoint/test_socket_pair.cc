#include <gtest/gtest.h>
#include <sys/socket.h>

#include "opened.h"

namespace sluice {
namespace {

class SocketPair : public testing::EndpointTest {};

TEST_F(SocketPair, EchoesWithTheEdgesThatItsTypeHas) {
  for (const int type : {SOCK_DGRAM, SOCK_SEQPACKET}) {
    auto pair = open("SOCKETPAIR,socktype=" + std::to_string(type));
    EXPECT_EQ(pair->info().traits.shape, Shape::messages);
    EXPECT_EQ(pair->info().traits.input_ends, type == SOCK_SEQPACKET);
    write(*pair, "one");
    write(*pair, "two");
    EXPECT_EQ(read_once(*pair), "one");
    EXPECT_EQ(read_once(*pair), "two");
    if (type == SOCK_DGRAM) continue;
    write(*pair, "three");
    finish(*pair);
    EXPECT_EQ(read(*pair), "three");
  }
  auto stream = open("SOCKETPAIR,socktype=" + std::to_string(SOCK_STREAM));
  EXPECT_EQ(stream->info().traits.shape, Shape::bytes);
  write(*stream, "one");
  write(*stream, "two");
  finish(*stream);
  EXPECT_EQ(read(*stream), "onetwo");
}

TEST_F(SocketPair, IsOfDatagramsUsually) {
  auto pair = open("SOCKETPAIR");
  int type = 0;
  socklen_t size = sizeof type;
  ASSERT_EQ(::getsockopt(pair->info().in, SOL_SOCKET, SO_TYPE, &type, &size), 0);
  EXPECT_EQ(type, SOCK_DGRAM);
}

TEST_F(SocketPair, RefusesWhatItCannotBe) {
  EXPECT_THROW(endpoint("SOCKETPAIR:name"), AddressError);
  EXPECT_EQ(failure("SOCKETPAIR,socktype=9"),
            "SOCKETPAIR,socktype=9: create a pair of sockets: Socket type not supported");
}

}  // namespace
}  // namespace sluice
