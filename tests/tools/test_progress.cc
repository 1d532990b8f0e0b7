#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "sluice/core/bytes.h"
#include "watched_terminal.h"

/// --progress of the filters.
namespace sluice::test {
namespace {

using Rows = std::vector<std::string>;

/// The only line of an output, which has no control characters.
std::string only_line(const std::string& output) {
  EXPECT_EQ(output.find_first_of("\r\x1b"), output.npos) << output;
  EXPECT_EQ(output.find('\n'), output.size() - 1) << output;
  return output.substr(0, output.find('\n'));
}

TEST(Progress, IsDrawnWhileTheInputWaits) {
  WatchedTerminal terminal;
  Running upper({tool("upper"), "--progress"}, terminal.of({2}, {.more_input = true}));
  upper.write("one\n");
  terminal.wait_for("\r    4 B  ");
  terminal.wait_for("B/s  avg ");
  terminal.wait_for("  0:00:0");
  terminal.wait_for("\x1b[K");
  upper.write(std::string(996, '.'));
  terminal.wait_for("\r1.00 kB  ");
  EXPECT_EQ(upper.wait(), (Ended{.out = "ONE\n" + std::string(996, '.'), .status = 0}));
  const Rows rows = terminal.rows_at_end();
  ASSERT_EQ(rows.size(), 2U) << terminal.written();
  EXPECT_TRUE(is_last_line(rows[0], "upper: 1000 bytes (1.00 kB)")) << rows[0];
  EXPECT_EQ(rows[1], "");
}

/// A file of four of the pieces in which filters read, behind `skipped` bytes that were read already.
Fd four_pieces(const TemporaryDirectory& folder, std::size_t skipped) {
  const std::string path = folder.file("four", std::string(skipped + 4 * kib(256), 'x'));
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ::lseek(file.get(), static_cast<off_t>(skipped), SEEK_SET);
  return file;
}

TEST(Progress, KnowsHowMuchOfAFileIsLeft) {
  const TemporaryDirectory folder;
  for (const std::size_t skipped : {0, 100'000}) {
    WatchedTerminal terminal;
    const Fd file = four_pieces(folder, skipped);
    Pipe pipe = make_pipe();
    // A size that is chosen stays, however much goes through.
    ASSERT_EQ(::fcntl(pipe.writing.get(), F_SETPIPE_SZ, kib(128)), static_cast<int>(kib(128)));
    Running upper({tool("upper"), "--progress"},
                  terminal.of({2}, {.descriptors = {{0, file.get()}, {1, pipe.writing.get()}}}));
    pipe.writing.reset();
    terminal.wait_for("    0 B    0% [>");
    terminal.wait_for("ETA -:--:--");
    // Two pieces are through when they are taken; what the pipe holds is less than a third one.
    std::string half(2 * kib(256), '\0');
    for (std::size_t done = 0; done < half.size();) {
      const ssize_t count = ::read(pipe.reading.get(), half.data() + done, half.size() - done);
      ASSERT_GT(count, 0);
      done += static_cast<std::size_t>(count);
    }
    terminal.wait_for(" 524 kB   50% [=======>       ]  ");
    terminal.wait_for("ETA 0:00:");
    auto rest = beside([&] {
      std::size_t sum = 0;
      char buffer[4096];
      for (ssize_t count; (count = ::read(pipe.reading.get(), buffer, sizeof buffer)) > 0;)
        sum += static_cast<std::size_t>(count);
      return sum;
    });
    EXPECT_EQ(upper.wait().status, 0);
    EXPECT_EQ(rest.get(), half.size());
    EXPECT_TRUE(is_last_line(terminal.rows_at_end()[0], "upper: 1048576 bytes (1.05 MB)"));
  }
}

TEST(Progress, SumsTheSizesOfAllFiles) {
  const TemporaryDirectory folder;
  const std::string one = folder.file("one", std::string(kib(256), '\n'));
  const std::string two = folder.file("two", std::string(3 * kib(256), '\n'));
  const std::string list = folder.file("list", one + '\0' + two + '\0');
  for (const std::vector<std::string>& words : {std::vector{one, two},
                                                {one, folder.path() + "/none", folder.path(), two},
                                                {"--files0-from=" + list}}) {
    WatchedTerminal terminal(100);
    Pipe pipe = make_pipe();
    // Smaller than a piece, and not to be widened, since somebody chose it.
    ASSERT_GT(::fcntl(pipe.writing.get(), F_SETPIPE_SZ, 4096), 0);
    std::vector<std::string> all = {tool("count-lines"), "--progress", "--pass"};
    all.insert(all.end(), words.begin(), words.end());
    Running counting(all, terminal.of({2}, {.descriptors = {{1, pipe.writing.get()}}}));
    pipe.writing.reset();
    std::string buffer(kib(256), '\0');
    for (std::size_t done = 0; done < buffer.size();)
      done += static_cast<std::size_t>(::read(pipe.reading.get(), buffer.data(), buffer.size() - done));
    terminal.wait_for(" 262 kB  262144 lines   25% [");
    auto rest = beside([&] {
      while (::read(pipe.reading.get(), buffer.data(), buffer.size()) > 0) {
      }
    });
    counting.wait();
    rest.get();
    const Rows rows = terminal.rows_at_end();
    ASSERT_GE(rows.size(), 2U);
    EXPECT_TRUE(is_last_line(rows[rows.size() - 2], "count-lines: 1048576 bytes (1.05 MB), 1048576 lines"))
        << rows[rows.size() - 2];
  }
}

TEST(Progress, CountsLinesAsTheyCome) {
  WatchedTerminal terminal;
  Running counting({tool("count-lines"), "--progress", "--partial"}, terminal.of({2}, {.more_input = true}));
  counting.write("a\n");
  terminal.wait_for("\r    2 B  1 line  ");
  counting.write("b\nc");
  terminal.wait_for("\r    5 B  3 lines  ");
  EXPECT_EQ(counting.wait().out, "3\n");
  EXPECT_TRUE(is_last_line(terminal.rows_at_end()[0], "count-lines: 5 bytes, 3 lines"));
}

TEST(Progress, GivesWayToMessages) {
  WatchedTerminal terminal;
  Running upper({tool("upper"), "--progress", "-", "/nowhere/file"}, terminal.of({2}, {.more_input = true}));
  upper.write("labi");
  terminal.wait_for("    4 B");
  EXPECT_EQ(upper.wait().status, 1);
  const Rows rows = terminal.rows_at_end();
  ASSERT_EQ(rows.size(), 3U) << terminal.written();
  EXPECT_EQ(rows[0], "upper: /nowhere/file: No such file or directory");
  EXPECT_TRUE(is_last_line(rows[1], "upper: 4 bytes")) << rows[1];
}

TEST(Progress, GivesWayToCountsOnTheSameTerminal) {
  const TemporaryDirectory folder;
  const std::string file = folder.file("two", "a\nb\n");
  WatchedTerminal terminal;
  Running counting({tool("count-lines"), "--progress", "-", file}, terminal.of({1, 2}, {.more_input = true}));
  counting.write("x\n");
  terminal.wait_for("    2 B  1 line");
  EXPECT_EQ(counting.wait().status, 0);
  const Rows rows = terminal.rows_at_end();
  ASSERT_EQ(rows.size(), 5U) << terminal.written();
  EXPECT_EQ(rows[0], "      1 -");
  EXPECT_EQ(rows[1], "      2 " + file);
  // The total is told while the line stands, too.
  EXPECT_EQ(rows[2], "      3 total");
  EXPECT_TRUE(is_last_line(rows[3], "count-lines: 6 bytes, 3 lines")) << rows[3];
}

TEST(Progress, IsCutToTheWidthOfTheTerminal) {
  WatchedTerminal terminal(12);
  Running upper({tool("upper"), "--progress"}, terminal.of({2}, {.more_input = true}));
  upper.write("labi");
  terminal.wait_for("\r    4 B\x1b[K");
  EXPECT_EQ(upper.wait().status, 0);
}

/// A script whose input takes longer than the first line takes to be drawn.
std::vector<std::string> slowly(const std::string& command) {
  return {"sh", "-c", "(echo labi; sleep 0.8) | " + command};
}

TEST(Progress, IsOnePlainLineWhereThereIsNoTerminal) {
  const std::string upper = only_line(run(slowly(tool("upper") + " --progress")).err);
  EXPECT_TRUE(is_last_line(upper, "upper: 5 bytes")) << upper;
  const std::string counted = only_line(run(slowly(tool("count-lines") + " --progress")).err);
  EXPECT_TRUE(is_last_line(counted, "count-lines: 5 bytes, 1 line")) << counted;
}

TEST(Progress, IsOnePlainLineOnATerminalThatCannotGoBack) {
  WatchedTerminal terminal;
  RunOptions options = terminal.of({2});
  options.environment = {"TERM=dumb"};
  run(slowly(tool("upper") + " --progress"), options);
  terminal.rows_at_end();
  EXPECT_TRUE(is_last_line(only_line(terminal.written()), "upper: 5 bytes")) << terminal.written();
}

TEST(Progress, IsOnePlainLineWhereTheDataGoes) {
  WatchedTerminal terminal;
  run(slowly(tool("upper") + " --progress"), terminal.of({1, 2}));
  const Rows rows = terminal.rows_at_end();
  EXPECT_EQ(terminal.written().find('\r'), std::string::npos) << terminal.written();
  ASSERT_EQ(rows.size(), 3U) << terminal.written();
  EXPECT_EQ(rows[0], "LABI");
  EXPECT_TRUE(is_last_line(rows[1], "upper: 5 bytes")) << rows[1];
}

/// A shell with job control on a terminal of its own, which stops who writes to it from the background.
Running on_a_terminal_of_its_own(const WatchedTerminal& terminal, const Pipe& input,
                                 const std::string& script) {
  return Running({"setsid", "--ctty", "sh", "-c", "set -m; stty tostop; " + script},
                 terminal.of({0, 2}, {.descriptors = {{7, input.reading.get()}}}));
}

TEST(Progress, IsDrawnInTheForeground) {
  WatchedTerminal terminal;
  Pipe input = make_pipe();
  Running shell = on_a_terminal_of_its_own(terminal, input, tool("upper") + " --progress <&7");
  ASSERT_EQ(::write(input.writing.get(), "labi", 4), 4);
  terminal.wait_for("\r    4 B  ");
  input.writing.reset();
  EXPECT_EQ(shell.wait(), (Ended{.out = "LABI", .status = 0}));
  EXPECT_TRUE(is_last_line(terminal.rows_at_end()[0], "upper: 4 bytes")) << terminal.written();
}

TEST(Progress, IsNotDrawnInTheBackground) {
  WatchedTerminal terminal;
  Pipe input = make_pipe();
  // Long enough for more than one line.
  Running shell = on_a_terminal_of_its_own(terminal, input,
                                           tool("upper") + " --progress <&7 & sleep 1.2; echo slept; wait");
  ASSERT_EQ(::write(input.writing.get(), "labi\n", 5), 5);
  EXPECT_EQ(shell.line(), "LABI");
  EXPECT_EQ(shell.line(), "slept");
  input.writing.reset();
  EXPECT_EQ(shell.wait(), (Ended{.status = 0})) << "and it was not stopped";
  terminal.rows_at_end();
  EXPECT_EQ(terminal.written().find("upper: "), std::string::npos) << terminal.written();
  EXPECT_EQ(terminal.written().find("\x1b[K"), std::string::npos) << terminal.written();
}

TEST(Progress, EndsInGoodOrderByASignal) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    WatchedTerminal terminal;
    Running upper({tool("upper"), "--progress"}, terminal.of({2}, {.more_input = true}));
    upper.write("labi");
    terminal.wait_for("    4 B");
    upper.signal(number);
    EXPECT_EQ(upper.wait().signal, number);
    const Rows rows = terminal.rows_at_end();
    ASSERT_EQ(rows.size(), 2U) << terminal.written();
    EXPECT_TRUE(is_last_line(rows[0], "upper: 4 bytes")) << rows[0];
  }
}

TEST(Progress, EndsByASignalThoughNobodyReadsWhatItSays) {
  for (const bool at_the_end : {false, true}) {
    Pipe full = make_pipe();
    ::fcntl(full.writing.get(), F_SETFL, O_NONBLOCK);
    const std::string chunk(4096, 'f');
    while (::write(full.writing.get(), chunk.data(), chunk.size()) > 0) {
    }
    ::fcntl(full.writing.get(), F_SETFL, 0);
    Running upper({tool("upper"), "--progress"},
                  {.more_input = true, .descriptors = {{2, full.writing.get()}}});
    upper.write("labi");
    EXPECT_EQ(upper.bytes(4), "LABI");
    // Then it has nothing to do any more but to say how much it was.
    if (at_the_end) upper.finish_input();
    upper.signal(SIGTERM);
    EXPECT_EQ(upper.wait().signal, SIGTERM);
  }
}

TEST(Progress, LeavesSignalsIgnoredThatWere) {
  Running upper({"sh", "-c", "trap '' INT HUP; exec \"$0\" --progress", tool("upper")}, {.more_input = true});
  upper.write("a");
  EXPECT_EQ(upper.bytes(1), "A");
  upper.signal(SIGINT);
  upper.signal(SIGHUP);
  upper.write("b");
  const Ended ended = upper.wait();
  EXPECT_EQ(ended.out, "B");
  EXPECT_EQ(ended.status, 0);
}

TEST(Progress, ChangesNothingAboutABrokenPipe) {
  for (const bool ignored : {false, true}) {
    Running upper({tool("upper"), "--progress"}, {.more_input = true, .ignore_broken_pipe = ignored});
    upper.write("labi");
    EXPECT_EQ(upper.bytes(4), "LABI");
    upper.stop_reading();
    upper.write("labi");
    const Ended ended = upper.wait();
    EXPECT_EQ(ended.signal, ignored ? 0 : SIGPIPE);
    EXPECT_TRUE(is_last_line(ended.err.substr(0, ended.err.find('\n')), "upper: 4 bytes")) << ended.err;
    EXPECT_EQ(ended.err.find("write error: Broken pipe") != std::string::npos, ignored) << ended.err;
  }
}

TEST(Progress, IsShownOverAddressesToo) {
  WatchedTerminal terminal;
  Running upper({tool("upper"), "--progress", "--from", "STDIN"}, terminal.of({2}, {.more_input = true}));
  upper.write("labi");
  terminal.wait_for("\r    4 B  ");
  EXPECT_EQ(upper.wait().out, "LABI");
  EXPECT_TRUE(is_last_line(terminal.rows_at_end()[0], "upper: 4 bytes"));

  const Ended counted =
      run({tool("count-lines"), "--progress", "--from", "-", "--partial"}, {.input = "a\nb\nc"});
  EXPECT_EQ(counted.out, "3\n");
  EXPECT_TRUE(is_last_line(only_line(counted.err), "count-lines: 5 bytes, 3 lines")) << counted.err;
}

TEST(Progress, KnowsTheSizesOfFilesAmongAddresses) {
  const TemporaryDirectory folder;
  const std::string one = folder.file("one", "one\n"), two = folder.file("two", "two\n");
  const Held held;
  for (const auto& sources : {std::vector<std::string>{"--from", "FILE:" + one, "--from", two}, {one, two}}) {
    WatchedTerminal terminal(120);
    std::vector<std::string> words = {tool("count-lines"), "--progress", "--to", held.address()};
    words.insert(words.end(), sources.begin(), sources.end());
    Running counting(words, terminal.of({2}));
    terminal.wait_for("\r    8 B  2 lines  100% [");
    held.let_go();
    EXPECT_EQ(counting.wait().status, 0);
    EXPECT_TRUE(is_last_line(terminal.rows_at_end()[0], "count-lines: 8 bytes, 2 lines"));
  }
}

TEST(Progress, SumsWhatIsServed) {
  WatchedTerminal terminal(120);
  Running counting({tool("count-lines"), "--progress", "--ready-fd", "5", "--serve", "TCP4-LISTEN:0"},
                   terminal.of({2}, {.captured = {5}}));
  const std::string name = counting.line(5).value_or(":0");
  const int port = std::stoi(name.substr(name.rfind(':') + 1));
  std::vector<Socket> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(Socket::to_tcp(port));
  for (auto& client : clients) client.send("a\nb\n");
  terminal.wait_for("A->B    12 B  B->A     0 B  6 lines ");
  terminal.wait_for("  3 sessions");
  for (auto& client : clients) {
    client.finish();
    EXPECT_EQ(client.receive_all(), "2\n");
  }
  terminal.wait_for("A->B    12 B  B->A     6 B  6 lines ");
  terminal.wait_for("  0 sessions");
  counting.signal(SIGTERM);
  EXPECT_EQ(counting.wait().status, 0);
  const std::string last = terminal.rows_at_end()[0];
  EXPECT_TRUE(is_last_line(last, "count-lines: A->B 12 bytes, B->A 6 bytes, 6 lines, 3 sessions")) << last;
}

TEST(Progress, OfSeveralProgramsTakesALineEach) {
  WatchedTerminal terminal;
  Running first({tool("upper"), "--progress"}, terminal.of({2}, {.more_input = true}));
  first.write("one\n");
  terminal.wait_for("\r    4 B  ");
  Running second({tool("count-lines"), "--progress"}, terminal.of({2}, {.more_input = true}));
  second.write("one\ntwo\n");
  terminal.wait_for("\r\n    8 B  ");
  terminal.wait_for("\x1b[1A");
  Running third({tool("sockcat"), "--progress", "-u", "-", "/dev/null"},
                terminal.of({2}, {.more_input = true}));
  third.write("0123456789ab");
  terminal.wait_for("\n   12 B  ");
  terminal.wait_for("\x1b[2A");
  const auto expect_rows = [&](const Rows& beginnings) {
    const Rows rows = terminal.rows_now();
    ASSERT_EQ(rows.size(), beginnings.size()) << terminal.written();
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_TRUE(rows[i].starts_with(beginnings[i])) << rows[i];
  };
  expect_rows({"    4 B  ", "    8 B  ", "   12 B  "});
  // Who ends leaves a line above, and the others move up.
  first.wait();
  terminal.wait_for("upper: 4 bytes");
  terminal.wait_for("\r    8 B  ");
  terminal.wait_for("\r\n   12 B  ");
  terminal.wait_for("\x1b[1A");
  {
    const Rows rows = terminal.rows_now();
    ASSERT_GE(rows.size(), 3U) << terminal.written();
    EXPECT_TRUE(rows[0].starts_with("upper: 4 bytes")) << rows[0];
    EXPECT_TRUE(rows[1].starts_with("    8 B  ")) << rows[1];
    EXPECT_TRUE(rows[2].starts_with("   12 B  ")) << rows[2];
  }
  second.wait();
  third.wait();
  const Rows rows = terminal.rows_at_end();
  ASSERT_EQ(rows.size(), 4U) << terminal.written();
  EXPECT_TRUE(rows[1].starts_with("count-lines: 8 bytes")) << rows[1];
  EXPECT_TRUE(rows[2].starts_with("sockcat: 12 bytes")) << rows[2];
  EXPECT_EQ(rows[3], "");
}

TEST(Progress, OfAKilledProgramLeavesItsLineToTheOthers) {
  WatchedTerminal terminal;
  Running first({tool("upper"), "--progress"}, terminal.of({2}, {.more_input = true}));
  first.write("one\n");
  terminal.wait_for("\r    4 B  ");
  Running second({tool("upper"), "--progress", "-", "none"}, terminal.of({2}, {.more_input = true}));
  second.write("eight...");
  terminal.wait_for("\r\n    8 B  ");
  first.signal(SIGKILL);
  first.wait();
  terminal.wait_for("\r    8 B  ");
  second.wait();
  const Rows rows = terminal.rows_at_end();
  ASSERT_EQ(rows.size(), 3U) << terminal.written();
  EXPECT_EQ(rows[0], "upper: none: No such file or directory");
  EXPECT_TRUE(rows[1].starts_with("upper: 8 bytes")) << rows[1];
}

}  // namespace
}  // namespace sluice::test
