#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "sluice/core/socket_name.h"
#include "sockcat.h"

namespace sluice::test {
namespace {

struct Mistake {
  std::vector<std::string> words;
  int status;
  std::string says;  ///< part of the one line
};

void PrintTo(const Mistake& mistake, std::ostream* to) { *to << testing::PrintToString(mistake.words); }

void expect_one_line(const Ended& ended, const Mistake& mistake) {
  EXPECT_EQ(ended.status, mistake.status) << ended.err;
  EXPECT_EQ(ended.out, "");
  EXPECT_TRUE(ended.err.starts_with("sockcat: ")) << ended.err;
  const std::string line = ended.err.substr(0, ended.err.find('\n'));
  EXPECT_NE(line.find(mistake.says), line.npos) << ended.err;
}

/// The line, and below it the address with a caret: nothing else.
void expect_address_and_caret(const Ended& ended) {
  std::vector<std::string> lines;
  for (std::string_view rest = ended.err; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size() - 1);
    lines.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  ASSERT_EQ(lines.size(), 3U) << ended.err;
  const auto caret = lines[2].find_first_not_of(' ');
  ASSERT_NE(caret, std::string::npos) << ended.err;
  EXPECT_EQ(lines[2].substr(caret, 1), "^") << ended.err;
  EXPECT_LE(caret, lines[1].size()) << ended.err;
}

class Address : public testing::TestWithParam<Mistake> {};

TEST_P(Address, ThatIsWrongIsShownWithACaret) {
  const Ended ended = run_sockcat(GetParam().words);
  expect_one_line(ended, GetParam());
  expect_address_and_caret(ended);
}

INSTANTIATE_TEST_SUITE_P(Mistakes, Address,
                         testing::ValuesIn(std::vector<Mistake>{
                             {{"-", "TPC:localhost:80"}, 2, "TCP"},
                             {{"-", "nonsense-keyword:1"}, 2, "nonsense-keyword"},
                             {{"-", "UPPER,locale="}, 2, "\"locale\""},
                             {{"-", "UPPER,locale=xx!"}, 2, "xx!"},
                             {{"-", "UPPER,sharp-s=s"}, 2, "is not SS or ẞ"},
                             {{"-", "UPPER,ascii,locale=tr"}, 2, "makes no sense with ascii"},
                             {{"-", "COUNT-LINES,locale=tr"}, 2, "locale"},
                             {{"-", ""}, 2, ""},
                             {{"", "-"}, 2, ""},
                             {{"-", "TCP"}, 2, "TCP"},
                             {{"-", "TCP:localhost"}, 2, "TCP"},
                             {{"-", "TCP:localhost:80:90"}, 2, "TCP"},
                             {{"-", "TCP-LISTEN"}, 2, "TCP-LISTEN"},
                             {{"-", "TCP:localhost:99999"}, 2, "99999"},
                             {{"-", "TCP:localhost:-1"}, 2, "-1"},
                             {{"-", "TCP:localhost:"}, 2, "port"},
                             {{"-", "TCP::80"}, 2, "host"},
                             {{"-", "TCP-LISTEN:65536"}, 2, "65536"},
                             {{"-", "TCP-LISTEN:no-such-service"}, 2, "no-such-service"},
                             {{"-", "TCP-LISTEN:0,reuseadr"}, 2, "reuseadr"},
                             {{"-", "TCP-LISTEN:0,backlog=many"}, 2, "many"},
                             {{"-", "TCP-LISTEN:0,range=nowhere"}, 2, "range"},
                             {{"-", "TCP-LISTEN:0,range=127.0.0.1/33"}, 2, "range"},
                             {{"-", "TCP:127.0.0.1:1,connect-timeout=soon"}, 2, "soon"},
                             {{"-", "TCP:127.0.0.1:1,retry=-1"}, 2, "retry"},
                             {{"-", "TCP:127.0.0.1:1,pf=nothing"}, 2, "nothing"},
                             {{"-", "FILE:/dev/null,mode=999"}, 2, "999"},
                             {{"-", "FILE:/dev/null,user=no-such-user-here"}, 2, "no-such-user-here"},
                             {{"-", "FILE:/dev/null,fork"}, 2, "fork"},
                             {{"-", "PIPE,readbytes=x"}, 2, "x"},
                             {{"-", "EXEC"}, 2, "EXEC"},
                             {{"-", "EXEC:"}, 2, "command"},
                             {{"-", "EXEC:cat,fdin=-1"}, 2, "fdin"},
                             {{"-", "EXEC:'cat"}, 2, "'"},
                             {{"-", "SYSTEM:\"cat"}, 2, "\""},
                             {{"-", "FD:x"}, 2, "x"},
                             {{"-", "PIPE,exit-on=sometime"}, 2, "sometime"},
                             {{"EXEC:cat,nofork", "-"}, 2, "nofork"},
                             {{"-", "UNIX-CONNECT:" + std::string(200, 'x')}, 2, "long"},
                             {{"-u", "-", "CREATE"}, 2, "CREATE"},
                             {{"-u", "CREATE:/tmp/never-made-by-this", "-"}, 2, "CREATE"},
                         }));

INSTANTIATE_TEST_SUITE_P(
    UsualMistakes, Address,
    testing::ValuesIn(std::vector<Mistake>{
        {{"-", "backup.tar"}, 2, "for a file, ./backup.tar or FILE:backup.tar"},
        {{"-u", "notes.txt,append", "-"}, 2, "for a file, ./notes.txt or FILE:notes.txt"},
        {{"-", "localhost:7001"}, 2, "did you mean \"TCP:localhost:7001\"?"},
        {{"-", "192.0.2.1:80"}, 2, "did you mean \"TCP:192.0.2.1:80\"?"},
        {{"-", "[::1]:80"}, 2, "did you mean \"TCP:[::1]:80\"?"},
        {{"-", "www.example.org:443,nodelay"}, 2, "did you mean \"TCP:www.example.org:443\"?"},
        {{"-", ":8080"}, 2, "did you mean \"TCP-LISTEN:8080\"?"},
        {{"-", "tpc:localhost:80"}, 2, "did you mean \"TCP\"?"},
        {{"-", "SYSTEM:echo hello, world"}, 2, "a comma that belongs to the text needs a backslash"},
        {{"-", "TEXT:hello, world"}, 2, "a comma that belongs to the text needs a backslash"},
        {{"-", "TCP-LISTEN:9000, fork"}, 2, "did you mean \"fork\"?"},
    }));

TEST(BareName, OfAFileThatIsThereIsHintedAt) {
  const TemporaryDirectory directory;
  directory.file("backup");
  RunOptions options;
  options.directory = directory.path();
  const Ended ended = run_sockcat({"-u", "backup", "-"}, options);
  EXPECT_EQ(ended.status, 2);
  EXPECT_NE(ended.err.find("for a file, ./backup or FILE:backup"), std::string::npos) << ended.err;
  EXPECT_EQ(run_sockcat({"-u", "gone", "-"}, options).err.find("for a file"), std::string::npos);
}

TEST(LowPort, ThatIsRefusedSaysWhatItTakes) {
  std::ifstream file("/proc/sys/net/ipv4/ip_unprivileged_port_start");
  int first = 0;
  file >> first;
  if (first < 1024) GTEST_SKIP() << "everybody may bind ports from " << first << " on here";
  std::vector<std::string> words = sockcat({"TCP4-LISTEN:1,bind=127.0.0.1", "-"});
  RunOptions options;
  if (is_root()) options.user = 65534;
  const Ended ended = run(words, options);
  EXPECT_EQ(ended.status, 1);
  EXPECT_NE(ended.err.find("Permission denied (ports below 1024 need root or the capability"),
            std::string::npos)
      << ended.err;
}

class CommandLine : public testing::TestWithParam<Mistake> {};

TEST_P(CommandLine, ThatIsWrongIsOneLineAndAPointerToHelp) {
  const Ended ended = run_sockcat(GetParam().words);
  expect_one_line(ended, GetParam());
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 2) << ended.err;
  EXPECT_NE(ended.err.find("--help"), ended.err.npos) << ended.err;
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, CommandLine,
    testing::ValuesIn(std::vector<Mistake>{
        {{}, 2, "two addresses"},
        {{"-"}, 2, "two addresses"},
        {{"-", "-", "-"}, 2, "two addresses"},
        {{"--nonsense", "-", "-"}, 2, "--nonsense"},
        {{"-Q", "-", "-"}, 2, "-Q"},
        {{"-b", "0.5", "-", "-"}, 2, "0.5"},
        {{"-b", "x", "-", "-"}, 2, "x"},
        {{"--threads", "0", "-", "-"}, 2, "1-1024"},
        {{"--threads=1025", "-", "-"}, 2, "1-1024"},
        {{"--threads=many", "-", "-"}, 2, "many"},
        {{"-t", "-1", "-", "-"}, 2, "-1"},
        {{"-t", "soon", "-", "-"}, 2, "soon"},
        {{"-T", "", "-", "-"}, 2, "-T"},
        {{"-d9", "-", "-"}, 2, "-d"},
        {{"-u", "-U"}, 2, "two addresses"},
        {{"--ready-fd", "x", "-", "-"}, 2, "x"},
        {{"-", "EXEC:tr", "a-z", "A-Z"}, 2, "needs quotes: 'EXEC:tr a-z A-Z'"},
        {{"exec:tr", "a-z", "A-Z", "-"}, 2, "needs quotes: 'exec:tr a-z A-Z'"},
        {{"-", "SYSTEM:echo", "hello,", "world"}, 2, "needs quotes: 'SYSTEM:echo hello\\, world'"},
        {{"TCP-LISTEN:9000,", "fork", "-"}, 2, "follows a comma: 'TCP-LISTEN:9000,fork'"},
        {{"-", "TCP-LISTEN:9000,", "fork"}, 2, "follows a comma: 'TCP-LISTEN:9000,fork'"},
        {{"-d", "2", "-", "PIPE"}, 2, "-d2"},
        {{"--verbose", "-", "PIPE"}, 2, "-v shows the data"},
        {{"--verbos", "-", "PIPE"}, 2, "-v shows the data"},
        {{"--progres", "-", "PIPE"}, 2, "did you mean '--progress'?"},
        {{"--statistic", "-", "PIPE"}, 2, "did you mean '--statistics'?"},
        {{"--listen", "80"}, 2, "TCP-LISTEN:PORT"},
        {{"--help=TPC-LISTEN"}, 2, "did you mean \"TCP-LISTEN\"?"},
        {{"--help=zzzzzzzz"}, 2, "\"zzzzzzzz\""},
    }));

class Failing : public testing::TestWithParam<Mistake> {};

TEST_P(Failing, SaysWhatWasAttemptedInOneLine) {
  const Ended ended = run_sockcat(GetParam().words, {.input = "x"});
  expect_one_line(ended, GetParam());
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
}

INSTANTIATE_TEST_SUITE_P(
    Failures, Failing,
    testing::ValuesIn(std::vector<Mistake>{
        {{"-", "TCP:host.invalid:80"}, 1, "host.invalid"},
        {{"-", "TCP6:127.0.0.1:80"}, 1, "127.0.0.1"},
        {{"-", "TCP:127.0.0.1:1"}, 1, "Connection refused"},
        {{"-", "TCP:127.0.0.1:1,retry=2,interval=0.01"}, 1, "Connection refused"},
        {{"-", "UNIX-CONNECT:/nonexistent/socket"}, 1, "/nonexistent/socket: No such file"},
        {{"-", "ABSTRACT-CONNECT:sluice-nobody-listens"}, 1, "Connection refused"},
        {{"-", "UNIX-LISTEN:/nonexistent/socket"}, 1, "/nonexistent/socket: No such file"},
        {{"-u", "FILE:/nonexistent", "-"}, 1, "/nonexistent: No such file"},
        {{"-u", "-", "OPEN:/nonexistent"}, 1, "/nonexistent: No such file"},
        {{"-u", "-", "OPEN:/nonexistent/file,creat"}, 1, "/nonexistent/file: No such file"},
        {{"-u", "FILE:/etc", "-"}, 1, "/etc: Is a directory"},
        {{"-u", "-", "CREATE:/etc"}, 1, "/etc: Is a directory"},
        {{"-u", "-", "PIPE:/nonexistent/fifo"}, 1, "/nonexistent/fifo: No such file"},
        {{"-u", "-", "FILE:/dev/full"}, 1, "No space left on device"},
        {{"-u", "-", "OPEN:/dev/null,rdonly"}, 1, "OPEN:/dev/null,rdonly: would not be open for writing"},
        {{"-u", "OPEN:/dev/null,wronly", "-"}, 1, "OPEN:/dev/null,wronly: would not be open for reading"},
        {{"-u", "-", "FD:77"}, 1, "77"},
        {{"-r", "/nonexistent/raw", "-", "PIPE"}, 1, "/nonexistent/raw: No such file"},
        {{"--ready-fd", "77", "-", "PIPE"}, 1, "77"},
        {{"--ready-file", "/nonexistent/ready", "-", "PIPE"}, 1, "/nonexistent/ready"},
        {{"-lf", "/nonexistent/log", "-", "PIPE"}, 1, "/nonexistent/log"},
        {{"-", "EXEC:no-such-program-anywhere"}, 127, "no-such-program-anywhere: No such file"},
        {{"-", "EXEC:/etc/passwd"}, 126, "/etc/passwd: Permission denied"},
        {{"-", "EXEC:cat,chdir=/nonexistent"}, 1, "chdir /nonexistent: No such file"},
        {{"-", "TCP-LISTEN:0,accept-timeout=0.01"}, 124, "nobody connected"},
    }));

TEST(FullDisk, OnStandardOutputIsAFailure) {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const Ended ended = run_sockcat({"-u", "EXEC:echo x", "-"}, {.descriptors = {{1, full.get()}}});
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(ended.err, "sockcat: right: write: No space left on device\n");
}

TEST(Permission, IsDenied) {
  if (!is_root()) GTEST_SKIP() << "needs root, to become somebody else";
  const TemporaryDirectory directory;
  const std::string secret = directory.file("secret", "x");
  std::filesystem::permissions(secret, std::filesystem::perms(0600));
  const std::string path = directory.path() + "/sock";
  Serving server({"UNIX-LISTEN:" + path + ",fork,mode=600", "PIPE"});
  const std::vector<Mistake> rows = {
      {{"-u", "FILE:" + secret, "-"}, 1, "Permission denied"},
      {{"-u", "-", "FILE:" + secret}, 1, "Permission denied"},
      {{"-u", "-", "CREATE:" + directory.path() + "/new"}, 1, "Permission denied"},
      {{"-", "UNIX-CONNECT:" + path}, 1, "Permission denied"},
      {{"-", "UNIX-LISTEN:" + directory.path() + "/own"}, 1, "Permission denied"},
      {{"-", "EXEC:cat", "--"}, 2, "two addresses"}};
  for (const Mistake& row : rows) {
    SCOPED_TRACE(testing::PrintToString(row));
    const Ended ended = run_sockcat(row.words, {.user = 65534});
    expect_one_line(ended, row);
  }
}

TEST(AddressInUse, NamesTheHolder) {
  Serving first({"TCP4-LISTEN:0,fork", "PIPE"});
  const Ended second = run_sockcat({"TCP4-LISTEN:" + std::to_string(first.port()), "PIPE"});
  expect_one_line(
      second, {{}, 1, "Address already in use (held by sockcat, process " + std::to_string(first->pid())});
}

TEST(AddressInUse, NamesTheHolderOfAPath) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/live";
  Serving first({"UNIX-LISTEN:" + path + ",fork", "PIPE"});
  const Ended second = run_sockcat({"UNIX-LISTEN:" + path, "PIPE"});
  expect_one_line(
      second, {{}, 1, "Address already in use (held by sockcat, process " + std::to_string(first->pid())});
  // The first one has lost nothing: neither its path nor a turn of accept.
  EXPECT_EQ(run_sockcat({"-", "UNIX-CONNECT:" + path}, {.input = "alive"}).out, "alive");
}

TEST(Path, LeftByADeadServerIsReplaced) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/stale";
  { const Socket dead = Socket::listening_unix(path); }
  ASSERT_TRUE(std::filesystem::exists(path));
  Serving server({"UNIX-LISTEN:" + path + ",fork", "PIPE"});
  EXPECT_EQ(run_sockcat({"-", "UNIX-CONNECT:" + path}, {.input = "new"}).out, "new");
}

/// What one of several servers did that were started over the same path: it serves until it is told to end.
struct Contender {
  std::unique_ptr<Running> process;
  std::future<bool> ready = {};
};

TEST(Path, LeftByADeadServerGoesToOneOfThoseThatStartAtOnce) {
  constexpr int ready_descriptor = 9, rounds = 8, contenders = 6;
  struct Server {
    std::vector<std::string> addresses;  ///< `%`: the path
    int type;
  };
  const std::vector<Server> servers = {{{"UNIX-LISTEN:%,fork", "PIPE"}, SOCK_STREAM},
                                       {{"-u", "UNIX-RECV:%", "-"}, SOCK_DGRAM},
                                       {{"UNIX-RECVFROM:%,fork", "PIPE"}, SOCK_DGRAM}};
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/s";
  for (int round = 0; round < rounds; ++round)
    for (const Server& server : servers) {
      {
        const Fd dead(::socket(AF_UNIX, server.type | SOCK_CLOEXEC, 0));
        const auto name = SocketName::unix_path(path);
        ASSERT_EQ(::bind(dead.get(), name.data(), name.size()), 0);
      }
      std::vector<std::string> words = server.addresses;
      for (std::string& word : words)
        if (const auto at = word.find('%'); at != word.npos) word.replace(at, 1, path);
      words.insert(words.begin(), {"--ready-fd", std::to_string(ready_descriptor)});
      std::vector<Contender> all(contenders);
      for (Contender& one : all)
        one.process = std::make_unique<Running>(
            sockcat(words), RunOptions{.more_input = true, .captured = {ready_descriptor}});
      for (Contender& one : all)
        one.ready = beside([&] { return one.process->line(ready_descriptor).has_value(); });
      Running* winner = nullptr;
      std::vector<Running*> losers;
      for (Contender& one : all)
        if (one.ready.get()) {
          EXPECT_EQ(winner, nullptr) << "a second one has " << server.addresses[0];
          winner = one.process.get();
        } else {
          losers.push_back(one.process.get());
        }
      ASSERT_NE(winner, nullptr);
      const std::string holder = "(held by sockcat, process " + std::to_string(winner->pid());
      for (Running* one : losers) {
        const Ended ended = one->wait();
        EXPECT_EQ(ended.status, 1);
        EXPECT_NE(ended.err.find(holder), std::string::npos) << ended.err;
      }
      // Its path leads to it.
      EXPECT_NO_THROW(Socket::to_unix(path, server.type));
      winner->signal(SIGTERM);
      winner->wait();
      EXPECT_FALSE(std::filesystem::exists(path));
    }
}

TEST(Exec, WarnsOnceThatAShellLosesItsScript) {
  const Ended lost = run_sockcat({"-", "EXEC:sh -c \"echo a b\""});
  EXPECT_EQ(lost.out, "\n");
  EXPECT_EQ(lost.status, 0);
  EXPECT_NE(lost.err.find(R"(this runs: "sh" "-c" "echo" "a" "b";)"), std::string::npos) << lost.err;
  EXPECT_EQ(std::count(lost.err.begin(), lost.err.end(), '\n'), 1) << lost.err;
  for (const char* kept : {"EXEC:'sh -c \"echo a b\"'", "EXEC:\"sh -c 'echo a b'\"", "SYSTEM:echo a b"}) {
    const Ended ended = run_sockcat({"-", kept});
    EXPECT_EQ(ended.out, "a b\n");
    EXPECT_EQ(ended.err, "") << kept;
  }
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork", "EXEC:sh -c 'echo a b'"});
  for (int client = 0; client < 2; ++client) EXPECT_EQ(Socket::to_tcp(server.port()).receive_all(), "\n");
  server->signal(SIGTERM);
  const std::string err = server->wait().err;
  const auto first = err.find("this runs");
  EXPECT_NE(first, std::string::npos) << err;
  EXPECT_EQ(err.find("this runs", first + 1), std::string::npos) << err;
}

TEST(Path, ThatIsNoSocketIsNeverReplaced) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("precious", "content");
  EXPECT_EQ(run_sockcat({"UNIX-LISTEN:" + path, "PIPE"}).status, 1);
  EXPECT_EQ(contents_of(path), "content");
}

TEST(Path, OfASuccessorIsNotUnlinked) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/s";
  Serving first({"UNIX-LISTEN:" + path + ",fork", "PIPE"});
  Serving second({"UNIX-LISTEN:" + path + ",fork,unlink-early", "PIPE"});
  first->signal(SIGTERM);
  EXPECT_EQ(first->wait().status, 0);
  EXPECT_EQ(run_sockcat({"-", "UNIX-CONNECT:" + path}, {.input = "second"}).out, "second");
  second->signal(SIGTERM);
  EXPECT_EQ(second->wait().status, 0);
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace sluice::test
