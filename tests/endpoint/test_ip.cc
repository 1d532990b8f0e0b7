#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

#include "opened.h"

namespace sluice {
namespace {

/// Protocols 251 to 254 are free or for experiments (RFC 3692); each test has one for itself, since whatever
/// is sent comes to every socket of that protocol.
class Ip : public testing::EndpointTest {
 protected:
  void SetUp() override {
    const Fd probe(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 254));
    if (!probe && errno == EPERM) GTEST_SKIP() << "raw sockets are root's";
  }
};

TEST_F(Ip, DeliversWhatIsBehindTheHeader) {
  struct Case {
    std::string receiver, sender, name;
  };
  const Case cases[] = {
      {"IP4-RECV:251", "IP4-SENDTO:127.0.0.1:251", "ip 0.0.0.0:251"},
      {"IP-RECV:251,bind=127.0.0.1", "IP-DATAGRAM:127.0.0.1:251", "ip 127.0.0.1:251"},
      {"IP-RECV:251,range=127.0.0.0/8", "IP-SENDTO:127.0.0.1:251,bind=127.0.0.1", "ip 0.0.0.0:251"},
      {"IP6-RECV:251", "IP6-SENDTO:[::1]:251", "ip [::]:251"},
      {"IP-RECV:251,bind=[::1]", "IP6-DATAGRAM:[::1]:251", "ip [::1]:251"},
  };
  for (const auto& one : cases) {
    const auto receiver = endpoint(one.receiver, Use::reading);
    run(loop_, receiver->prepare());
    EXPECT_EQ(receiver->names().at(0), one.name);
    auto stream = open(*receiver);
    auto sender = open(one.sender, Use::writing);
    for (const std::string message : {"hello", "again"}) {
      write(*sender, message);
      EXPECT_EQ(read_once(*stream), message) << one.receiver;
    }
  }
}

TEST_F(Ip, KeepsTheEdgesOfPackets) {
  const auto receiver = endpoint("IP4-RECV:252", Use::reading);
  run(loop_, receiver->prepare());
  auto stream = open(*receiver);
  auto sender = open("IP4-SENDTO:127.0.0.1:252", Use::writing);
  const auto read_messages = [](Stream& from, std::size_t count) -> Task<std::vector<std::string>> {
    std::vector<std::string> texts;
    Batch batch = Batch::of_messages();
    while (texts.size() < count) {
      const End end = co_await from.read_some(batch);
      if (end.kind != End::open) break;
      for (const Message& message : batch.messages()) texts.emplace_back(as_text(message.data));
      batch.clear();
    }
    co_return texts;
  };
  const std::string large(60000, 'x');
  for (const std::string& text : {std::string("one"), large, std::string("three")}) write(*sender, text);
  EXPECT_EQ(run(loop_, read_messages(*stream, 3)), (std::vector<std::string>{"one", large, "three"}));
}

TEST_F(Ip, AnswersTheSenderOfEachPacket) {
  // On loopback a socket hears what it sends to itself, so client and server have addresses of their own.
  const auto server = endpoint("IP4-RECVFROM:253,bind=127.0.0.2,fork");
  run(loop_, server->prepare());
  auto client = open("IP4-SENDTO:127.0.0.2:253,bind=127.0.0.3");
  write(*client, "hello");
  auto peer = open(*server);
  ASSERT_NE(peer, nullptr);
  EXPECT_EQ(read(*peer), "hello");
  write(*peer, "re: hello");
  EXPECT_EQ(read_once(*client), "re: hello");
}

TEST(IpAddress, BadOnesFailBeforeAnythingIsOpened) {
  Loop loop;
  LogSettings settings;
  settings.least = Severity::fatal;
  Logger log(settings);
  const Context context{loop, log};
  for (const auto* address : {"IP4-SENDTO:127.0.0.1:256", "IP-RECV:-1", "IP-RECV:udp",
                              "IP6-RECVFROM:", "IP-DATAGRAM:127.0.0.1:", "IP4-RECV:253,range=10.0.0.0/33"})
    EXPECT_THROW(make_endpoint(parse_specification(address), Use::both, context), AddressError) << address;
  EXPECT_THROW(make_endpoint(parse_specification("IP-RECV:254"), Use::writing, context), AddressError);
}

}  // namespace
}  // namespace sluice
