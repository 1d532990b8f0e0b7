#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
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

}  // namespace
}  // namespace sluice::test
