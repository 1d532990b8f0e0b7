#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "reliability.h"
#include "sluice/core/bytes.h"

/// What is passed on arrives byte by byte, and what cannot be is told, whatever happens in the middle of it.
namespace sluice::test {
namespace {

using std::chrono::milliseconds;

class EveryWay : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override { RecordProperty("seed", std::to_string(chance())); }
};

INSTANTIATE_TEST_SUITE_P(Over, EveryWay, testing::ValuesIn(all_ways),
                         [](const auto& one) { return name_of(one.param); });

TEST_P(EveryWay, SingleBytesArriveBothWaysAtOnce) {
  const std::size_t size = some(kib(64));
  Channel channel(GetParam());
  converse(channel.left, channel.right, size, pieces_of(1), pieces_of(1));
  expect_good_end(channel.process());
}

TEST_P(EveryWay, PiecesOfAnySizeArriveBothWaysAtOnce) {
  const std::size_t size = some(mib(24));
  for (const std::string denied : {"none", "splice", "splice,reopen,epoll"}) {
    SCOPED_TRACE("without " + denied + ", seed " + std::to_string(chance()));
    Channel channel(GetParam(), {}, {.environment = {"SLUICE_DENY=" + denied}});
    converse(channel.left, channel.right, size, random_pieces(chance(), kib(256)),
             random_pieces(chance() + 1, kib(256)));
    expect_good_end(channel.process());
  }
}

/// A source that trickles, floods and trickles again moves pump from copying to the kernel and back.
TEST_P(EveryWay, TricklesAndFloodsArriveInTurns) {
  const Pieces writes = [turn = 0]() mutable { return ++turn % 400 < 200 ? std::size_t{3} : kib(64); };
  const std::size_t size = some(mib(32));
  Channel channel(GetParam());
  converse(channel.left, channel.right, size, writes, pieces_of(kib(48)));
  expect_good_end(channel.process());
}

/// Each side in turn ends first, while the other one goes on talking.
TEST_P(EveryWay, EachSideMayEndFirst) {
  const std::size_t size = some(mib(8));
  for (const bool left_first : {true, false}) {
    Channel channel(GetParam());
    Side& first = left_first ? channel.left : channel.right;
    Side& second = left_first ? channel.right : channel.left;
    first.finish();
    EXPECT_EQ(read_text(second.reading.get(), there, pieces_of(kib(64))), (Moved{0}));
    auto got = beside([&] { return read_text(first.reading.get(), there, pieces_of(kib(64))); });
    EXPECT_EQ(write_text(second.writing.get(), there, size, random_pieces(chance(), kib(64))), (Moved{size}));
    second.finish();
    EXPECT_EQ(got.get(), (Moved{size}));
    expect_good_end(channel.process());
  }
}

/// The end of one side says nothing about the other: it may take its time.
TEST_P(EveryWay, AfterTheEndOfOneSideTheOtherMayBeSilentForLong) {
  for (const bool left_first : {true, false}) {
    Channel channel(GetParam());
    Side& first = left_first ? channel.left : channel.right;
    Side& second = left_first ? channel.right : channel.left;
    first.finish();
    EXPECT_EQ(read_text(second.reading.get(), there, pieces_of(1)), (Moved{0}));
    // Longer than what a session is given whose other side never ends by itself.
    std::this_thread::sleep_for(milliseconds(800));
    EXPECT_EQ(write_text(second.writing.get(), there, 1000, pieces_of(1000)), (Moved{1000}));
    second.finish();
    EXPECT_EQ(read_text(first.reading.get(), there, pieces_of(1000)), (Moved{1000}));
    expect_good_end(channel.process());
  }
}

/// It waits: in a second it would have computed for a hundred ticks.
void expect_asleep(pid_t pid) {
  const long before = ticks_of(pid);
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_LE(ticks_of(pid) - before, 2);
}

void expect_flat(pid_t pid) {
  if (!under_sanitizers()) {
    EXPECT_LT(status_figure(pid, "VmHWM"), 64 << 10);
  }
}

/// Behind a reader that hardly reads, a writer that could go on for ever comes to stand still. As the reader
/// goes on, so does it, and by no more than the buffers hold.
TEST_P(EveryWay, ASourceWithoutEndWaitsForASlowReader) {
  // Of both sockets' sides as large as TCP lets them grow (tcp(7)), and more.
  constexpr std::size_t buffers = mib(96);
  Channel channel(GetParam());
  std::atomic<std::size_t> sent{0};
  // Until the other side has gone.
  auto source = beside([&] {
    for (;;) {
      const Moved moved = write_text(channel.left.writing.get(), there, kib(64), pieces_of(kib(64)), sent);
      sent += moved.count;
      if (moved.error != 0) return moved.error;
    }
  });
  std::size_t read = 0;
  for (int i = 0; i < 3; ++i) {
    const std::size_t at_rest = settled([&] { return sent.load(); });
    EXPECT_LT(at_rest, read + buffers);
    if (i == 0) expect_asleep(channel->pid());
    const std::size_t next = mib(32);
    EXPECT_EQ(read_text(channel.right.reading.get(), there, pieces_of(kib(16)), read, next), (Moved{next}));
    read += next;
  }
  expect_flat(channel->pid());
  // Something is on its way, and will be lost.
  settled([&] { return sent.load(); });
  channel.right.close();
  EXPECT_NE(source.get(), 0);
  EXPECT_EQ(channel->wait().status, 1);
}

TEST(BackPressure, ReachesSourcesThatNeverEnd) {
  for (const std::string source : {"/dev/zero", "EXEC:yes", "EXEC:yes,pipes", "SYSTEM:yes | cat"}) {
    SCOPED_TRACE(source);
    const TemporaryDirectory directory;
    const std::string log = directory.file("log");
    const Fd errors(::open(log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    Pipe pipe = make_pipe();
    Running tool(sockcat({"-u", source, "-"}), {.descriptors = {{1, pipe.writing.get()}, {2, errors.get()}}});
    pipe.writing.reset();
    // A gigabyte would take a moment; it is not asked for.
    std::string bytes(mib(1), '\0');
    for (std::size_t got = 0; got < mib(64);) {
      const ssize_t part = ::read(pipe.reading.get(), bytes.data(), bytes.size());
      ASSERT_GT(part, 0);
      got += static_cast<std::size_t>(part);
    }
    settled([&] { return ticks_of(tool.pid()); });
    expect_asleep(tool.pid());
    expect_flat(tool.pid());
    for (const pid_t child : children_of(tool.pid())) EXPECT_TRUE(is_all(child, 'S'));
    pipe.reading.reset();
    tool.wait();
    EXPECT_NE(contents_of(log).find("Broken pipe"), std::string::npos);
  }
}

/// When one side is reset.
enum class Moment {
  before_any_byte,
  it_sends,
  it_receives,
  both_send,
  it_has_finished,
  other_has_finished,
  other_does_not_read,  ///< sockcat waits to write what came from it
  it_does_not_read      ///< sockcat waits to write to it
};

struct Reset {
  const char* name;
  Moment moment;
  std::vector<int> statuses;  ///< that are right
};

class PeerReset : public testing::TestWithParam<std::tuple<Reset, bool>> {};

/// Nothing hangs, nothing false is delivered, what had come from the one that is reset still arrives, and the
/// exit status is true.
TEST_P(PeerReset, EndsTheSession) {
  const auto& [row, left_is_reset] = GetParam();
  Channel channel(Way::tcp);
  Side& one = left_is_reset ? channel.left : channel.right;
  Side& other = left_is_reset ? channel.right : channel.left;
  const std::size_t size = some(mib(4));
  Moved got;
  switch (row.moment) {
    case Moment::before_any_byte:
      one.reset();
      got = read_text(other.reading.get(), there, pieces_of(kib(64)));
      EXPECT_EQ(got.count, 0U);
      break;
    case Moment::it_sends: {
      auto reading = beside([&] { return read_text(other.reading.get(), there, pieces_of(kib(64))); });
      EXPECT_EQ(write_text(one.writing.get(), there, size, random_pieces(chance(), kib(64))), (Moved{size}));
      EXPECT_TRUE(one.all_arrived());
      one.reset();
      got = reading.get();
      EXPECT_EQ(got.count, size);
      break;
    }
    case Moment::it_receives: {
      auto writing =
          beside([&] { return write_text(other.writing.get(), there, endless, pieces_of(kib(64))); });
      EXPECT_EQ(read_text(one.reading.get(), there, pieces_of(kib(64)), 0, size), (Moved{size}));
      one.reset();
      EXPECT_NE(writing.get().error, ETIME);
      got = read_text(other.reading.get(), back, pieces_of(kib(64)));
      EXPECT_EQ(got.count, 0U);
      break;
    }
    case Moment::both_send: {
      auto writing =
          beside([&] { return write_text(other.writing.get(), there, endless, pieces_of(kib(64))); });
      auto reading = beside([&] { return read_text(other.reading.get(), back, pieces_of(kib(64))); });
      auto receiving =
          beside([&] { return read_text(one.reading.get(), there, pieces_of(kib(64)), 0, size); });
      EXPECT_EQ(write_text(one.writing.get(), back, size, pieces_of(kib(64))), (Moved{size}));
      EXPECT_EQ(receiving.get(), (Moved{size}));
      EXPECT_TRUE(one.all_arrived());
      one.reset();
      EXPECT_NE(writing.get().error, ETIME);
      got = reading.get();
      // What was on its way to the other side may be cut off by a reset of ours: it writes to nobody.
      EXPECT_LE(got.count, size);
      break;
    }
    case Moment::it_has_finished:
      EXPECT_EQ(write_text(one.writing.get(), there, size / 64, pieces_of(kib(64))), (Moved{size / 64}));
      EXPECT_EQ(::shutdown(one.writing.get(), SHUT_WR), 0);
      got = read_text(other.reading.get(), there, pieces_of(kib(64)));
      EXPECT_EQ(got, (Moved{size / 64}));
      one.reset();
      break;
    case Moment::other_has_finished:
      other.finish();
      EXPECT_EQ(read_text(one.reading.get(), there, pieces_of(1)), (Moved{0}));
      EXPECT_EQ(write_text(one.writing.get(), there, size / 64, pieces_of(kib(64))), (Moved{size / 64}));
      EXPECT_TRUE(one.all_arrived());
      one.reset();
      got = read_text(other.reading.get(), there, pieces_of(kib(64)));
      EXPECT_EQ(got.count, size / 64);
      break;
    case Moment::other_does_not_read: {
      const Moved sent = fill_with(one.writing.get(), there);
      EXPECT_EQ(sent.error, 0);
      // What its own system still holds goes with it.
      int held = 0;
      EXPECT_EQ(::ioctl(one.writing.get(), SIOCOUTQ, &held), 0);
      one.reset();
      got = read_text(other.reading.get(), there, pieces_of(kib(64)));
      EXPECT_GE(got.count + static_cast<std::size_t>(held), sent.count);
      break;
    }
    case Moment::it_does_not_read:
      EXPECT_EQ(fill_with(other.writing.get(), there).error, 0);
      one.reset();
      got = read_text(other.reading.get(), back, pieces_of(kib(64)));
      EXPECT_EQ(got.count, 0U);
      break;
  }
  // An end or a reset, but never a wrong byte or none at all.
  EXPECT_TRUE(got.error == 0 || got.error == ECONNRESET) << testing::PrintToString(got);
  other.close();
  const Ended ended = channel->wait();
  EXPECT_NE(std::count(row.statuses.begin(), row.statuses.end(), ended.status), 0)
      << testing::PrintToString(ended);
  EXPECT_EQ(ended.status == 0, ended.err.empty()) << testing::PrintToString(ended);
}

INSTANTIATE_TEST_SUITE_P(When, PeerReset,
                         testing::Combine(testing::ValuesIn(std::vector<Reset>{
                                              {"BeforeAnyByte", Moment::before_any_byte, {1}},
                                              {"ItSends", Moment::it_sends, {1}},
                                              {"ItReceives", Moment::it_receives, {1}},
                                              {"BothSend", Moment::both_send, {1}},
                                              {"ItHasFinished", Moment::it_has_finished, {0, 1}},
                                              {"OtherHasFinished", Moment::other_has_finished, {1}},
                                              {"OtherDoesNotRead", Moment::other_does_not_read, {1}},
                                              {"ItDoesNotRead", Moment::it_does_not_read, {1}},
                                          }),
                                          testing::Bool()),
                         [](const auto& one) {
                           return std::string(std::get<0>(one.param).name) +
                                  (std::get<1>(one.param) ? "AtLeft" : "AtRight");
                         });

/// Who answers is held up by a client that sends and does not read, and must not stay so when that one goes.
TEST(Gone, IsAClientThatDidNotReadAlsoForWhatAnswersIt) {
  for (const std::string address : {"PIPE", "UPPER", "EXEC:cat", "EXEC:cat,pipes"}) {
    for (const bool by_reset : {true, false}) {
      SCOPED_TRACE(address);
      Serving server({"TCP4-LISTEN:0,bind=127.0.0.1", address});
      Socket client = Socket::to_tcp(server.port());
      client.fill();
      by_reset ? client.reset() : client.close();
      const int status = server->wait().status;
      // A program may die of what it cannot write into a pipe any more; that is its status, then.
      EXPECT_TRUE(status == 1 || (status == 141 && address == "EXEC:cat,pipes")) << status;
    }
  }
}

/// Waits until a process has one child.
pid_t only_child_of(pid_t pid) {
  std::vector<pid_t> children;
  EXPECT_TRUE(eventually([&] { return (children = children_of(pid)).size() == 1; }));
  return children.empty() ? -1 : children.front();
}

TEST(Death, OfAWriterIsAnEndOfInput) {
  for (const std::string address : {"-", "TCP4-LISTEN:0,bind=127.0.0.1"}) {
    SCOPED_TRACE(address);
    const bool tcp = address != "-";
    Pipe input = make_pipe(), output = make_pipe();
    RunOptions how{.descriptors = {{1, output.writing.get()}}};
    if (!tcp) how.descriptors[0] = input.reading.get();
    if (tcp) how.captured = {9};
    Running tool(tcp ? sockcat({"--ready-fd", "9", "-u", address, "-"}) : sockcat({"-u", address, "-"}), how);
    output.writing.reset();
    const std::string name = tcp ? tool.line(9).value_or("") : "";
    // It sends the bytes of /dev/zero and is killed in the middle of them.
    std::vector<std::string> words = {"-u", "/dev/zero", "-"};
    if (tcp) words.back() = "TCP4:127.0.0.1:" + name.substr(name.rfind(':') + 1);
    RunOptions how_written;
    if (!tcp) how_written.descriptors[1] = input.writing.get();
    Running writer(sockcat(words), how_written);
    input = {};
    std::string bytes(kib(256), 'x');
    std::size_t sum = 0;
    for (bool killed = false;;) {
      const ssize_t part = ::read(output.reading.get(), bytes.data(), bytes.size());
      if (part <= 0) break;
      EXPECT_EQ(std::count(bytes.begin(), bytes.begin() + part, '\0'), part);
      sum += static_cast<std::size_t>(part);
      if (!killed && sum > mib(8)) writer.signal(SIGKILL), killed = true;
    }
    EXPECT_GT(sum, mib(8));
    EXPECT_EQ(writer.wait().signal, SIGKILL);
    EXPECT_EQ(tool.wait().status, 0);
  }
}

TEST(Death, OfAReaderIsAFailureToWrite) {
  for (const Way way : {Way::tcp, Way::pipes}) {
    SCOPED_TRACE(name_of(way));
    const Socket origin = Socket::listening_tcp();
    Pipe pipe = make_pipe();
    RunOptions how_read;
    if (way == Way::pipes) how_read.descriptors[0] = pipe.reading.get();
    Running reader(
        sockcat({"-u", way == Way::tcp ? "TCP4:127.0.0.1:" + std::to_string(origin.port()) : "-", "-"}),
        how_read);
    Fd peer = way == Way::tcp ? Fd(::fcntl(origin.accept().number(), F_DUPFD_CLOEXEC, 0)) : Fd();
    RunOptions how;
    how.descriptors[1] = way == Way::tcp ? peer.get() : pipe.writing.get();
    Running tool(sockcat({"-u", "/dev/zero", "-"}), how);
    pipe = {};
    peer.reset();
    EXPECT_EQ(reader.bytes(mib(1)).size(), mib(1));
    reader.signal(SIGKILL);
    EXPECT_EQ(reader.wait().signal, SIGKILL);
    const Ended ended = tool.wait();
    EXPECT_EQ(ended.status, 1) << testing::PrintToString(ended);
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
  }
}

TEST(Death, OfAProgramIsItsStatusAndLosesNothingItSaid) {
  for (const std::string options : {"", ",pipes"}) {
    Running tool(sockcat({"-", "SYSTEM:head -c 3000000 /dev/zero; exec sleep 1000" + options}),
                 {.more_input = true});
    EXPECT_EQ(tool.bytes(3'000'000), std::string(3'000'000, '\0'));
    ::kill(only_child_of(tool.pid()), SIGKILL);
    const Ended ended = tool.wait();
    EXPECT_EQ(ended.status, 137) << options << testing::PrintToString(ended);
    EXPECT_EQ(ended.out, "");
  }
}

class SmallPipes : public testing::TestWithParam<std::string> {};

/// A pipe of one page is full after each piece; moved bytes and waits alternate.
TEST_P(SmallPipes, CarryEverything) {
  const std::size_t size = some(mib(8));
  Pipe in = make_pipe(), out = make_pipe();
  for (const int fd : {in.reading.get(), out.reading.get()}) ASSERT_EQ(::fcntl(fd, F_SETPIPE_SZ, 4096), 4096);
  RunOptions how{.environment = {"SLUICE_DENY=" + GetParam()}};
  how.descriptors = {{0, in.reading.get()}, {1, out.writing.get()}};
  Running tool(sockcat({"-", "PIPE"}), how);
  in.reading.reset();
  out.writing.reset();
  auto writing = beside([&] {
    const Moved sent = write_text(in.writing.get(), there, size, random_pieces(chance(), kib(16)));
    in.writing.reset();
    return sent;
  });
  EXPECT_EQ(read_text(out.reading.get(), there, random_pieces(chance() + 1, kib(16))), (Moved{size}));
  EXPECT_EQ(writing.get(), (Moved{size}));
  expect_good_end(tool);
}

/// Both standard streams straight into each other: spliced from one page to the other.
TEST_P(SmallPipes, AreSplicedIntoEachOther) {
  const std::size_t size = some(mib(8));
  Pipe in = make_pipe(), out = make_pipe();
  for (const int fd : {in.reading.get(), out.reading.get()}) ASSERT_EQ(::fcntl(fd, F_SETPIPE_SZ, 4096), 4096);
  RunOptions how{.environment = {"SLUICE_DENY=" + GetParam()}};
  how.descriptors = {{0, in.reading.get()}, {1, out.writing.get()}};
  Running tool(sockcat({"-u", "-", "-"}), how);
  in.reading.reset();
  out.writing.reset();
  auto writing = beside([&] {
    const Moved sent = write_text(in.writing.get(), there, size, pieces_of(kib(64)));
    in.writing.reset();
    return sent;
  });
  EXPECT_EQ(read_text(out.reading.get(), there, pieces_of(1000)), (Moved{size}));
  EXPECT_EQ(writing.get(), (Moved{size}));
  expect_good_end(tool);
}

INSTANTIATE_TEST_SUITE_P(OfOnePage, SmallPipes,
                         testing::Values("none", "splice", "reopen", "splice,reopen", "epoll",
                                         "reopen,epoll"),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::replace(name.begin(), name.end(), ',', '_');
                           return name == "none" ? std::string("Usual") : "Without_" + name;
                         });

/// Calls something each millisecond until it goes.
class EachMillisecond {
 public:
  template <class Action>
  explicit EachMillisecond(Action action)
      : thread_([this, action] {
          for (; !over_; std::this_thread::sleep_for(milliseconds(1))) action();
        }) {}
  ~EachMillisecond() {
    over_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> over_{false};
  std::thread thread_;
};

/// Sends what asks for statistics and what concerns nobody, each millisecond.
EachMillisecond signals_to(pid_t pid) {
  return EachMillisecond([pid] {
    for (const int signal : {SIGUSR1, SIGCHLD, SIGCONT, SIGWINCH, SIGURG, SIGPIPE}) ::kill(pid, signal);
  });
}

TEST_P(EveryWay, SignalsEachMillisecondDisturbNothing) {
  const std::size_t size = some(mib(64));
  const TemporaryDirectory directory;
  const std::string log = directory.file("log");
  const Fd errors(::open(log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  Channel channel(GetParam(), {}, {.descriptors = {{2, errors.get()}}});
  // Once bytes have passed, it knows what to do with signals.
  exchange(channel.left, channel.right, 1);
  {
    const auto signals = signals_to(channel->pid());
    carry(channel.left, channel.right, size, random_pieces(chance(), kib(32)),
          random_pieces(chance() + 1, kib(32)), 1);
  }
  channel.left.finish();
  channel.right.finish();
  expect_good_end(channel.process());
  // Statistics, three lines each time, and nothing else.
  const std::string lines = contents_of(log);
  const auto count = std::count(lines.begin(), lines.end(), '\n');
  EXPECT_GE(count, 3);
  EXPECT_EQ(count % 3, 0) << lines;
}

/// Who asks for statistics cannot know that the session is just ending.
TEST(Signals, ThatComeAtTheEndDoNotChangeIt) {
  const Fd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  for (int i = 0; i < 300; ++i) {
    Channel channel(Way::pipes, {}, {.descriptors = {{2, null.get()}}});
    exchange(channel.left, channel.right, 1);
    // By a pidfd, since the number may be another's once the process has been reaped.
    const Fd process(
        check("watch a process", static_cast<int>(::syscall(SYS_pidfd_open, channel->pid(), 0))));
    auto asking = beside([&] {
      while (::syscall(SYS_pidfd_send_signal, process.get(), SIGUSR1, nullptr, 0) == 0)
        std::this_thread::sleep_for(std::chrono::microseconds(20));
    });
    channel.left.finish();
    channel.right.finish();
    const Ended ended = channel->wait();
    asking.get();
    ASSERT_EQ(ended.signal, 0) << "in round " << i;
    ASSERT_EQ(ended.status, 0) << "in round " << i;
  }
}

/// Stopped by a terminal or a debugger and continued, sockcat goes on where it was.
TEST_P(EveryWay, StoppingAndContinuingDisturbsNothing) {
  const std::size_t size = some(mib(64));
  Channel channel(GetParam());
  {
    const EachMillisecond stops([pid = channel->pid()] {
      ::kill(pid, SIGSTOP);
      std::this_thread::sleep_for(milliseconds(2));
      ::kill(pid, SIGCONT);
    });
    converse(channel.left, channel.right, size, random_pieces(chance(), kib(64)),
             random_pieces(chance() + 1, kib(64)));
  }
  expect_good_end(channel.process());
}

TEST(Stopping, APeerInTheMiddleDisturbsNothing) {
  const std::size_t size = some(mib(256));
  const TemporaryDirectory directory;
  const std::string from = directory.file("from", there.part(0, size)), to = directory.path() + "/to";
  Serving receiver({"-u", "TCP4-LISTEN:0,bind=127.0.0.1", "CREATE:" + to});
  Serving bridge({"-u", "TCP4-LISTEN:0,bind=127.0.0.1", "TCP4:127.0.0.1:" + std::to_string(receiver.port())});
  Running sender(sockcat({"-u", "FILE:" + from, "TCP4:127.0.0.1:" + std::to_string(bridge.port())}));
  const auto arrived = [&] {
    struct stat status {};
    return ::stat(to.c_str(), &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
  };
  std::size_t step = 0;
  for (const pid_t one : {sender.pid(), bridge->pid(), receiver->pid()}) {
    step += size / 16;
    EXPECT_TRUE(eventually([&] { return arrived() >= step; }));
    stop(one);
    settled(arrived);
    go_on(one);
  }
  EXPECT_EQ(sender.wait().status, 0);
  EXPECT_EQ(bridge->wait().status, 0);
  EXPECT_EQ(receiver->wait().status, 0);
  const Fd file(::open(to.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(read_text(file.get(), there, pieces_of(kib(256))), (Moved{size}));
}

/// It was stopped for longer than its limit of inactivity while somebody spoke to it: no silence.
TEST_P(EveryWay, TimeItWasStoppedForIsNoSilenceIfSomebodySpoke) {
  for (const bool from_left : {true, false}) {
    Channel channel(GetParam(), {"-T", "1"});
    exchange(channel.left, channel.right, 5);
    stop(channel->pid());
    const Side& from = from_left ? channel.left : channel.right;
    const Side& to = from_left ? channel.right : channel.left;
    EXPECT_EQ(write_text(from.writing.get(), there, 5, pieces_of(5)), (Moved{5}));
    std::this_thread::sleep_for(milliseconds(1200));
    go_on(channel->pid());
    EXPECT_EQ(read_text(to.reading.get(), there, pieces_of(5), 0, 5), (Moved{5}));
    exchange(channel.left, channel.right, 5, 5);
    channel.left.finish();
    channel.right.finish();
    expect_good_end(channel.process());
  }
}

TEST_P(EveryWay, TimeItWasStoppedForIsSilenceIfNobodySpoke) {
  Channel channel(GetParam(), {"-T", "0.3"});
  stop(channel->pid());
  std::this_thread::sleep_for(milliseconds(400));
  go_on(channel->pid());
  EXPECT_EQ(channel->wait().status, 124);
}

/// A file system of this many bytes that only the calling thread and what it starts see; false where it may
/// not make one.
bool mount_small_file_system(const std::string& path, std::size_t size) {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("none", path.c_str(), "tmpfs", 0, ("size=" + std::to_string(size)).c_str()) == 0;
}

TEST(FullDisk, IsToldAndWhatFitIsExact) {
  const TemporaryDirectory directory;
  const std::string from = directory.file("from", there.part(0, mib(4))), small = directory.path() + "/small";
  std::filesystem::create_directory(small);
  const auto fill = [&](const std::string& address) {
    SCOPED_TRACE(address);
    Pipe input = make_pipe();
    Running tool(sockcat({"-u", address, "CREATE:" + small + "/to"}),
                 {.descriptors = {{0, input.reading.get()}}});
    input.reading.reset();
    if (address == "-") {
      EXPECT_EQ(write_text(input.writing.get(), there, mib(4), pieces_of(kib(64))).error, EPIPE);
    }
    const Ended ended = tool.wait();
    // A program may die of what it cannot write any more; that is its status, then.
    EXPECT_TRUE(ended.status == 1 || (ended.status == 141 && address.starts_with("EXEC")))
        << testing::PrintToString(ended);
    EXPECT_TRUE(ended.err.ends_with("sockcat: right: write: No space left on device\n")) << ended.err;
    const std::string written = contents_of(small + "/to");
    EXPECT_EQ(written.size(), mib(1));
    EXPECT_TRUE(there.continues(0, written));
    std::filesystem::remove(small + "/to");
  };
  // A thread has a mount namespace of its own, which goes with it.
  const bool mounted =
      beside([&] {
        if (!mount_small_file_system(small, mib(1))) return false;
        for (const std::string& address :
             {std::string("-"), "FILE:" + from, "EXEC:cat " + from, "EXEC:cat " + from + ",pipes"})
          fill(address);
        return true;
      }).get();
  if (!mounted) GTEST_SKIP() << "may not mount a file system here; root may";
}

}  // namespace
}  // namespace sluice::test
