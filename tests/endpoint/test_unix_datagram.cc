#include <gtest/gtest.h>
#include <sys/stat.h>

#include "opened.h"

namespace sluice {
namespace {

class UnixDatagram : public testing::EndpointTest {};

TEST_F(UnixDatagram, KeepsEdgesAndAnswersWhoHasAName) {
  const std::string abstract = "sluice-datagram-" + std::to_string(::getpid());
  struct Case {
    std::string server, client;
  };
  const Case cases[] = {
      {"UNIX-RECVFROM:" + path("s"), "UNIX-SENDTO:" + path("s") + ",bind=" + path("c")},
      {"ABSTRACT-RECVFROM:" + abstract, "ABSTRACT-SENDTO:" + abstract + ",bind=" + abstract + "-client"},
  };
  for (const auto& one : cases) {
    const auto server = endpoint(one.server);
    run(loop_, server->prepare());
    auto client = open(one.client);
    write(*client, "ask");
    auto peer = open(*server);
    EXPECT_EQ(read(*peer), "ask");
    write(*peer, "tell");
    EXPECT_EQ(read_once(*client), "tell") << one.server;
    close(*client);
    close(*peer);
  }
  struct stat status {};
  EXPECT_NE(::stat(path("c").c_str(), &status), 0) << "the client's own path goes with it";
}

TEST_F(UnixDatagram, ReceivesFromManyAndCutsNothing) {
  const auto server = endpoint("UNIX-RECV:" + path("s"), Use::reading);
  run(loop_, server->prepare());
  auto stream = open(*server);
  for (const std::size_t size : {std::size_t{1}, kib(64), kib(100)}) {
    auto client = open("UNIX-SENDTO:" + path("s"), Use::writing);
    write(*client, testing::sample_text(size));
    EXPECT_EQ(read_once(*stream), testing::sample_text(size));
  }
}

TEST_F(UnixDatagram, WaitsForAReceiverWhoseQueueIsFull) {
  const auto server = endpoint("UNIX-RECV:" + path("s"), Use::reading);
  run(loop_, server->prepare());
  auto stream = open(*server);
  auto client = open("UNIX-SENDTO:" + path("s"), Use::writing);
  constexpr int count = 200;  // more than net.unix.max_dgram_qlen
  const auto send_all = [](Stream& to) -> Task<> {
    for (int i = 0; i < count; ++i) co_await testing::write_text(to, std::to_string(i));
  };
  loop_.start(send_all(*client));
  for (int i = 0; i < count; ++i) ASSERT_EQ(read_once(*stream), std::to_string(i));
}

TEST_F(UnixDatagram, SaysThatNobodyIsThere) {
  auto client = open("UNIX-SENDTO:" + path("none"), Use::writing);
  EXPECT_EQ(run(loop_, testing::write_text(*client, "x")).why, std::errc::no_such_file_or_directory);
  EXPECT_THROW(endpoint("UNIX-RECV:" + path("s"), Use::writing), AddressError);
}

TEST_F(UnixDatagram, ReplacesWhatADeadReceiverLeftBehind) {
  {
    const Fd dead(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto name = SocketName::unix_path(path("stale"));
    ASSERT_EQ(::bind(dead.get(), name.data(), name.size()), 0);
  }
  const auto server = endpoint("UNIX-RECV:" + path("stale"), Use::reading);
  run(loop_, server->prepare());
  const auto second = endpoint("UNIX-RECV:" + path("stale"), Use::reading);
  EXPECT_THROW(run(loop_, second->prepare()), Failure) << "a live one stays";
}

TEST_F(UnixDatagram, IsUnlinkedAsSoonAsItIsBoundIfAskedTo) {
  const auto receiver = endpoint("UNIX-RECV:" + path("s") + ",unlink-late", Use::reading);
  run(loop_, receiver->prepare());
  EXPECT_NE(::access(path("s").c_str(), F_OK), 0);
  auto sender = open("UNIX-SENDTO:" + path("r") + ",bind=" + path("c") + ",unlink-late");
  EXPECT_NE(::access(path("c").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace sluice
