#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

#include <functional>
#include <thread>

#include "sockcat.h"

namespace sluice::test {
namespace {

std::string tcp(const Socket& server) { return "TCP:127.0.0.1:" + std::to_string(server.port()); }

bool is_nonblocking(const Fd& fd) { return (::fcntl(fd.get(), F_GETFL) & O_NONBLOCK) != 0; }

/// A description that the test shares with sockcat, and what may be needed to keep it usable.
struct Shared {
  Fd given;                ///< what sockcat gets
  std::vector<Fd> others;  ///< the other ends
};

struct Kind {
  const char* name;
  Shared (*make)(const TemporaryDirectory& directory);
};

Shared pipe_to_read(const TemporaryDirectory&) {
  Pipe pipe = make_pipe();
  Shared shared{std::move(pipe.reading), {}};
  shared.others.push_back(std::move(pipe.writing));
  return shared;
}

Shared pipe_to_write(const TemporaryDirectory&) {
  Pipe pipe = make_pipe();
  Shared shared{std::move(pipe.writing), {}};
  shared.others.push_back(std::move(pipe.reading));
  return shared;
}

Shared terminal(const TemporaryDirectory&) {
  Terminal both = make_terminal();
  Shared shared{std::move(both.slave), {}};
  shared.others.push_back(std::move(both.master));
  return shared;
}

Shared socket_pair(const TemporaryDirectory&) {
  int ends[2];
  check("create a socket pair", ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
  Shared shared{Fd(ends[0]), {}};
  shared.others.emplace_back(ends[1]);
  return shared;
}

Shared regular_file(const TemporaryDirectory& directory) {
  return {Fd(check("open", ::open(directory.file("f", "x").c_str(), O_RDWR | O_CLOEXEC))), {}};
}

class Flags : public testing::TestWithParam<std::tuple<Kind, bool, std::string>> {};

TEST_P(Flags, OfSharedDescriptionsStayAsTheyAre) {
  const auto& [kind, nonblocking, denied] = GetParam();
  const TemporaryDirectory directory;
  const Socket server = Socket::listening_tcp();
  for (const int end : {SIGTERM, SIGKILL}) {
    const Shared shared = kind.make(directory);
    const int before = ::fcntl(shared.given.get(), F_GETFL);
    ::fcntl(shared.given.get(), F_SETFL, nonblocking ? before | O_NONBLOCK : before);
    const int access = before & O_ACCMODE;
    const bool reads = access != O_WRONLY, writes = access != O_RDONLY;
    RunOptions options{.environment = {"SLUICE_DENY=" + denied}};
    if (reads) options.descriptors[0] = shared.given.get();
    if (writes) options.descriptors[1] = shared.given.get();
    Running client(sockcat({"-t", "0.1",
                            reads && writes ? "-"
                            : reads         ? "STDIN"
                                            : "STDOUT",
                            tcp(server)}),
                   options);
    const Socket peer = server.accept();
    // Both directions have been used once; then sockcat waits.
    if (writes) peer.send("to it");
    if (reads && !shared.others.empty()) {
      EXPECT_EQ(::write(shared.others[0].get(), "out", 3), 3);
      EXPECT_EQ(peer.receive(3), "out");
    }
    if (writes && !shared.others.empty()) {
      char text[6] = {};
      EXPECT_EQ(::read(shared.others[0].get(), text, 5), 5);
      EXPECT_STREQ(text, "to it");
    }
    EXPECT_EQ(is_nonblocking(shared.given), nonblocking);
    client.signal(end);
    client.wait();
    EXPECT_EQ(is_nonblocking(shared.given), nonblocking) << strsignal(end);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shared, Flags,
    testing::Combine(testing::Values(Kind{"PipeToRead", pipe_to_read}, Kind{"PipeToWrite", pipe_to_write},
                                     Kind{"Terminal", terminal}, Kind{"Socket", socket_pair},
                                     Kind{"File", regular_file}),
                     testing::Bool(),
                     testing::Values("none", "reopen", "splice", "reopen,splice", "epoll", "reopen,epoll")),
    [](const auto& one) {
      std::string name = std::get<0>(one.param).name;
      name += std::get<1>(one.param) ? "NonBlocking" : "Blocking";
      for (const char c : std::get<2>(one.param)) name += c == ',' ? '_' : c;
      return name;
    });

TEST(Terminal, GetsItsPromptBackWhenThePeerCloses) {
  const Terminal terminal = make_terminal();
  const Socket server = Socket::listening_tcp();
  Running client(sockcat({"-", tcp(server)}),
                 {.descriptors = {{0, terminal.slave.get()}, {1, terminal.slave.get()}}});
  Socket peer = server.accept();
  ASSERT_EQ(::write(terminal.master.get(), "hello\n", 6), 6);
  EXPECT_EQ(peer.receive(6), "hello\n");
  peer.send("bye");
  peer.close();
  // Nobody types anything.
  EXPECT_EQ(client.wait().status, 0);
  char text[4] = {};
  EXPECT_EQ(::read(terminal.master.get(), text, 3), 3);
  EXPECT_STREQ(text, "bye");
}

TEST(Terminal, KeepsItsSettings) {
  const Terminal terminal = make_terminal();
  termios before{}, after{};
  ::tcgetattr(terminal.slave.get(), &before);
  const Socket server = Socket::listening_tcp();
  Running client(sockcat({"-", tcp(server)}),
                 {.descriptors = {{0, terminal.slave.get()}, {1, terminal.slave.get()}}});
  Socket(server.accept()).close();
  client.wait();
  ::tcgetattr(terminal.slave.get(), &after);
  EXPECT_EQ(before.c_lflag, after.c_lflag);
  EXPECT_EQ(before.c_iflag, after.c_iflag);
}

TEST(Terminal, EndOfInputOnItIsAnEnd) {
  // A cooked terminal: what is typed as its end-of-file character ends the input, once.
  Terminal terminal = make_terminal();
  termios settings{};
  ::tcgetattr(terminal.slave.get(), &settings);
  settings.c_lflag |= ICANON;
  settings.c_cc[VEOF] = 4;
  ::tcsetattr(terminal.slave.get(), TCSANOW, &settings);
  const Socket server = Socket::listening_tcp();
  Running client(sockcat({"-", tcp(server)}), {.descriptors = {{0, terminal.slave.get()}}});
  const Socket peer = server.accept();
  ASSERT_EQ(::write(terminal.master.get(), "typed\n\4", 7), 7);
  EXPECT_EQ(peer.receive_all(), "typed\n");
  peer.send("answer");
  peer.finish();
  EXPECT_EQ(client.wait(), (Ended{.out = "answer", .status = 0}));
}

class Closed : public testing::TestWithParam<std::vector<int>> {};

TEST_P(Closed, AtStartHarmsNothing) {
  Serving server({"TCP-LISTEN:0,fork", "EXEC:cat"}, {.closed = GetParam()});
  for (int i = 0; i < 3; ++i) {
    const Socket client = Socket::to_tcp(server.port());
    client.send("hello");
    client.finish();
    EXPECT_EQ(client.receive_all(), "hello");
  }
}

TEST_P(Closed, AtStartIsNoPlaceForAFile) {
  const TemporaryDirectory directory;
  const std::string out = directory.path() + "/out";
  const Ended ended = run_sockcat(
      {"-d", "-d", "-d", "-d", "-u", "SYSTEM:echo to stdout; echo to stderr >&2; true", "CREATE:" + out},
      {.closed = GetParam()});
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(contents_of(out), "to stdout\n");
}

INSTANTIATE_TEST_SUITE_P(Descriptors, Closed,
                         testing::Values(std::vector{0}, std::vector{1}, std::vector{2}, std::vector{0, 1},
                                         std::vector{0, 1, 2}),
                         [](const auto& one) {
                           std::string name;
                           for (const int fd : one.param) name += std::to_string(fd);
                           return name;
                         });

TEST(StandardInput, MayArriveNonBlocking) {
  Pipe pipe = make_pipe(O_NONBLOCK);
  Running client(sockcat({"-u", "-", "-"}), {.descriptors = {{0, pipe.reading.get()}}});
  ASSERT_EQ(::write(pipe.writing.get(), "one", 3), 3);
  EXPECT_EQ(client.bytes(3), "one");
  ASSERT_EQ(::write(pipe.writing.get(), "two", 3), 3);
  EXPECT_EQ(client.bytes(3), "two");
  pipe.writing.reset();
  EXPECT_EQ(client.wait().status, 0);
}

TEST(StandardOutput, ThatIsAlsoHeldByOthersEndsForItsReader) {
  // The shell's `{ sockcat ...; sleep; } | reader`: the reader sees our end only through the others' end.
  Pipe pipe = make_pipe();
  Running client(sockcat({"-u", "EXEC:echo x", "-"}), {.descriptors = {{1, pipe.writing.get()}}});
  EXPECT_EQ(client.wait().status, 0);
  ASSERT_EQ(::write(pipe.writing.get(), "still open", 10), 10);
  char text[16] = {};
  EXPECT_EQ(::read(pipe.reading.get(), text, sizeof text), 12);
  EXPECT_STREQ(text, "x\nstill open");
}

TEST(StandardSocket, IsHalfClosedAtTheEndOfThePeer) {
  // As started by inetd: 0 and 1 are one socket.
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  Fd ours(ends[0]), theirs(ends[1]);
  Running inetd(sockcat({"-", "UPPER"}), {.descriptors = {{0, theirs.get()}, {1, theirs.get()}}});
  theirs.reset();
  const Socket client(std::move(ours));
  client.send("hello");
  client.finish();
  EXPECT_EQ(client.receive_all(), "HELLO");
  EXPECT_EQ(inetd.wait().status, 0);
}

}  // namespace
}  // namespace sluice::test
