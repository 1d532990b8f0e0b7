#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <sstream>
#include <thread>

#include "observing.h"
#include "sockcat.h"

/// How sessions come to an end: closing is bounded for every kind of stream, whatever is on the other side.
namespace sluice::test {
namespace {

using std::string_literals::operator""s;

std::string tcp(const Socket& server) { return "TCP:127.0.0.1:" + std::to_string(server.port()); }

/// How many children a process has, those of its threads included.
std::size_t children_of(pid_t pid) {
  std::size_t count = 0;
  std::error_code ignored;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", ignored)) {
    const std::string all = contents_of(thread.path().string() + "/children");
    count += static_cast<std::size_t>(std::count(all.begin(), all.end(), ' '));
  }
  return count;
}
std::size_t descriptors_of(pid_t pid) {
  std::size_t count = 0;
  for (const auto& one : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd"))
    count += !one.path().empty();
  return count;
}

/// Both names that sockcat goes by: under that of socat, endings are socat's.
class BothManners : public testing::TestWithParam<bool> {
 protected:
  static std::vector<std::string> words(std::vector<std::string> words) {
    if (GetParam()) words.insert(words.begin(), "--socat");
    return words;
  }
};

INSTANTIATE_TEST_SUITE_P(Closing, BothManners, testing::Values(false, true),
                         [](const auto& one) { return one.param ? "AsSocat" : "AsItself"; });

TEST_P(BothManners, AResetThatIsAskedForComesAfterTheDataAndInsteadOfAnEnd) {
  const std::string text = sample(3'000'000);
  const TemporaryDirectory directory;
  const std::string file = directory.file("file", text);
  for (const std::string line : {"-u", "both ways", "its end first"}) {
    const Socket listening = Socket::listening_tcp();
    const std::string address = tcp(listening) + ",reset";
    std::vector<std::string> command = {"-u", "OPEN:" + file, address};
    if (line != "-u") command = {"OPEN:" + file, address};
    Running client(sockcat(words(command)));
    const Socket peer = listening.accept();
    if (line == "its end first") peer.finish();
    EXPECT_EQ(peer.receive(text.size()).size(), text.size()) << line;
    char byte = 0;
    EXPECT_EQ(::recv(peer.number(), &byte, 1, 0), -1) << line;
    EXPECT_EQ(errno, ECONNRESET) << line;
    client.wait();
  }
}

TEST_P(BothManners, AResetThatIsAskedForReachesEachClient) {
  for (const std::string options : {"", ",setsid"}) {
    Serving server(words({"TCP4-LISTEN:0,bind=127.0.0.1,fork,reset" + options, "TEXT:hello"}));
    for (int client = 0; client < 2; ++client) {
      const Socket peer = Socket::to_tcp(server.port());
      EXPECT_EQ(peer.receive(5), "hello") << options;
      EXPECT_TRUE(peer.was_reset()) << options;
    }
  }
}

TEST(SignalStatus, OfWhatReceivesFromWhoeverSendsIsThatOfAServer) {
  const TemporaryDirectory directory;
  for (const std::string receiver :
       {std::string("UDP4-RECV:0,bind=127.0.0.1"), "UNIX-RECV:" + directory.path() + "/socket",
        std::string("ABSTRACT-RECV:sluice-test-") + std::to_string(::getpid()),
        std::string("SOCKET-RECV:2:2:17:x0000x7f000001x0000000000000000")}) {
    for (const std::string as : {"-d0", "--socat"}) {
      Serving server({as, "-u", receiver, "-"});
      server->signal(SIGTERM);
      const Ended ended = server->wait();
      EXPECT_EQ(ended.status, as == "--socat" ? 143 : 0) << receiver << ended.err;
    }
  }
  // What is cut off is not done.
  Running transfer(sockcat({"-d", "-d", "-u", "STALL", "-"}));
  while (transfer.line(2).value_or("starting data transfer").find("starting data transfer") ==
         std::string::npos) {
  }
  transfer.signal(SIGTERM);
  EXPECT_EQ(transfer.wait().status, 143);
}

// A raw terminal cannot tell its program that there is no more.
TEST_P(BothManners, AProgramBehindARawTerminalIsHungUpOn) {
  const TemporaryDirectory directory;
  const std::string copy = directory.path() + "/copy";
  const std::string stubborn = "SYSTEM:'trap \"\" HUP TERM; cat; exec sleep 1000',pty,raw,echo=0";
  for (const auto& line : std::vector<std::vector<std::string>>{
           {"-u", "-", "EXEC:cat,pty,raw"},
           {"-U", "EXEC:cat,pty,raw", "-"},
           {"-u", "-", "EXEC:'tee " + copy + "',pty,raw,echo=0,ctty,setsid"},
           {"-", "EXEC:cat,pty,raw,echo=0"},
           {"EXEC:cat,ptmx,raw,echo=0", "-"},
           {"-!!EXEC:cat,pty,raw", "PIPE"},
           {"-", "PIPE!!EXEC:cat,pty,raw"},
           {"-", "SYSTEM:cat,pty,raw,echo=0"},
           {"-t", "0.1", "--drain=0.1", "-", stubborn},
           {"--drain=0.1", "-u", "-", stubborn},
       }) {
    const Ended ended = run_sockcat(words(line), {.input = "hi\n"});
    EXPECT_EQ(ended.status, 0) << line.back() << '\n' << ended.err;
    EXPECT_EQ(ended.out, "hi\n") << line.back();
  }
  EXPECT_EQ(contents_of(copy), "hi\n");
}

TEST(Closing, AProgramThatReadsLinesIsWaitedForAfterItWasToldOfTheEnd) {
  const Ended ended = run_sockcat({"-u", "-", "SYSTEM:'cat > /dev/null; sleep 0.7; exit 5',pty,echo=0"},
                                  {.input = "a line\n"});
  EXPECT_EQ(ended.status, 5) << ended.err;
}

TEST(Closing, WaitingForAProgramWakesNobody) {
  for (const char* options : {"", ",pty,echo=0", ",pipes"}) {
    Running waiting(sockcat(
        {"-d", "-d", "-u", "-", std::string("SYSTEM:'cat; echo told >&2; exec sleep 1000'") + options}));
    waiting.finish_input();
    while (waiting.line(2) != "told") {
    }
    const auto switches = [&] { return status_figure(waiting.pid(), "voluntary_ctxt_switches"); };
    // It comes to rest, and stays there for as long as five of the naps that it is not to take.
    long before = -1;
    EXPECT_TRUE(eventually([&] {
      const long now = switches();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      return std::exchange(before, now) == now && switches() == now;
    })) << options;
    waiting.signal(SIGTERM);
    waiting.wait();
  }
}

struct OneWay {
  std::string writing, reading;  ///< addresses; %d is a folder, %p a port
  std::function<void(const std::string& name, const std::string& text)> send;
};

// What has no input has not ended: the other direction decides alone.
TEST_P(BothManners, AnAddressWithoutInputIsOneWay) {
  const TemporaryDirectory directory;
  const auto datagram = [](const std::string& to) {
    return [to](const std::string& name, const std::string& text) {
      EXPECT_EQ(
          run_sockcat({"-u", "-", to + (name.empty() ? "" : name.substr(name.rfind(':')))}, {.input = text})
              .status,
          0);
    };
  };
  const auto through_file = [&](const std::string& path) {
    return [path](const std::string&, const std::string& text) {
      const Fd fifo(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
      EXPECT_EQ(::write(fifo.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    };
  };
  const std::string fifo = directory.path() + "/fifo";
  const std::string local = directory.path() + "/local";
  const std::string out = directory.path() + "/out";
  // One end stays open, so that the FIFO does not end between two writers.
  const auto kept = [&] { return Fd(::open(fifo.c_str(), O_RDWR | O_CLOEXEC)); };
  const std::vector<OneWay> readers = {
      {"", "PIPE:" + fifo, through_file(fifo)},
      {"", "OPEN:" + fifo + ",rdonly", through_file(fifo)},
      {"", "UDP4-RECV:0,bind=127.0.0.1", datagram("UDP4-SENDTO:127.0.0.1")},
      {"", "UNIX-RECV:" + local + ",unlink-early",
       [&](const std::string&, const std::string& text) {
         EXPECT_EQ(run_sockcat({"-u", "-", "UNIX-SENDTO:" + local}, {.input = text}).status, 0);
       }},
  };
  for (const char* writer : {"STDOUT", "FD:1", "OPEN:%o,wronly,append", "CREATE:%o", "GOPEN:%o,wronly"})
    for (const auto& reader : readers)
      for (const bool swapped : {false, true}) {
        std::string to = writer;
        std::filesystem::remove(fifo);
        ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
        const Fd open = kept();
        if (const auto place = to.find("%o"); place != to.npos) {
          to.replace(place, 2, out);
          std::filesystem::remove(out);
          Fd(::open(out.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        }
        std::vector<std::string> both = {to, reader.reading};
        // socat prepares its second address when the first is open: its names come too late for the test.
        if (GetParam() && !swapped && reader.reading.find("RECV") != std::string::npos) continue;
        if (swapped) std::swap(both[0], both[1]);
        const std::string what = both[0] + ' ' + both[1];
        std::vector<std::string> line = {"-t", "0.01"};
        line.insert(line.end(), both.begin(), both.end());
        Serving relay(words(line));
        const std::string name = relay.names().empty() ? "" : relay.names().front();
        const auto expect = [&](const std::string& all) {
          if (to.starts_with("STDOUT") || to.starts_with("FD"))
            EXPECT_EQ(relay->bytes(4), all.substr(all.size() - 4)) << what;
          else
            EXPECT_TRUE(eventually([&] { return contents_of(out) == all; })) << what;
        };
        reader.send(name, "one\n");
        expect("one\n");
        // For longer than a side that cannot matter any more would be given.
        EXPECT_FALSE(ends(relay.process(), false)) << what;
        reader.send(name, "two\n");
        expect("one\ntwo\n");
        relay->signal(SIGTERM);
        // What receives from whoever sends serves until it is told to end.
        const bool serves = !GetParam() && reader.reading.find("RECV:") != std::string::npos;
        EXPECT_EQ(relay->wait().status, serves ? 0 : 128 + SIGTERM) << what;
      }
}

// After a reset nothing can matter any more on that side.
TEST_P(BothManners, AResetEndsTheProgramOfItsSession) {
  for (const char* program :
       {"EXEC:'sleep 1000'", "EXEC:'sleep 1000',pipes", "EXEC:'sleep 1000',pty",
        "SYSTEM:'trap \"\" TERM HUP; exec sleep 1000'", "EXEC:'sleep 1000',pty,raw,echo=0"}) {
    Serving server(words({"--drain=0.1", "TCP4-LISTEN:0,bind=127.0.0.1,fork,max-children=2", program}));
    for (int round = 0; round < 3; ++round) {
      std::vector<Socket> clients;
      for (int i = 0; i < 2; ++i) clients.push_back(Socket::to_tcp(server.port()));
      EXPECT_TRUE(eventually([&] { return children_of(server->pid()) == 2; })) << program;
      for (Socket& client : clients) client.reset();
      EXPECT_TRUE(eventually([&] { return children_of(server->pid()) == 0; })) << program;
    }
  }
}

TEST(Closing, AResetOfOneSideClosesASocketOnTheOther) {
  for (const bool from_left : {true, false}) {
    const Socket far = Socket::listening_tcp();
    const Socket near = Socket::listening_tcp();
    std::vector<std::string> words = {tcp(near), tcp(far)};
    if (!from_left) std::swap(words[0], words[1]);
    Running relay(sockcat(words));
    Socket resetting = near.accept();
    const Socket other = far.accept();
    resetting.send("last words");
    EXPECT_EQ(other.receive(10), "last words");
    resetting.reset();
    EXPECT_EQ(other.receive_all(), "");
    EXPECT_EQ(relay.wait().status, 1);
  }
}

// So it is with a connection that was inherited (inetd).
TEST_P(BothManners, AResetOfAnInheritedConnectionEndsTheProgram) {
  const Socket listener = Socket::listening_tcp();
  for (const auto& [numbers, address] :
       std::vector<std::pair<std::vector<int>, std::string>>{{{0, 1}, "-"}, {{5}, "FD:5"}}) {
    Socket client = Socket::to_tcp(listener.port());
    const Socket connection = listener.accept();
    RunOptions options;
    for (const int number : numbers) options.descriptors[number] = connection.number();
    Running session(sockcat(words({"--drain=0.1", address, "SYSTEM:'echo begun; exec sleep 1000'"})),
                    options);
    EXPECT_EQ(client.receive(6), "begun\n");
    client.reset();
    EXPECT_EQ(session.wait().status, 1) << address;
  }
}

// A client that goes away, in whatever manner, takes its session along: program, terminal and descriptors.
TEST_P(BothManners, ProgramsOnTerminalsDoNotOutliveTheirClients) {
  const std::vector<std::function<void(Socket&)>> ways_to_leave = {[](Socket& client) { client.reset(); },
                                                                   [](Socket& client) { client.close(); },
                                                                   [](Socket& client) {
                                                                     client.send("echo more\n");
                                                                     client.close();
                                                                   },
                                                                   [](Socket& client) {
                                                                     client.finish();
                                                                     client.close();
                                                                   }};
  for (const char* program :
       {"EXEC:cat,pty,raw,echo=0", "EXEC:cat,pty", "EXEC:'bash --norc -i',pty,setsid,ctty,stderr",
        "SYSTEM:'trap \"\" HUP; cat; exec sleep 1000',pty,raw,echo=0"}) {
    Serving server(words({"--drain=0.1", "--threads=2", "TCP4-LISTEN:0,bind=127.0.0.1,fork", program}));
    const auto come_and_go = [&] {
      for (const auto& leave : ways_to_leave) {
        std::vector<Socket> clients;
        for (int i = 0; i < 4; ++i) clients.push_back(Socket::to_tcp(server.port()));
        for (Socket& client : clients) {
          client.send("echo hi\n");
          EXPECT_NE(client.receive(1), "") << program;
        }
        for (Socket& client : clients) leave(client);
      }
      EXPECT_TRUE(eventually([&] { return children_of(server->pid()) == 0; })) << program;
    };
    // The first ones leave what the process goes on to use: threads, each with its own few descriptors.
    come_and_go();
    const std::size_t before = descriptors_of(server->pid());
    come_and_go();
    EXPECT_TRUE(eventually([&] { return descriptors_of(server->pid()) <= before; })) << program;
  }
}

// -t is a limit of silence; how long an ending may take is --drain's.
TEST(Closing, DrainingHasALimitOfItsOwn) {
  const Socket server = Socket::listening_tcp();
  for (const char* target : {"", ",pty,raw,echo=0", ",pipes"}) {
    Running client(sockcat({"-t", "100000000", "-", tcp(server)}), {.more_input = true});
    const Socket peer = server.accept();
    client.signal(SIGTERM);
    EXPECT_EQ(client.wait().status, 128 + SIGTERM) << target;
    Serving listener({"-t", "100000000", "--drain=0.1", "TCP4-LISTEN:0,bind=127.0.0.1,fork",
                      std::string("EXEC:'sleep 1000'") + target});
    const Socket held = Socket::to_tcp(listener.port());
    EXPECT_TRUE(eventually([&] { return children_of(listener->pid()) == 1; }));
    listener->signal(SIGTERM);
    EXPECT_EQ(listener->wait().status, 0) << target;
  }
}

TEST(Closing, DrainingIsNotShorterThanItMayBe) {
  const Socket server = Socket::listening_tcp();
  Running client(sockcat({"-t", "0.01", "--drain=60", "-", tcp(server)}), {.more_input = true});
  const Socket peer = server.accept();
  client.write("x");
  EXPECT_EQ(peer.receive(1), "x");
  client.signal(SIGTERM);
  EXPECT_FALSE(ends(client, false));
  peer.send("last words");
  peer.finish();
  client.finish_input();
  EXPECT_EQ(client.wait().out, "last words");
}

TEST(Closing, OneWayFromASourceWithoutEndHasNothingToDrain) {
  const TemporaryDirectory directory;
  for (const std::string& source :
       {"UDP4-RECV:0,bind=127.0.0.1"s, "UNIX-RECV:" + directory.path() + "/local", "PTY,raw"s})
    for (const bool backwards : {false, true}) {
      Serving relay(backwards ? std::vector<std::string>{"--drain=1000", "-U", "STDOUT", source}
                              : std::vector<std::string>{"--drain=1000", "-u", source, "STDOUT"});
      relay->signal(SIGTERM);
      EXPECT_EQ(relay->wait().status, source.starts_with("PTY") ? 128 + SIGTERM : 0) << source;
    }
}

// A limit that the user gave is the end that was asked for.
TEST(Closing, AGivenLimitOfSilenceIsNoFailureUnlessAnAnswerIsMissing) {
  struct Row {
    std::string question, answer;
    int status;
  };
  for (const auto& [question, answer, status] :
       std::vector<Row>{{"ask", "answer", 0}, {"", "", 0}, {"", "greeting", 0}, {"ask", "", 124}}) {
    const Socket server = Socket::listening_tcp();
    Running client(sockcat({"-t", "1", "-", tcp(server)}), {.input = question});
    client.finish_input();
    const Socket peer = server.accept();
    EXPECT_EQ(peer.receive_all(), question);
    if (!answer.empty()) peer.send(answer);
    const Ended ended = client.wait();
    EXPECT_EQ(ended.status, status) << '"' << question << "\" \"" << answer << '"';
    EXPECT_EQ(ended.out, answer);
    EXPECT_EQ(ended.err.find("no answer") != ended.err.npos, status != 0) << ended.err;
  }
}

// Silence begins with the end of input, not with the last byte.
TEST_P(BothManners, SilenceIsCountedFromTheEndOfInput) {
  const std::string late = "SYSTEM:'cat; sleep 0.3; echo late'";
  Running client(sockcat(words({"-t", "2", "-", late})), {.more_input = true});
  client.write("hello\n");
  EXPECT_EQ(client.line(), "hello");
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  client.finish_input();
  const Ended ended = client.wait();
  EXPECT_EQ(ended.out, "late\n");
  EXPECT_EQ(ended.status, 0);
}

// Closing waits only where something could be lost: the limit here is longer than a test may take.
TEST(Closing, WaitsForNothingWhereNothingCouldBeLost) {
  const TemporaryDirectory directory;
  const Socket server = Socket::listening_tcp();
  const Socket local = Socket::listening_unix(directory.path() + "/local");
  const std::string file = directory.file("file", "content\n");
  for (const std::string& source : {"OPEN:/dev/null"s, "OPEN:" + file, "TEXT:text"s})
    for (const bool over_tcp : {true, false}) {
      const std::string target = over_tcp ? tcp(server) : "UNIX-CONNECT:" + directory.path() + "/local";
      for (const bool backwards : {false, true}) {
        Running client(sockcat(backwards ? std::vector<std::string>{"-t", "1000", "-U", target, source}
                                         : std::vector<std::string>{"-t", "1000", "-u", source, target}));
        const Socket peer = over_tcp ? server.accept() : local.accept();
        EXPECT_EQ(client.wait().status, 0) << source << ' ' << target;
        // The peer has not read anything, nor ended its side.
        EXPECT_EQ(peer.receive_all(), source == "OPEN:/dev/null" ? ""
                                      : source == "TEXT:text"    ? "text"
                                                                 : "content\n");
      }
    }
}

// What never waits gives way to signals, limits and others.
TEST(Closing, SignalsAndLimitsReachWhoCopiesInSmallSteps) {
  const TemporaryDirectory directory;
  const std::string small = directory.file("small", std::string(100, 'x'));
  for (const auto& line : std::vector<std::vector<std::string>>{
           {"-v", "-b", "1", "-u", "OPEN:/dev/zero", "OPEN:/dev/null"},
           {"-b", "1", "-u", "OPEN:/dev/zero", "OPEN:/dev/null"},
           {"-x", "-b", "3", "-u", "OPEN:/dev/zero", "OPEN:/dev/null"},
           {"-u", "OPEN:/dev/zero", "OPEN:/dev/null"},
           {"-b", "1", "-u", "OPEN:/dev/zero", "UPPER!!OPEN:/dev/null"},
           {"-b", "1", "OPEN:/dev/zero!!OPEN:/dev/null", "PIPE"},
           {"-u", "OPEN:/dev/zero,crnl", "OPEN:/dev/null"},
       }) {
    const Fd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    Running copying(sockcat(line), {.descriptors = {{2, null.get()}}});
    EXPECT_TRUE(eventually([&] { return flags_of_open(copying.pid(), "/dev/zero") >= 0; }));
    copying.signal(SIGTERM);
    EXPECT_EQ(copying.wait().status, 128 + SIGTERM) << line[0] << line[1];
  }
}

// Programs of all sessions can be ended, on whichever thread they were started.
TEST(Closing, ProgramsAreStartedWithTheSignalsThatWeWereStartedWith) {
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork", "SYSTEM:'grep SigBlk /proc/self/status; exec cat'"});
  std::vector<Socket> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(Socket::to_tcp(server.port()));
    EXPECT_EQ(clients.back().receive(25), "SigBlk:\t0000000000000000\n") << i;
  }
}

// Of many sessions, a program's own process stands for its session.
TEST(Closing, ASessionMayEndItselfWithoutEndingTheServer) {
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork",
                  "SYSTEM:'echo $SOCAT_PID $$ $SOCAT_PPID; kill $SOCAT_PID; exec sleep 1000'"});
  for (int i = 0; i < 3; ++i) {
    const std::string answer = Socket::to_tcp(server.port()).receive_all();
    std::istringstream numbers(answer);
    long pid = 0, shell = 0, parent = 0;
    numbers >> pid >> shell >> parent;
    EXPECT_EQ(pid, shell) << answer;
    EXPECT_EQ(parent, server->pid()) << answer;
  }
  EXPECT_FALSE(ends(server.process(), false));
  EXPECT_EQ(run_sockcat({"-", "SYSTEM:'[ $SOCAT_PID = $PPID ] && echo ours'"}).out, "ours\n");
}

// Once one side has ended, -t says how long the other may be silent; where nothing is to be waited for, it is
// not.
TEST_P(BothManners, SilenceAfterAnEndIsMeasuredByOneLimit) {
  const Ended ended = run_sockcat(
      words({"-t", "30", "-T", "0.2", "-", "SYSTEM:cat >/dev/null; sleep 0.5; echo answer"}), {.input = "x"});
  EXPECT_EQ(ended.out, "answer\n") << ended.err;
  EXPECT_EQ(ended.status, 0) << ended.err;
}

TEST_P(BothManners, ALimitIsNotWaitedForWhereNothingCanCome) {
  const Socket server = Socket::listening_tcp();
  const std::string to = "TCP4:127.0.0.1:" + std::to_string(server.port());
  for (const char* option : {"", ",shut-none", ",shut-null", ",shut-close", ",shut-down", ",end-close"}) {
    // Who stays open, and says nothing.
    auto beside_us = beside([&] { return server.accept(); });
    EXPECT_EQ(run_sockcat(words({"-t", "100", "-u", "OPEN:/dev/null", to + option})).status, 0) << option;
    beside_us.get();
  }
}

}  // namespace
}  // namespace sluice::test
