#include "sluice/stream/pump.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "on_loop.h"
#include "sluice/core/pipe.h"
#include "sluice/stream/decorators.h"
#include "sluice/stream/filtered.h"

namespace sluice {
namespace {

using testing::pipe_ends;
using testing::pipe_stream;
using testing::read_all;
using testing::run;
using testing::sample_text;
using testing::socket_pair;
using testing::socket_stream;
using testing::tcp_pair;
using testing::write_text;

/// A loop, a log that says nothing, and a session on them.
struct Bench {
  Bench() { ::signal(SIGPIPE, SIG_IGN); }
  static LogSettings quiet() {
    LogSettings settings;
    settings.least = Severity::fatal;
    return settings;
  }
  Loop loop;
  Logger log{quiet()};
  Session session{loop, log, Limits{}};
};

Task<> feed(Stream& to, std::string text) {
  co_await write_text(to, std::move(text));
  co_await to.finish();
}

Task<> pump_once(Stream& from, Stream& to, Flow& flow, const Session& session, End& end) {
  co_await pump(from, to, flow, session);
  end = flow.target.kind == End::open ? flow.source : flow.target;
}

/// Pumps `text` through two joints of the given kind and returns what comes out.
std::string pumped(Bench& bench, const std::string& text, bool sockets) {
  auto [in_a, in_b] = sockets ? socket_pair() : pipe_ends();
  auto [out_a, out_b] = sockets ? socket_pair() : pipe_ends();
  auto feeder =
      sockets ? socket_stream(bench.loop, std::move(in_b)) : pipe_stream(bench.loop, Fd(), std::move(in_b));
  auto from =
      sockets ? socket_stream(bench.loop, std::move(in_a)) : pipe_stream(bench.loop, std::move(in_a), Fd());
  auto to =
      sockets ? socket_stream(bench.loop, std::move(out_b)) : pipe_stream(bench.loop, Fd(), std::move(out_b));
  auto drain =
      sockets ? socket_stream(bench.loop, std::move(out_a)) : pipe_stream(bench.loop, std::move(out_a), Fd());
  bench.loop.start(feed(*feeder, text));
  End end;
  bench.loop.start(pump_once(*from, *to, bench.session.there, bench.session, end));
  auto result = run(bench.loop, read_all(*drain)).first;
  bench.loop.run();
  EXPECT_EQ(end, End::finished);
  return result;
}

TEST(Pump, MovesEverythingWhateverTheSize) {
  for (const bool sockets : {false, true})
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, kib(64) - 1, kib(64), kib(64) + 1, mib(1), mib(5) + 3}) {
      Bench bench;
      EXPECT_EQ(pumped(bench, sample_text(size), sockets), sample_text(size)) << size;
      EXPECT_EQ(bench.session.there.bytes, size);
    }
}

TEST(Pump, MovesAtMostAChunkAtATimeIfAskedTo) {
  Bench bench;
  bench.session.limits.chunk = 10;
  EXPECT_EQ(pumped(bench, sample_text(1001), false), sample_text(1001));
  EXPECT_GE(bench.session.there.reads, 101U);
}

TEST(Pump, KeepsReadingAfterTheWriterIsSlow) {
  Bench bench;
  auto [in_a, in_b] = pipe_ends();
  auto [out_a, out_b] = socket_pair();
  const int small = 4096;
  ::setsockopt(out_b.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  auto feeder = pipe_stream(bench.loop, Fd(), std::move(in_b));
  auto from = pipe_stream(bench.loop, std::move(in_a), Fd());
  auto to = socket_stream(bench.loop, std::move(out_b));
  bench.loop.start(feed(*feeder, sample_text(mib(2))));
  End end;
  bench.loop.start(pump_once(*from, *to, bench.session.there, bench.session, end));
  const auto read_slowly = [](Loop& on, int fd, std::string& got) -> Task<> {
    char part[777];
    ssize_t count = 0;
    while ((count = ::read(fd, part, sizeof part)) != 0) {
      if (count > 0) got.append(part, static_cast<std::size_t>(count));
      co_await on.yield();
    }
  };
  std::string got;
  run(bench.loop, read_slowly(bench.loop, out_a.get(), got));
  EXPECT_EQ(got, sample_text(mib(2)));
  bench.loop.run();
  EXPECT_EQ(end, End::finished);
}

TEST(Pump, DrainsTheMiddleAndCopiesWhereTheKernelRefusesToSplice) {
  // A file in append mode cannot be spliced to (splice(2), EINVAL).
  char path[] = "/tmp/sluice-pump-XXXXXX";
  Fd file(::mkostemp(path, O_APPEND | O_CLOEXEC));
  Bench bench;
  auto [in, out] = pipe_ends();
  auto feeder = pipe_stream(bench.loop, Fd(), std::move(out));
  auto from = pipe_stream(bench.loop, std::move(in), Fd());
  FdStream::Parts parts;
  parts.out = std::make_unique<Descriptor>(bench.loop, std::move(file), Access::always_ready);
  FdStream to(std::move(parts));
  bench.loop.start(feed(*feeder, sample_text(mib(3))));
  End end;
  run(bench.loop, pump_once(*from, to, bench.session.there, bench.session, end));
  EXPECT_EQ(end, End::finished);
  const Fd again(::open(path, O_RDONLY | O_CLOEXEC));
  std::string got(mib(4), '\0');
  got.resize(static_cast<std::size_t>(::read(again.get(), got.data(), got.size())));
  EXPECT_EQ(got, sample_text(mib(3)));
  ::unlink(path);
}

TEST(Pump, MovesFromFileToFileAlsoWhereTheKernelDoesNot) {
  for (const int flags : {0, O_APPEND}) {
    Bench bench;
    const auto stream = [&](Fd fd, bool reading) {
      FdStream::Parts parts;
      (reading ? parts.in : parts.out) =
          std::make_unique<Descriptor>(bench.loop, std::move(fd), Access::always_ready);
      return std::make_unique<FdStream>(std::move(parts));
    };
    char source[] = "/tmp/sluice-pump-XXXXXX", target[] = "/tmp/sluice-pump-XXXXXX";
    const std::string text = sample_text(mib(3) + 1);
    Fd in(::mkostemp(source, O_CLOEXEC));
    ASSERT_EQ(::write(in.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ASSERT_EQ(::lseek(in.get(), 0, SEEK_SET), 0);
    const auto from = stream(std::move(in), true);
    const auto to = stream(Fd(::mkostemp(target, O_CLOEXEC | flags)), false);
    End end;
    run(bench.loop, pump_once(*from, *to, bench.session.there, bench.session, end));
    EXPECT_EQ(end, End::finished);
    EXPECT_EQ(bench.session.there.bytes, text.size());
    const Fd again(::open(target, O_RDONLY | O_CLOEXEC));
    std::string got(mib(4), '\0');
    got.resize(static_cast<std::size_t>(::read(again.get(), got.data(), got.size())));
    EXPECT_TRUE(got == text);
    ::unlink(source);
    ::unlink(target);
  }
}

TEST(Pump, WidensThePipesOfWhatKeepsComing) {
  for (const auto& [size, expected] : {std::pair{kib(4), usual_pipe_size}, {kib(512), wide_pipe_size}}) {
    Bench bench;
    auto [source, feeder_end] = pipe_ends();
    auto [drain_end, target] = pipe_ends();
    const Fd source_seen = source.duplicate(), target_seen = drain_end.duplicate();
    auto feeder = pipe_stream(bench.loop, Fd(), std::move(feeder_end));
    auto from = pipe_stream(bench.loop, std::move(source), Fd());
    auto to = pipe_stream(bench.loop, Fd(), std::move(target));
    auto drain = pipe_stream(bench.loop, std::move(drain_end), Fd());
    Flow flow;
    End end;
    bench.loop.start(feed(*feeder, sample_text(size)));
    bench.loop.start(pump_once(*from, *to, flow, bench.session, end));
    EXPECT_EQ(run(bench.loop, read_all(*drain)).first.size(), size);
    for (const Fd* seen : {&source_seen, &target_seen})
      EXPECT_EQ(::fcntl(seen->get(), F_GETPIPE_SZ), static_cast<int>(expected)) << size;
  }
}

TEST(Pump, RemembersWhatASourceFillsWhileItWaits) {
  Bench bench;
  auto [in, feeder] = socket_pair();
  auto [out, drain] = tcp_pair();
  const int drained = drain.get();
  const std::string burst = sample_text(200'000);
  const int room = 2 * static_cast<int>(burst.size());
  ::setsockopt(feeder.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  auto from = socket_stream(bench.loop, std::move(in));
  auto to = socket_stream(bench.loop, std::move(out));
  const Flow& flow = bench.session.there;
  End end;
  bench.loop.start(pump_once(*from, *to, bench.session.there, bench.session, end));
  const auto pass = [&](std::uint64_t bytes) -> Task<> {
    std::string got(burst.size(), '\0');
    while (bytes > 0) {
      const ssize_t count = ::read(drained, got.data(), got.size());
      if (count > 0) bytes -= static_cast<std::uint64_t>(count);
      co_await bench.loop.yield();
    }
  };
  std::vector<std::uint64_t> reads;
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t before = flow.reads;
    ASSERT_EQ(::write(feeder.get(), burst.data(), burst.size()), static_cast<ssize_t>(burst.size()));
    run(bench.loop, pass(burst.size()));
    reads.push_back(flow.reads - before);
  }
  EXPECT_GT(reads[0], 2U);
  EXPECT_EQ(reads[1], 1U);
  EXPECT_EQ(reads[2], 1U);
  feeder.reset();
  bench.loop.run();
  EXPECT_EQ(end, End::finished);
}

TEST(Pump, SaysThatTheTargetBroke) {
  Bench bench;
  auto [in_a, in_b] = pipe_ends();
  auto [out_a, out_b] = pipe_ends();
  auto feeder = pipe_stream(bench.loop, Fd(), std::move(in_b));
  auto from = pipe_stream(bench.loop, std::move(in_a), Fd());
  auto to = pipe_stream(bench.loop, Fd(), std::move(out_b));
  out_a.reset();
  bench.loop.start(feed(*feeder, "x"));
  End end;
  run(bench.loop, pump_once(*from, *to, bench.session.there, bench.session, end));
  EXPECT_EQ(end, End::broken);
  EXPECT_EQ(bench.session.there.target.why, std::errc::broken_pipe);
  EXPECT_EQ(bench.session.there.source, End::open);
}

TEST(Pump, DeliversWhatItReadWhenReadingIsStopped) {
  Bench bench;
  auto [in_a, in_b] = pipe_ends();
  auto [out_a, out_b] = pipe_ends();
  ASSERT_EQ(::write(in_b.get(), "held", 4), 4);
  auto from = pipe_stream(bench.loop, std::move(in_a), Fd());
  auto to = pipe_stream(bench.loop, Fd(), std::move(out_b));
  const auto stop_later = [](Loop& on, Stream& what) -> Task<> {
    for (int i = 0; i < 10; ++i) co_await on.yield();
    what.stop_reading();
  };
  bench.loop.start(stop_later(bench.loop, *from));
  End end;
  run(bench.loop, pump_once(*from, *to, bench.session.there, bench.session, end));
  EXPECT_EQ(end, End::abandoned);
  char got[8];
  EXPECT_EQ(::read(out_a.get(), got, sizeof got), 4);
  EXPECT_EQ(::read(out_a.get(), got, sizeof got), 0) << "the target is finished all the same";
}

}  // namespace
}  // namespace sluice
