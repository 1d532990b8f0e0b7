#include "sluice/stream/decorators.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "on_loop.h"

namespace sluice {
namespace {

using testing::pipe_ends;
using testing::pipe_stream;
using testing::read_all;
using testing::run;
using testing::write_text;

TEST(LimitReading, AsksTheKernelForNoMoreThanItsCount) {
  Loop loop;
  auto [in, out] = pipe_ends();
  const Fd same = in.duplicate();
  ASSERT_EQ(::write(out.get(), "0123456789rest", 14), 14);
  auto stream = limit_reading(pipe_stream(loop, std::move(in), Fd()), 10);
  EXPECT_TRUE(stream->info().traits.input_ends);
  EXPECT_EQ(stream->raw().in, nullptr);
  const auto [text, end] = run(loop, read_all(*stream));
  EXPECT_EQ(text, "0123456789");
  EXPECT_EQ(end, End::finished);
  char rest[8];
  EXPECT_EQ(::read(same.get(), rest, sizeof rest), 4);
}

TEST(EndAt, GivesWhatStandsBeforeTheCharacterAndThenTheEnd) {
  struct {
    const char *text, *before;
  } constexpr cases[] = {
      {"ab\033cd", "ab"}, {"\033ab", ""}, {"ab\033", "ab"}, {"abc", "abc"}, {"a\033b\033", "a"}};
  for (const auto& [text, before] : cases) {
    Loop loop;
    auto [in, out] = pipe_ends();
    ASSERT_GT(::write(out.get(), text, std::strlen(text)), 0);
    out.reset();
    auto stream = end_at(pipe_stream(loop, std::move(in), Fd()), '\033');
    const auto [got, end] = run(loop, read_all(*stream));
    EXPECT_EQ(got, before);
    EXPECT_EQ(end, End::finished);
  }
}

TEST(IgnoreEof, GoesOnReadingBehindTheEndUntilStopped) {
  Loop loop;
  auto [in, out] = pipe_ends();
  ASSERT_EQ(::write(out.get(), "x", 1), 1);
  out.reset();
  auto stream = ignore_eof(pipe_stream(loop, std::move(in), Fd()), loop);
  EXPECT_FALSE(stream->info().traits.input_ends);
  const auto stop_later = [](Loop& on, Stream& what) -> Task<> {
    co_await on.sleep(std::chrono::milliseconds(1));
    what.stop_reading();
  };
  loop.start(stop_later(loop, *stream));
  const auto [text, end] = run(loop, read_all(*stream));
  EXPECT_EQ(text, "x");
  EXPECT_EQ(end, End::abandoned);
}

TEST(IgnoreEof, ReadsWhatAFileGrowsBy) {
  Loop loop;
  char path[] = "/tmp/sluice-grows-XXXXXX";
  Fd file(::mkostemp(path, O_CLOEXEC));
  Fd more(::open(path, O_WRONLY | O_APPEND | O_CLOEXEC));
  ::unlink(path);
  FdStream::Parts parts;
  parts.in = std::make_unique<Descriptor>(loop, std::move(file), Access::always_ready);
  auto stream = ignore_eof(std::make_unique<FdStream>(std::move(parts)), loop);
  const auto grow_later = [](Loop& on, Stream& what, Fd& end) -> Task<> {
    // The end has been seen by then, and once more after it.
    co_await on.sleep(std::chrono::milliseconds(150));
    EXPECT_EQ(::write(end.get(), "grown", 5), 5);
    co_await on.sleep(std::chrono::milliseconds(250));
    what.stop_reading();
  };
  loop.start(grow_later(loop, *stream, more));
  EXPECT_EQ(run(loop, read_all(*stream)).first, "grown");
}

class Collecting final : public Tap {
 public:
  explicit Collecting(std::vector<std::string>& into) : into_(into) {}
  Task<> see(ConstBytes bytes) override {
    into_.emplace_back(as_text(bytes));
    co_return;
  }

 private:
  std::vector<std::string>& into_;
};

TEST(Tap, SeesEveryByteOnceInChunks) {
  Loop loop;
  auto [in, out] = pipe_ends();
  auto [other_in, other_out] = pipe_ends();
  ASSERT_EQ(::write(out.get(), "abcdefg", 7), 7);
  out.reset();
  std::vector<std::string> read, written;
  auto stream = tap(pipe_stream(loop, std::move(in), std::move(other_out)), 3,
                    std::make_unique<Collecting>(read), std::make_unique<Collecting>(written));
  EXPECT_EQ(run(loop, read_all(*stream)).first, "abcdefg");
  EXPECT_EQ(read, (std::vector<std::string>{"abc", "def", "g"}));
  run(loop, write_text(*stream, "xy"));
  run(loop, write_text(*stream, "z"));
  EXPECT_EQ(written, (std::vector<std::string>{"xy", "z"}));
}

/// A relay would take what cannot be written for a target that has gone.
TEST(Join, CanBeWrittenIfItsWriterCan) {
  Loop loop;
  auto [in, fill] = pipe_ends();
  auto [look, out] = pipe_ends();
  const auto one_way = join(pipe_stream(loop, std::move(in), Fd()), pipe_stream(loop, Fd(), std::move(out)));
  EXPECT_TRUE(one_way->info().writable);
  const auto mute = join(pipe_stream(loop, Fd(), std::move(fill)), pipe_stream(loop, std::move(look), Fd()));
  EXPECT_FALSE(mute->info().writable);
}

TEST(Join, ReadsOneStreamAndWritesTheOther) {
  Loop loop;
  auto [in, fill] = pipe_ends();
  auto [look, out] = pipe_ends();
  ASSERT_EQ(::write(fill.get(), "in", 2), 2);
  fill.reset();
  auto stream = join(pipe_stream(loop, std::move(in), Fd()), pipe_stream(loop, Fd(), std::move(out)));
  EXPECT_EQ(run(loop, read_all(*stream)).first, "in");
  run(loop, write_text(*stream, "out"));
  run(loop, stream->finish());
  char text[8];
  EXPECT_EQ(::read(look.get(), text, sizeof text), 3);
  EXPECT_EQ(::read(look.get(), text, sizeof text), 0);
}

}  // namespace
}  // namespace sluice
