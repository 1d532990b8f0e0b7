#include <gtest/gtest.h>
#include <regex.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <sstream>

#include "sluice/core/socket_name.h"
#include "sockcat.h"

namespace sluice::test {
namespace {

std::string number(int value) { return std::to_string(value); }

/// Whether a basic regular expression (POSIX, with back references) matches; `parts` are its subexpressions.
/// (std::regex takes long to compile, and GCC 12 warns of it under sanitizers.)
bool matches(const std::string& text, const char* pattern, std::vector<std::string>* parts = nullptr) {
  regex_t compiled;
  if (::regcomp(&compiled, pattern, 0) != 0) throw Failure(std::string("bad pattern ") + pattern);
  std::array<regmatch_t, 6> found{};
  const bool matched = ::regexec(&compiled, text.c_str(), found.size(), found.data(), 0) == 0;
  ::regfree(&compiled);
  for (const auto& [begin, end] : found)
    if (matched && parts != nullptr && begin >= 0)
      parts->push_back(text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
  return matched;
}

constexpr auto dated = R"(^[0-9/]\{10\} [0-9:]\{8\} \([a-z-]*\)\[\([0-9]*\)] \([FEWNID]\) \(.*\)$)";

/// The texts of dated lines; anything else fails the test.
std::vector<std::string> texts_of(const std::string& log, const std::string& program, pid_t pid = 0) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < log.size();) {
    const auto end = std::min(log.find('\n', at), log.size());
    const std::string one = log.substr(at, end - at);
    std::vector<std::string> parts;
    EXPECT_TRUE(matches(one, dated, &parts)) << one;
    if (parts.size() == 5) {
      EXPECT_EQ(parts[1], program);
      if (pid != 0) {
        EXPECT_EQ(parts[2], number(pid));
      }
      texts.push_back(parts[3] + ' ' + parts[4]);
    }
    at = end + 1;
  }
  return texts;
}

TEST(Log, OfAServerIsToTheLetter) {
  Serving server({"-d", "-d", "TCP4-LISTEN:0,bind=127.0.0.1", "PIPE"});
  const pid_t pid = server->pid();
  const Socket client = Socket::to_tcp(server.port());
  client.finish();
  EXPECT_EQ(client.receive_all(), "");
  const auto texts = texts_of(server->wait().err, "sockcat", pid);
  const std::string ours = "AF=2 127.0.0.1:" + number(server.port());
  ASSERT_EQ(texts.size(), 7U);
  EXPECT_EQ(texts[0], "N listening on " + ours);
  EXPECT_EQ(texts[1], "N accepting connection from AF=2 127.0.0.1:" + number(client.port()) + " on " + ours);
  EXPECT_EQ(texts[2], "N writing to and reading from unnamed pipe");
  EXPECT_TRUE(
      matches(texts[3], R"(^N starting data transfer loop with FDs \[\([0-9]*\),\1] and \[[0-9]*,[0-9]*]$)"))
      << texts[3];
  EXPECT_TRUE(matches(texts[4], R"(^N socket 1 (fd [0-9]*) is at EOF$)")) << texts[4];
  EXPECT_TRUE(matches(texts[5], R"(^N socket 2 (fd [0-9]*) is at EOF$)")) << texts[5];
  EXPECT_EQ(texts[6], "N exiting with status 0");
}

TEST(Log, OfAClientIsToTheLetter) {
  const Socket server = Socket::listening_tcp();
  Running client(sockcat({"-dd", "-", "TCP4:127.0.0.1:" + number(server.port())}));
  const pid_t pid = client.pid();
  Socket peer = server.accept();
  const auto local = SocketName::of_peer(peer.number());
  peer.close();
  const auto texts = texts_of(client.wait().err, "sockcat", pid);
  ASSERT_GE(texts.size(), 5U);
  EXPECT_EQ(texts[0], "N reading from and writing to stdio");
  EXPECT_EQ(texts[1], "N opening connection to AF=2 127.0.0.1:" + number(server.port()));
  EXPECT_EQ(texts[2], "N successfully connected from local address AF=2 " + local.host_and_port());
  EXPECT_TRUE(matches(texts[3], R"(^N starting data transfer loop with FDs \[0,1] and \[\([0-9]*\),\1]$)"))
      << texts[3];
  EXPECT_EQ(texts.back(), "N exiting with status 0");
}

TEST(Log, OfADefaultListenerNamesBothFamilies) {
  Serving server({"-d", "-d", "TCP-LISTEN:0,fork", "PIPE"});
  EXPECT_NE(server->line(2)->find(" N listening on AF=10 [0000:0000:0000:0000:0000:0000:0000:0000]:" +
                                  number(server.port())),
            std::string::npos);
  Serving four({"-d", "-d", "-4", "TCP-LISTEN:0,fork", "PIPE"});
  EXPECT_NE(four->line(2)->find(" N listening on AF=2 0.0.0.0:" + number(four.port())), std::string::npos);
}

TEST(Log, IsSilentUnlessAsked) { EXPECT_EQ(run_sockcat({"-", "EXEC:cat"}, {.input = "x"}).err, ""); }

TEST(Log, MayGoToAFileUnderAnotherName) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/log";
  const Ended ended = run_sockcat({"-d", "-d", "-lf", path, "-lpmine", "-", "PIPE"});
  EXPECT_EQ(ended, (Ended{.status = 0}));
  EXPECT_EQ(texts_of(contents_of(path), "mine").back(), "N exiting with status 0");
}

/// A server that logs notices to a file, which may be rotated.
class RotatedLog : public testing::Test {
 protected:
  std::string rotated(int round) const { return path_ + '.' + number(round); }
  /// Renames the file as logrotate(8) does, and waits until a new one is there.
  void rotate(int round) {
    std::filesystem::rename(path_, rotated(round));
    server_->signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(path_); }));
  }
  /// A client is served and gone; returns its port.
  int serve_one() {
    const Socket client = Socket::to_tcp(server_.port());
    client.send("echo");
    EXPECT_EQ(client.receive(4), "echo");
    return client.port();
  }
  static std::string accepted(int port) {
    return "accepting connection from AF=2 127.0.0.1:" + number(port) + " on";
  }

  TemporaryDirectory directory_;
  std::string folder_ = directory_.path() + "/log";
  std::string path_ = folder_ + "/sockcat";
  Serving server_{[this] {
    std::filesystem::create_directory(folder_);
    return std::vector<std::string>{"-dd", "-lf", path_, "TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"};
  }()};
};

TEST_F(RotatedLog, IsReopenedBySighupAndNoLineIsLost) {
  constexpr int rounds = 4;
  constexpr int clients = 10;
  Socket lasting = Socket::to_tcp(server_.port());
  std::vector<std::vector<int>> served(rounds);
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < clients; ++i) served[static_cast<std::size_t>(round)].push_back(serve_one());
    lasting.send("goes on");
    EXPECT_EQ(lasting.receive(7), "goes on");
    rotate(round);
  }
  lasting.close();
  const int last = serve_one();
  server_->signal(SIGTERM);
  EXPECT_EQ(server_->wait().status, 0);
  for (int round = 0; round < rounds; ++round) {
    const std::string log = contents_of(rotated(round));
    texts_of(log, "sockcat");
    for (const int port : served[static_cast<std::size_t>(round)])
      EXPECT_NE(log.find(accepted(port)), log.npos) << "round " << round << '\n' << log;
  }
  const std::string log = contents_of(path_);
  EXPECT_NE(log.find(" N reopened the log file\n"), log.npos) << log;
  EXPECT_NE(log.find(accepted(last)), log.npos) << log;
  EXPECT_EQ(texts_of(log, "sockcat").back(), "N exiting with status 0");
}

TEST_F(RotatedLog, ThatCannotBeReopenedGoesOnInTheOldFile) {
  const Socket lasting = Socket::to_tcp(server_.port());
  const std::string away = directory_.path() + "/away";
  std::filesystem::rename(folder_, away);
  const std::string log = away + "/sockcat";
  server_->signal(SIGHUP);
  const std::string complaint =
      " E open " + path_ + ": No such file or directory; going on with the old log file\n";
  EXPECT_TRUE(eventually([&] { return contents_of(log).find(complaint) != std::string::npos; }));
  lasting.send("goes on");
  EXPECT_EQ(lasting.receive(7), "goes on");
  const int port = serve_one();
  EXPECT_TRUE(eventually([&] { return contents_of(log).find(accepted(port)) != std::string::npos; }));
}

TEST(Hangup, StaysIgnoredByWhoWasStartedSo) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/log", rotated = path + ".1";
  for (const bool to_file : {false, true}) {
    auto words = sockcat({"--ready-fd", "3", "-dd"});
    if (to_file) words.insert(words.end(), {"-lf", path});
    words.insert(words.end(), {"TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"});
    words.insert(words.begin(), {"sh", "-c", "trap '' HUP; exec \"$@\"", "sh"});
    Running server(words, {.captured = {3}});
    ASSERT_TRUE(server.line(3));
    if (to_file) std::filesystem::rename(path, rotated);
    server.signal(SIGHUP);
    // It is alive to answer this one.
    server.signal(SIGUSR1);
    const std::string answer = "statistics: sessions: 0 open";
    if (to_file) {
      EXPECT_TRUE(eventually([&] { return contents_of(rotated).find(answer) != std::string::npos; }));
      EXPECT_FALSE(std::filesystem::exists(path));
    } else {
      std::optional<std::string> line;
      do line = server.line(2);
      while (line && line->find(answer) == std::string::npos);
      EXPECT_TRUE(line);
    }
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait().status, 0);
  }
}

struct Shown {
  std::vector<std::string> options;
  std::string in;
};

/// Dumps, but for their time: the installed socat is the reference.
std::string without_times(const std::string& text) {
  std::string rest = text, result;
  for (std::vector<std::string> time; matches(rest, "[0-9/]\\{10\\} [0-9:]\\{8\\}[.][0-9]*", &time);
       time.clear()) {
    const auto place = rest.find(time[0]);
    result += rest.substr(0, place) + "TIME";
    rest.erase(0, place + time[0].size());
  }
  return result + rest;
}

TEST(Dump, LooksAsThatOfSocat) {
  if (!std::filesystem::exists("/usr/bin/socat")) GTEST_SKIP() << "needs socat";
  const std::string odd("line\nwith\ttab\r and \\ back\x01\x7f\xc3\xa9\0end", 34);
  const std::vector<Shown> rows = {{{"-v"}, "hello\n"},
                                   {{"-x"}, "hello\n"},
                                   {{"-v", "-x"}, "hello\n"},
                                   {{"-v"}, odd},
                                   {{"-x"}, odd},
                                   {{"-v", "-x"}, odd},
                                   {{"-xv"}, "x"},
                                   {{"-v"}, "no end"},
                                   {{"-x"}, "no end"},
                                   {{"-v", "-b", "3"}, "abcdefgh"},
                                   {{"-x", "-b5"}, "abcdefgh"}};
  for (const auto& [options, in] : rows) {
    if (options[0] == "-xv") continue;
    std::vector<std::string> words = options;
    words.insert(words.end(), {"-u", "-", "-"});
    const Ended ours = run_sockcat(words, {.input = in});
    words.insert(words.begin(), "/usr/bin/socat");
    const Ended theirs = run(words, {.input = in});
    EXPECT_EQ(without_times(ours.err), without_times(theirs.err)) << testing::PrintToString(options);
    EXPECT_EQ(ours.out, theirs.out);
  }
}

TEST(Dump, HasMicrosecondsInItsTime) {
  const Ended ended = run_sockcat({"-v", "-u", "-", "-"}, {.input = "x"});
  EXPECT_TRUE(matches(ended.err, R"(^> [0-9/]\{10\} [0-9:]\{8\}[.][0-9]\{6\}  length=1 from=0 to=0)"))
      << ended.err;
}

// As socat 1.8 has it: what is behind a dollar sign says whose the dump is.
TEST(Dump, OfEachSessionGoesToAFileOfItsOwn) {
  const TemporaryDirectory directory;
  const std::string name = directory.path() + "/$PROGNAME.$SOCAT_PEERADDR.$SOCAT_PEERPORT.$KIND";
  Serving server({"-r", name, "-R", directory.path() + "/$$.$TIMESTAMP.$MICROS$",
                  "TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"},
                 {.environment = {"KIND=raw"}});
  std::set<std::string> expected;
  for (const char* word : {"one", "two"}) {
    const Socket client = Socket::to_tcp(server.port());
    client.send(word);
    client.finish();
    EXPECT_EQ(client.receive_all(), word);
    const std::string path =
        directory.path() + "/sockcat.127.0.0.1." + std::to_string(client.port()) + ".raw";
    EXPECT_EQ(contents_of(path), word);
    expected.insert(path);
  }
  int others = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    if (expected.contains(entry.path())) continue;
    EXPECT_TRUE(matches(entry.path().filename().string(),
                        "^[0-9][0-9]*[.][0-9]\\{8\\}T[0-9]\\{6\\}[.][0-9]\\{6\\}[$]$"))
        << entry.path();
    ++others;
  }
  EXPECT_EQ(others, 2);
}

TEST(Dump, IsNeverWhereAPeerSays) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() + "/dumps");
  Serving server({"-r", directory.path() + "/dumps/$SOCAT_PEERADDR",
                  "UNIX-LISTEN:" + directory.path() + "/server,fork", "PIPE"});
  const Ended client =
      run_sockcat({"-", "UNIX-CONNECT:" + directory.path() + "/server,bind=" + directory.path() + "/client"},
                  {.input = "words"});
  EXPECT_EQ(client.out, "words") << client.err;
  std::string name = directory.path() + "/client";
  std::replace(name.begin(), name.end(), '/', '_');
  EXPECT_EQ(contents_of(directory.path() + "/dumps/" + name), "words");
}

TEST(Dump, ShowsBothDirections) {
  const Ended ended = run_sockcat({"-v", "-", "UPPER"}, {.input = "abc"});
  EXPECT_NE(ended.err.find("> "), ended.err.npos);
  EXPECT_NE(ended.err.find("< "), ended.err.npos);
  EXPECT_NE(ended.err.find("ABC"), ended.err.npos);
}

/// The same program under the name of socat, as a distribution would link it.
class AsSocat : public testing::Test {
 protected:
  AsSocat() { std::filesystem::create_symlink(tool("sockcat"), socat_); }
  Ended run_socat(std::vector<std::string> words, RunOptions options = {}) const {
    words.insert(words.begin(), socat_);
    return run(words, std::move(options));
  }

  TemporaryDirectory directory_;
  std::string socat_ = directory_.path() + "/socat";
};

TEST_F(AsSocat, StatusIsThatOfSocat) {
  const std::vector<std::pair<std::vector<std::string>, int>> rows = {
      {{"-", "TCP4:127.0.0.1:1"}, 1},
      {{"-", "TCP4-LISTEN:0,accept-timeout=0.01"}, 0},
      {{"-", "NO-SUCH-KEYWORD:x"}, 1},
      {{"-u", "FILE:/nonexistent", "-"}, 1},
      {{"-T", "0.05", "TCP4-LISTEN:0,accept-timeout=0.01", "-"}, 0},
  };
  for (const auto& [words, status] : rows) {
    const Ended ours = run_socat(words);
    EXPECT_EQ(ours.status, status) << testing::PrintToString(words) << ours.err;
    if (!std::filesystem::exists("/usr/bin/socat")) continue;
    std::vector<std::string> theirs = words;
    theirs.insert(theirs.begin(), "/usr/bin/socat");
    EXPECT_EQ(run(theirs).status, status) << testing::PrintToString(words);
  }
}

TEST_F(AsSocat, StatusOfAProgramIsNotItsOwn) {
  // socat's is 0 or 1, as it happens to notice the end of the program first or that of its output.
  EXPECT_EQ(run_socat({"-u", "SYSTEM:exit 7", "-"}).status, 1);
  EXPECT_EQ(run_socat({"-u", "SYSTEM:kill -9 $$", "-"}).status, 1);
}

// What scripts look for.
TEST_F(AsSocat, TextsAreThoseOfSocat) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> rows = {
      {{"-u", "SYSTEM:exit 7", "-"}, " exited with status 7\n"},
      {{"-u", "SYSTEM:kill -2 $$", "-"}, " exited on signal 2\n"},
      {{"-", "TCP4-LISTEN:0,backlog="}, ": missing numerical value of option \"backlog=\"\n"},
      {{"-", "TCP4-LISTEN:0,backlog=5x"}, ": trailing garbage in numerical arg of option \"backlog=5x\"\n"},
      {{"-", "TCP4-LISTEN:0,connect-timeout"}, ": option \"connect-timeout\": value required\n"},
      {{"-", "EXEC:'cat"}, ": unexpected end of address"},
      {{"-b", "x", "-", "PIPE"}, "E missing numerical value of option \"-b\"\n"},
      {{"-T", "1x", "-", "PIPE"}, "E trailing garbage in numerical arg of option \"-T\"\n"},
      {{"-b", "99999999999999999999", "-", "PIPE"},
       "E buffer size option (-b) to big - 99999999999999999999 (max is "},
      {{"-u", "OPEN:/no/file", "-"}, "E open(\"/no/file\", 00, 0666): No such file or directory\n"},
      {{"OPEN:/no/file", "-"}, "E open(\"/no/file\", 02, 0666): No such file or directory\n"},
      {{"--statistics", "-", "PIPE"}, "I STATISTICS: left to right: 1 packets(s), 1 byte(s)\n"},
  };
  for (const auto& [words, text] : rows) {
    const Ended ended = run_socat(words, {.input = "x"});
    EXPECT_NE(ended.err.find(text), std::string::npos) << testing::PrintToString(words) << ended.err;
    EXPECT_EQ(ended.err.find("no answer came"), std::string::npos) << ended.err;
  }
  for (const char* size : {"0", "2147483648"})
    EXPECT_EQ(run_socat({"-b", size, "-", "PIPE"}, {.input = "words"}).out, "words") << size;
  EXPECT_NE(run_socat({"-V"}).out.find("\nsocat version 1.8.0.0\n"), std::string::npos);
  EXPECT_NE(run_socat({"-h"}).out.find("\n      -r <file>  "), std::string::npos);
}

TEST_F(AsSocat, WrongCommandLinesAreToldOfInTheLog) {
  const std::string path = directory_.path() + "/log";
  const Ended ended = run_socat({"-lf", path, "NO-SUCH-KEYWORD:x", "-"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(ended.err, "");
  EXPECT_NE(contents_of(path).find(": unknown address "), std::string::npos) << contents_of(path);
}

TEST_F(AsSocat, LateReplyIsCutAfterHalfASecond) {
  const Ended ended = run_socat({"-", "SYSTEM:cat >/dev/null; sleep 1.5; echo late"}, {.input = "x"});
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(ended.status, 0);
}

TEST_F(AsSocat, SignalEndsAtOnceWithItsNumber) {
  Running server({socat_, "-d", "-d", "TCP4-LISTEN:0,fork", "PIPE"});
  while (server.line(2)->find("listening on AF=2") == std::string::npos) {
  }
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait().status, 143);
}

TEST_F(AsSocat, ListeningIsIpv4) {
  Running server({socat_, "--ready-fd", "9", "TCP-LISTEN:0,fork", "PIPE"}, {.captured = {9}});
  EXPECT_TRUE(server.line(9)->starts_with("tcp 0.0.0.0:"));
}

TEST_F(AsSocat, ListeningIsOnBothVersionsWhereNoneIsPreferred) {
  struct Case {
    std::vector<std::string> words, environment;
    std::string name;
  };
  for (const auto& one : {Case{{"-0", "TCP-LISTEN:0", "PIPE"}, {}, "tcp [::]:"},
                          Case{{"-0", "UDP-RECVFROM:0", "PIPE"}, {}, "udp [::]:"},
                          Case{{"TCP-LISTEN:0", "PIPE"}, {"SOCAT_DEFAULT_LISTEN_IP="}, "tcp [::]:"},
                          Case{{"TCP-LISTEN:0", "PIPE"}, {"SOCAT_DEFAULT_LISTEN_IP=4"}, "tcp 0.0.0.0:"},
                          Case{{"TCP-LISTEN:0", "PIPE"}, {"SOCAT_DEFAULT_LISTEN_IP=6"}, "tcp [::]:"},
                          Case{{"-4", "TCP-LISTEN:0", "PIPE"}, {"SOCAT_DEFAULT_LISTEN_IP="}, "tcp 0.0.0.0:"},
                          Case{{"-0", "TCP4-LISTEN:0", "PIPE"}, {}, "tcp 0.0.0.0:"}}) {
    std::vector<std::string> words = {socat_, "--ready-fd", "9"};
    words.insert(words.end(), one.words.begin(), one.words.end());
    Running server(words, {.captured = {9}, .environment = one.environment});
    const std::string name = server.line(9).value_or("nothing");
    EXPECT_TRUE(name.starts_with(one.name)) << testing::PrintToString(one.words) << ' ' << name;
    if (!name.starts_with("tcp [::]:")) continue;
    // A socket of one version would refuse this.
    const bool both = one.environment != std::vector<std::string>{"SOCAT_DEFAULT_LISTEN_IP=6"};
    const int port = std::stoi(name.substr(name.rfind(':') + 1));
    if (both) EXPECT_NO_THROW(Socket::to_tcp(port)) << testing::PrintToString(one.words);
  }
}

TEST_F(AsSocat, LinesAreDatedAndNamed) {
  const Ended ended = run_socat({"-", "TCP4:127.0.0.1:1"});
  const auto texts = texts_of(ended.err, "socat");
  ASSERT_EQ(texts.size(), 1U);
  EXPECT_EQ(texts[0].substr(0, 2), "E ");
}

TEST_F(AsSocat, StalePathIsAnError) {
  const std::string path = directory_.path() + "/stale";
  { const Socket dead = Socket::listening_unix(path); }
  EXPECT_EQ(run_socat({"UNIX-LISTEN:" + path, "PIPE"}).status, 1);
}

// Each line names the peer; of a rush of equal ones, the first is told, and how many there were.
TEST(Log, TellsOfARushOfResetsOnce) {
  constexpr int count = 500;
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"});
  for (int i = 0; i < count; ++i) {
    Socket client = Socket::to_tcp(server.port());
    client.send("x");
    EXPECT_EQ(client.receive(1), "x");
    client.reset();
  }
  server->signal(SIGTERM);
  const Ended ended = server->wait();
  EXPECT_EQ(ended.status, 0);
  std::istringstream lines(ended.err);
  std::string line;
  long told = 0;
  int number = 0;
  for (; std::getline(lines, line); ++number) {
    const std::string counted = "sockcat: left: read: Connection reset by peer (";
    if (line.starts_with(counted)) {
      told += std::stol(line.substr(counted.size()));
    } else {
      EXPECT_TRUE(line.starts_with("sockcat: session ")) << line;
      EXPECT_NE(line.find(": left (127.0.0.1:"), std::string::npos) << line;
      EXPECT_TRUE(line.ends_with("): read: Connection reset by peer")) << line;
      ++told;
    }
  }
  EXPECT_EQ(told, count) << ended.err;
  EXPECT_LT(number, 20);
}

TEST(Log, TellsOfARushOfRefusalsOnce) {
  Socket gone = Socket::listening_tcp();
  const std::string target = "127.0.0.1:" + std::to_string(gone.port());
  gone.close();
  for (const auto& [server_words, text] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"TCP4-LISTEN:0,bind=127.0.0.1,fork", "TCP4:" + target},
            "connect to " + target + ": Connection refused"},
           {{"TCP4-LISTEN:0,bind=127.0.0.1,fork,range=10.0.0.0/8", "PIPE"}, "due to range option"}}) {
    Serving server(server_words);
    for (int i = 0; i < 50; ++i) Socket::to_tcp(server.port()).receive_all();
    server->signal(SIGTERM);
    const Ended ended = server->wait();
    EXPECT_NE(ended.err.find(text), ended.err.npos) << ended.err;
    EXPECT_NE(ended.err.find(" more)\n"), ended.err.npos) << ended.err;
    EXPECT_LT(std::count(ended.err.begin(), ended.err.end(), '\n'), 10) << ended.err;
  }
}

}  // namespace
}  // namespace sluice::test
