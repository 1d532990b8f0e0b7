#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "sluice/core/bytes.h"
#include "tools/run.h"
#include "tools/sockcat.h"

/// What count-lines can do beyond wc.
namespace sluice::test {
namespace {

using Words = std::vector<std::string>;
using namespace std::string_literals;

Ended count(Words words, RunOptions options = {}) {
  words.insert(words.begin(), tool("count-lines"));
  return run(words, std::move(options));
}

std::string lines_in(const std::string& text) {
  return std::to_string(std::count(text.begin(), text.end(), '\n'));
}

class CountLinesOptions : public testing::Test {
 protected:
  CountLinesOptions() {
    files_.file("a", "1\n2\n3");
    files_.file("b", "1\n2\n");
    files_.file("semicolons", "x;y;\nz");
    files_.file("empty");
  }
  RunOptions here(const std::string& input = "x\ny\n") const {
    return {.input = input, .directory = files_.path()};
  }

  TemporaryDirectory files_;
};

struct Row {
  Words words;
  std::string out, err = {};
  int status = 0;
};

TEST_F(CountLinesOptions, DoWhatTheySay) {
  for (const Row& row : {
           Row{{"--delimiter=;", "semicolons"}, "2 semicolons\n"},
           Row{{"--delimiter=\\n", "a"}, "2 a\n"},
           Row{{"--delimiter=\\x31", "a"}, "1 a\n"},
           Row{{"--delimiter", "\\0", "a"}, "0 a\n"},
           Row{{"--delimiter=;", "--partial", "semicolons", "a"}, " 3 semicolons\n 1 a\n 4 total\n"},
           Row{{"--check-final", "b", "empty"}, "2 b\n0 empty\n2 total\n"},
           Row{{"--check-final"}, "2\n"},
           Row{{"--check-final", "a", "b"},
               "2 a\n2 b\n4 total\n",
               "count-lines: a: the last line is not terminated\n",
               1},
           Row{{"--check-final", "--delimiter=z", "semicolons"}, "1 semicolons\n"},
           Row{{"--check-final", "--partial", "a"},
               "3 a\n",
               "count-lines: a: the last line is not terminated\n",
               1},
           Row{{"--max=2", "a"}, "2 a\n"},
           Row{{"--max=2"}, "2\n"},
           Row{{"--max=1"}, "", "count-lines: 'standard input': more than 1 line in all\n", 3},
           Row{{"--max=0", "empty"}, "0 empty\n"},
           Row{{"--max=2", "--partial", "a"}, "", "count-lines: a: more than 2 lines in all\n", 3},
           Row{{"--max=4", "a", "b"}, "2 a\n2 b\n4 total\n"},
           Row{{"--max=3", "a", "b", "none"}, "2 a\n", "count-lines: b: more than 3 lines in all\n", 3},
           Row{{"--max=0", "none", "a", "none"},
               "",
               "count-lines: none: No such file or directory\ncount-lines: a: more than 0 lines in all\n",
               3},
           Row{{"--max=1", "--total=only", "a"}, "", "count-lines: a: more than 1 line in all\n", 3},
           Row{{"--max=1", "--pass", "a"}, "1\n2", "count-lines: a: more than 1 line in all\n", 3},
           Row{{"--max=3", "--pass", "a", "b"},
               "1\n2\n31\n2",
               "2 a\ncount-lines: b: more than 3 lines in all\n",
               3},
           Row{{"--threads=1", "a"}, "2 a\n"},
           Row{{"--threads=32", "a"}, "2 a\n"},
           Row{{"--json"}, "{\"name\":null,\"lines\":2,\"bytes\":4}\n"},
           Row{{"--json", "-"}, "{\"name\":\"-\",\"lines\":2,\"bytes\":4}\n"},
           Row{{"--json", "--total=always", "--partial", "a"},
               "{\"name\":\"a\",\"lines\":3,\"bytes\":5}\n{\"total\":{\"files\":1,\"lines\":3,\"bytes\":5}}"
               "\n"},
           Row{{"--json", "--total=only", "a", "b"}, "{\"total\":{\"files\":2,\"lines\":4,\"bytes\":9}}\n"},
           Row{{"--json", "--total=never", "a", "empty"},
               "{\"name\":\"a\",\"lines\":2,\"bytes\":5}\n{\"name\":\"empty\",\"lines\":0,\"bytes\":0}\n"},
           Row{{"--json", "none", ".", "a"},
               "{\"name\":\"none\",\"problem\":\"No such file or directory\"}\n"
               "{\"name\":\".\",\"lines\":0,\"bytes\":0,\"problem\":\"Is a directory\"}\n"
               "{\"name\":\"a\",\"lines\":2,\"bytes\":5}\n"
               "{\"total\":{\"files\":3,\"lines\":2,\"bytes\":5}}\n",
               "count-lines: none: No such file or directory\ncount-lines: .: Is a directory\n",
               1},
           Row{{"--json", "--check-final", "a"},
               "{\"name\":\"a\",\"lines\":2,\"bytes\":5,\"problem\":\"the last line is not terminated\"}\n",
               "count-lines: a: the last line is not terminated\n",
               1},
           Row{{"--json", "--max=3", "a", "b"},
               "{\"name\":\"a\",\"lines\":2,\"bytes\":5}\n{\"name\":\"b\",\"problem\":\"more than 3 lines in "
               "all\"}\n",
               "count-lines: b: more than 3 lines in all\n",
               3},
           Row{{"--json", "--pass", "b"}, "1\n2\n", "{\"name\":\"b\",\"lines\":2,\"bytes\":4}\n"},
       })
    EXPECT_EQ(count(row.words, here()),
              (Ended{.out = row.out, .err = row.err, .captured = {}, .status = row.status}))
        << testing::PrintToString(row.words);
}

TEST_F(CountLinesOptions, AreRefusedWhereTheyAreWrong) {
  struct Wrong {
    Words words;
    std::string message;
  };
  const std::string a_delimiter = " (one byte, or \\n, \\r, \\t, \\0, \\\\ or \\xHH)";
  const std::string a_duration = " is not a duration (seconds such as 0.5, or 20ms)";
  for (const Wrong& wrong : {
           Wrong{{"--delimiter="}, "invalid delimiter ''" + a_delimiter},
           Wrong{{"--delimiter=ab"}, "invalid delimiter 'ab'" + a_delimiter},
           Wrong{{"--delimiter=\\q"}, "invalid delimiter '\\q'" + a_delimiter},
           Wrong{{"-0", "--delimiter=;"}, "--zero cannot be combined with --delimiter"},
           Wrong{{"--pass", "--threads=2"}, "--threads cannot be combined with --pass"},
           Wrong{{"--threads=0"}, "invalid number '0' for '--threads' (1 to 32)"},
           Wrong{{"--threads=33"}, "invalid number '33' for '--threads' (1 to 32)"},
           Wrong{{"--max=-1"}, "invalid number '-1' for '--max' (0 to 9223372036854775807)"},
           Wrong{{"--max=1k"}, "invalid number '1k' for '--max' (0 to 9223372036854775807)"},
           Wrong{{"--every=soon"}, "--every: \"soon\"" + a_duration},
           Wrong{{"--every="}, "--every: \"\"" + a_duration},
           Wrong{{"--every=-1"}, "--every: \"-1\"" + a_duration},
           Wrong{{"--every=0"}, "--every: an interval is at least 1ms"},
           Wrong{{"--every=999us"}, "--every: an interval is at least 1ms"},
           Wrong{{"--from=-", "--threads=1"}, "--threads makes no sense with addresses"},
           Wrong{{"--from=-", "--max=1"}, "--max makes no sense with addresses"},
           Wrong{{"--to=-", "--json"}, "--json makes no sense with addresses"},
           Wrong{{"--serve=TCP-LISTEN:0", "--check-final"}, "--check-final makes no sense with addresses"},
           Wrong{{"--from=-", "--total=only"}, "--total makes no sense with addresses"},
           Wrong{{"--from=-", "--delimiter="}, "invalid delimiter ''" + a_delimiter},
           Wrong{{"--from=-", "--every=x"}, "--every: \"x\"" + a_duration},
       }) {
    const std::string err =
        "count-lines: " + wrong.message + "\nTry 'count-lines --help' for more information.\n";
    EXPECT_EQ(count(wrong.words, here()), (Ended{.out = "", .err = err, .captured = {}, .status = 1}))
        << testing::PrintToString(wrong.words);
  }
}

TEST_F(CountLinesOptions, MakeValidJsonOfEveryName) {
  const Words names = {"plain",    "two words",    "\"quoted\" \\", "a\nb", "\x01\x1f\x7f",
                       "\xc3\xa9", "\xff\xc3\xa9", "\xc3",          "none", "a/none"};
  Words words = {"--json", "--"};
  for (const std::string& name : names) {
    if (!name.ends_with("none")) files_.file(name, "x\n");
    words.push_back(name);
  }
  const Ended ended = count(words, here());
  // A reader of JSON gets each name back, from its bytes where it is no text.
  const std::string script =
      "import json, os, sys\n"
      "for line in sys.stdin.buffer.read().decode().splitlines():\n"
      "  document = json.loads(line)\n"
      "  if 'total' in document: print(document['total'], end='')\n"
      "  elif 'name_hex' in document: sys.stdout.buffer.write(bytes.fromhex(document['name_hex']) + b'\\0')\n"
      "  else: sys.stdout.buffer.write(document['name'].encode() + b'\\0')\n"
      "  sys.stdout.flush()\n";
  std::string wanted;
  for (const std::string& name : names) wanted += name + '\0';
  const Ended read = run({"python3", "-c", script}, {.input = ended.out});
  EXPECT_EQ(read.err, "");
  EXPECT_EQ(read.out, wanted + "{'files': 10, 'lines': 8, 'bytes': 16}");
  EXPECT_NE(ended.out.find("{\"name\":\"\xef\xbf\xbd\xc3\xa9\",\"name_hex\":\"ffc3a9\",\"lines\":1"),
            std::string::npos)
      << ended.out;
}

TEST_F(CountLinesOptions, TellTheRunningCountAlsoWhileNothingComes) {
  Running program({tool("count-lines"), "--every=20ms"}, {.more_input = true});
  EXPECT_EQ(program.line(2), "count-lines: 0 lines, 0 lines/s");
  program.write("one\n");
  for (bool come = false; !come;) {
    const std::string line = program.line(2).value_or("1 line, ");
    come = line.starts_with("count-lines: 1 line, ");
    EXPECT_TRUE(come || line == "count-lines: 0 lines, 0 lines/s") << line;
  }
  // It comes to rest again.
  EXPECT_EQ(program.line(2), "count-lines: 1 line, 0 lines/s");
  EXPECT_EQ(program.line(2), "count-lines: 1 line, 0 lines/s");
  const Ended ended = program.wait();
  EXPECT_EQ(ended.out, "1\n");
  EXPECT_EQ(ended.status, 0);
}

TEST_F(CountLinesOptions, TellTheRunningCountAsJson) {
  Running program({tool("count-lines"), "--every=0.02", "--json"}, {.more_input = true});
  const std::string first = program.line(2).value_or("");
  EXPECT_TRUE(first.starts_with("{\"running\":{\"lines\":0,\"bytes\":0,\"seconds\":0.0")) << first;
  EXPECT_TRUE(first.ends_with(",\"lines_per_second\":0}}")) << first;
  EXPECT_EQ(run({"python3", "-m", "json.tool"}, {.input = first}).status, 0);
  EXPECT_EQ(program.wait().out, "{\"name\":null,\"lines\":0,\"bytes\":0}\n");
}

TEST_F(CountLinesOptions, GoOnWhenNobodyReadsTheRunningCount) {
  Running program({tool("count-lines"), "--every=1ms", "--pass"}, {.more_input = true});
  EXPECT_TRUE(program.line(2));
  program.stop_reading(2);
  // Its next lines break; each that passes shows that it is still there.
  for (int i = 0; i < 20; ++i) {
    program.write("x\n");
    EXPECT_EQ(program.line(), "x");
  }
  EXPECT_EQ(program.wait().signal, SIGPIPE) << "the count itself has nowhere to go";
}

TEST_F(CountLinesOptions, CountTheSameWithAnyNumberOfThreads) {
  const std::string text = sample(mib(9) + 17);
  files_.file("large", text);
  for (const std::string threads : {"1", "2", "3", "32"})
    EXPECT_EQ(count({"--threads=" + threads, "large"}, here()).out, lines_in(text) + " large\n") << threads;
}

TEST_F(CountLinesOptions, CountWithTheThreadsThatTheyMayHave) {
  const std::string text = sample(mib(9));
  files_.file("large", text);
  RunOptions options = here();
  if (::getuid() == 0) options.user = 65534;              // root may have any number
  options.environment = {"ASAN_OPTIONS=detect_leaks=0"};  // what looks for leaks wants a thread too
  const Ended ended = run({"prlimit", "--nproc=1", tool("count-lines"), "--threads=4", "large"}, options);
  EXPECT_EQ(ended, (Ended{.out = lines_in(text) + " large\n", .err = "", .captured = {}, .status = 0}));
}

TEST_F(CountLinesOptions, SkipHolesWhereTheFileSystemTellsThem) {
  const std::string path = files_.file("sparse", "a\n");
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::pwrite(file.get(), "b\n", 2, static_cast<off_t>(mib(40))), 2);
  ASSERT_EQ(::ftruncate(file.get(), static_cast<off_t>(mib(64))), 0);
  for (const std::string denied : {"", "holes"}) {
    RunOptions options = here();
    options.environment = {"SLUICE_DENY=" + denied};
    EXPECT_EQ(count({"sparse"}, options).out, "2 sparse\n") << denied;
    EXPECT_EQ(count({"-0", "--json", "sparse"}, options).out,
              "{\"name\":\"sparse\",\"lines\":" + std::to_string(mib(64) - 4) +
                  ",\"bytes\":" + std::to_string(mib(64)) + "}\n");
  }
  // What nobody could read in the time that a test has.
  constexpr off_t tebibyte = off_t{1} << 40;
  if (::ftruncate(file.get(), 8 * tebibyte) != 0) GTEST_SKIP() << "the file system has no files of 8 TiB";
  EXPECT_EQ(count({"sparse"}, here()).out, "2 sparse\n");
  EXPECT_EQ(count({"-0", "sparse"}, here()).out, std::to_string(8 * tebibyte - 4) + " sparse\n");
}

TEST_F(CountLinesOptions, NeedLittleMemoryWhateverTheInput) {
  if (under_sanitizers()) GTEST_SKIP() << "the sanitizer's memory is counted too";
  files_.file("large", sample(mib(200)));
  for (const std::string threads : {"1", "2", "8", "32"}) {
    Running program({tool("count-lines"), "--threads=" + threads, "--total=never", "large", "-"},
                    {.more_input = true, .directory = files_.path()});
    EXPECT_TRUE(program.line()) << "now it reads the second";
    const std::string status = contents_of("/proc/" + std::to_string(program.pid()) + "/status");
    const auto peak = status.find("VmHWM:");
    ASSERT_NE(peak, std::string::npos);
    // Most of it is the program itself.
    EXPECT_LT(std::stoi(status.substr(peak + 6)), 8192) << threads;
  }
}

TEST_F(CountLinesOptions, PassAllOnWithAndWithoutTheKernelsHelp) {
  const std::string text = sample(mib(3) + 7);
  for (const std::string denied : {"", "splice"})
    for (const int flags : {0, O_NONBLOCK}) {
      Pipe in = make_pipe(), out = make_pipe();
      for (const Fd* end : {&in.reading, &out.writing})
        ASSERT_EQ(::fcntl(end->get(), F_SETFL, ::fcntl(end->get(), F_GETFL) | flags), 0);
      // A reader that takes little at a time, so that the pipe is full again and again.
      Running program({tool("count-lines"), "--pass"},
                      {.descriptors = {{0, in.reading.get()}, {1, out.writing.get()}},
                       .environment = {"SLUICE_DENY=" + denied}});
      out.writing.reset();
      in.reading.reset();
      auto written = beside([&in, &text] {
        Running feeder({"cat"}, {.input = text, .descriptors = {{1, in.writing.get()}}});
        in.writing.reset();
        return feeder.wait().status;
      });
      std::string passed;
      char buffer[5000];
      for (ssize_t got; (got = ::read(out.reading.get(), buffer, sizeof buffer)) > 0;)
        passed.append(buffer, static_cast<std::size_t>(got));
      EXPECT_EQ(program.wait().err, lines_in(text) + '\n') << denied << ' ' << flags;
      EXPECT_TRUE(passed == text) << denied << ' ' << flags;
      written.get();
    }
}

TEST_F(CountLinesOptions, StopAtTheReadersEndWithAndWithoutTheKernelsHelp) {
  for (const std::string denied : {"", "splice"})
    for (const bool ignored : {false, true}) {
      Pipe out = make_pipe();
      out.reading.reset();
      const Ended ended = count({"--pass"}, {.input = "x\n",
                                             .descriptors = {{1, out.writing.get()}},
                                             .environment = {"SLUICE_DENY=" + denied},
                                             .ignore_broken_pipe = ignored});
      EXPECT_EQ(ended.signal, ignored ? 0 : SIGPIPE);
      EXPECT_EQ(ended.err, ignored ? "count-lines: write error: Broken pipe\n" : "");
    }
}

TEST_F(CountLinesOptions, ThatSayWhatALineIsHoldForAddressesToo) {
  for (const Row& row : {
           Row{{"--from", "FILE:semicolons", "--delimiter=;"}, "2\n"},
           Row{{"--from", "FILE:semicolons", "--delimiter=;", "--partial"}, "3\n"},
           Row{{"--from", "FILE:a", "--from", "FILE:semicolons", "-0", "--partial"}, "1\n1\n"},
           Row{{"--to", "STDOUT", "--delimiter=\\x31", "a"}, "1\n"},
       })
    EXPECT_EQ(count(row.words, here()), (Ended{.out = row.out, .err = "", .captured = {}, .status = 0}))
        << testing::PrintToString(row.words);
  Running program({tool("count-lines"), "--every=20ms", "--from", "-"}, {.more_input = true});
  EXPECT_EQ(program.line(2), "count-lines: 0 lines, 0 lines/s");
  program.write("one\ntwo\n");
  for (bool come = false; !come;)
    come = program.line(2).value_or("2 lines").find("2 lines") != std::string::npos;
  EXPECT_EQ(program.wait().out, "2\n");
}

}  // namespace
}  // namespace sluice::test
