#include "sluice/stream/line_scanner.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <future>
#include <string>

#include "inputs.h"
#include "sluice/core/pipe.h"
#include "sluice/stream/plain.h"

namespace sluice {
namespace {

std::future<void> writing_beside(Fd to, std::string text) {
  return std::async(std::launch::async, [to = std::move(to), text = std::move(text)]() mutable {
    // The reader waits for the end of its input, whatever the future's owner does.
    const Fd end = std::move(to);
    plain::write_all(end.get(), text);
  });
}

std::future<std::string> reading_beside(int fd) {
  return std::async(std::launch::async, [fd] {
    std::string text;
    plain::Reader reader;
    EXPECT_FALSE(reader.each(fd, [&](ConstBytes piece) { text += as_text(piece); }));
    return text;
  });
}

TEST(LineScanner, CountsFilesFromWhereTheyStandToTheirEnd) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kib(256) - 1, kib(256), kib(256) + 1, mib(9) + 7}) {
    const std::string text = text_of(size);
    const Fd file = memory_file(text);
    for (const std::size_t begin : {std::size_t{0}, size / 3, size})
      for (const unsigned threads : {1U, 2U, 5U}) {
        ProgressCounts running;
        LineScanner scanner({.lines = {}, .threads = threads}, running);
        ::lseek(file.get(), static_cast<off_t>(begin), SEEK_SET);
        const Scan scan = scanner.count(file.get());
        EXPECT_EQ(scan.counter.terminated(), count_of(text.substr(begin)))
            << size << ' ' << begin << ' ' << threads;
        EXPECT_EQ(scan.counter.bytes(), size - begin);
        EXPECT_EQ(scan.counter.unterminated(), size > begin && text.back() != '\n');
        EXPECT_EQ(running.lines, scan.counter.terminated());
        EXPECT_EQ(running.bytes, scan.counter.bytes());
        EXPECT_EQ(::lseek(file.get(), 0, SEEK_CUR), static_cast<off_t>(size));
      }
  }
}

TEST(LineScanner, KnowsAboutTheLastLineOfALargeFile) {
  for (const std::string end : {"", "\n", "x", "\nx", "x\n"}) {
    const std::string text = std::string(mib(5), 'y') + end;
    const Fd file = memory_file(text);
    ProgressCounts running;
    LineScanner scanner({.lines = {.partial = true}, .threads = 2}, running);
    const Scan scan = scanner.count(file.get());
    EXPECT_EQ(scan.counter.unterminated(), !text.ends_with('\n')) << end;
    EXPECT_EQ(running.lines, count_of(text) + (text.ends_with('\n') ? 0 : 1));
  }
  // What a hole ends with is a NUL.
  const Fd hole = memory_file();
  ASSERT_EQ(::ftruncate(hole.get(), static_cast<off_t>(mib(64))), 0);
  for (const char delimiter : {'\n', '\0'}) {
    const Fd file = reopened(hole, O_RDONLY);
    ProgressCounts running;
    LineScanner scanner({.lines = {.delimiter = delimiter}}, running);
    const Scan scan = scanner.count(file.get());
    EXPECT_EQ(scan.counter.unterminated(), delimiter != '\0');
    EXPECT_EQ(scan.counter.terminated(), delimiter == '\0' ? mib(64) : 0);
  }
}

TEST(LineScanner, WidensAPipeOnlyOnceMuchCame) {
  for (const auto& [size, wide] : {std::pair(kib(200), false), std::pair(mib(2), true)}) {
    PipeEnds pipe = make_pipe();
    const std::string text = text_of(size);
    auto written = writing_beside(std::move(pipe.writing), text);
    ProgressCounts running;
    LineScanner scanner({}, running);
    EXPECT_EQ(scanner.count(pipe.reading.get()).counter.terminated(), count_of(text));
    written.get();
    EXPECT_EQ(::fcntl(pipe.reading.get(), F_GETPIPE_SZ),
              static_cast<int>(wide ? wide_pipe_size : usual_pipe_size));
  }
}

TEST(LineScanner, TellsWhyAnInputFailedAndGoesOnWithTheNext) {
  ProgressCounts running;
  LineScanner scanner({}, running);
  const Fd folder(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(scanner.count(folder.get()).why.value(), EISDIR);
  EXPECT_EQ(scanner.count(-1).why.value(), EBADF);
  PipeEnds pipe = make_pipe();
  plain::write_all(pipe.writing.get(), std::string_view("a\nb\n"));
  pipe.writing.reset();
  const Scan scan = scanner.count(pipe.reading.get());
  EXPECT_FALSE(scan.why);
  EXPECT_EQ(scan.counter.terminated(), 2U);
}

/// What passes through, and what was counted of it.
struct Passed {
  std::string text;
  Scan scan;
};

Passed pass(const std::string& text, int in_flags, int out_flags, int out_size, const ScanRules& rules = {}) {
  PipeEnds in = make_pipe(in_flags), out = make_pipe(out_flags);
  if (out_size > 0) {
    EXPECT_GE(::fcntl(out.writing.get(), F_SETPIPE_SZ, out_size), out_size);
  }
  auto written = writing_beside(std::move(in.writing), text);
  auto read = reading_beside(out.reading.get());
  ProgressCounts running;
  LineScanner scanner(rules, running);
  Passed passed{{}, scanner.pass(in.reading.get(), out.writing.get())};
  out.writing.reset();
  // Who still writes finds no reader.
  in.reading.reset();
  passed.text = read.get();
  try {
    written.get();
  } catch (const Failure&) {
    EXPECT_TRUE(passed.scan.too_many);
  }
  return passed;
}

TEST(LineScanner, PassesOnAllThatComesBetweenPipesOfEveryKind) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kib(64), kib(64) + 1, mib(3) + 5})
    for (const int in_flags : {0, O_NONBLOCK})
      for (const int out_flags : {0, O_NONBLOCK})
        for (const int out_size : {0, 4096}) {
          const std::string text = text_of(size);
          const Passed passed = pass(text, in_flags, out_flags, out_size);
          EXPECT_TRUE(passed.text == text) << size << ' ' << in_flags << ' ' << out_flags << ' ' << out_size;
          EXPECT_EQ(passed.scan.counter.terminated(), count_of(text));
          EXPECT_EQ(passed.scan.counter.bytes(), size);
        }
}

TEST(LineScanner, WidensThePipesThatMuchPassesThrough) {
  const std::string text = text_of(mib(2));
  for (const bool to_file : {false, true}) {
    PipeEnds in = make_pipe(), out = make_pipe();
    const Fd file = memory_file();
    auto written = writing_beside(std::move(in.writing), text);
    auto read = reading_beside(out.reading.get());
    ProgressCounts running;
    LineScanner scanner({}, running);
    scanner.pass(in.reading.get(), to_file ? file.get() : out.writing.get());
    // What is handed on stands in both of them.
    const std::size_t wide = to_file ? wide_pipe_size : 2 * wide_pipe_size;
    EXPECT_EQ(::fcntl(in.reading.get(), F_GETPIPE_SZ), static_cast<int>(wide));
    EXPECT_EQ(::fcntl(out.writing.get(), F_GETPIPE_SZ), static_cast<int>(to_file ? usual_pipe_size : wide));
    out.writing.reset();
    written.get();
    EXPECT_TRUE(read.get() == (to_file ? "" : text));
  }
}

TEST(LineScanner, PassesToAndFromWhatIsNoPipe) {
  const std::string text = text_of(mib(2));
  const Fd in = memory_file(text), out = memory_file();
  ProgressCounts running;
  LineScanner scanner({}, running);
  EXPECT_EQ(scanner.pass(in.get(), out.get()).counter.terminated(), count_of(text));
  const Fd copy = reopened(out, O_RDONLY);
  EXPECT_TRUE(reading_beside(copy.get()).get() == text);
}

TEST(LineScanner, FailsWhenWhatItPassesIsNotRead) {
  struct sigaction ignore {
  }, before{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &before);
  PipeEnds in = make_pipe(), out = make_pipe();
  plain::write_all(in.writing.get(), std::string_view("x\n"));
  out.reading.reset();
  ProgressCounts running;
  LineScanner scanner({}, running);
  try {
    scanner.pass(in.reading.get(), out.writing.get());
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_STREQ(failure.what(), "write error: Broken pipe");
  }
  ::sigaction(SIGPIPE, &before, nullptr);
}

/// The longest beginning of a text that has not more than so many lines.
std::string beginning(const std::string& text, std::uint64_t most, bool partial) {
  for (std::size_t size = text.size();; --size) {
    const std::string part = text.substr(0, size);
    const bool open = partial && !part.empty() && part.back() != '\n';
    if (count_of(part) + (open ? 1 : 0) <= most) return part;
  }
}

TEST(LineScanner, StopsOnceThereAreTooManyLines) {
  for (const std::string text : {"", "\n", "x", "a\n", "a\nb", "a\nb\n", "\n\n\n", "a\nb\nc\nd", "a\n\nbc\n"})
    for (const bool partial : {false, true})
      for (const std::uint64_t most : {0U, 1U, 2U, 3U, 4U, 9U}) {
        const std::uint64_t all = count_of(text) + (partial && !text.empty() && text.back() != '\n' ? 1 : 0);
        const Passed passed = pass(text, 0, 0, 0, {.lines = {.partial = partial}, .most = most});
        EXPECT_EQ(passed.scan.too_many, all > most) << text << ' ' << most;
        EXPECT_EQ(passed.text, beginning(text, most, partial)) << text << ' ' << most << ' ' << partial;
        // Byte by byte it is the same.
        PipeEnds in = make_pipe(), out = make_pipe();
        auto written = std::async(std::launch::async, [&in, &text] {
          for (const char& c : text) plain::write_all(in.writing.get(), {&c, 1});
          in.writing.reset();
        });
        ProgressCounts running;
        LineScanner scanner({.lines = {.partial = partial}, .most = most}, running);
        EXPECT_EQ(scanner.pass(in.reading.get(), out.writing.get()).too_many, all > most);
        out.writing.reset();
        EXPECT_EQ(reading_beside(out.reading.get()).get(), beginning(text, most, partial));
        written.get();
      }
}

TEST(LineScanner, AllowsSoManyLinesOfAllInputsTogether) {
  const auto count = [](LineScanner& scanner) {
    return scanner.count(memory_file("1\n2\n3").get()).too_many;
  };
  for (const bool partial : {false, true}) {
    ProgressCounts running;
    LineScanner scanner({.lines = {.partial = partial}, .most = partial ? 6U : 4U}, running);
    EXPECT_FALSE(count(scanner));
    EXPECT_FALSE(count(scanner));
    EXPECT_TRUE(count(scanner));
  }
}

TEST(LineScanner, StopsWithinALargeFile) {
  const std::string text(mib(8), '\n');
  for (const unsigned threads : {1U, 2U})
    for (const std::uint64_t most : {text.size() - 1, text.size(), text.size() + 1}) {
      const Fd file = memory_file(text);
      ProgressCounts running;
      LineScanner scanner({.lines = {}, .threads = threads, .most = most}, running);
      EXPECT_EQ(scanner.count(file.get()).too_many, most < text.size()) << most;
    }
  // An open line whose end comes later is one line.
  const Fd file = memory_file(std::string(mib(5), 'x') + '\n');
  ProgressCounts running;
  LineScanner scanner({.lines = {.partial = true}, .threads = 2, .most = 1}, running);
  EXPECT_FALSE(scanner.count(file.get()).too_many);
  EXPECT_EQ(running.lines, 1U);
}

}  // namespace
}  // namespace sluice
