#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <fstream>
#include <string>

#include "run.h"
#include "sockcat.h"

/// Datagrams through the real program: edges and empty messages exact, peers told apart, recipes.
namespace sluice::test {
namespace {

/// A plain datagram socket on loopback that does not wait for ever.
class Datagrams {
 public:
  explicit Datagrams(in_addr_t address = INADDR_LOOPBACK)
      : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{deadline.count(), 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in any = loopback(0);
    any.sin_addr.s_addr = htonl(address);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
  }
  int port() const {
    sockaddr_in name{};
    socklen_t size = sizeof name;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&name), &size);
    return ntohs(name.sin_port);
  }
  void hops(int count) const {
    EXPECT_EQ(::setsockopt(fd_.get(), IPPROTO_IP, IP_TTL, &count, sizeof count), 0);
  }
  void connect(int port) {
    const sockaddr_in to = loopback(port);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  void send(std::string_view text) const {
    EXPECT_EQ(::send(fd_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  /// Whether one waits: on loopback, whatever was sent by now.
  bool has_more() const {
    char byte = 0;
    return ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
  }
  /// The next message; its sender becomes the peer.
  std::string receive() {
    std::string text(65536, '\0');
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto count =
        ::recvfrom(fd_.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (count < 0) return "(nothing came)";
    connect(ntohs(from.sin_port));
    text.resize(static_cast<std::size_t>(count));
    return text;
  }

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(static_cast<std::uint16_t>(port));
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return name;
  }
  Fd fd_;
};

std::string udp(int port) { return "127.0.0.1:" + std::to_string(port); }

TEST(SockcatDatagrams, RelaysEdgesAndEmptyMessagesExactly) {
  Datagrams target;
  Serving relay({"UDP4-LISTEN:0", "UDP4:" + udp(target.port())});
  Datagrams source;
  source.connect(relay.port());
  const std::string large = sample(65507);
  for (const auto& message :
       {std::string("one"), std::string(), std::string("three"), large, std::string(), std::string("x")}) {
    source.send(message);
    EXPECT_EQ(target.receive(), message);
    target.send("re:" + message.substr(0, 100));
    EXPECT_EQ(source.receive(), "re:" + message.substr(0, 100));
  }
}

// What is told of the first datagram of a peer is told of the peer.
TEST(SockcatDatagrams, ThatComeFirstTellProgramsOfTheirPeers) {
  for (const std::string keyword : {"UDP4-LISTEN", "UDP4-RECVFROM"})
    for (const std::string options : {"", ",fork"}) {
      Serving server({"-t", "10", keyword + ":0,bind=127.0.0.1,ip-recvttl" + options,
                      "SYSTEM:'echo $SOCAT_IP_TTL; cat >/dev/null'"});
      for (const int hops : {33, 44}) {
        Datagrams client;
        client.hops(hops);
        client.connect(server.port());
        client.send("first");
        EXPECT_EQ(client.receive(), std::to_string(hops) + '\n') << keyword << options;
        client.hops(55);
        if (keyword == "UDP4-LISTEN") client.send("second");
        if (options.empty()) break;
      }
    }
}

TEST(SockcatDatagrams, AreToldToTheLogAsTheyAreReceived) {
  Datagrams peer;
  const std::string to = udp(peer.port());
  struct Case {
    std::vector<std::string> words;
    bool told;
  };
  for (const auto& one :
       std::vector<Case>{{{"-u", "UDP4-RECV:0,bind=127.0.0.1", "-"}, true},
                         {{"-u", "UDP4-RECVFROM:0,bind=127.0.0.1", "-"}, true},
                         {{"-u", "UDP4-RECVFROM:0,bind=127.0.0.1,fork", "-"}, true},
                         {{"UDP4-RECVFROM:0,bind=127.0.0.1", "PIPE"}, true},
                         {{"-u", "SOCKET-RECV:2:2:0:x00007f0000010000000000000000", "-"}, true},
                         {{"-u", "UDP4-LISTEN:0,bind=127.0.0.1", "-"}, false},
                         {{"-u", "UDP4-LISTEN:0,bind=127.0.0.1,fork", "-"}, false}})
    for (const std::string level : {"-dd", "-d"}) {
      std::vector<std::string> words = one.words;
      words.insert(words.begin(), {level, "-t0.05"});
      Serving server(words);
      peer.connect(server.port());
      peer.send("hello");
      if (words[2] == "-u")
        EXPECT_EQ(server->bytes(5), "hello");
      else
        EXPECT_EQ(peer.receive(), "hello");
      server->signal(SIGTERM);
      const std::string log = server->wait().err;
      const bool told = log.find(" received packet with 5 bytes from AF=2 " + to + '\n') != std::string::npos;
      EXPECT_EQ(told, one.told && level == "-dd") << words[2] << words[3] << ": " << log;
    }
  for (const auto& [keyword, told] :
       {std::pair{"UDP4-SENDTO:", true}, {"UDP4-DATAGRAM:", true}, {"UDP4-CONNECT:", false}}) {
    Datagrams far;
    const std::string name = udp(far.port());
    Running client(sockcat({"-dd", "-t0.05", "-", keyword + name}), {.more_input = true});
    client.write("question");
    EXPECT_EQ(far.receive(), "question");
    far.send("answer");
    EXPECT_EQ(client.bytes(6), "answer");
    const std::string log = client.wait().err;
    EXPECT_EQ(log.find(" N received packet with 6 bytes from AF=2 " + name + '\n') != std::string::npos, told)
        << keyword << log;
  }
}

TEST(SockcatDatagrams, RelaysAnswersToTheRightOneOfManyPeers) {
  Serving server({"UDP-LISTEN:0,fork", "EXEC:cat"});
  std::vector<Datagrams> clients(50);
  for (auto& client : clients) client.connect(server.port());
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < clients.size(); ++i) clients[i].send("client " + std::to_string(i));
    for (std::size_t i = 0; i < clients.size(); ++i)
      EXPECT_EQ(clients[i].receive(), "client " + std::to_string(i));
  }
}

TEST(SockcatDatagrams, AnswersEachDatagramByAProgramOfItsOwn) {
  Serving server({"UDP4-RECVFROM:0,fork", "EXEC:'tr a-z A-Z'"});
  const Ended client =
      run_sockcat({"-t", "20", "-", "UDP4:" + udp(server.port()) + ",readbytes=4"}, {.input = "udp\n"});
  EXPECT_EQ(client.out, "UDP\n");
}

TEST(SockcatDatagrams, GiveTheFirstOneToTheProgramThatTakesTheSocketOver) {
  const TemporaryDirectory folder;
  const std::string file = folder.path() + "/first";
  Serving listener({"UDP4-LISTEN:0,bind=127.0.0.1", "SYSTEM:'head -c 5',nofork"});
  Serving receiver(
      {"UDP4-RECVFROM:0,bind=127.0.0.1,range=127.0.0.1/32", "SYSTEM:'head -c 4 >" + file + "',nofork"});
  Datagrams stranger(INADDR_LOOPBACK + 1), client;
  stranger.connect(receiver.port());
  stranger.send("strange");
  client.connect(listener.port());
  client.send("first");
  EXPECT_EQ(client.receive(), "first");
  client.connect(receiver.port());
  client.send("once");
  EXPECT_TRUE(eventually([&] { return contents_of(file) == "once"; })) << contents_of(file);
}

TEST(SockcatDatagrams, GiveNoProgramTheSocketThatPeersShare) {
  Serving server({"UDP4-LISTEN:0,bind=127.0.0.1,fork", "EXEC:cat,nofork"});
  std::vector<Datagrams> clients(2);
  for (auto& client : clients) client.connect(server.port());
  for (auto& client : clients) client.send("to client " + std::to_string(client.port()));
  for (auto& client : clients) EXPECT_EQ(client.receive(), "to client " + std::to_string(client.port()));
}

TEST(SockcatDatagrams, LogsWhatArrivesToAFile) {
  const TemporaryDirectory folder;
  const std::string log = folder.path() + "/udp.log";
  Serving sink({"-u", "UDP-RECV:0", "OPEN:" + log + ",creat,append"});
  for (const auto* text : {"d1\n", "d2\n"})
    EXPECT_EQ(run_sockcat({"-u", "-", "UDP-SENDTO:" + udp(sink.port())}, {.input = text}).status, 0);
  EXPECT_TRUE(eventually([&] { return contents_of(log) == "d1\nd2\n"; })) << contents_of(log);
}

TEST(SockcatDatagrams, NotifiesAsServicesDo) {
  const TemporaryDirectory folder;
  const std::string path = folder.path() + "/notify";
  const Socket receiver = [&] {
    Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    return Socket(std::move(fd));
  }();
  EXPECT_EQ(run_sockcat({"-u", "STDIN", "UNIX-SENDTO:" + path}, {.input = "READY=1"}).status, 0);
  char text[64];
  const auto count = ::recv(receiver.number(), text, sizeof text, 0);
  EXPECT_EQ(std::string(text, static_cast<std::size_t>(count)), "READY=1");
}

TEST(SockcatDatagrams, TellProgramsWhoTheirPeerIs) {
  Serving server({"UDP4-RECVFROM:0,fork,bind=127.0.0.1",
                  "SYSTEM:'echo $SOCAT_PEERADDR $SOCAT_PEERPORT $SOCAT_SOCKADDR $SOCAT_SOCKPORT'"});
  Datagrams client;
  client.connect(server.port());
  client.send("?");
  EXPECT_EQ(client.receive(), "127.0.0.1 " + std::to_string(client.port()) + " 127.0.0.1 " +
                                  std::to_string(server.port()) + "\n");
}

TEST(SockcatDatagrams, TellProgramsWhichAddressTheirPeerWroteTo) {
  struct Row {
    std::string keyword, client, shown;
  };
  const std::string all_zero_but_one = "[0000:0000:0000:0000:0000:0000:0000:0001]";
  std::vector<Row> rows = {
      {"UDP4-LISTEN", "UDP4:127.0.0.5", "127.0.0.5"},   {"UDP-LISTEN", "UDP4:127.0.0.5", "127.0.0.5"},
      {"UDP-LISTEN", "UDP6:[::1]", all_zero_but_one},   {"UDP6-LISTEN", "UDP6:[::1]", all_zero_but_one},
      {"UDP4-RECVFROM", "UDP4:127.0.0.5", "127.0.0.5"}, {"UDP6-RECVFROM", "UDP6:[::1]", all_zero_but_one}};
  if (Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE)))
    rows.push_back({"UDPLITE4-LISTEN", "UDPLITE4:127.0.0.5", "127.0.0.5"});
  for (const auto& [keyword, client, shown] : rows)
    for (const std::string options : {"", ",fork"}) {
      Serving server({"-t", "10", keyword + ":0" + options,
                      "SYSTEM:'echo $SOCAT_SOCKADDR $SOCAT_SOCKPORT; cat >/dev/null'"});
      const std::string port = std::to_string(server.port());
      const std::string expected = shown + ' ' + port + '\n';
      const Ended ended = run_sockcat(
          {"-t", "10", "-", client + ':' + port + ",readbytes=" + std::to_string(expected.size())},
          {.input = "?"});
      EXPECT_EQ(ended.out, expected) << keyword << options << ended.err;
    }
}

// As 1.8 has it, UDP of one peer has an end: an empty packet.
TEST(SockcatDatagrams, OfOnePeerEndWithAnEmptyOneUnderTheNameOfSocat) {
  for (const std::string options : {"", ",fork"}) {
    Serving server({"--socat", "UDP4-LISTEN:0,bind=127.0.0.1" + options, "SYSTEM:'cat; echo end >&2'"});
    Datagrams peer;
    peer.connect(server.port());
    peer.send("one");
    EXPECT_EQ(peer.receive(), "one");
    peer.send("");
    EXPECT_EQ(server->line(2), "end") << options;
    EXPECT_EQ(peer.receive(), "") << "and it says so itself";
    if (!options.empty()) continue;
    EXPECT_EQ(server->wait().status, 0);
  }
  struct Case {
    std::string options;
    bool tells, hears;
  };
  for (const auto& one : {Case{"", true, true}, Case{",shut-none", false, true},
                          Case{",null-eof=0", true, false}, Case{",shut-none,null-eof=0", false, false}}) {
    Datagrams peer;
    Running client(sockcat({"--socat", "-t", "100", "-", "UDP4:" + udp(peer.port()) + one.options}),
                   {.more_input = true});
    client.write("hi");
    client.finish_input();
    EXPECT_EQ(peer.receive(), "hi");
    if (one.tells) {
      EXPECT_EQ(peer.receive(), "") << one.options;
    }
    peer.send("re");
    EXPECT_EQ(client.bytes(2), "re");
    peer.send("");
    if (one.hears) {
      EXPECT_EQ(client.wait().status, 0) << one.options;
    } else {
      peer.send("more");
      EXPECT_EQ(client.bytes(4), "more") << one.options;
    }
    EXPECT_FALSE(peer.has_more()) << one.options;
  }
}

TEST(SockcatDatagrams, OfManyPeersHaveNoEndUnderTheNameOfSocat) {
  for (const std::string keyword : {"UDP4-SENDTO:", "UDP4-DATAGRAM:"}) {
    Datagrams peer;
    EXPECT_EQ(run_sockcat({"--socat", "-u", "-", keyword + udp(peer.port())}, {.input = "hi"}).status, 0);
    EXPECT_EQ(peer.receive(), "hi");
    EXPECT_FALSE(peer.has_more()) << keyword;
  }
}

// What the kernel tells of each packet, before the packet itself.
TEST(SockcatDatagrams, AreToldOfWithWhatTheKernelSaysOfThem) {
  struct Case {
    std::string address;             ///< that receives at a port of 127.0.0.1 or ::1
    std::string sender;              ///< what sends to it, %: that port
    std::vector<std::string> lines;  ///< that the log has for each packet
  };
  const std::string four = "ip-recvttl,ip-recvtos,ip-pktinfo,so-timestamp,ip-recvopts",
                    six = "ipv6-recvpktinfo,ipv6-recvhoplimit,ipv6-recvtclass";
  const std::vector<std::string> lines4 = {"IP_TTL: ttl=53",
                                           "IP_TOS: tos=7",
                                           "IP_PKTINFO: if=lo",
                                           "IP_PKTINFO: locaddr=127.0.0.1",
                                           "IP_PKTINFO: dstaddr=127.0.0.1",
                                           "SCM_TIMESTAMP: timestamp=",
                                           "IP_OPTIONS: options=x01000000"},
                                 lines6 = {"IPV6_PKTINFO: dstaddr=[0000:", "IPV6_PKTINFO: if=lo",
                                           "IPV6_HOPLIMIT: hoplimit=35", "IPV6_TCLASS: tclass=x000000aa"};
  const std::string sender4 = "UDP4-SENDTO:127.0.0.1:%,ttl=53,tos=7,ip-options=x01000000",
                    sender6 = "UDP6-SENDTO:[::1]:%,ipv6-unicast-hops=35,ipv6-tclass=0xaa";
  std::vector<Case> cases = {
      {"UDP4-RECV:0,bind=127.0.0.1," + four, sender4, lines4},
      {"UDP4-DATAGRAM:127.0.0.1:9,bind=127.0.0.1:0," + four, sender4, lines4},
      {"SOCKET-RECV:2:2:0:x00007f0000010000000000000000,so-timestamp",
       sender4,
       {"SCM_TIMESTAMP: timestamp="}},
      {"UDP6-RECV:0,bind=[::1]," + six, sender6, lines6},
      {"UDP6-DATAGRAM:[::1]:9,bind=[::1]:0," + six, sender6, lines6},
  };
  if (is_root()) {
    const std::string protocol = "253";
    cases.push_back({"IP4-RECV:" + protocol + ",bind=127.0.0.1," + four,
                     "IP4-SENDTO:127.0.0.1:" + protocol + ",ttl=53,tos=7,ip-options=x01000000", lines4});
    cases.push_back({"IP4-DATAGRAM:127.0.0.1:" + protocol + "," + four,
                     "IP4-SENDTO:127.0.0.1:" + protocol + ",ttl=53,tos=7,ip-options=x01000000", lines4});
    cases.push_back({"IP6-RECV:" + protocol + ",bind=[::1]," + six,
                     "IP6-SENDTO:[::1]:" + protocol + ",ipv6-unicast-hops=35,ipv6-tclass=0xaa", lines6});
  }
  for (const auto& [address, sender, lines] : cases) {
    SCOPED_TRACE(address);
    Running receiver(sockcat({"-d", "-d", "-d", "--ready-fd", "9", "-u", address, "-"}), {.captured = {9}});
    // DATAGRAM has no name to be reached at: the log has its local one.
    std::string name = receiver.line(9).value_or("");
    if (name == "ready") name.clear();
    for (;;) {
      const auto line = receiver.line(2);
      ASSERT_TRUE(line);
      if (name.empty() && line->find("local socket AF=") != line->npos) name = *line;
      if (line->find("starting data transfer loop") != line->npos) break;
    }
    const std::string port = name.substr(name.rfind(':') + 1);
    for (const std::string text : {"hello", "again"}) {
      std::string to = sender;
      if (const auto at = to.find('%'); at != to.npos) to.replace(at, 1, port);
      const Ended sent = run_sockcat({"-u", "-", to}, {.input = text});
      ASSERT_EQ(sent.status, 0) << sent.err;
      EXPECT_EQ(receiver.bytes(text.size()), text);
      std::string told;
      for (;;) {
        const auto line = receiver.line(2);
        ASSERT_TRUE(line);
        if (line->find("received packet with ") != line->npos) break;
        told += *line + '\n';
      }
      for (const auto& wanted : lines)
        EXPECT_NE(told.find("I ancillary message: " + wanted), told.npos) << wanted << " in " << told;
    }
    receiver.signal(SIGTERM);
    receiver.wait();
  }
}

TEST(SockcatDatagrams, EndAClientThatGetsNoAnswerWithAWarning) {
  Datagrams silent;
  const Ended client = run_sockcat({"-t", "0.1", "-", "UDP4:" + udp(silent.port())}, {.input = "anybody?"});
  EXPECT_EQ(client.status, 0);
  EXPECT_NE(client.err.find("no answer came"), std::string::npos) << client.err;
  EXPECT_EQ(silent.receive(), "anybody?");
}

TEST(SockcatDatagrams, RefusedAndTooLargeOnesAreFailures) {
  int closed = 0;
  { closed = Datagrams().port(); }
  const Ended refused = run_sockcat({"-t", "20", "-", "UDP4:" + udp(closed)}, {.input = "x"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("Connection refused"), std::string::npos) << refused.err;
  Datagrams target;
  const Ended large = run_sockcat({"-u", "-b", "70000", "-", "UDP4:" + udp(target.port())},
                                  {.input = std::string(70000, 'x')});
  EXPECT_EQ(large.status, 1);
  EXPECT_NE(large.err.find("Message too long"), std::string::npos) << large.err;
}

TEST(SockcatDatagrams, GoBetweenUdpAndUnix) {
  const TemporaryDirectory folder;
  const std::string path = folder.path() + "/s";
  Serving inner({"UNIX-RECVFROM:" + path + ",fork", "UPPER"});
  Serving outer({"UDP4-RECVFROM:0,fork", "UNIX-SENDTO:" + path + ",bind=" + folder.path() + "/b"});
  Datagrams client;
  client.connect(outer.port());
  client.send("through both");
  EXPECT_EQ(client.receive(), "THROUGH BOTH");
}

/// A datagram is answered from an address of ours, whatever it was sent to.
TEST(SockcatDatagrams, ToAllOrToAGroupAreAnsweredFromAnAddressOfOurs) {
  struct Server {
    std::vector<std::string> words;
    std::string answer;
  };
  const std::string group = "ip-add-membership=239.1.2.3:127.0.0.1";
  const std::vector<Server> servers = {
      {sockcat({"--ready-fd", "9", "UDP-RECVFROM:0,fork," + group, "EXEC:cat"}), "x"},
      {sockcat({"--ready-fd", "9", "UDP-RECVFROM:0," + group, "EXEC:cat"}), "x"},
      {sockcat({"--ready-fd", "9", "UDP-LISTEN:0,fork," + group, "PIPE"}), "x"},
      {sockcat({"--ready-fd", "9", "UDP-LISTEN:0," + group, "PIPE"}), "x"},
      {sockcat({"--ready-fd", "9", "UDP6-RECVFROM:0,fork,ipv6only=0," + group, "PIPE"}), "x"},
      {sockcat({"--ready-fd", "9", "UDP4-RECVFROM:0,fork," + group, "PIPE"}), "x"},
      {{tool("upper"), "--ready-fd=9", "--serve", "UDP-RECVFROM:0,fork," + group}, "X"}};
  for (const auto& [words, answer] : servers)
    for (const std::string target : {"127.255.255.255", "255.255.255.255", "239.1.2.3", "127.0.0.1"}) {
      Running server(words, {.captured = {9}});
      const auto name = server.line(9);
      ASSERT_TRUE(name) << words[3];
      const std::string port = name->substr(name->rfind(':'));
      const Ended client =
          run_sockcat({"-t", "5", "-",
                       "UDP4-DATAGRAM:" + target + port +
                           ",broadcast,bind=127.0.0.1,bindtodevice=lo,ip-multicast-if=127.0.0.1,readbytes=1"},
                      {.input = "x"});
      // Binding to an interface is root's.
      if (!is_root() && client.status != 0) continue;
      EXPECT_EQ(client.out, answer) << words[3] << ' ' << target << '\n' << client.err;
      server.signal(SIGTERM);
      EXPECT_EQ(server.wait().err, "") << words[3] << ' ' << target;
    }
}

/// Whoever forges senders must not use up our memory: what waits is bounded over all peers.
TEST(SockcatDatagrams, OfManyPeersThatWaitAreBoundedTogether) {
  for (const std::string& limit : {std::string(",max-queued=2M"), std::string()}) {
    // The other side never opens.
    Serving server({"UDP4-LISTEN:0,bind=127.0.0.1,fork" + limit,
                    "UNIX-CONNECT:/nonexistent/socket,retry=1000,interval=1000"});
    const long before = status_figure(server->pid(), "VmRSS");
    const std::string large = sample(60000);
    // The kernel drops some as well, so that it takes as many peers as it takes.
    auto warning = beside([&] { return server->line(2).value_or(""); });
    while (warning.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
      Datagrams source;
      source.connect(server.port());
      for (int i = 0; i < 16; ++i) source.send(large);
    }
    EXPECT_NE(warning.get().find("datagrams of peers that never got an answer are dropped"),
              std::string::npos);
    server->signal(SIGUSR1);
    EXPECT_NE(server->line(2).value_or("").find("statistics"), std::string::npos);
    // Each may queue a megabyte.
    if (!under_sanitizers()) {
      EXPECT_LT(status_figure(server->pid(), "VmRSS") - before, limit.empty() ? 140'000 : 20'000);
    }
    server->signal(SIGTERM);
    server->wait();
  }
}

TEST(SockcatDatagrams, OfPeersThatWereAnsweredOutliveThoseOfOthers) {
  const TemporaryDirectory folder;
  // A program that answers the first word of each peer, and then reads no more until it is told to.
  const std::string go = folder.path() + "/go";
  Serving server({"UDP4-LISTEN:0,bind=127.0.0.1,fork,max-queued=1M",
                  "SYSTEM:'read word; case $word in known) echo hello; until [ -e " + go +
                      " ]; do sleep 0.01; done; exec cat;; *) exec sleep 1000;; esac',pipes"});
  Datagrams known;
  known.connect(server.port());
  known.send("known\n");
  EXPECT_EQ(known.receive(), "hello\n");
  known.send("still here\n");
  for (int peer = 0; peer < 40; ++peer) {
    Datagrams other;
    other.connect(server.port());
    for (int i = 0; i < 8; ++i) other.send(sample(60000));
  }
  std::ofstream(go) << "now";
  EXPECT_EQ(known.receive(), "still here\n");
  server->signal(SIGTERM);
  server->wait();
}

TEST(SockcatDatagrams, WithoutASendersNameCannotBeAnswered) {
  const TemporaryDirectory folder;
  const std::string path = folder.path() + "/s";
  Serving server({"UNIX-RECVFROM:" + path, "EXEC:cat"});
  const Socket sender = Socket::to_unix(path, SOCK_DGRAM);
  sender.send("nameless");
  const Ended ended = server->wait();
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(ended.err, "sockcat: left: write: the sender of the datagram has no name to be answered at\n");
}

// Scanners of ports send them.
TEST(SockcatDatagrams, AsSocatAnEmptyOneIsNoRequest) {
  for (const char* options : {"", ",fork"}) {
    Serving server(
        {"--socat", "-d", "-d", std::string("UDP4-RECVFROM:0,bind=127.0.0.1") + options, "SYSTEM:cat"});
    Datagrams client;
    client.connect(server.port());
    client.send("");
    client.send("question");
    EXPECT_EQ(client.receive(), "question") << options;
    server->signal(SIGTERM);
    server->wait();
  }
}

TEST(SockcatDatagrams, OfNobodyInParticularAreToldOfSoToPrograms) {
  const TemporaryDirectory folder;
  const std::string path = folder.path() + "/s";
  Serving server(
      {"-u", "UNIX-RECVFROM:" + path, "SYSTEM:'echo \"$SOCAT_PEERADDR\" > " + folder.path() + "/told'"});
  const Socket sender = Socket::to_unix(path, SOCK_DGRAM);
  sender.send("nameless");
  EXPECT_EQ(server->wait().status, 0);
  EXPECT_EQ(contents_of(folder.path() + "/told"), "<anon>\n");
}

}  // namespace
}  // namespace sluice::test
