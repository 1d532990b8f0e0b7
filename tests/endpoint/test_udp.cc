#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <vector>

#include "opened.h"
#include "sluice/stream/relay.h"

namespace sluice {
namespace {

class Udp : public testing::EndpointTest {
 protected:
  /// A plain client's socket, connected to a port.
  static Fd client_of(const std::string& port, const char* host = "127.0.0.1") {
    Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const timeval limit{10, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
    connect_to(fd, host, port);
    return fd;
  }
  static void connect_to(const Fd& fd, const char* host, const std::string& port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, host, &address.sin_addr);
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  static void send(const Fd& to, std::string_view text) {
    ASSERT_EQ(::send(to.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  static std::string receive(const Fd& from) {
    std::string text(kib(64), '\0');
    const auto count = ::recv(from.get(), text.data(), text.size(), 0);
    text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return text;
  }
};

TEST_F(Udp, ReceivesWhateverArrives) {
  for (const auto* address :
       {"UDP-RECV:0", "UDP4-RECV:0", "UDP4-RECV:0,bind=127.0.0.1", "UDP-RECV:0,range=127.0.0.0/8"}) {
    const auto receiver = endpoint(address, Use::reading);
    run(loop_, receiver->prepare());
    auto stream = open(*receiver);
    const Fd client = client_of(bound(*receiver));
    send(client, "one");
    EXPECT_EQ(read_once(*stream), "one") << address;
    send(client, "");
    send(client, "two");
    EXPECT_EQ(read_once(*stream), "") << address;
    EXPECT_EQ(read_once(*stream), "two") << address;
    EXPECT_FALSE(stream->info().traits.input_ends);
  }
}

TEST_F(Udp, AnswersEachDatagramOnAStreamOfItsOwn) {
  const auto server = endpoint("UDP-RECVFROM:0,fork");
  EXPECT_TRUE(server->serves_many());
  run(loop_, server->prepare());
  const Fd one = client_of(bound(*server)), two = client_of(bound(*server));
  send(one, "from one");
  send(two, "from two");
  send(one, "again");
  std::vector<std::unique_ptr<Stream>> peers;
  for (int i = 0; i < 3; ++i) peers.push_back(open(*server));
  for (const auto& peer : peers) {
    EXPECT_TRUE(peer->info().traits.input_ends) << "it is one datagram";
    write(*peer, "re: " + read(*peer));
  }
  EXPECT_EQ(receive(one), "re: from one");
  EXPECT_EQ(receive(one), "re: again");
  EXPECT_EQ(receive(two), "re: from two");
}

TEST_F(Udp, WithoutForkAnswersOneDatagramOnly) {
  const auto server = endpoint("UDP-RECVFROM:0");
  run(loop_, server->prepare());
  const Fd client = client_of(bound(*server));
  send(client, "first");
  send(client, "second");
  auto peer = open(*server);
  EXPECT_EQ(read(*peer), "first");
  EXPECT_EQ(open(*server), nullptr);
}

TEST_F(Udp, TellsItsPeersApart) {
  const auto server = endpoint("UDP-LISTEN:0,fork");
  run(loop_, server->prepare());
  std::vector<Fd> clients;
  std::vector<std::unique_ptr<Stream>> peers;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(client_of(bound(*server)));
    send(clients.back(), "hello " + std::to_string(i));
    peers.push_back(open(*server));
    EXPECT_EQ(read_once(*peers.back()), "hello " + std::to_string(i));
  }
  for (std::size_t i = clients.size(); i-- > 0;) send(clients[i], "more " + std::to_string(i));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    EXPECT_EQ(read_once(*peers[i]), "more " + std::to_string(i));
    write(*peers[i], "answer " + std::to_string(i));
    EXPECT_EQ(receive(clients[i]), "answer " + std::to_string(i));
  }
  // A peer whose stream is closed is a new one when it comes back.
  peers[3].reset();
  send(clients[3], "back");
  auto again = open(*server);
  EXPECT_EQ(read_once(*again), "back");
  server->stop();
  peers.clear();
  again.reset();
  loop_.run();
}

TEST_F(Udp, TellsItsPeersApartWhenTheySendRuns) {
  const auto server = endpoint("UDP-LISTEN:0,fork,bind=127.0.0.1");
  run(loop_, server->prepare());
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
  const auto write_messages = [](Stream& to, const std::vector<std::string>& texts) -> Task<End> {
    Batch batch = Batch::of_messages();
    for (const std::string& text : texts) batch.pack(text);
    co_return co_await write_all(to, batch);
  };
  const auto run_of = [](std::size_t client) {
    std::vector<std::string> texts;
    for (int i = 0; i < 20; ++i) texts.push_back(std::to_string(client) + ":" + std::to_string(100 + i));
    texts.emplace_back("end");
    texts.emplace_back();
    return texts;
  };
  std::vector<std::unique_ptr<Stream>> clients, peers;
  for (std::size_t i = 0; i < 3; ++i) {
    clients.push_back(open("UDP:127.0.0.1:" + bound(*server)));
    EXPECT_EQ(run(loop_, write_messages(*clients[i], run_of(i))), End::open);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    peers.push_back(open(*server));
    const auto texts = run(loop_, read_messages(*peers[i], run_of(i).size()));
    EXPECT_EQ(texts, run_of(i));
    EXPECT_EQ(run(loop_, write_messages(*peers[i], texts)), End::open);
  }
  for (std::size_t i = 3; i-- > 0;) EXPECT_EQ(run(loop_, read_messages(*clients[i], 22)), run_of(i));
  server->stop();
  peers.clear();
  loop_.run();
}

TEST_F(Udp, ListensToTheFirstSenderOnlyWithoutFork) {
  const auto server = endpoint("UDP-LISTEN:0");
  run(loop_, server->prepare());
  const Fd first = client_of(bound(*server)), second = client_of(bound(*server));
  send(first, "one");
  send(second, "not me");
  send(first, "two");
  auto peer = open(*server);
  EXPECT_EQ(read_once(*peer), "one");
  EXPECT_EQ(read_once(*peer), "two");
  write(*peer, "answer");
  EXPECT_EQ(receive(first), "answer");
}

TEST_F(Udp, AnswersFromTheAddressThatWasWrittenTo) {
  for (const std::string keyword : {"UDP4-LISTEN:0,fork", "UDP-LISTEN:0,fork", "UDP-RECVFROM:0,fork",
                                    "UDP4-RECVFROM:0", "UDP-RECVFROM:0", "UDP4-LISTEN:0", "UDP-LISTEN:0"})
    for (const char* local : {"127.0.0.1", "127.0.0.2"}) {
      const auto server = endpoint(keyword);
      run(loop_, server->prepare());
      const Fd client = client_of(bound(*server), local);
      send(client, "ask");
      auto peer = open(*server);
      EXPECT_EQ(read_once(*peer), "ask") << keyword;
      write(*peer, "tell");
      // It is connected to that address, and hears no other.
      EXPECT_EQ(receive(client), "tell") << keyword << ' ' << local;
      if (keyword.find("LISTEN") == keyword.npos) continue;
      send(client, "again");
      EXPECT_EQ(read_once(*peer), "again") << keyword << ' ' << local;
      server->stop();
      peer.reset();
      loop_.run();
    }
}

TEST_F(Udp, TakesAPeerThatWritesToTwoAddressesForTwo) {
  const auto server = endpoint("UDP-LISTEN:0,fork");
  run(loop_, server->prepare());
  const Fd client = client_of(bound(*server));
  const SocketName name = SocketName::of_socket(client.get());
  send(client, "first");
  auto one = open(*server);
  connect_to(client, "127.0.0.2", bound(*server));
  ASSERT_EQ(SocketName::of_socket(client.get()), name);
  send(client, "second");
  auto two = open(*server);
  EXPECT_EQ(read_once(*one), "first");
  EXPECT_EQ(read_once(*two), "second");
  write(*two, "from the second");
  EXPECT_EQ(receive(client), "from the second");
  server->stop();
  one.reset();
  two.reset();
  loop_.run();
}

TEST_F(Udp, SendsToWhoIsNamed) {
  for (const auto* address : {"UDP-CONNECT:127.0.0.1:%", "UDP-SENDTO:127.0.0.1:%", "UDP-DATAGRAM:127.0.0.1:%",
                              "UDP4:localhost:%"}) {
    const auto server = endpoint("UDP4-RECVFROM:0,bind=127.0.0.1");
    run(loop_, server->prepare());
    std::string target = address;
    replace(target, bound(*server));
    auto client = open(target);
    write(*client, "ask");
    auto peer = open(*server);
    EXPECT_EQ(read(*peer), "ask") << address;
    write(*peer, "tell");
    EXPECT_EQ(read_once(*client), "tell") << address;
  }
}

TEST_F(Udp, ListensOnlyToThoseItShouldHear) {
  struct Case {
    std::string address;
    bool hears_strangers;
  };
  for (const auto& one : {Case{"UDP-SENDTO:127.0.0.1:%,bind=127.0.0.1", false},
                          Case{"UDP-DATAGRAM:127.0.0.1:%,bind=127.0.0.1", true},
                          Case{"UDP-DATAGRAM:127.0.0.1:%,bind=127.0.0.1,range=10.0.0.0/8", false}}) {
    const auto server = endpoint("UDP4-RECV:0", Use::reading);
    run(loop_, server->prepare());
    std::string target = one.address;
    replace(target, bound(*server));
    auto stream = open(target);
    const Fd stranger = client_of(std::to_string(SocketName::of_socket(stream->info().in).port()));
    send(stranger, "strange");
    if (one.hears_strangers) {
      EXPECT_EQ(read_once(*stream), "strange") << one.address;
      continue;
    }
    const auto stop_later = [](Loop& on, Stream& what) -> Task<> {
      for (int i = 0; i < 100; ++i) co_await on.yield();
      what.stop_reading();
    };
    loop_.start(stop_later(loop_, *stream));
    EXPECT_EQ(read(*stream), "") << one.address;
  }
}

/// A socket at a port of a loopback address; without one if it is taken.
Fd at(const std::string& host, std::uint16_t port = 0) {
  Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  ::inet_pton(AF_INET, host.c_str(), &name.sin_addr);
  name.sin_port = htons(port);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) fd.reset();
  return fd;
}

// Of one host every port counts, and of a network or a group every host, unless options say whose packets do.
TEST_F(Udp, DatagramHearsTheHostsThatItSendsTo) {
  Fd far, stranger;
  while (!stranger) {
    far = at("127.0.0.2");
    stranger = at("127.0.0.3", SocketName::of_socket(far.get()).port());
  }
  const Fd other = at("127.0.0.2"), other_stranger = at("127.0.0.3");
  const std::string host = "far other ", port = "far stranger ", all = "far other stranger other_stranger ";
  struct Case {
    std::string address, heard;
  };
  for (const auto& one : {
           Case{"UDP4-DATAGRAM:127.0.0.2:%,bind=127.0.0.1", host},
           Case{"UDP-DATAGRAM:127.0.0.2:%,bind=127.0.0.1", host},
           Case{"UDP4-DATAGRAM:127.0.0.2:%,bind=127.0.0.1,broadcast", host},
           Case{"UDP4-DATAGRAM:127.0.0.2:%,bind=127.0.0.1,udp-ignore-peerport", host},
           Case{"UDP4-DATAGRAM:127.0.0.2:%,bind=127.0.0.1:0,sourceport=%", "far "},
           Case{"UDP4-DATAGRAM:127.0.0.2:%,bind=127.0.0.1:0,sourceport=%,udp-ignore-peerport", host},
           Case{"UDP4-DATAGRAM:127.0.0.2:%,bind=127.0.0.1,range=127.0.0.3/32", "stranger other_stranger "},
           Case{"UDP4-DATAGRAM:127.0.0.2:%,bind=127.0.0.1:0,sourceport=%,range=127.0.0.0/8", port},
           Case{"UDP4-DATAGRAM:224.1.2.3:%,bind=127.0.0.1", all},
           Case{"UDP4-DATAGRAM:224.1.2.3:%,bind=127.0.0.1:0,sourceport=%", port},
           Case{"UDP4-DATAGRAM:224.1.2.3:%,bind=127.0.0.1,range=127.0.0.2/32", host},
           Case{"UDP4-DATAGRAM:127.255.255.255:%,bind=127.0.0.1", all},
           Case{"UDP4-DATAGRAM:127.255.255.255:%,bind=127.0.0.1,broadcast", all},
           Case{"UDP4-DATAGRAM:255.255.255.255:%,bind=127.0.0.1,broadcast", all},
           Case{"UDP4-DATAGRAM:0.0.0.0:%,bind=127.0.0.1", all},
       }) {
    std::string address = one.address;
    for (int i = 0; i < 2; ++i) replace(address, std::to_string(SocketName::of_socket(far.get()).port()));
    auto stream = open(address);
    const std::string hearing = std::to_string(SocketName::of_socket(stream->info().in).port());
    for (const auto& [name, socket] :
         std::initializer_list<std::pair<const char*, const Fd&>>{{"far ", far},
                                                                  {"other ", other},
                                                                  {"stranger ", stranger},
                                                                  {"other_stranger ", other_stranger}}) {
      connect_to(socket, "127.0.0.1", hearing);
      send(socket, name);
    }
    const auto stop_later = [](Loop& on, Stream& what) -> Task<> {
      for (int i = 0; i < 100; ++i) co_await on.yield();
      what.stop_reading();
    };
    loop_.start(stop_later(loop_, *stream));
    EXPECT_EQ(read(*stream), one.heard) << address;
  }
}

TEST_F(Udp, SendsFromThePortItIsTold) {
  const auto server = endpoint("UDP4-RECVFROM:0");
  run(loop_, server->prepare());
  // A port that was free a moment ago.
  const std::uint16_t port = SocketName::of_socket(client_of("9").get()).port();
  auto client = open("UDP4:127.0.0.1:" + bound(*server) + ",sourceport=" + std::to_string(port));
  write(*client, "x");
  EXPECT_EQ(SocketName::of_socket(client->info().in).port(), port);
  EXPECT_EQ(read_once(*open(*server)), "x");
}

TEST_F(Udp, JoinsMulticastGroups) {
  const auto receiver =
      endpoint("UDP4-RECV:0,ip-add-membership=239.255.1.2:127.0.0.1,reuseaddr", Use::reading);
  run(loop_, receiver->prepare());
  auto stream = open(*receiver);
  auto sender = open("UDP4-DATAGRAM:239.255.1.2:" + bound(*receiver) +
                         ",ip-multicast-if=127.0.0.1,ip-multicast-ttl=0,ip-multicast-loop=1",
                     Use::writing);
  write(*sender, "to all");
  EXPECT_EQ(read_once(*stream), "to all");
}

TEST_F(Udp, BroadcastsOnlyIfAllowedTo) {
  auto forbidden = open("UDP4-DATAGRAM:127.255.255.255:9", Use::writing);
  EXPECT_EQ(run(loop_, testing::write_text(*forbidden, "x")).why, std::errc::permission_denied);
  const auto receiver = endpoint("UDP4-RECV:0", Use::reading);
  run(loop_, receiver->prepare());
  auto stream = open(*receiver);
  auto sender = open("UDP4-DATAGRAM:127.255.255.255:" + bound(*receiver) + ",broadcast", Use::writing);
  write(*sender, "to all");
  EXPECT_EQ(read_once(*stream), "to all");
}

TEST_F(Udp, SaysWhatCannotBeSent) {
  auto stream = open("UDP4:127.0.0.1:9");
  const End large = run(loop_, testing::write_text(*stream, std::string(70000, 'x')));
  EXPECT_EQ(large.why, std::errc::message_size);
  EXPECT_THROW(endpoint("UDP-RECV:70000", Use::reading), AddressError);
  EXPECT_THROW(endpoint("UDP-RECV:0", Use::writing), AddressError);
  EXPECT_NE(failure("UDP-LISTEN:0,accept-timeout=0.01").find("in time"), std::string::npos);
}

TEST_F(Udp, DoesNotStealATakenPort) {
  const auto holder = endpoint("UDP4-RECV:0", Use::reading);
  run(loop_, holder->prepare());
  const auto second = endpoint("UDP4-RECV:" + bound(*holder), Use::reading);
  EXPECT_THROW(run(loop_, second->prepare()), Failure);
}

TEST_F(Udp, LiteIsServedAlike) {
  if (!Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE)))
    GTEST_SKIP() << "this kernel has no UDP-Lite";
  for (const std::string version : {"", "4", "6"}) {
    const std::string host = version == "6" ? "[::1]:" : "127.0.0.1:";
    const auto server = endpoint("UDPLITE" + version + "-LISTEN:0,fork");
    run(loop_, server->prepare());
    EXPECT_TRUE(server->names().at(0).starts_with("udplite ")) << server->names().at(0);
    for (const std::string keyword : {"-CONNECT:", "-SENDTO:", "-DATAGRAM:"}) {
      auto client = open("UDPLITE" + version + keyword + host + bound(*server));
      write(*client, "hello");
      auto peer = open(*server);
      EXPECT_EQ(read_once(*peer), "hello") << version << keyword;
      write(*peer, "re: hello");
      EXPECT_EQ(read_once(*client), "re: hello") << version << keyword;
    }
    server->stop();
    loop_.run();
    const auto receiver = endpoint("UDPLITE" + version + "-RECV:0", Use::reading);
    run(loop_, receiver->prepare());
    auto stream = open(*receiver);
    auto client = open("UDPLITE" + version + "-SENDTO:" + host + bound(*receiver));
    write(*client, "one");
    EXPECT_EQ(read_once(*stream), "one");
    const auto answering = endpoint("UDPLITE" + version + "-RECVFROM:0");
    run(loop_, answering->prepare());
    auto asking = open("UDPLITE" + version + "-SENDTO:" + host + bound(*answering));
    write(*asking, "two");
    auto peer = open(*answering);
    EXPECT_EQ(read(*peer), "two");
  }
}

}  // namespace
}  // namespace sluice
