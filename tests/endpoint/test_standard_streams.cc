#include "sluice/endpoint/standard_streams.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "opened.h"

namespace sluice {
namespace {

using testing::pipe_ends;
using testing::socket_pair;

class StandardStreams : public testing::EndpointTest {
 protected:
  static Fd blocking(Fd fd) {
    ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK);
    return fd;
  }
  static bool blocks(const Fd& fd) { return (::fcntl(fd.get(), F_GETFL) & O_NONBLOCK) == 0; }
  static std::string fd_address(const Fd& fd) { return "FD:" + std::to_string(fd.get()); }
};

TEST_F(StandardStreams, ReadsAndWritesPipesWithoutTouchingTheirFlags) {
  auto [in, out] = pipe_ends();
  const Fd reader = blocking(std::move(in)), writer = blocking(std::move(out));
  auto to = open(fd_address(writer), Use::writing);
  auto from = open(fd_address(reader), Use::reading);
  write(*to, "through");
  EXPECT_EQ(read_once(*from), "through");
  EXPECT_TRUE(blocks(reader));
  EXPECT_TRUE(blocks(writer));
  finish(*to);
  EXPECT_EQ(read(*from), "") << "finishing lets the reader see the end";
}

TEST_F(StandardStreams, UsesSocketsBothWays) {
  auto [a, b] = socket_pair();
  const Fd mine = blocking(std::move(a)), theirs = blocking(std::move(b));
  auto stream = open(fd_address(mine));
  ASSERT_EQ(::write(theirs.get(), "ask", 3), 3);
  EXPECT_EQ(read_once(*stream), "ask");
  write(*stream, "tell");
  char text[8];
  EXPECT_EQ(::read(theirs.get(), text, sizeof text), 4);
  EXPECT_TRUE(blocks(mine));
  EXPECT_EQ(stream->raw().in, nullptr) << "not to be spliced";
  finish(*stream);
  EXPECT_EQ(::read(theirs.get(), text, sizeof text), 0);
}

TEST_F(StandardStreams, KeepsMessagesOfDatagramSockets) {
  for (const int type : {SOCK_DGRAM, SOCK_SEQPACKET}) {
    auto [a, b] = socket_pair(type);
    auto stream = open(fd_address(a));
    EXPECT_EQ(stream->info().traits.shape, Shape::messages);
    ::send(b.get(), "one", 3, 0);
    ::send(b.get(), "two", 3, 0);
    EXPECT_EQ(read_once(*stream), "one");
    EXPECT_EQ(read_once(*stream), "two");
  }
}

TEST_F(StandardStreams, ReadsFilesFromWhereTheirOffsetStands) {
  Fd file(::open(path("f").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(file.get(), "0123456789", 10), 10);
  ::lseek(file.get(), 4, SEEK_SET);
  auto stream = open(fd_address(file) + ",readbytes=3", Use::reading);
  EXPECT_EQ(read(*stream), "456");
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_CUR), 7) << "the next reader goes on there";
}

TEST_F(StandardStreams, RefusesDescriptorsThatAreNotThere) {
  EXPECT_THROW(endpoint("FD:987654"), Failure);
  EXPECT_THROW(endpoint("FD:x"), AddressError);
  auto [in, out] = pipe_ends();
  EXPECT_NE(failure(fd_address(in), Use::writing).find("not open for writing"), std::string::npos);
  EXPECT_NE(failure(fd_address(out), Use::reading).find("not open for reading"), std::string::npos);
}

TEST_F(StandardStreams, TakeOptionsOfSocketsIfTheyAreSome) {
  auto [a, b] = socket_pair();
  auto stream = open(fd_address(a) + ",reuseaddr,rcvbuf=20000,setsockopt-listen=1:9:i1");
  int value = 0;
  socklen_t size = sizeof value;
  for (const int option : {SO_REUSEADDR, SO_KEEPALIVE}) {
    ASSERT_EQ(::getsockopt(a.get(), SOL_SOCKET, option, &value, &size), 0);
    EXPECT_EQ(value, 1) << option;
  }
  auto [in, out] = pipe_ends();
  EXPECT_TRUE(failure(fd_address(in) + ",rcvbuf=20000", Use::reading)
                  .ends_with("option \"so-rcvbuf\": Socket operation on non-socket"));
}

}  // namespace
}  // namespace sluice
