#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "sockcat.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string tcp(const Socket& server) { return "TCP:127.0.0.1:" + std::to_string(server.port()); }

TEST(Ending, ReplyOneSecondAfterTheEndOfInputArrivesWhole) {
  const Socket server = Socket::listening_tcp();
  const std::string reply = sample(1 << 20);
  auto peer = beside([&] {
    const Socket client = server.accept();
    const std::string request = client.receive_all();
    std::this_thread::sleep_for(milliseconds(1000));
    client.send(reply);
    return request;
  });
  const Ended ended = run_sockcat({"-", tcp(server)}, {.input = "request"});
  EXPECT_EQ(peer.get(), "request");
  EXPECT_EQ(ended.status, 0);
  EXPECT_TRUE(ended.out == reply) << ended.out.size();
}

TEST(Ending, ReplyOfAProgramThatThinksArrivesWhole) {
  const Ended ended = run_sockcat({"-", "SYSTEM:cat >/dev/null; sleep 0.8; echo done"}, {.input = "x"});
  EXPECT_EQ(ended, (Ended{.out = "done\n", .status = 0}));
}

TEST(Ending, AnswerStillComesWhenTheOtherWayIsBroken) {
  const Ended ended = run_sockcat({"-", "EXEC:head -1"}, {.input = "first\n" + sample(4 << 20)});
  EXPECT_EQ(ended, (Ended{.out = "first\n", .status = 0}));
}

TEST(Ending, ServerThatAnswersEarlyAndClosesIsHeard) {
  const Socket server = Socket::listening_tcp();
  auto peer = beside([&] {
    const Socket client = server.accept();
    client.receive(5);
    client.send("early answer");
    client.finish();
    return client.receive_all().size();
  });
  const Ended ended = run_sockcat({"-", tcp(server)}, {.input = "hello" + sample(1 << 20)});
  EXPECT_EQ(ended, (Ended{.out = "early answer", .status = 0}));
  EXPECT_EQ(peer.get(), 1U << 20);
}

TEST(Ending, GreetingNobodyReadsCostsNoByteOfWhatIsSent) {
  const Socket server = Socket::listening_tcp();
  const std::string data = sample(4 << 20);
  auto peer = beside([&] {
    const Socket client = server.accept();
    client.send("220 welcome\r\n");
    std::string got = client.receive(1000);
    std::this_thread::sleep_for(milliseconds(100));
    client.send("250 ok\r\n");
    return got + client.receive_all();
  });
  const Ended ended = run_sockcat({"-u", "-", tcp(server)}, {.input = data});
  EXPECT_TRUE(peer.get() == data);
  EXPECT_EQ(ended, (Ended{.status = 0}));
}

TEST(Ending, LongGreetingNobodyReadsHoldsNobodyUp) {
  const Socket server = Socket::listening_tcp();
  const std::string data = sample(4 << 20);
  auto peer = beside([&] {
    const Socket client = server.accept();
    client.send(sample(16 << 20));
    return client.receive_all();
  });
  EXPECT_EQ(run_sockcat({"-u", "-", tcp(server)}, {.input = data}).status, 0);
  EXPECT_TRUE(peer.get() == data);
}

TEST(Ending, PeerThatTalksForeverIsLeftInTheEnd) {
  const Socket server = Socket::listening_tcp();
  auto peer = beside([&] {
    const Socket client = server.accept();
    // Takes what is sent and goes on talking though it has seen the end.
    auto reading = beside([&] { return client.receive_all(); });
    const std::string noise(1 << 16, 'n');
    while (client.send_until_broken(noise) == noise.size()) {
    }
    return reading.get();
  });
  EXPECT_EQ(run_sockcat({"-u", "-", tcp(server)}, {.input = "all"}).status, 0);
  EXPECT_EQ(peer.get(), "all");
}

TEST(Ending, EndOfInputReachesTheServerWhileItStillTalks) {
  const Socket server = Socket::listening_tcp();
  Running client(sockcat({"-", tcp(server)}), {.more_input = true});
  client.write("question");
  client.finish_input();
  const Socket peer = server.accept();
  EXPECT_EQ(peer.receive_all(), "question");
  for (const std::string part : {"one\n", "two\n"}) {
    peer.send(part);
    EXPECT_EQ(client.bytes(part.size()), part);
  }
  peer.finish();
  EXPECT_EQ(client.wait().status, 0);
}

TEST(Ending, EndOfTheServerReachesOurOutputWhileInputGoesOn) {
  const Socket server = Socket::listening_tcp();
  // Input that ends is waited for; its end is the test's.
  Running client(sockcat({"-", tcp(server)}), {.more_input = true});
  const Socket peer = server.accept();
  peer.send("farewell");
  peer.finish();
  EXPECT_EQ(client.line(), "farewell");
  EXPECT_EQ(client.line(), std::nullopt);  // the reader of our output sees the end
  client.write("still here");
  EXPECT_EQ(peer.receive(10), "still here");
  client.finish_input();
  EXPECT_EQ(peer.receive_all(), "");
  EXPECT_EQ(client.wait().status, 0);
}

TEST(Ending, IdleRelayNoticesThatItsReaderHasGone) {
  Pipe input = make_pipe();
  Running idle(sockcat({"-u", "-", "-"}), {.descriptors = {{0, input.reading.get()}}});
  ASSERT_EQ(::write(input.writing.get(), "x", 1), 1);
  EXPECT_EQ(idle.bytes(1), "x");
  idle.stop_reading();
  // Nothing more is written, and the session ends nevertheless.
  EXPECT_EQ(idle.wait().status, 0);
}

TEST(Ending, IdleRelayNoticesThatItsProgramHasGone) {
  Pipe input = make_pipe();
  const Ended ended = run_sockcat({"-", "EXEC:true"}, {.descriptors = {{0, input.reading.get()}}});
  EXPECT_EQ(ended, (Ended{.status = 0}));
}

TEST(Ending, IdleRelayNoticesThatItsPeerWasReset) {
  Pipe input = make_pipe();
  const Socket server = Socket::listening_tcp();
  Running client(sockcat({"-", tcp(server)}), {.descriptors = {{0, input.reading.get()}}});
  Socket peer = server.accept();
  peer.send("x");
  EXPECT_EQ(client.bytes(1), "x");
  peer.reset();
  const Ended ended = client.wait();
  EXPECT_EQ(ended.status, 1);
  EXPECT_NE(ended.err.find("Connection reset by peer"), ended.err.npos) << ended.err;
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
}

TEST(Ending, ReaderOfOurOutputThatGoesAwayStopsTheTransfer) {
  Running endless(sockcat({"-u", "/dev/zero", "-"}), {.more_input = true});
  EXPECT_EQ(endless.bytes(10).size(), 10U);
  endless.stop_reading();
  const Ended ended = endless.wait();
  EXPECT_EQ(ended.status, 1);
  EXPECT_NE(ended.err.find("Broken pipe"), ended.err.npos) << ended.err;
}

TEST(Ending, ClientThatGoesAwayStopsAnEndlessProgram) {
  Serving server({"TCP-LISTEN:0", "EXEC:yes"});
  Socket client = Socket::to_tcp(server.port());
  EXPECT_EQ(client.receive(4), "y\ny\n");
  client.close();
  const Ended ended = server->wait();
  EXPECT_NE(ended.status, 0) << ended.err;
}

TEST(Ending, ClientThatSendsForeverIsLeftWhenTheProgramHasEnded) {
  Serving server({"TCP-LISTEN:0", "EXEC:head -1"});
  const Socket client = Socket::to_tcp(server.port());
  auto reading = beside([&] { return client.receive_all(); });
  const std::string noise = std::string(1 << 16, 'n') + '\n';
  while (client.send_until_broken(noise) == noise.size()) {
  }
  EXPECT_EQ(server->wait().status, 0);
  EXPECT_TRUE(reading.get() == noise);
}

struct Program {
  const char* name;
  const char* address;
  int status;
};

class ProgramEnding : public testing::TestWithParam<Program> {};

TEST_P(ProgramEnding, GivesItsStatus) {
  Pipe input = make_pipe();  // never ends
  const Ended ended = run_sockcat({"-", GetParam().address}, {.descriptors = {{0, input.reading.get()}}});
  EXPECT_EQ(ended.status, GetParam().status) << ended.err;
}

TEST_P(ProgramEnding, GivesItsStatusAfterTheEndOfInput) {
  EXPECT_EQ(run_sockcat({"-", GetParam().address}).status, GetParam().status);
}

TEST_P(ProgramEnding, GivesItsStatusWhereItIsOnlyReadFrom) {
  EXPECT_EQ(run_sockcat({"-U", "-", GetParam().address}).status, GetParam().status);
}

TEST_P(ProgramEnding, GivesItsStatusWhereItIsOnlyWrittenTo) {
  EXPECT_EQ(run_sockcat({"-u", "-", GetParam().address}).status, GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(Ending, ProgramEnding,
                         testing::ValuesIn(std::vector<Program>{
                             {"Success", "EXEC:true", 0},
                             {"Failure", "EXEC:false", 1},
                             {"Seven", "SYSTEM:exit 7", 7},
                             {"SevenThroughPipes", "SYSTEM:exit 7,pipes", 7},
                             {"SevenInsteadOfUs", "SYSTEM:exit 7,nofork", 7},
                             {"Killed", "SYSTEM:kill -9 $$", 137},
                             {"Terminated", "SYSTEM:kill $$", 143},
                             {"Missing", "EXEC:/nonexistent/program", 127},
                             {"MissingInThePath", "EXEC:no-such-program-anywhere", 127},
                             {"MissingInsteadOfUs", "EXEC:no-such-program-anywhere,nofork", 127},
                             {"NotExecutable", "EXEC:/etc/passwd", 126},
                             {"Directory", "EXEC:/etc", 126},
                             {"ShellSaysMissing", "SYSTEM:no-such-program-anywhere 2>/dev/null", 127},
                         }),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(Ending, LimitOfSilenceEndsAnUnansweredQuestion) {
  const Socket server = Socket::listening_tcp();
  const auto begin = steady_clock::now();
  const Ended ended = run_sockcat({"-t", "0.2", "-", tcp(server)}, {.input = "anybody?"});
  EXPECT_EQ(ended.status, 124) << ended.err;
  EXPECT_GE(steady_clock::now() - begin, milliseconds(200));
}

TEST(Ending, LimitOfSilenceLetsASlowTalkerTalk) {
  const Ended ended =
      run_sockcat({"-t", "0.6", "-", "SYSTEM:cat >/dev/null; for i in 1 2 3; do echo $i; sleep 0.3; done"});
  EXPECT_EQ(ended, (Ended{.out = "1\n2\n3\n", .status = 0}));
}

TEST(Ending, LimitOfInactivityEndsASilentSession) {
  Pipe input = make_pipe();
  const Socket server = Socket::listening_tcp();
  const Ended ended =
      run_sockcat({"-T", "0.2", "-", tcp(server)}, {.descriptors = {{0, input.reading.get()}}});
  EXPECT_EQ(ended.status, 124);
}

TEST(Ending, ProgramThatIsEndedForItsSilenceHasNoStatusOfItsOwn) {
  Pipe input = make_pipe();
  const Ended ended = run_sockcat({"-t", "0.1", "-T", "0.1", "-", "EXEC:sleep 100"},
                                  {.descriptors = {{0, input.reading.get()}}});
  EXPECT_EQ(ended, (Ended{.status = 124}));
}

struct Exit {
  const char* name;
  std::string option;
  bool left_end_ends, right_end_ends;
};

class ExitOn : public testing::TestWithParam<Exit> {};

TEST_P(ExitOn, DecidesWhichEndEnds) {
  const auto& row = GetParam();
  for (const bool left : {true, false}) {
    if (!(left ? row.left_end_ends : row.right_end_ends)) continue;
    const Socket server = Socket::listening_tcp();
    Running client(sockcat({"-," + row.option, tcp(server)}), {.more_input = true});
    const Socket peer = server.accept();
    client.write("x");
    EXPECT_EQ(peer.receive(1), "x");
    peer.send("y");
    EXPECT_EQ(client.bytes(1), "y");
    if (left)
      client.finish_input();
    else
      peer.finish();
    if (left) {
      EXPECT_EQ(client.wait().status, 0) << row.option << " left";
    } else {
      EXPECT_EQ(client.line(), std::nullopt);
      // The other side is let go although our input is open.
      EXPECT_EQ(peer.receive_all(), "") << row.option << " right";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ending, ExitOn,
                         testing::ValuesIn(std::vector<Exit>{{"FirstEof", "exit-on=first-eof", true, true},
                                                             {"Left", "exit-on=left", true, false},
                                                             {"Right", "exit-on=right", false, true}}),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(Ending, EndOfAfUnixPeerIsHeardBothWays) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/u";
  const Socket server = Socket::listening_unix(path);
  Running client(sockcat({"-", "UNIX-CONNECT:" + path}), {.more_input = true});
  client.write("question");
  client.finish_input();
  Socket peer = server.accept();
  EXPECT_EQ(peer.receive_all(), "question");
  peer.send("answer");
  peer.close();
  EXPECT_EQ(client.wait(), (Ended{.out = "answer", .status = 0}));
}

TEST(Ending, RefusedConnectionIsAFailure) {
  Socket gone = Socket::listening_tcp();
  const std::string address = tcp(gone);
  gone.close();
  const Ended ended = run_sockcat({"-", address});
  EXPECT_EQ(ended.status, 1);
  EXPECT_NE(ended.err.find("Connection refused"), ended.err.npos) << ended.err;
}

}  // namespace
}  // namespace sluice::test
