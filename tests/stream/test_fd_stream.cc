#include "sluice/stream/fd_stream.h"

#include <gtest/gtest.h>

#include "on_loop.h"
#include "sluice/stream/session.h"

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

TEST(FdStream, ReadsWhatWasWrittenUntilTheOtherSideFinishes) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kib(64) - 1, kib(64), kib(64) + 1, mib(1)}) {
    Loop loop;
    auto [a, b] = socket_pair();
    auto left = socket_stream(loop, std::move(a));
    auto right = socket_stream(loop, std::move(b));
    const auto send = [](Stream& to, std::string text) -> Task<> {
      co_await write_text(to, std::move(text));
      co_await to.finish();
    };
    loop.start(send(*left, sample_text(size)));
    const auto [text, end] = run(loop, read_all(*right));
    EXPECT_EQ(text, sample_text(size));
    EXPECT_EQ(end, End::finished);
  }
}

TEST(FdStream, StillReadsAfterItHasFinished) {
  Loop loop;
  auto [a, b] = socket_pair();
  auto left = socket_stream(loop, std::move(a));
  ASSERT_EQ(run(loop, left->finish()), End::open);
  ASSERT_EQ(::write(b.get(), "late", 4), 4);
  b.reset();
  EXPECT_EQ(run(loop, read_all(*left)).first, "late");
}

TEST(FdStream, WritingToWhoHasGoneIsBroken) {
  ::signal(SIGPIPE, SIG_IGN);
  Loop loop;
  auto [in, out] = pipe_ends();
  auto stream = pipe_stream(loop, Fd(), std::move(out));
  in.reset();
  const End end = run(loop, write_text(*stream, "x"));
  EXPECT_EQ(end, End::broken);
  EXPECT_EQ(end.why, std::errc::broken_pipe);
}

TEST(FdStream, StoppedReadingAndWritingAreAbandonedByThemselves) {
  Loop loop;
  auto [a, b] = socket_pair();
  auto stream = socket_stream(loop, std::move(a));
  stream->stop_reading();
  EXPECT_EQ(run(loop, read_all(*stream)).second, End::abandoned);
  EXPECT_EQ(run(loop, write_text(*stream, "x")), End::open);
  stream->stop_writing();
  EXPECT_EQ(run(loop, write_text(*stream, "x")), End::abandoned);
  run(loop, stream->closed());
}

TEST(FdStream, ClosingAfterACutDoesNotWaitForAPeerThatHasEverything) {
  Loop loop;
  auto [a, b] = tcp_pair();
  auto stream = socket_stream(loop, std::move(a));
  ASSERT_EQ(run(loop, write_text(*stream, "last")), End::open);
  Limits limits;
  limits.cut = true;
  limits.linger = std::chrono::hours(1);
  run(loop, stream->close(limits));
  char text[8];
  EXPECT_EQ(::read(b.get(), text, sizeof text), 4);
  EXPECT_EQ(::read(b.get(), text, sizeof text), 0);
}

TEST(FdStream, ClosingDiscardsUnreadInputSoThatNothingWrittenIsLost) {
  Loop loop;
  auto [a, b] = socket_pair();
  auto stream = socket_stream(loop, std::move(a));
  ASSERT_EQ(::write(b.get(), "unread", 6), 6);
  ASSERT_EQ(run(loop, write_text(*stream, "answer")), End::open);
  const auto close_peer_later = [](Loop& on, Fd& peer, std::string& got) -> Task<> {
    char text[16];
    ssize_t count = 0;
    while ((count = ::read(peer.get(), text, sizeof text)) != 0) {
      if (count > 0)
        got.append(text, static_cast<std::size_t>(count));
      else
        co_await on.yield();
    }
    peer.reset();
  };
  std::string got;
  loop.start(close_peer_later(loop, b, got));
  run(loop, stream->close(Limits{}));
  loop.run();
  EXPECT_EQ(got, "answer");
}

TEST(FdStream, FinishingReplacesAnInheritedOutputSoThatItsReaderSeesTheEnd) {
  Loop loop;
  auto [in, out] = pipe_ends();
  const int inherited = out.duplicate().release();
  FdStream::Parts parts;
  parts.out = std::make_unique<Descriptor>(loop, std::move(out));
  parts.inherited_out = inherited;
  FdStream stream(std::move(parts));
  run(loop, stream.finish());
  char byte = 0;
  EXPECT_EQ(::read(in.get(), &byte, 1), 0);
  EXPECT_NE(::fcntl(inherited, F_GETFD), -1) << "its number must stay taken";
  ::close(inherited);
}

TEST(FdStream, IsRawUnlessItsSocketIsShared) {
  Loop loop;
  auto [a, b] = socket_pair();
  EXPECT_NE(socket_stream(loop, std::move(a))->raw().in, nullptr);
  FdStream::Parts parts;
  parts.in = std::make_unique<Descriptor>(loop, std::move(b), Access::shared_socket);
  parts.both = true;
  EXPECT_EQ(FdStream(std::move(parts)).raw().in, nullptr);
}

}  // namespace
}  // namespace sluice
