#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <thread>

#include "observing.h"
#include "sockcat.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string tcp(const Socket& server) { return "TCP:127.0.0.1:" + std::to_string(server.port()); }

/// A client, sockcat, and a server behind it.
class Scene {
 public:
  explicit Scene(bool over_unix, std::vector<std::string> options = {})
      : origin_(over_unix ? Socket::listening_unix(path("behind")) : Socket::listening_tcp()),
        bridge_(words(over_unix, std::move(options))),
        client(over_unix ? Socket::to_unix(path("front")) : Socket::to_tcp(bridge_.port())),
        server(origin_.accept()) {}

  Running& process() { return bridge_.process(); }

 private:
  std::string path(const char* name) const { return directory_.path() + '/' + name; }
  std::vector<std::string> words(bool over_unix, std::vector<std::string> all) const {
    all.push_back(over_unix ? "UNIX-LISTEN:" + path("front") : "TCP4-LISTEN:0,bind=127.0.0.1");
    all.push_back(over_unix ? "UNIX-CONNECT:" + path("behind") : tcp(origin_));
    return all;
  }

  TemporaryDirectory directory_;
  Socket origin_;
  Serving bridge_;

 public:
  Socket client;
  Socket server;
};

/// What the one direction is doing while the end of the other is tested.
enum class State { quiet, pressed, finished };

struct Situation {
  State state;
  bool from_client;  ///< that direction flows from the client to the server
  bool over_unix;
};

std::string name_of(const Situation& one) {
  constexpr std::array<const char*, 3> states = {"Quiet", "Pressed", "Finished"};
  return std::string(states[static_cast<std::size_t>(one.state)]) +
         (one.from_client ? "FromClient" : "FromServer") + (one.over_unix ? "OverUnix" : "OverTcp");
}

class Matrix : public testing::TestWithParam<Situation> {};

/// However one direction stands, the other one ends by itself: its last byte and its end arrive, and what the
/// first still holds is delivered after that.
TEST_P(Matrix, TheOtherDirectionEndsByItself) {
  const auto [state, from_client, over_unix] = GetParam();
  Scene scene(over_unix);
  const Socket& from = from_client ? scene.client : scene.server;
  const Socket& to = from_client ? scene.server : scene.client;
  std::size_t held = 0;
  if (state == State::pressed) held = from.fill();
  if (state == State::finished) {
    from.finish();
    EXPECT_EQ(to.receive_all(), "");
  }
  to.send("the other way");
  to.finish();
  EXPECT_EQ(from.receive_all(), "the other way");
  if (state != State::finished) {
    auto rest = beside([&to = to] { return to.receive_all().size(); });
    from.send("last");
    from.finish();
    EXPECT_EQ(rest.get(), held + 4);
  }
  EXPECT_EQ(scene.process().wait().status, 0);
}

/// A side that goes away altogether ends the session, whatever the direction towards it was doing.
TEST_P(Matrix, ASideThatGoesAwayEndsTheSession) {
  const auto [state, from_client, over_unix] = GetParam();
  Scene scene(over_unix);
  Socket& from = from_client ? scene.client : scene.server;
  Socket& to = from_client ? scene.server : scene.client;
  if (state == State::pressed) from.fill();
  if (state == State::finished) {
    from.finish();
    EXPECT_EQ(to.receive_all(), "");
  }
  to.close();
  if (state == State::quiet) from.send("into the void");
  // The other side is let go of, by an end or by a reset where something was lost.
  from.was_reset();
  from.close();
  const Ended ended = scene.process().wait();
  EXPECT_EQ(ended.signal, 0);
  // What could not be delivered is a failure, what was all delivered is none.
  EXPECT_EQ(ended.status, state == State::finished  ? 0
                          : state == State::pressed ? 1
                                                    : ended.status)
      << ended.err;
}

/// Nothing that was accepted is lost by SIGTERM as long as its reader reads.
TEST_P(Matrix, TerminationDrains) {
  const auto [state, from_client, over_unix] = GetParam();
  Scene scene(over_unix);
  const Socket& from = from_client ? scene.client : scene.server;
  const Socket& to = from_client ? scene.server : scene.client;
  std::size_t held = 0;
  if (state == State::pressed) held = from.fill();
  if (state == State::finished) from.finish();
  scene.process().signal(SIGTERM);
  auto got = beside([&to = to] { return to.receive_all().size(); });
  auto other = beside([&from = from] { return from.receive_all().size(); });
  const Ended ended = scene.process().wait();
  EXPECT_EQ(ended.status, 143) << ended.err;
  // What still was in the sender's own socket is the sender's: a reset or a short count tells it.
  EXPECT_LE(got.get(), held);
  EXPECT_EQ(other.get(), 0U);
}

std::vector<Situation> situations() {
  std::vector<Situation> all;
  for (const State state : {State::quiet, State::pressed, State::finished})
    for (const bool from_client : {true, false})
      for (const bool over_unix : {true, false}) all.push_back({state, from_client, over_unix});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Session, Matrix, testing::ValuesIn(situations()),
                         [](const auto& one) { return name_of(one.param); });

TEST(Termination, LetsASessionSayItsLastWord) {
  Scene scene(false);
  scene.client.send("question");
  EXPECT_EQ(scene.server.receive(8), "question");
  scene.process().signal(SIGTERM);
  scene.server.send("answer");
  scene.server.finish();
  EXPECT_EQ(scene.client.receive_all(), "answer");
  scene.client.finish();
  EXPECT_EQ(scene.process().wait().status, 143);
}

TEST(Termination, ByASecondSignalIsNow) {
  Scene scene(false, {"-d", "-d", "--drain=50"});
  const auto begin = steady_clock::now();
  scene.process().signal(SIGTERM);
  while (scene.process().line(2)->find("exiting on signal 15") == std::string::npos) {
  }
  // Two that come together, as from timeout(1), are one.
  scene.process().signal(SIGTERM);
  EXPECT_FALSE(ends(scene.process(), false));
  std::this_thread::sleep_until(begin + milliseconds(200));
  scene.process().signal(SIGTERM);
  EXPECT_EQ(scene.process().wait().status, 143);
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(Termination, OfAListenerIsASuccess) {
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"});
  const Socket client = Socket::to_tcp(server.port());
  client.send("x");
  EXPECT_EQ(client.receive(1), "x");
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait().status, 0);
}

TEST(Termination, StopsAcceptingAtOnceAndServesWhoIsThere) {
  Serving server({"-d", "-d", "--drain=20", "TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"});
  const Socket client = Socket::to_tcp(server.port());
  client.send("before");
  EXPECT_EQ(client.receive(6), "before");
  server->signal(SIGTERM);
  while (server->line(2)->find("exiting on signal 15") == std::string::npos) {
  }
  client.send("after");
  EXPECT_EQ(client.receive(5), "after");
  EXPECT_EQ(run_sockcat(
                {"-t", "0.2", "-", "TCP4:127.0.0.1:" + std::to_string(server.port()) + ",connect-timeout=5"})
                .out,
            "");
  client.finish();
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(server->wait().status, 0);
}

TEST(Termination, OfOneThatWaitsForItsPeer) {
  for (const std::string address : {"TCP4-LISTEN:0", "TCP4-LISTEN:0,fork"}) {
    Serving server({address, "PIPE"});
    server->signal(SIGINT);
    EXPECT_EQ(server->wait().status, address.ends_with("fork") ? 0 : 130) << address;
  }
}

TEST(Termination, EndsAProgramThatDoesNotEndItself) {
  // It ignores its end of input, and SIGTERM as well.
  Running client(
      sockcat({"-t", "0.1", "-", "SYSTEM:'trap \"\" TERM; echo ready; while :; do sleep 1; done'"}),
      {.more_input = true});
  EXPECT_EQ(client.line(), "ready");
  client.signal(SIGTERM);
  EXPECT_EQ(client.wait().status, 143);
}

TEST(Termination, EndsAProgramThatHasClosedItsSocket) {
  Running client(sockcat({"-d", "-d", "-d", "-t", "0.1", "-", "SYSTEM:exec <&- >&-; exec sleep 1000"}));
  client.finish_input();
  for (int ways = 0; ways < 2;) ways += client.line(2)->find("transferred 0 bytes") != std::string::npos;
  client.signal(SIGTERM);
  EXPECT_EQ(client.wait().status, 143);
}

TEST(Failure, OfOneSessionLeavesTheListenerAlone) {
  Socket gone = Socket::listening_tcp();
  const std::string nowhere = tcp(gone);
  gone.close();
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork", nowhere});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Socket::to_tcp(server.port()).was_reset());
    // What follows in a rush is counted.
    if (i == 0) {
      EXPECT_NE(server->line(2)->find("Connection refused"), std::string::npos);
    }
  }
  server->signal(SIGTERM);
  const Ended ended = server->wait();
  EXPECT_EQ(ended.status, 0);
  EXPECT_NE(ended.err.find("Connection refused (2 more)"), std::string::npos) << ended.err;
}

TEST(Statistics, AreLoggedOnDemandAndAtTheEnd) {
  Serving server({"--statistics", "TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"});
  const Socket client = Socket::to_tcp(server.port());
  client.send("12345");
  EXPECT_EQ(client.receive(5), "12345");
  server->signal(SIGUSR1);
  EXPECT_NE(server->line(2)->find("left to right: 5 bytes"), std::string::npos);
  EXPECT_NE(server->line(2)->find("right to left: 5 bytes"), std::string::npos);
  EXPECT_NE(server->line(2)->find("sessions: 1 open, 1 in all"), std::string::npos);
}

// What is made or cut short, or written from its beginning, is opened once for all clients.
class OpenedOnce : public ::testing::TestWithParam<bool> {
 protected:
  static std::vector<std::string> named(std::vector<std::string> words) {
    if (GetParam()) words.insert(words.begin(), "--socat");
    return words;
  }
  static void send_from_clients(int port) {
    for (const char* word : {"one\n", "two\n", "three\n"}) {
      const Socket client = Socket::to_tcp(port);
      client.send(word);
      client.finish();
      EXPECT_EQ(client.receive_all(), "");
    }
  }
  const std::string listening_ = "TCP4-LISTEN:0,bind=127.0.0.1,fork";
  TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/file";
};

TEST_P(OpenedOnce, AFileKeepsWhatAllClientsSend) {
  for (const char* left : {"CREATE:", "OPEN:,creat,trunc,append", "OPEN:,creat", "GOPEN:,o-trunc"}) {
    std::string address = left;
    address.insert(address.find(':') + 1, path_);
    directory_.file("file", "old\n");
    Serving server(named({"-U", address, listening_}));
    send_from_clients(server.port());
    server->signal(SIGTERM);
    server->wait();
    EXPECT_EQ(contents_of(path_), "one\ntwo\nthree\n") << address;
  }
}

TEST_P(OpenedOnce, AFileOnTheRightIsSoUnderOurName) {
  if (GetParam()) GTEST_SKIP() << "socat makes it anew for each client";
  Serving server({"-u", listening_, "CREATE:" + path_});
  send_from_clients(server.port());
  server->signal(SIGTERM);
  server->wait();
  EXPECT_EQ(contents_of(path_), "one\ntwo\nthree\n");
}

TEST_P(OpenedOnce, AFileThatIsReadIsReadByEachClientOrByAllTogether) {
  directory_.file("file", "content\n");
  Serving server(named({"-u", "OPEN:" + path_, listening_}));
  EXPECT_EQ(Socket::to_tcp(server.port()).receive_all(), "content\n");
  EXPECT_EQ(Socket::to_tcp(server.port()).receive_all(), GetParam() ? "" : "content\n");
}

INSTANTIATE_TEST_SUITE_P(BothNames, OpenedOnce, ::testing::Bool());

TEST(AsSocat, AllClientsShareTheFirstAddress) {
  const TemporaryDirectory directory;
  const Socket behind = Socket::listening_tcp();
  const std::string path = directory.path() + "/file";
  Serving server({"--socat", "-U", tcp(behind) + ",end-close", "TCP4-LISTEN:0,bind=127.0.0.1,fork"});
  const Socket connection = behind.accept();
  for (const char* word : {"one", "two"}) {
    const Socket client = Socket::to_tcp(server.port());
    client.send(word);
    client.finish();
    EXPECT_EQ(client.receive_all(), "");
    EXPECT_EQ(connection.receive(3), word);
  }
  server->signal(SIGTERM);
  EXPECT_EQ(connection.receive_all(), "");
  server->wait();

  Serving program({"--socat", "-U", "SYSTEM:cat > " + path, "TCP4-LISTEN:0,bind=127.0.0.1,fork"});
  for (const char* word : {"one", "two"}) {
    const Socket client = Socket::to_tcp(program.port());
    client.send(word);
    client.finish();
    EXPECT_EQ(client.receive_all(), "");
  }
  EXPECT_TRUE(eventually([&] { return contents_of(path) == "onetwo"; }));
}

TEST(AsSocat, TheFirstAddressMustBeThereBeforeClientsCome) {
  int port = 0;
  {
    const Socket gone = Socket::listening_tcp();
    port = gone.port();
  }
  for (const std::string& left :
       {"TCP4:127.0.0.1:" + std::to_string(port), std::string("OPEN:/no/such/file")})
    EXPECT_EQ(run_sockcat({"--socat", "-U", left, "TCP4-LISTEN:0,bind=127.0.0.1,fork"}).status, 1) << left;
}

// A client whose other side cannot be had learns that nothing came of what it sent.
TEST(Failure, ResetsThePeerOfASessionThatCannotBe) {
  int port = 0;
  {
    const Socket gone = Socket::listening_tcp();
    port = gone.port();
  }
  for (const std::string& other :
       {"TCP4:127.0.0.1:" + std::to_string(port), std::string("UNIX-CONNECT:/no/such/socket"),
        std::string("OPEN:/no/such/file"), std::string("EXEC:/no/such/program")}) {
    for (const char* options : {"", ",fork"}) {
      Serving server({std::string("TCP4-LISTEN:0,bind=127.0.0.1") + options, other});
      Socket client = Socket::to_tcp(server.port());
      EXPECT_TRUE(client.was_reset()) << other << options;
      server->signal(SIGTERM);
      server->wait();
    }
  }
}

TEST(Failure, EndsTheProgramOfASessionThatCannotBe) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/told";
  const std::string script = directory.file(
      "script", "trap 'echo ended > " + path + "; exit' TERM\nwhile read line; do :; done\necho complete > " +
                    path + '\n');
  const Ended ended = run_sockcat({"EXEC:sh " + script, "UNIX-CONNECT:/no/such/socket,retry=4,interval=0.1"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(contents_of(path), "ended\n") << ended.err;
}

TEST(Failure, ResetsAPeerWhoseDataIsLost) {
  const Socket behind = Socket::listening_tcp();
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork", tcp(behind)});
  Socket client = Socket::to_tcp(server.port());
  client.send("x");
  Socket connection = behind.accept();
  EXPECT_EQ(connection.receive(1), "x");
  // More than fits on the way.
  client.fill();
  connection.reset();
  EXPECT_TRUE(client.was_reset());
}

// Its peer sees an end, whenever what it sends arrives.
TEST(Refusal, IsNoReset) {
  const TemporaryDirectory directory;
  const std::string deny = directory.file("deny", "ALL: ALL\n"), allow = directory.file("allow");
  for (const std::string& option : {std::string("range=10.0.0.0/8"), std::string("sourceport=1"),
                                    std::string("lowport"), "allow-table=" + allow + ",deny-table=" + deny}) {
    Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork," + option, "PIPE"});
    for (int i = 0; i < 20; ++i) {
      const Socket client = Socket::to_tcp(server.port());
      client.send_until_broken("some words that nobody will read");
      EXPECT_FALSE(client.was_reset()) << option;
    }
  }
}

// A command line's parent is sockcat, whatever it is given.
TEST(Nofork, OfAShellLeavesUsItsParent) {
  const Ended ended = run({"sh", "-c", "\"$1\" - 'SYSTEM:kill -TERM $PPID; exec sleep 60,nofork'; echo $?",
                           "sh", tool("sockcat")});
  EXPECT_EQ(ended.out, "143\n") << ended.err;
  EXPECT_EQ(run_sockcat({"-", "SYSTEM:cat; exit 3,nofork"}, {.input = "words"}).out, "words");
  EXPECT_EQ(run_sockcat({"-", "SYSTEM:cat; exit 3,nofork"}, {.input = "words"}).status, 3);
}

TEST(Sessions, TellTheirNumberTheirPeerAndTheirEnd) {
  Serving server({"-d", "-d", "TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"});
  for (int i = 1; i <= 2; ++i) {
    const Socket client = Socket::to_tcp(server.port());
    client.send("words");
    client.finish();
    EXPECT_EQ(client.receive_all(), "words");
  }
  Socket client = Socket::to_tcp(server.port());
  client.send("x");
  EXPECT_EQ(client.receive(1), "x");
  client.reset();
  std::string log;
  while (const auto line = server->line(2)) {
    log += *line + '\n';
    if (line->find("session 3: ended") != std::string::npos) break;
  }
  server->signal(SIGTERM);
  server->wait();
  for (const char* part :
       {"] N session 1: accepting connection from ", "] N session 2: starting data transfer loop with FDs ",
        "] N session 1: ended (left 127.0.0.1:",
        " bytes left to right, 5 right to left: both sides have ended\n",
        "] E session 3: left (127.0.0.1:", "): read: Connection reset by peer\n", ": a peer has gone\n"})
    EXPECT_NE(log.find(part), std::string::npos) << part << log;
}

}  // namespace
}  // namespace sluice::test
