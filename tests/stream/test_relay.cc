#include "sluice/stream/relay.h"

#include <gtest/gtest.h>

#include <thread>

#include "on_loop.h"
#include "sluice/core/failure.h"
#include "sluice/stream/decorator.h"
#include "sluice/stream/filtered.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using testing::pipe_ends;
using testing::pipe_stream;
using testing::read_all;
using testing::run;
using testing::sample_text;
using testing::socket_pair;
using testing::socket_stream;
using testing::write_text;

/// A stream that cannot be waited for: the kernel watches no more descriptors for this user, say.
class Unwatched final : public Decorator {
 public:
  using Decorator::Decorator;
  Task<End> read_some(Batch&) override {
    throw Failure("watch a descriptor", std::make_error_code(std::errc::no_space_on_device));
    co_return End{};
  }
  Task<> closed() override {
    throw Failure("watch a descriptor", std::make_error_code(std::errc::no_space_on_device));
    co_return;
  }
};

/// A relay between two socket pairs; the test plays both far sides.
class RelayTest : public ::testing::Test {
 protected:
  RelayTest() {
    ::signal(SIGPIPE, SIG_IGN);
    auto [a, b] = socket_pair();
    auto [c, d] = socket_pair();
    left_ = socket_stream(loop_, std::move(a));
    client_ = socket_stream(loop_, std::move(b));
    right_ = socket_stream(loop_, std::move(c));
    server_ = socket_stream(loop_, std::move(d));
  }

  static LogSettings quiet() {
    LogSettings settings;
    settings.least = Severity::fatal;
    return settings;
  }

  /// The same stream, but one that never ends by itself (a datagram socket, say).
  static std::unique_ptr<FdStream> endless(Loop& loop, Fd fd) {
    FdStream::Parts parts;
    parts.in = std::make_unique<Descriptor>(loop, std::move(fd));
    parts.both = true;
    parts.finish = FinishBy::nothing;
    parts.traits = {Shape::bytes, false, false};
    return std::make_unique<FdStream>(std::move(parts));
  }

  int relay_to_end() {
    run(loop_, relay(std::move(left_), std::move(right_), session_));
    loop_.run();
    return session_.status;
  }

  static Task<> say(Stream& to, std::string text, bool finish) {
    co_await write_text(to, std::move(text));
    if (finish) co_await to.finish();
  }
  static Task<> hear(Stream& from, std::string& text) { text = (co_await read_all(from)).first; }
  static Task<> answer_late(Loop& loop, Stream& server, std::string& request, Duration delay) {
    request = (co_await read_all(server)).first;
    co_await loop.sleep(delay);
    co_await say(server, "late answer", true);
  }

  Loop loop_;
  Logger log_{quiet()};
  Session session_{loop_, log_, Limits{}};
  std::unique_ptr<Stream> left_, right_, client_, server_;
  std::string heard_, request_;
};

TEST_F(RelayTest, FinishesEachSideAlone) {
  loop_.start(say(*client_, "request", true));
  loop_.start(hear(*client_, heard_));
  // Longer than socat's half second: a side that can end is waited for.
  loop_.start(answer_late(loop_, *server_, request_, milliseconds(700)));
  EXPECT_EQ(relay_to_end(), 0);
  EXPECT_EQ(request_, "request");
  EXPECT_EQ(heard_, "late answer");
  EXPECT_EQ(session_.there.bytes, 7U);
  EXPECT_EQ(session_.back.bytes, 11U);
}

TEST_F(RelayTest, CarriesBothWaysAtOnce) {
  const std::string text = sample_text(mib(3));
  loop_.start(say(*client_, text, true));
  loop_.start(say(*server_, text, true));
  loop_.start(hear(*client_, heard_));
  loop_.start(hear(*server_, request_));
  EXPECT_EQ(relay_to_end(), 0);
  EXPECT_EQ(heard_, text);
  EXPECT_EQ(request_, text);
}

TEST_F(RelayTest, GivesASideThatNeverEndsTheLingerLimitOnly) {
  auto [c, d] = socket_pair();
  right_ = endless(loop_, std::move(c));
  server_ = socket_stream(loop_, std::move(d));
  session_.limits.linger = milliseconds(20);
  loop_.start(say(*client_, "request", true));
  loop_.start(hear(*client_, heard_));
  EXPECT_EQ(relay_to_end(), 0);
}

TEST_F(RelayTest, SaysThatAWaitWasCutShort) {
  session_.limits.linger = milliseconds(20);
  loop_.start(say(*client_, "request", true));
  loop_.start(hear(*client_, heard_));
  EXPECT_EQ(relay_to_end(), 124);
}

TEST_F(RelayTest, CutsTheWaitSilentlyAsSocat) {
  session_.limits.linger = milliseconds(20);
  session_.limits.as_socat = true;
  loop_.start(say(*client_, "request", true));
  loop_.start(hear(*client_, heard_));
  EXPECT_EQ(relay_to_end(), 0);
}

TEST_F(RelayTest, EndsAfterItsIdleLimit) {
  session_.limits.idle = milliseconds(20);
  EXPECT_EQ(relay_to_end(), 124);
}

TEST_F(RelayTest, ForgetsAPeerThatHasNoOtherEndWithoutFailure) {
  session_.limits.idle = milliseconds(20);
  session_.limits.forgets = true;
  EXPECT_EQ(relay_to_end(), 0);
}

/// As of a process that was stopped: the end of one side wakes it first, and what the other one said then is
/// no less said.
TEST_F(RelayTest, TakesForSilenceOnlyWhatItListenedTo) {
  session_.limits.idle = milliseconds(30);
  const auto speak = [](Loop& on, Stream& client, Stream& server) -> Task<> {
    co_await on.yield();
    co_await server.finish();
    co_await say(client, "spoken", false);
    std::this_thread::sleep_for(milliseconds(50));
    co_await on.yield();
    co_await client.finish();
  };
  loop_.start(speak(loop_, *client_, *server_));
  loop_.start(hear(*server_, request_));
  loop_.start(hear(*client_, heard_));
  EXPECT_EQ(relay_to_end(), 0);
  EXPECT_EQ(request_, "spoken");
}

TEST_F(RelayTest, EndsAtTheFirstEndIfAskedTo) {
  session_.limits.exit_on = ExitOn::first_eof;
  loop_.start(say(*client_, "request", true));
  loop_.start(hear(*server_, request_));
  EXPECT_EQ(relay_to_end(), 0);
  EXPECT_EQ(request_, "request");
}

TEST_F(RelayTest, StillBringsTheAnswerOfWhoStoppedListening) {
  // The far side reads nothing more, answers, and closes.
  auto [in_a, in_b] = pipe_ends();
  auto [out_a, out_b] = pipe_ends();
  auto [request_reader, request_writer] = pipe_ends();
  auto [answer_reader, answer_writer] = pipe_ends();
  left_ = pipe_stream(loop_, std::move(in_a), std::move(out_b));
  right_ = pipe_stream(loop_, std::move(answer_reader), std::move(request_writer));
  request_reader.reset();
  auto feeder = pipe_stream(loop_, Fd(), std::move(in_b));
  auto answerer = pipe_stream(loop_, Fd(), std::move(answer_writer));
  auto listener = pipe_stream(loop_, std::move(out_a), Fd());
  loop_.start(say(*feeder, sample_text(kib(256)), true));
  loop_.start(say(*answerer, "early answer", true));
  loop_.start(hear(*listener, heard_));
  EXPECT_EQ(relay_to_end(), 1) << "something could not be delivered";
  EXPECT_EQ(heard_, "early answer");
}

TEST_F(RelayTest, NoticesWhileIdleThatItsTargetHasGone) {
  auto [in_a, in_b] = pipe_ends();
  auto [out_a, out_b] = pipe_ends();
  auto [c, d] = socket_pair();
  left_ = pipe_stream(loop_, std::move(in_a), std::move(out_b));
  right_ = endless(loop_, std::move(c));
  // Nobody reads the left side's output any more, its input is over, and the right side would never end.
  out_a.reset();
  in_b.reset();
  EXPECT_EQ(relay_to_end(), 0);
}

TEST_F(RelayTest, EndsOneDirectionAndNotTheLoopWhereTheKernelWatchesNothingMore) {
  left_ = std::make_unique<Unwatched>(std::move(left_));
  loop_.start(hear(*client_, heard_));
  loop_.start(answer_late(loop_, *server_, request_, milliseconds(0)));
  EXPECT_EQ(relay_to_end(), 1);
  EXPECT_EQ(session_.there.source.why, std::errc::no_space_on_device);
  EXPECT_EQ(heard_, "late answer");
}

TEST_F(RelayTest, ReadsForATargetWithoutOutputAndReportsWhatItLost) {
  for (const bool late : {false, true}) {
    auto [in_a, in_b] = pipe_ends();
    auto [file_a, file_b] = pipe_ends();
    left_ = pipe_stream(loop_, std::move(in_a), Fd());
    right_ = pipe_stream(loop_, std::move(file_a), Fd());
    session_.limits.direction = Direction::left_to_right;
    session_.status = 0;
    auto source = pipe_stream(loop_, Fd(), std::move(in_b));
    const auto speak = [](Loop& on, Stream& to, bool wait) -> Task<> {
      // Long after the relay has begun to wait.
      for (int i = 0; wait && i < 100; ++i) co_await on.yield();
      co_await say(to, "x", true);
    };
    if (!late) run(loop_, speak(loop_, *source, false));
    if (late) loop_.start(speak(loop_, *source, true));
    EXPECT_EQ(relay_to_end(), 1) << (late ? "late" : "early");
  }
}

TEST_F(RelayTest, LeavesATargetWithoutOutputAfterItsOwnEnd) {
  auto [file_in, file_out] = pipe_ends();
  right_ = pipe_stream(loop_, std::move(file_in), Fd());
  file_out.reset();
  session_.limits.linger = milliseconds(20);
  loop_.start(hear(*client_, heard_));
  EXPECT_EQ(relay_to_end(), 0) << "the client neither spoke nor ended";
}

TEST_F(RelayTest, ReportsAPeerThatResets) {
  auto [c, d] = socket_pair();
  right_ = socket_stream(loop_, std::move(c));
  const auto reset_later = [](Loop& on, Fd& peer) -> Task<> {
    char some[4];
    while (::read(peer.get(), some, sizeof some) < 0) co_await on.yield();
    // Closed with unread input: the other side is reset.
    peer.reset();
  };
  loop_.start(say(*client_, "more than is read", false));
  loop_.start(reset_later(loop_, d));
  loop_.start(hear(*client_, heard_));
  session_.limits.linger = milliseconds(50);
  EXPECT_EQ(relay_to_end(), 1);
}

TEST_F(RelayTest, EndsWhenAClientGoesWhoseAnswersHoldItUp) {
  auto [a, b] = socket_pair();
  left_ = socket_stream(loop_, std::move(a));
  right_ = answering(loop_, nullptr);
  const auto fill_and_leave = [](Loop& on, Fd& client) -> Task<> {
    const std::string text = sample_text(kib(4));
    // Full is what stays full however often the relay has had its turn.
    for (int turns = 0; turns < 100; ++turns) {
      if (::write(client.get(), text.data(), text.size()) > 0) turns = 0;
      co_await on.yield();
    }
    client.reset();
  };
  loop_.start(fill_and_leave(loop_, b));
  EXPECT_EQ(relay_to_end(), 1);
}

TEST_F(RelayTest, LeavesASourceToWaitWhoseClientOnlyDoesNotListen) {
  auto [a, b] = socket_pair();
  auto [c, d] = socket_pair();
  left_ = socket_stream(loop_, std::move(a));
  right_ = socket_stream(loop_, std::move(c));
  ASSERT_EQ(::shutdown(b.get(), SHUT_RD), 0);
  std::size_t said = 0;
  const auto talk_on = [](Loop& on, Fd& client, Fd& server, std::size_t& sum) -> Task<> {
    const std::string text = sample_text(kib(4));
    for (int turns = 0; turns < 100 && sum < mib(16); ++turns) {
      const ssize_t count = ::write(server.get(), text.data(), text.size());
      if (count > 0) turns = 0, sum += static_cast<std::size_t>(count);
      co_await on.yield();
    }
    client.reset();
    server.reset();
  };
  loop_.start(talk_on(loop_, b, d, said));
  EXPECT_EQ(relay_to_end(), 1);
  EXPECT_LT(said, mib(16)) << "its words wait, as long as the client may still say something";
}

/// A target that is gone before the writes to it have come to say so.
class Leaving final : public Stream {
 public:
  explicit Leaving(Loop& loop) : loop_(loop) {}
  Task<End> read_some(Batch&) override { co_return End{End::finished, {}}; }
  Task<End> write_some(Batch& from) override {
    co_await loop_.yield();
    if (++writes_ > 3) co_return end_of(EPIPE);
    from.consume(from.size());
    co_return End{};
  }
  Task<End> finish() override { co_return End{}; }
  Task<> closed() override { co_return; }
  Task<> discard_input() override { co_return; }
  void stop_reading() override {}
  void stop_writing() override {}
  Task<> close(const Limits&) override { co_return; }
  const Info& info() const override { return info_; }

 private:
  Loop& loop_;
  Info info_;
  int writes_ = 0;
};

TEST_F(RelayTest, TellsOfWhatWasOnItsWayWhenTheTargetWent) {
  session_.limits.direction = Direction::left_to_right;
  FdStream::Parts parts;
  parts.in = std::make_unique<Descriptor>(loop_, Fd(::open("/dev/zero", O_RDONLY | O_CLOEXEC)),
                                          Access::always_ready);
  left_ = std::make_unique<FdStream>(std::move(parts));
  right_ = std::make_unique<Leaving>(loop_);
  EXPECT_EQ(relay_to_end(), 1);
}

TEST_F(RelayTest, OneWayDropsWhatTheTargetSays) {
  session_.limits.direction = Direction::left_to_right;
  Event said(loop_);
  loop_.start(say(*server_, sample_text(mib(4)), false), [&] { said.notify(); });
  loop_.start(say(*client_, sample_text(mib(4)), true));
  const auto hear_then_close = [](Stream& from, Event& silent, std::string& text) -> Task<> {
    text = (co_await read_all(from)).first;
    // Nothing may be waiting when a stream is closed.
    from.stop_writing();
    co_await silent.wait();
    co_await from.close(Limits{});
  };
  loop_.start(hear_then_close(*server_, said, request_));
  EXPECT_EQ(relay_to_end(), 0);
  EXPECT_EQ(request_, sample_text(mib(4)));
  EXPECT_EQ(session_.back.bytes, 0U);
}

TEST_F(RelayTest, OneWayWaitsForASourceThatNeverEnds) {
  auto [a, b] = socket_pair();
  left_ = endless(loop_, std::move(a));
  client_ = socket_stream(loop_, std::move(b));
  session_.limits.direction = Direction::left_to_right;
  session_.limits.linger = milliseconds(10);
  const auto say_late = [](Loop& on, Stream& client) -> Task<> {
    co_await on.sleep(milliseconds(100));
    co_await say(client, "late", true);
  };
  loop_.start(say_late(loop_, *client_));
  loop_.start(hear(*server_, request_));
  EXPECT_EQ(relay_to_end(), 0);
  EXPECT_EQ(request_, "late");
}

TEST_F(RelayTest, DrainsWithinItsGraceWhateverTheLingerLimitIs) {
  session_.limits.linger = std::chrono::hours(1);
  session_.limits.grace = milliseconds(30);
  const auto drain_later = [](Loop& on, Session& session) -> Task<> {
    co_await on.yield();
    session.drain();
  };
  loop_.start(say(*client_, "sent before", false));
  loop_.start(hear(*server_, request_));
  loop_.start(hear(*client_, heard_));
  loop_.start(drain_later(loop_, session_));
  EXPECT_EQ(relay_to_end(), 0);
  EXPECT_EQ(request_, "sent before");
}

TEST_F(RelayTest, HasNothingToDrainFromASourceWithoutEnd) {
  auto [a, b] = socket_pair();
  left_ = endless(loop_, std::move(a));
  session_.limits.direction = Direction::left_to_right;
  session_.limits.grace = std::chrono::hours(1);
  loop_.start(hear(*server_, request_));
  session_.draining = true;
  EXPECT_EQ(relay_to_end(), 0);
}

TEST_F(RelayTest, TakesASourceWithoutInputForNoEnd) {
  auto [file_in, file_out] = pipe_ends();
  left_ = pipe_stream(loop_, Fd(), std::move(file_out));
  auto written = pipe_stream(loop_, std::move(file_in), Fd());
  session_.limits.linger = milliseconds(5);
  const auto say_late = [](Loop& on, Stream& server) -> Task<> {
    co_await on.sleep(milliseconds(50));
    co_await say(server, "late", true);
  };
  loop_.start(say_late(loop_, *server_));
  loop_.start(hear(*written, heard_));
  EXPECT_EQ(relay_to_end(), 0);
  EXPECT_EQ(heard_, "late");
}

TEST_F(RelayTest, CountsSilenceFromTheEndOfInput) {
  session_.limits.linger = milliseconds(300);
  const auto finish_late = [](Loop& on, Stream& client) -> Task<> {
    co_await say(client, "request", false);
    co_await on.sleep(milliseconds(400));
    co_await client.finish();
  };
  loop_.start(finish_late(loop_, *client_));
  loop_.start(answer_late(loop_, *server_, request_, milliseconds(20)));
  loop_.start(hear(*client_, heard_));
  EXPECT_EQ(relay_to_end(), 0);
  EXPECT_EQ(heard_, "late answer");
}

TEST_F(RelayTest, IsOverWhenAPeerHasReset) {
  auto [near, far] = testing::tcp_pair();
  left_ = socket_stream(loop_, std::move(near));
  session_.limits.linger = std::chrono::hours(1);
  session_.limits.grace = milliseconds(10);
  const linger at_once{1, 0};
  ASSERT_EQ(::setsockopt(far.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
  far.reset();
  // The other side neither speaks nor ends.
  EXPECT_EQ(relay_to_end(), 1);
  EXPECT_TRUE(session_.limits.cut);
}

TEST_F(RelayTest, SaysThatWhatItReadCouldNotBeDelivered) {
  session_.limits.grace = milliseconds(30);
  session_.draining = true;
  // Nobody reads on the other side, where a part of what is read has room.
  const int small = 1;
  ASSERT_EQ(::setsockopt(right_->info().out, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
  loop_.start(say(*client_, sample_text(mib(4)), false));
  loop_.start(hear(*client_, heard_));
  const auto let_go_later = [](Loop& on, Stream& client) -> Task<> {
    co_await on.sleep(milliseconds(200));
    client.stop_writing();
  };
  loop_.start(let_go_later(loop_, *client_));
  EXPECT_EQ(relay_to_end(), 1);
}

TEST_F(RelayTest, TalksToAFilterOfItsOwn) {
  right_ = answering(loop_, nullptr);
  loop_.start(say(*client_, sample_text(mib(1)), true));
  loop_.start(hear(*client_, heard_));
  EXPECT_EQ(relay_to_end(), 0);
  EXPECT_EQ(heard_, sample_text(mib(1)));
}

}  // namespace
}  // namespace sluice
