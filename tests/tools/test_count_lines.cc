#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>

#include "sluice/core/bytes.h"
#include "tools/run.h"

namespace sluice::test {
namespace {

using Words = std::vector<std::string>;
using namespace std::string_literals;

Ended count(Words words, RunOptions options = {}) {
  words.insert(words.begin(), tool("count-lines"));
  return run(words, std::move(options));
}

/// What wc says, as count-lines should say it.
Ended wc(Words words, RunOptions options = {}) {
  words.insert(words.begin(), {"wc", "-l"});
  // Its message texts, and names in them, depend on the locale; it is given the same as ours.
  Ended ended = run(words, std::move(options));
  for (const auto& [from, to] : {std::pair("wc: "s, "count-lines: "s), std::pair("'wc "s, "'count-lines "s)})
    for (auto at = ended.err.find(from); at != std::string::npos; at = ended.err.find(from, at + to.size()))
      if (at == 0 || ended.err[at - 1] == '\n' || from[0] == '\'') ended.err.replace(at, from.size(), to);
  return ended;
}

/// Our messages without the hints that wc does not give.
Ended without_hints(Ended ended) {
  for (auto at = ended.err.find(" (did you mean"); at != std::string::npos;
       at = ended.err.find(" (did you mean"))
    ended.err.erase(at, ended.err.find('\n', at) - at);
  return ended;
}

class BesideWc : public testing::Test {
 protected:
  BesideWc() {
    files_.file("empty");
    files_.file("two", "a\nb\n");
    files_.file("partial", "a\nb");
    files_.file("bytes", sample(kib(300)));
    files_.file("odd\nname", "x\n");
    files_.file("it's odd: \"name\"", "x\n");
    files_.file("\xff\xc3\xa9", "x\n");
    files_.file("-l", "x\n");
    ::mkdir((files_.path() + "/folder").c_str(), 0755);
    EXPECT_EQ(::truncate(files_.file("huge").c_str(), 300'000'000), 0);  // sparse
    EXPECT_EQ(::truncate(files_.file("holes", "a\nb\n").c_str(), 3'000'000), 0);
    files_.file("large", sample(mib(5)));
    files_.file(" ", "x\n");
    files_.file("\x01\t\x7f", "x");
    files_.file("e\xcc\x81\xe2\x80\x8b", "x\n");
    ::chmod(files_.file("secret", "x\n").c_str(), 0);
    files_.file("list", "two\0empty\0partial"s);
    files_.file("list-with-dash", "two\0-\0"s);
    files_.file("list-with-gap", "two\0\0none\0folder\0"s);
    files_.file("empty-list");
  }

  RunOptions here() const { return {.input = "in\nput\n", .directory = files_.path()}; }

  int compare(const Words& words, const RunOptions& options) const {
    EXPECT_EQ(without_hints(count(words, options)), wc(words, options)) << testing::PrintToString(words);
    return 1;
  }

  TemporaryDirectory files_;
};

TEST_F(BesideWc, PrintsAndExitsTheSameForEveryMixtureOfFiles) {
  const Words names = {
      "empty",  "two",   "partial",  "bytes", "odd\nname",  "it's odd: \"name\"",    "\xff\xc3\xa9",
      "folder", "none",  "two/none", "",      "-",          "/proc/self/status",     "/dev/null",
      "./-l",   "holes", "large",    " ",     "\x01\t\x7f", "e\xcc\x81\xe2\x80\x8b", "/proc/version"};
  int compared = compare({}, here());
  for (const std::string& first : names) {
    compared += compare({first}, here());
    for (const std::string& second : names) compared += compare({first, second}, here());
  }
  for (const Words& words : {Words{"two", "two", "two"},
                             {"none", "bytes", "two"},
                             {"-", "-", "-"},
                             {"none", "none"},
                             {"folder", "folder"},
                             {"bytes", "bytes", "bytes", "folder"},
                             {"empty", "empty", "empty"},
                             {"large", "huge", "holes", "bytes", "large"},
                             {"/proc/version", "/proc/filesystems", "two"},
                             {"two", "none", "", "folder", "-", "bytes"}})
    compared += compare(words, here());
  EXPECT_GE(compared, 450);
}

TEST_F(BesideWc, UnderstandsTheSameCommandLines) {
  for (const Words& words : {Words{"-l", "two"},
                             {"--lines", "two"},
                             {"--li", "two"},
                             {"two", "-l"},
                             {"-ll", "two"},
                             {"--", "-l"},
                             {"--", "--"},
                             {"two", "--", "-l"},
                             {"--lines=3", "two"},
                             {"--nonsense"},
                             {"two", "--nonsense=5"},
                             {"-y"},
                             {"-ly", "two"},
                             {"--files0-from"},
                             {"--files0-from=list"},
                             {"--files0-from", "list"},
                             {"--files0-from=list", "-l"},
                             {"--files0-from=list", "two"},
                             {"--files0-from=list", "it's odd: \"name\""},
                             {"--files0-from=none"},
                             {"--files0-from=it's"},
                             {"--files0-from=folder"},
                             {"--files0-from=list-with-dash"},
                             {"--files0-from=list-with-gap"},
                             {"--files0-from=empty-list"},
                             {"--files0-from=/dev/null"},
                             {"--files0-from=none", "--files0-from=list"},
                             {"--files0=list"}})
    compare(words, here());
  RunOptions posix = here();
  posix.environment = {"POSIXLY_CORRECT=1"};
  compare({"two", "-l"}, posix);
}

TEST_F(BesideWc, ReadsListsOfNamesFromStandardInput) {
  for (const std::string& list :
       {""s, "two"s, "two\0"s, "two\0bytes"s, "two\0-\0bytes\0"s, "-"s, "\0"s, "two\0\0"s,
        "two\0\0none\0folder\0bytes\0"s, "odd\nname\0two"s, "a\nb\0"s}) {
    RunOptions options = here();
    options.input = list;
    compare({"--files0-from=-"}, options);
    // A list in a regular file is known in advance, which decides the width of the column.
    files_.file("given", list);
    const auto as_file = [&](const std::string& program) {
      RunOptions from_file = here();
      const Fd file(::open((files_.path() + "/given").c_str(), O_RDONLY | O_CLOEXEC));
      from_file.descriptors = {{0, file.get()}};
      const Words words = {"--files0-from=-"};
      return program == "wc" ? wc(words, from_file) : count(words, from_file);
    };
    EXPECT_EQ(as_file("count-lines"), as_file("wc")) << list;
  }
  std::string many;
  for (int i = 0; i < 5000; ++i) many += i % 2 ? "two\0"s : "partial\0"s;
  RunOptions options = here();
  options.input = many;
  compare({"--files0-from=-"}, options);
}

TEST_F(BesideWc, QuotesNamesForTheUsersLocale) {
  for (const std::string locale : {"C", "C.UTF-8"})
    for (const std::string name : {"plain",
                                   "it's",
                                   "a b",
                                   "a:b",
                                   "#a",
                                   "a#",
                                   "~a",
                                   "{",
                                   "{}",
                                   "a{b",
                                   "a]b",
                                   "[",
                                   "a\"b",
                                   "'\"",
                                   "\xc3\xa9",
                                   "\xc3",
                                   "x\xe2\x80\x8by",
                                   "\xf0\x9f\x98\x80",
                                   "\t",
                                   "\x01\x7f",
                                   "a\n'b",
                                   "\\\n",
                                   "\xc3\xa9 it's",
                                   "a=b",
                                   "it's:x",
                                   "it's~",
                                   "''",
                                   "a%b+c,d@e"}) {
      RunOptions options = here();
      options.environment = {"LC_ALL=" + locale};
      compare({"--", name}, options);
      compare({"--files0-from=" + name}, options);
    }
}

TEST_F(BesideWc, SaysTheSameOfFilesThatMayNotBeRead) {
  RunOptions options = here();
  if (::getuid() == 0) options.user = 65534;  // root may read everything
  compare({"secret"}, options);
  compare({"two", "secret", "bytes"}, options);
  compare({"--files0-from=secret"}, options);
}

TEST_F(BesideWc, SaysTheSameOfInputsThatFail) {
  const Fd folder(::open(files_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  RunOptions options = here();
  options.descriptors = {{0, folder.get()}};
  compare({}, options);
  compare({"-"}, options);
  compare({"two", "-"}, options);
  compare({"/proc/self/mem"}, here());
  compare({"two", "/proc/self/mem"}, here());
}

TEST_F(BesideWc, CountsWhatComesOutOfFifos) {
  ASSERT_EQ(::mkfifo((files_.path() + "/fifo").c_str(), 0600), 0);
  for (const Words& words : {Words{"fifo"}, {"two", "fifo"}, {"fifo", "none", "bytes"}, {"-", "fifo"}}) {
    const auto beside_a_writer = [&](Words program) {
      program.insert(program.end(), words.begin(), words.end());
      const std::string script = "cat large > fifo & \"$@\"; status=$?; wait; exit $status";
      program.insert(program.begin(), {"sh", "-c", script, "sh"});
      return run(program, here());
    };
    Ended ours = beside_a_writer({tool("count-lines")}), theirs = beside_a_writer({"wc", "-l"});
    EXPECT_EQ(ours.out, theirs.out) << testing::PrintToString(words);
    EXPECT_EQ(ours.status, theirs.status);
  }
}

TEST_F(BesideWc, BeginsWhereStandardInputStandsAndLeavesItAtItsEnd) {
  for (const std::string name : {"two", "bytes", "large", "holes", "huge"})
    for (const off_t begin : {off_t{0}, off_t{1}, off_t{3}, off_t{100'000}, off_t{400'000'000}})
      for (const Words& words : {Words{}, {"-"}, {"two", "-", "-"}}) {
        const auto from = [&](const auto& program) {
          const Fd file(::open((files_.path() + '/' + name).c_str(), O_RDONLY | O_CLOEXEC));
          ::lseek(file.get(), begin, SEEK_SET);
          RunOptions options = here();
          options.descriptors = {{0, file.get()}};
          const Ended ended = program(words, options);
          return std::pair(ended, ::lseek(file.get(), 0, SEEK_CUR));
        };
        EXPECT_EQ(from(count), from(wc)) << name << ' ' << begin << ' ' << testing::PrintToString(words);
      }
}

TEST_F(BesideWc, MakesRoomForTheSizesOfAllFiles) {
  for (const Words& words : {Words{"huge"}, {"two", "huge"}, {"huge", "none", "folder"}})
    compare(words, here());
  EXPECT_EQ(count({"two", "huge"}, here()).out, "        2 two\n        0 huge\n        2 total\n");
}

TEST(CountLines, CountsTextsOfEverySizeAroundItsBuffers) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kib(64) - 1, kib(64), kib(64) + 1,
                                 kib(256) - 1, kib(256), kib(256) + 1, mib(3) + 5}) {
    const std::string text = sample(size);
    const auto lines = std::to_string(std::count(text.begin(), text.end(), '\n')) + '\n';
    EXPECT_EQ(count({}, {.input = text}).out, lines) << size;
    const Ended passed = count({"--pass"}, {.input = text});
    EXPECT_TRUE(passed.out == text) << size;
    EXPECT_EQ(passed.err, lines) << size;
  }
}

TEST(CountLines, CountsAFileThatGrowsToWhereItEnds) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("growing", sample(mib(6)));
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
      more(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  Running program({tool("count-lines"), "--threads=2"}, {.descriptors = {{0, file.get()}}});
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(::write(more.get(), "one\ntwo\n", 8), 8);
  const Ended ended = program.wait();
  // The description of the file is ours too, so that we know how far it was read.
  const off_t end = ::lseek(file.get(), 0, SEEK_CUR);
  std::string text(static_cast<std::size_t>(end), '\0');
  ASSERT_EQ(::pread(file.get(), text.data(), text.size(), 0), end);
  EXPECT_GE(end, static_cast<off_t>(mib(6)));
  EXPECT_EQ(ended.out, std::to_string(std::count(text.begin(), text.end(), '\n')) + '\n');
}

TEST(CountLines, HasOptionsThatWcLacks) {
  const TemporaryDirectory directory;
  directory.file("a", "1\n2\n3");
  directory.file("z", "1\0002\0003\n"s);
  struct Row {
    Words words;
    std::string out, err;
    int status = 0;
  };
  const std::string usage = "Try 'count-lines --help' for more information.\n";
  for (const Row& row : {
           Row{{"--partial", "a"}, "3 a\n", ""},
           Row{{"--partial", "a", "-"}, "      3 a\n      2 -\n      5 total\n", ""},
           Row{{"-0", "z"}, "2 z\n", ""},
           Row{{"--zero", "--partial", "z"}, "3 z\n", ""},
           Row{{"-l0", "a"}, "0 a\n", ""},
           Row{{"--total=always", "a"}, "2 a\n2 total\n", ""},
           Row{{"--total=always"}, "2\n2 total\n", ""},
           Row{{"--total=alw", "a"}, "2 a\n2 total\n", ""},
           Row{{"--total=only", "a", "z", "a"}, "5\n", ""},
           Row{{"--total=only", "none"}, "0\n", "count-lines: none: No such file or directory\n", 1},
           Row{{"--total=never", "a", "z"}, " 2 a\n 1 z\n", ""},
           Row{{"--total=auto", "a"}, "2 a\n", ""},
           Row{{"--pass", "a", "z"}, "1\n2\n31\0002\0003\n"s, " 2 a\n 1 z\n 3 total\n"},
           Row{{"--total=a"},
               "",
               "count-lines: ambiguous argument 'a' for '--total' (one of auto, always, only, never)\n" +
                   usage,
               1},
           Row{{"--total=sometimes"},
               "",
               "count-lines: invalid argument 'sometimes' for '--total' (one of auto, always, only, "
               "never)\n" +
                   usage,
               1},
           Row{{"--f", "a"},
               "",
               "count-lines: option '--f' is ambiguous; possibilities: '--files0-from' '--from'\n" + usage,
               1},
           Row{{"--from=x", "--pass"}, "", "count-lines: --pass makes no sense with addresses\n" + usage, 1},
           Row{{"--version"}, "count-lines (sluice) " SLUICE_VERSION "\n", ""},
       })
    EXPECT_EQ(count(row.words, {.input = "x\ny\n", .directory = directory.path()}),
              (Ended{.out = row.out, .err = row.err, .captured = {}, .status = row.status}))
        << testing::PrintToString(row.words);
}

TEST(CountLines, PassesEachLineOnBeforeTheNextIsWritten) {
  Running program({tool("count-lines"), "--pass"}, {.more_input = true});
  for (const std::string line : {"one", "two"}) {
    program.write(line + '\n');
    EXPECT_EQ(program.line(), line);
  }
  const Ended ended = program.wait();
  EXPECT_EQ(ended.err, "2\n");
  EXPECT_EQ(ended.status, 0);
}

TEST(CountLines, SaysThatItsOutputFailed) {
  const Fd full(check("open /dev/full", ::open("/dev/full", O_WRONLY | O_CLOEXEC)));
  for (const Words& words : {Words{}, {"--pass"}, {"--help"}, {"/dev/null", "/dev/null"}}) {
    const Ended ended = count(words, {.input = "x\n", .descriptors = {{1, full.get()}}});
    EXPECT_EQ(ended.err, "count-lines: write error: No space left on device\n")
        << testing::PrintToString(words);
    EXPECT_EQ(ended.status, 1);
  }
}

TEST(CountLines, TakesClosedDescriptorsForBrokenOnes) {
  const Ended no_input = count({}, {.closed = {0}});
  EXPECT_EQ(no_input.err, "count-lines: 'standard input': Bad file descriptor\n");
  EXPECT_EQ(no_input.out, "0\n");
  EXPECT_EQ(no_input.status, 1);
  EXPECT_EQ(count({"/dev/null"}, {.closed = {0}}).out, "0 /dev/null\n");
  EXPECT_EQ(count({"/dev/null"}, {.closed = {1}}).err, "count-lines: write error: Bad file descriptor\n");
  EXPECT_EQ(count({"/dev/null", "none"}, {.closed = {2}}).status, 1);
}

TEST(CountLines, PadsAsWcDoesWithoutStandardInput) {
  const TemporaryDirectory directory;
  directory.file("a", "x\ny\n");
  directory.file("b", std::string(300, '\n'));
  directory.file("list", "a\0-\0b\0"s);
  for (Words words : {Words{"-"},
                      {"-", "a"},
                      {"a", "-", "b"},
                      {"a", "-", "-", "b"},
                      {"a", ".", "-"},
                      {"none", "-", "a"},
                      {"--files0-from=list"},
                      {"a", "b"}}) {
    const Ended ended = count(words, {.closed = {0}, .directory = directory.path()});
    words.insert(words.begin(), {"wc", "-l"});
    const Ended wanted = run(words, {.closed = {0}, .directory = directory.path()});
    EXPECT_EQ(ended.out, wanted.out) << testing::PrintToString(words);
    EXPECT_EQ(ended.status, wanted.status) << testing::PrintToString(words);
  }
  const Fd list(check("open", ::open((directory.path() + "/list").c_str(), O_RDONLY | O_CLOEXEC)));
  for (const std::string& program : {std::string("wc"), tool("count-lines")}) {
    ::lseek(list.get(), 0, SEEK_SET);
    const Ended ended = run({program, "-l", "--files0-from=-"},
                            {.descriptors = {{0, list.get()}}, .directory = directory.path()});
    EXPECT_EQ(ended.out, "  2 a\n300 b\n302 total\n") << program;
    EXPECT_EQ(ended.status, 1) << program;
  }
}

TEST(CountLines, LooksAtEveryFileThoughItsOutputFailed) {
  const TemporaryDirectory directory;
  directory.file("a", "x\n");
  directory.file("list", "a\0none\0a\0other\0"s);
  const Fd full(check("open /dev/full", ::open("/dev/full", O_WRONLY | O_CLOEXEC)));
  for (const Words& words :
       {Words{"a", "none", "a", "other"}, {"--json", "a", "none", "a", "other"}, {"--files0-from=list"}}) {
    const Ended ended = count(words, {.descriptors = {{1, full.get()}}, .directory = directory.path()});
    EXPECT_EQ(ended.err,
              "count-lines: none: No such file or directory\ncount-lines: other: No such file or directory\n"
              "count-lines: write error: No space left on device\n");
    EXPECT_EQ(ended.status, 1);
  }
}

TEST(CountLines, DiesQuietlyWhenItsReaderHasGone) {
  Pipe pipe = make_pipe();
  pipe.reading.reset();
  const Ended killed = count({"--pass"}, {.input = "x\n", .descriptors = {{1, pipe.writing.get()}}});
  EXPECT_EQ(killed.signal, SIGPIPE);
  EXPECT_EQ(killed.err, "");
}

TEST(CountLines, WaitsForInputThatArrivesNonBlocking) {
  Pipe in = make_pipe(O_NONBLOCK);
  Running program({tool("count-lines"), "--pass"}, {.descriptors = {{0, in.reading.get()}}});
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(::write(in.writing.get(), "x\n", 2), 2);
    EXPECT_EQ(program.line(), "x");
  }
  in.writing.reset();
  EXPECT_EQ(program.wait().err, "3\n");
}

}  // namespace
}  // namespace sluice::test
