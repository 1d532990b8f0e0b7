#include "sluice/stream/plain.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <future>
#include <string>

#include "sluice/core/fd.h"
#include "sluice/core/pipe.h"
#include "sluice/text/lines.h"
#include "sluice/text/upper.h"

namespace sluice {
namespace {

struct Pipe {
  Fd reading, writing;
  explicit Pipe(int flags = 0) {
    int ends[2];
    check("make a pipe", ::pipe2(ends, O_CLOEXEC | flags));
    reading.reset(ends[0]);
    writing.reset(ends[1]);
  }
};

std::string read_to_end(int fd) {
  std::string text;
  plain::Reader reader;
  EXPECT_FALSE(reader.each(fd, [&](ConstBytes piece) { text += as_text(piece); }));
  return text;
}

std::future<std::string> reading_beside(int fd) {
  return std::async(std::launch::async, [fd] { return read_to_end(fd); });
}

TEST(Plain, WritesEverythingToASlowReader) {
  for (const int flags : {0, O_NONBLOCK}) {
    Pipe pipe(flags);
    const std::string text(mib(2) + 3, 'x');
    auto read = reading_beside(pipe.reading.get());
    plain::write_all(pipe.writing.get(), text);
    pipe.writing.reset();
    EXPECT_TRUE(read.get() == text);
  }
}

TEST(Plain, WaitsForInputThatArrivesNonBlocking) {
  Pipe pipe(O_NONBLOCK);
  auto read = reading_beside(pipe.reading.get());
  for (const std::string_view piece : {"one ", "two ", "three"}) plain::write_all(pipe.writing.get(), piece);
  pipe.writing.reset();
  EXPECT_EQ(read.get(), "one two three");
  EXPECT_NE(::fcntl(pipe.reading.get(), F_GETFL) & O_NONBLOCK, 0) << "the flag is not ours to clear";
}

TEST(Plain, ReturnsWhatThereIsAtOnce) {
  const Pipe pipe;
  plain::write_all(pipe.writing.get(), std::string_view("abc"));
  char buffer[16];
  EXPECT_EQ(plain::read_some(pipe.reading.get(), buffer).count, 3u);
}

TEST(Plain, GoesOnAfterASignal) {
  struct sigaction action {};
  action.sa_handler = [](int) {};  // without SA_RESTART: the call is interrupted
  struct sigaction before {};
  ::sigaction(SIGUSR1, &action, &before);
  Pipe pipe;
  std::promise<pthread_t> started;
  auto read = std::async(std::launch::async, [&] {
    started.set_value(::pthread_self());
    return read_to_end(pipe.reading.get());
  });
  const pthread_t reader = started.get_future().get();
  for (int i = 0; i < 100; ++i) ::pthread_kill(reader, SIGUSR1);
  plain::write_all(pipe.writing.get(), std::string_view("still here"));
  pipe.writing.reset();
  EXPECT_EQ(read.get(), "still here");
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST(Plain, TellsWhyAnInputFailed) {
  plain::Reader reader;
  const auto never = [](ConstBytes) { FAIL(); };
  const Fd folder(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const Pipe pipe;
  EXPECT_EQ(reader.each(folder.get(), never).value(), EISDIR);
  EXPECT_EQ(reader.each(-1, never).value(), EBADF);
  EXPECT_EQ(reader.each(pipe.writing.get(), never).value(), EBADF);
}

TEST(Plain, ThrowsWhenItsOutputFails) {
  const Fd full(check("open /dev/full", ::open("/dev/full", O_WRONLY | O_CLOEXEC)));
  try {
    plain::write_all(full.get(), std::string_view("x"));
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_STREQ(failure.what(), "write error: No space left on device");
    EXPECT_EQ(failure.status(), ExitStatus::failure);
  }
  EXPECT_NO_THROW(plain::write_all(full.get(), {}));
}

TEST(PlainRunner, WritesWhatAPieceBecameBeforeItReadsMore) {
  Pipe in, out;
  auto done = std::async(std::launch::async, [&] {
    const auto filter = upper_filter();
    plain::Runner runner(*filter, out.writing.get());
    const auto why = runner.feed(in.reading.get());
    runner.finish();
    return why;
  });
  for (const auto& [piece, wanted] : {std::pair("one", "ONE"), std::pair("two", "TWO")}) {
    plain::write_all(in.writing.get(), std::string_view(piece));
    char buffer[16];
    const auto reading = plain::read_some(out.reading.get(), buffer);
    EXPECT_EQ(std::string_view(buffer, reading.count), wanted);
  }
  in.writing.reset();
  EXPECT_FALSE(done.get());
}

TEST(PlainRunner, MakesOneTextOfSeveralInputs) {
  Pipe first, second, out;
  plain::write_all(first.writing.get(), std::string_view("a\nb"));
  plain::write_all(second.writing.get(), std::string_view("c\nd"));
  first.writing.reset();
  second.writing.reset();
  CountLinesFilter filter({.partial = true});
  plain::Runner runner(filter, out.writing.get());
  EXPECT_FALSE(runner.feed(first.reading.get()));
  EXPECT_EQ(runner.feed(-1).value(), EBADF);
  EXPECT_FALSE(runner.feed(second.reading.get()));
  runner.finish();
  out.writing.reset();
  EXPECT_EQ(read_to_end(out.reading.get()), "3\n");
}

/// A nameless file of lines, larger than what is filtered without a thread.
Fd large_file(std::string& text) {
  while (text.size() < mib(5)) text += "linha número " + std::to_string(text.size()) + '\n';
  char path[] = "/tmp/sluice-plain-XXXXXX";
  Fd file(check("make a file", ::mkostemp(path, O_CLOEXEC)));
  ::unlink(path);
  plain::write_all(file.get(), text);
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_SET), 0);
  return file;
}

std::string upper_of(const std::string& text) {
  Output out;
  upper_filter()->feed(text, out);
  return std::string(as_text(out.data()));
}

TEST(PlainRunner, KeepsTheOrderOfALargeFileAndWhatComesAfterIt) {
  std::string text;
  const Fd file = large_file(text);
  Pipe small, out;
  plain::write_all(small.writing.get(), std::string_view("e o resto"));
  small.writing.reset();
  auto read = reading_beside(out.reading.get());
  const auto filter = upper_filter();
  std::atomic<std::uint64_t> moved = 0;
  plain::Runner runner(*filter, out.writing.get(), &moved);
  EXPECT_FALSE(runner.feed(file.get()));
  EXPECT_FALSE(runner.feed(small.reading.get()));
  runner.finish();
  out.writing.reset();
  EXPECT_TRUE(read.get() == upper_of(text + "e o resto"));
  EXPECT_EQ(moved, text.size() + 9);
}

TEST(PlainRunner, ThrowsWhenTheOutputOfALargeFileFails) {
  std::string text;
  const Fd file = large_file(text);
  const Fd full(check("open /dev/full", ::open("/dev/full", O_WRONLY | O_CLOEXEC)));
  const auto filter = upper_filter();
  plain::Runner runner(*filter, full.get());
  EXPECT_THROW(runner.feed(file.get()), Failure);
}

TEST(PlainRunner, WidensThePipesOfALargeTextOnly) {
  for (const auto& [size, expected] : {std::pair{kib(4), usual_pipe_size}, {kib(256), wide_pipe_size}}) {
    Pipe in, out;
    // Not by a Reader, which would widen the pipe too.
    auto read = std::async(std::launch::async, [&out] {
      std::string text;
      char part[kib(16)];
      while (const auto count = plain::read_some(out.reading.get(), part).count) text.append(part, count);
      return text;
    });
    auto written = std::async(std::launch::async, [&in, size = size] {
      plain::write_all(in.writing.get(), std::string(size, 'x'));
      in.writing.reset();
    });
    const auto filter = upper_filter();
    plain::Runner runner(*filter, out.writing.get());
    EXPECT_FALSE(runner.feed(in.reading.get()));
    EXPECT_EQ(::fcntl(in.reading.get(), F_GETPIPE_SZ), static_cast<int>(expected));
    EXPECT_EQ(::fcntl(out.writing.get(), F_GETPIPE_SZ), static_cast<int>(expected));
    out.writing.reset();
    EXPECT_EQ(read.get().size(), size);
  }
}

TEST(WriteBehind, WritesInTurnAndLeavesAnEmptyBuffer) {
  Pipe pipe;
  plain::WriteBehind behind(pipe.writing.get());
  Output piece;
  for (const std::string_view part : {"one ", "two ", "three"}) {
    piece.append(part);
    behind.give(piece);
    EXPECT_TRUE(piece.empty());
  }
  behind.finish();
  pipe.writing.reset();
  EXPECT_EQ(read_to_end(pipe.reading.get()), "one two three");
}

TEST(WriteBehind, ThrowsWhatWritingThrewEachTimeItIsAsked) {
  const Fd full(check("open /dev/full", ::open("/dev/full", O_WRONLY | O_CLOEXEC)));
  plain::WriteBehind behind(full.get());
  Output piece;
  piece.append(std::string_view("lost"));
  behind.give(piece);
  EXPECT_THROW(behind.finish(), Failure);
  EXPECT_THROW(behind.give(piece), Failure);
}

TEST(Plain, CountsWhatHasGoneThrough) {
  Pipe in, out;
  std::atomic<std::uint64_t> moved = 0;
  const auto filter = upper_filter();
  plain::Runner runner(*filter, out.writing.get(), &moved);
  plain::write_all(in.writing.get(), std::string_view("one two"));
  in.writing.reset();
  EXPECT_FALSE(runner.feed(in.reading.get()));
  EXPECT_EQ(moved, 7U);
  Pipe more;
  plain::write_all(more.writing.get(), std::string_view("three"));
  more.writing.reset();
  EXPECT_FALSE(runner.feed(more.reading.get()));
  EXPECT_EQ(moved, 12U);
}

}  // namespace
}  // namespace sluice
