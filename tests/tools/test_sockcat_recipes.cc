#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "sockcat.h"

namespace sluice::test {
namespace {

std::string number(int value) { return std::to_string(value); }

/// A server whose clients are answered with what they send.
Serving echo_server() { return Serving({"TCP4-LISTEN:0,bind=127.0.0.1,reuseaddr,fork", "EXEC:/bin/cat"}); }

std::string tcp(int port) { return "TCP4:127.0.0.1:" + number(port); }

struct Conversation {
  const char* name;
  std::vector<std::string> words;
  std::string in, out;
};

class OneProcess : public testing::TestWithParam<Conversation> {};

TEST_P(OneProcess, PrintsWhatTheRecipeSays) {
  const auto& [name, words, in, out] = GetParam();
  const Ended ended = run_sockcat(words, {.input = in});
  EXPECT_EQ(ended, (Ended{.out = out, .status = 0})) << name;
}

const std::vector<Conversation> conversations = {
    {"EchoThroughAPipe", {"-", "PIPE"}, "hi\n", "hi\n"},
    {"Process", {"-", "EXEC:cat"}, "hi\n", "hi\n"},
    {"Shell", {"-", "SYSTEM:tr a-z A-Z"}, "hi\n", "HI\n"},
    {"ShellWithQuotes", {"-", "SYSTEM:'tr a-z A-Z'"}, "hi\n", "HI\n"},
    {"LeftToRight", {"-u", "EXEC:printf abc", "-"}, "", "abc"},
    {"RightToLeft", {"-U", "-", "EXEC:printf abc"}, "", "abc"},
    {"LineEnds", {"-u", "-", "-,crnl"}, "a\nb\n", "a\r\nb\r\n"},
    {"LineEndsByTheirNewName", {"-u", "-", "-,crlf"}, "a\nb\n", "a\r\nb\r\n"},
    {"LineEndsBack", {"-u", "-,crnl", "-"}, "a\r\nb\r\n", "a\nb\n"},
    {"CarriageReturns", {"-u", "-", "-,cr"}, "a\nb\n", "a\rb\r"},
    {"ReadBytes", {"-u", "-,readbytes=10", "-"}, "0123456789abcdef", "0123456789"},
    {"EchoInCapitals", {"-", "UPPER"}, "labi", "LABI"},
    {"CountsLines", {"-", "COUNT-LINES"}, "a\nb\nc", "2\n"},
    {"StandardInputAndOutputByName", {"STDIO", "PIPE"}, "x", "x"},
    {"StandardDescriptorsByNumber", {"-u", "0", "1"}, "x", "x"},
    {"StandardDescriptorsByKeyword", {"-u", "STDIN", "STDOUT"}, "x", "x"},
    {"DescriptorKeyword", {"-u", "FD:0", "FD:1"}, "x", "x"},
    {"StandardError", {"-u", "-", "STDERR"}, "", ""},
    {"DualAddress", {"STDIN!!STDOUT", "EXEC:cat"}, "dual", "dual"},
    {"SameDirectionDual", {"-!!-", "PIPE"}, "dual", "dual"},
    {"PipesInsteadOfASocket", {"-", "EXEC:cat,pipes"}, "hi\n", "hi\n"},
    {"NoInput", {"-", "EXEC:cat"}, "", ""},
    {"NullDevice", {"-", "/dev/null"}, "gone", ""},
    {"Zero", {"-u", "/dev/zero,readbytes=3", "-"}, "", std::string(3, '\0')},
};

INSTANTIATE_TEST_SUITE_P(Recipe, OneProcess, testing::ValuesIn(conversations),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(Recipe, EchoServerServesSeveralClients) {
  Serving server = echo_server();
  for (const char* text : {"a\n", "b\n"})
    EXPECT_EQ(run_sockcat({"-", tcp(server.port())}, {.input = text}), (Ended{.out = text, .status = 0}));
}

TEST(Recipe, PortIsForwarded) {
  Serving server = echo_server();
  Serving forward({"TCP-LISTEN:0,fork,reuseaddr", "TCP:127.0.0.1:" + number(server.port())});
  EXPECT_EQ(run_sockcat({"-", tcp(forward.port())}, {.input = "through"}).out, "through");
  EXPECT_EQ(run_sockcat({"-", "TCP6:[::1]:" + number(forward.port())}, {.input = "six"}).out, "six");
}

TEST(Recipe, TcpReachesAnAfUnixServer) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/docker.sock";
  Serving daemon({"UNIX-LISTEN:" + path + ",fork", "EXEC:cat"});
  Serving bridge({"TCP-LISTEN:0,reuseaddr,fork", "UNIX-CONNECT:" + path});
  EXPECT_EQ(run_sockcat({"-", tcp(bridge.port())}, {.input = "GET /"}).out, "GET /");
}

TEST(Recipe, AfUnixReachesATcpServerAndHonoursTheMode) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/u.sock";
  Serving server = echo_server();
  Serving bridge(
      {"UNIX-LISTEN:" + path + ",fork,unlink-early,mode=600", "TCP:127.0.0.1:" + number(server.port())});
  EXPECT_EQ(bridge.names(), std::vector{"unix " + path});
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(run_sockcat({"-", "UNIX-CONNECT:" + path}, {.input = "hi"}).out, "hi");
}

TEST(Recipe, EventStreamArrivesLineByLine) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/socket2.sock";
  const Socket events = Socket::listening_unix(path);
  Running reader(sockcat({"-U", "-", "UNIX-CONNECT:" + path}), {.more_input = true});
  Socket peer = events.accept();
  for (const std::string line : {"workspace>>1", "openwindow>>2"}) {
    peer.send(line + '\n');
    EXPECT_EQ(reader.line(), line);
  }
  peer.close();
  EXPECT_EQ(reader.wait().status, 0);
}

TEST(Recipe, FileIsSent) {
  const TemporaryDirectory directory;
  const std::string content = sample(300'000);
  const std::string in = directory.file("in", content);
  const std::string out = directory.path() + "/out";
  Serving receiver({"-u", "TCP-LISTEN:0,reuseaddr", "OPEN:" + out + ",creat,trunc"});
  EXPECT_EQ(run_sockcat({"-u", "FILE:" + in, tcp(receiver.port())}).status, 0);
  EXPECT_EQ(receiver->wait().status, 0);
  EXPECT_EQ(contents_of(out), content);
}

TEST(Recipe, AbstractSocket) {
  const std::string name = "sluice-test-" + number(::getpid());
  Serving server({"ABSTRACT-LISTEN:" + name + ",fork", "EXEC:cat"});
  EXPECT_EQ(server.names(), std::vector{"unix @" + name});
  EXPECT_EQ(run_sockcat({"-", "ABSTRACT-CONNECT:" + name}, {.input = "a"}).out, "a");
}

TEST(Recipe, SequencedPackets) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/s";
  Serving server({"UNIX-LISTEN:" + path + ",socktype=5", "EXEC:cat"});
  const Ended client = run_sockcat({"-", "UNIX-CONNECT:" + path + ",socktype=5"}, {.input = "sq"});
  EXPECT_EQ(client, (Ended{.out = "sq", .status = 0}));
  EXPECT_EQ(server->wait().status, 0);
}

TEST(Recipe, SequencedPacketsKeepTheirEdges) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/s", behind = directory.path() + "/behind";
  const Socket origin = Socket::listening_unix(behind, SOCK_SEQPACKET);
  Serving bridge({"UNIX-LISTEN:" + path + ",socktype=5", "UNIX-CONNECT:" + behind + ",socktype=5"});
  const Socket client = Socket::to_unix(path, SOCK_SEQPACKET);
  const Socket server = origin.accept();
  for (const std::string& packet : {std::string("one"), std::string(70'000, 'x'), std::string("three")}) {
    client.send(packet);
    std::string got(100'000, '\0');
    got.resize(static_cast<std::size_t>(::recv(server.number(), got.data(), got.size(), 0)));
    EXPECT_EQ(got, packet);
  }
}

TEST(Recipe, RawBytesAreCapturedBothWays) {
  const TemporaryDirectory directory;
  const std::string left = directory.path() + "/left.raw", right = directory.path() + "/right.raw";
  const Ended ended = run_sockcat({"-r", left, "-R", right, "-", "UPPER"}, {.input = "both\n"});
  EXPECT_EQ(ended, (Ended{.out = "BOTH\n", .status = 0}));
  EXPECT_EQ(contents_of(left), "both\n");
  EXPECT_EQ(contents_of(right), "BOTH\n");
}

TEST(Recipe, RangeLetsInAndKeepsOut) {
  Serving inside({"TCP-LISTEN:0,reuseaddr,fork,max-children=1,range=127.0.0.0/8", "EXEC:cat"});
  EXPECT_EQ(run_sockcat({"-", tcp(inside.port())}, {.input = "hi"}).out, "hi");
  EXPECT_EQ(run_sockcat({"-", tcp(inside.port())}, {.input = "again"}).out, "again");
  Serving outside({"TCP-LISTEN:0,reuseaddr,fork,max-children=1,range=10.0.0.0/8", "EXEC:cat"});
  EXPECT_EQ(run_sockcat({"-", tcp(outside.port())}, {.input = "hi"}).out, "");
}

TEST(Recipe, ClientWaitsForItsServer) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/late.sock";
  Running client(sockcat({"-d", "-d", "-", "UNIX-CONNECT:" + path + ",retry=1000,interval=0.01"}),
                 {.input = "r"});
  while (const auto line = client.line(2))
    if (line->find("trying again") != line->npos) break;
  Serving server({"UNIX-LISTEN:" + path, "PIPE"});
  EXPECT_EQ(client.wait().out, "r");
}

TEST(Recipe, ProgramsLearnTheNamesOfTheirPeer) {
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork",
                  "SYSTEM:'echo $SOCAT_PEERADDR $SOCAT_SOCKADDR $SOCAT_SOCKPORT $SOCAT_PEERPORT'"});
  const Socket client = Socket::to_tcp(server.port());
  EXPECT_EQ(client.receive_all(),
            "127.0.0.1 127.0.0.1 " + number(server.port()) + ' ' + number(client.port()) + '\n');
}

TEST(Recipe, ProgramsOfADualStackListenerLearnPlainNames) {
  Serving server({"TCP-LISTEN:0,fork", "SYSTEM:'echo $SOCAT_PEERADDR $SOCAT_SOCKADDR'"});
  EXPECT_EQ(Socket::to_tcp(server.port()).receive_all(), "127.0.0.1 127.0.0.1\n");
  const std::string six = "[0000:0000:0000:0000:0000:0000:0000:0001]";
  EXPECT_EQ(Socket::to_tcp(server.port(), "::1").receive_all(), six + ' ' + six + '\n');
}

TEST(Recipe, DualAddressWritesElsewhere) {
  const TemporaryDirectory directory;
  const std::string out = directory.path() + "/dual.out";
  EXPECT_EQ(run_sockcat({"STDIN!!OPEN:" + out + ",creat,trunc", "PIPE"}, {.input = "d\n"}).status, 0);
  EXPECT_EQ(contents_of(out), "d\n");
}

TEST(Recipe, InheritedDescriptorIsReadNoFurtherThanAsked) {
  const TemporaryDirectory directory;
  const Fd file(::open(directory.file("f", "0123456789rest").c_str(), O_RDONLY | O_CLOEXEC));
  const Ended ended = run_sockcat({"-u", "FD:7,readbytes=10", "-"}, {.descriptors = {{7, file.get()}}});
  EXPECT_EQ(ended, (Ended{.out = "0123456789", .status = 0}));
  // The next reader of the same description goes on there.
  char rest[8];
  EXPECT_EQ(::read(file.get(), rest, sizeof rest), 4);
}

TEST(Recipe, InheritedPipeIsReadNoFurtherThanAsked) {
  Pipe pipe = make_pipe();
  ASSERT_EQ(::write(pipe.writing.get(), "0123456789rest", 14), 14);
  const Ended ended = run_sockcat({"-u", "-,readbytes=10", "-"}, {.descriptors = {{0, pipe.reading.get()}}});
  EXPECT_EQ(ended.out, "0123456789");
  char rest[8];
  EXPECT_EQ(::read(pipe.reading.get(), rest, sizeof rest), 4);
}

TEST(Recipe, PathsAreOpenedAsWhatTheyAre) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("file", "old\n");
  EXPECT_EQ(run_sockcat({"-u", file, "-"}).out, "old\n");
  // GOPEN appends to a file that is only written.
  EXPECT_EQ(run_sockcat({"-u", "-", "GOPEN:" + file}, {.input = "new\n"}).status, 0);
  EXPECT_EQ(contents_of(file), "old\nnew\n");
  EXPECT_EQ(run_sockcat({"-u", "-", "CREATE:" + file}, {.input = "only\n"}).status, 0);
  EXPECT_EQ(contents_of(file), "only\n");
  const std::string path = directory.path() + "/sock";
  Serving server({"UNIX-LISTEN:" + path, "UPPER"});
  EXPECT_EQ(run_sockcat({"-", path}, {.input = "socket"}).out, "SOCKET");
}

TEST(Recipe, NamedPipeIsMadeUsedAndRemoved) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/fifo";
  Serving reader({"-u", "PIPE:" + path, "-"});
  EXPECT_TRUE(std::filesystem::is_fifo(path));
  EXPECT_EQ(run_sockcat({"-u", "-", "PIPE:" + path}, {.input = "through the fifo"}).status, 0);
  const Ended ended = reader->wait();
  EXPECT_EQ(ended.out, "through the fifo");
  EXPECT_EQ(ended.status, 0);
  EXPECT_FALSE(std::filesystem::exists(path));
}

/// What comes out of a terminal's other end, until it says so much.
std::string read_until(const Fd& from, std::string_view last) {
  std::string text;
  char part[256];
  while (!text.ends_with(last)) {
    const auto count = ::read(from.get(), part, sizeof part);
    if (count <= 0) break;
    text.append(part, static_cast<std::size_t>(count));
  }
  return text;
}

TEST(Recipe, SerialLineIsServed) {
  const Terminal line = make_terminal();
  const Serving server(
      {"TCP-LISTEN:0,bind=127.0.0.1,fork,reuseaddr", "FILE:" + line.path + ",b115200,raw,echo=0"});
  const Socket client = Socket::to_tcp(server.port());
  client.send("to the device\n");
  EXPECT_EQ(read_until(line.master, "device\n"), "to the device\n");
  ASSERT_EQ(::write(line.master.get(), "from it\r", 8), 8);
  EXPECT_EQ(client.receive(8), "from it\r");
  EXPECT_NE(run({"stty", "-F", line.path}).out.find("speed 115200 baud"), std::string::npos);
}

TEST(Recipe, ConsoleIsLeftByItsEscapeCharacter) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/serial.sock";
  Serving machine({"UNIX-LISTEN:" + path, "SYSTEM:echo ready; cat"});
  const Terminal terminal = make_terminal();
  run({"stty", "-F", terminal.path, "sane"});
  const std::string before = run({"stty", "-F", terminal.path, "-g"}).out;
  RunOptions options;
  options.descriptors = {{0, terminal.slave.get()}, {1, terminal.slave.get()}};
  Running console(sockcat({"stdin,raw,echo=0,escape=0x11", "unix-connect:" + path}), std::move(options));
  // It is raw by now, so this is neither echoed nor held back.
  EXPECT_EQ(read_until(terminal.master, "ready\n"), "ready\n");
  ASSERT_EQ(::write(terminal.master.get(), "login\r", 6), 6);
  EXPECT_EQ(read_until(terminal.master, "login\r"), "login\r");
  ASSERT_EQ(::write(terminal.master.get(), "last\x11lost", 9), 9);
  EXPECT_EQ(read_until(terminal.master, "last"), "last");
  EXPECT_EQ(console.wait().status, 0);
  EXPECT_EQ(machine->wait().status, 0);
  EXPECT_EQ(run({"stty", "-F", terminal.path, "-g"}).out, before);
}

}  // namespace
}  // namespace sluice::test
