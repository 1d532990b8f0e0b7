#include <gtest/gtest.h>
#include <signal.h>

#include <array>

#include "sluice/core/bytes.h"
#include "tools/run.h"

namespace sluice::test {
namespace {

struct Turned {
  std::string text, upper;
};

/// A text of so many bytes, with characters of every length and one that grows; it may end within one.
Turned turned(std::size_t size) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> characters = {{
      {"s", "S"},
      {"ß", "SS"},
      {"é", "É"},
      {"日", "日"},
      {"ж", "Ж"},
      {"\n", "\n"},
      {"𐐨", "𐐀"},
      {"ế", "Ế"},
      {"\xff", "\xff"},
  }};
  Turned made;
  for (std::size_t i = 0; made.text.size() < size; ++i) {
    const auto& [lower, upper] = characters[i * i % characters.size()];
    const auto part = lower.substr(0, size - made.text.size());
    made.text += part;
    made.upper += part == lower ? upper : part;
  }
  return made;
}

Ended run_upper(std::vector<std::string> words, RunOptions options = {}) {
  words.insert(words.begin(), tool("upper"));
  return run(words, std::move(options));
}

TEST(Upper, TurnsTextsOfEverySizeAroundItsBuffers) {
  const TemporaryDirectory directory;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kib(4), kib(64) - 1, kib(64), kib(64) + 1,
                                 kib(256) - 1, kib(256), kib(256) + 1, mib(3) + 5}) {
    const auto [text, wanted] = turned(size);
    EXPECT_TRUE(run_upper({}, {.input = text}).out == wanted) << size;
    EXPECT_TRUE(run_upper({directory.file("text", text)}).out == wanted) << size;
  }
}

struct Row {
  std::vector<std::string> words;
  std::string out, err;
  int status;
};

TEST(Upper, ReadsFilesAndStandardInputAndReportsWhatItCannot) {
  const TemporaryDirectory directory;
  directory.file("a", "first\n");
  directory.file("it's", "quoted\n");
  directory.file("-a", "dash\n");
  const std::string usage = "Try 'upper --help' for more information.\n";
  const Row rows[] = {
      {{}, "INPUT\n", "", 0},
      {{"-"}, "INPUT\n", "", 0},
      {{"a", "-", "a"}, "FIRST\nINPUT\nFIRST\n", "", 0},
      {{"-", "-"}, "INPUT\n", "", 0},
      {{"--", "-a", "--"}, "DASH\n", "upper: --: No such file or directory\n", 1},
      {{"none", "a"}, "FIRST\n", "upper: none: No such file or directory\n", 1},
      {{".", "a"}, "FIRST\n", "upper: .: Is a directory\n", 1},
      {{"a/b"}, "", "upper: a/b: Not a directory\n", 1},
      {{"", "a"}, "FIRST\n", "upper: '': No such file or directory\n", 1},
      {{"x y", "it's"}, "QUOTED\n", "upper: 'x y': No such file or directory\n", 1},
      {{"a\nb"}, "", "upper: 'a'$'\\n''b': No such file or directory\n", 1},
      {{"--foo"}, "", "upper: unrecognized option '--foo' (did you mean '--from'?)\n" + usage, 2},
      {{"a", "-x"}, "", "upper: invalid option -- 'x'\n" + usage, 2},
      {{"--help=x"}, "", "upper: option '--help' doesn't allow an argument\n" + usage, 2},
      {{"--ready-fd=1"}, "", "upper: --ready-fd needs an address to report on\n" + usage, 2},
      {{"--serve=x", "--to=y"}, "", "upper: --serve cannot be combined with --from or --to\n" + usage, 2},
      {{"--serve=x", "a"},
       "",
       "upper: extra operand 'a': files cannot be combined with --serve\n" + usage,
       2},
      {{"--from=x", "--ready-fd=-1"},
       "",
       "upper: invalid number '-1' for '--ready-fd' (0 to 2147483647)\n" + usage,
       2},
      {{"--version"}, "upper (sluice) " SLUICE_VERSION "\n", "", 0},
  };
  for (const Row& row : rows)
    EXPECT_EQ(
        run_upper(row.words,
                  {.input = "input\n", .environment = {"POSIXLY_CORRECT"}, .directory = directory.path()}),
        (Ended{.out = row.out, .err = row.err, .captured = {}, .status = row.status}))
        << testing::PrintToString(row.words);
}

TEST(Upper, TurnsWhatUnicodeAndItsOptionsSay) {
  const TemporaryDirectory directory;
  directory.file("torn", "stra\xc3");
  directory.file("half", "\x9f\x65\n");
  directory.file("latin1", "caf\xe9\n");
  const std::string usage = "Try 'upper --help' for more information.\n";
  const Row rows[] = {
      {{}, "STRASSE IĆ Ή\n", "", 0},
      {{"--locale=root"}, "STRASSE IĆ Ή\n", "", 0},
      {{"--sharp-s=ẞ"}, "STRAẞE IĆ Ή\n", "", 0},
      {{"--sharp-s=SS"}, "STRASSE IĆ Ή\n", "", 0},
      {{"--locale=tr"}, "STRASSE İĆ Ή\n", "", 0},
      {{"--locale", "el", "--sharp-s", "ẞ"}, "STRAẞE IĆ Ή\n", "", 0},
      {{"--ascii"}, "STRAßE Ić ή\n", "", 0},
      {{"--check"}, "STRASSE IĆ Ή\n", "", 0},
      {{"torn", "half"}, "STRASSE\n", "", 0},
      {{"--check", "torn", "half", "latin1", "-"},
       "STRASSE\nCAF\xe9\nSTRASSE IĆ Ή\n",
       "upper: torn: no UTF-8 at offset 4\nupper: half: no UTF-8 at offset 0\n"
       "upper: latin1: no UTF-8 at offset 3\n",
       1},
      {{"--check", "--ascii", "latin1"}, "CAF\xe9\n", "upper: latin1: no UTF-8 at offset 3\n", 1},
      {{"--locale=tr_TR.UTF-8"}, "STRASSE İĆ Ή\n", "", 0},
      {{"--locale=az-Latn-AZ"}, "STRASSE İĆ Ή\n", "", 0},
      {{"--locale=de_DE@euro"}, "STRASSE IĆ Ή\n", "", 0},
      {{"--locale=C"}, "STRASSE IĆ Ή\n", "", 0},
      {{"--locale="},
       "",
       "upper: invalid argument '' for '--locale' (a language like tr, el_GR.UTF-8 or C)\n" + usage,
       2},
      {{"--locale=xx!"},
       "",
       "upper: invalid argument 'xx!' for '--locale' (a language like tr, el_GR.UTF-8 or C)\n" + usage,
       2},
      {{"--sharp-s=SZ"},
       "",
       "upper: invalid argument 'SZ' for '--sharp-s' (one of SS, ẞ) (did you mean 'SS'?)\n" + usage,
       2},
      {{"--ascii", "--locale=el"}, "", "upper: --locale makes no sense with --ascii\n" + usage, 2},
      {{"--ascii", "--sharp-s=SS"}, "", "upper: --sharp-s makes no sense with --ascii\n" + usage, 2},
      {{"--check", "--from=PIPE:x"}, "", "upper: --check makes no sense with addresses\n" + usage, 2},
  };
  for (const Row& row : rows)
    EXPECT_EQ(run_upper(row.words, {.input = "straße ić ή\n", .directory = directory.path()}),
              (Ended{.out = row.out, .err = row.err, .captured = {}, .status = row.status}))
        << testing::PrintToString(row.words);
}

TEST(Upper, TurnsWithEachKernel) {
  std::string text, wanted;
  while (text.size() < mib(1)) {
    text += "straße, ação, Ελλάδα, москва, tiếng việt, 日本語 👍\n";
    wanted += "STRASSE, AÇÃO, ΕΛΛΆΔΑ, МОСКВА, TIẾNG VIỆT, 日本語 👍\n";
  }
  for (const std::string isa : {"scalar", "avx2", "avx512", "unheard-of"})
    EXPECT_TRUE(run_upper({}, {.input = text, .environment = {"SLUICE_ISA=" + isa}}).out == wanted) << isa;
}

TEST(Upper, ReportsAFileThatItMayNotRead) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("secret", "x");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  RunOptions options{.directory = directory.path()};
  if (::getuid() == 0) options.user = 65534;  // root may read everything
  const Ended ended = run_upper({"secret"}, options);
  EXPECT_EQ(ended.err, "upper: secret: Permission denied\n");
  EXPECT_EQ(ended.status, 1);
}

TEST(Upper, AnswersEachLineBeforeTheNextIsWritten) {
  Running upper({tool("upper")}, {.more_input = true});
  for (const auto& [line, wanted] : {std::pair<std::string, std::string>{"one", "ONE"}, {"naïve", "NAÏVE"}}) {
    upper.write(line + '\n');
    EXPECT_EQ(upper.line(), wanted);
  }
  upper.write("no end of line");
  EXPECT_EQ(upper.bytes(14), "NO END OF LINE");
  EXPECT_EQ(upper.wait().status, 0);
}

TEST(Upper, SaysThatItsOutputFailed) {
  const Fd full(check("open /dev/full", ::open("/dev/full", O_WRONLY | O_CLOEXEC)));
  for (const std::vector<std::string>& words : {std::vector<std::string>{}, {"--help"}, {"--version"}}) {
    const Ended ended = run_upper(words, {.input = "x", .descriptors = {{1, full.get()}}});
    EXPECT_EQ(ended.err, "upper: write error: No space left on device\n");
    EXPECT_EQ(ended.status, 1);
  }
  EXPECT_EQ(run_upper({}, {.descriptors = {{1, full.get()}}}).status, 0);  // nothing was written
}

TEST(Upper, TakesClosedDescriptorsForBrokenOnes) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("a", "x");
  const Ended no_input = run_upper({}, {.closed = {0}});
  EXPECT_EQ(no_input.err, "upper: 'standard input': Bad file descriptor\n");
  EXPECT_EQ(no_input.status, 1);
  EXPECT_EQ(run_upper({path}, {.closed = {0}}).out, "X");
  const Ended no_output = run_upper({path}, {.closed = {1}});
  EXPECT_EQ(no_output.err, "upper: write error: Bad file descriptor\n");
  EXPECT_EQ(no_output.status, 1);
  // Its complaint must not land in a file that got number 2, nor its output in one that got number 1.
  EXPECT_EQ(run_upper({"none", path}, {.closed = {2}, .directory = directory.path()}).out, "X");
  EXPECT_EQ(run_upper({path}, {.closed = {0, 1, 2}}).status, 1);
  EXPECT_EQ(run({"cat", path}).out, "x");
}

TEST(Upper, DiesQuietlyWhenItsReaderHasGone) {
  Pipe pipe = make_pipe();
  pipe.reading.reset();
  const Ended killed = run_upper({}, {.input = sample(kib(100)), .descriptors = {{1, pipe.writing.get()}}});
  EXPECT_EQ(killed.signal, SIGPIPE);
  EXPECT_EQ(killed.err, "");
  const Ended told =
      run_upper({}, {.input = "x", .descriptors = {{1, pipe.writing.get()}}, .ignore_broken_pipe = true});
  EXPECT_EQ(told.err, "upper: write error: Broken pipe\n");
  EXPECT_EQ(told.status, 1);
}

TEST(Upper, WaitsOnDescriptorsThatArriveNonBlocking) {
  const TemporaryDirectory directory;
  const auto [text, wanted] = turned(mib(1));
  const std::string path = directory.file("text", text);
  Pipe in = make_pipe(O_NONBLOCK), out = make_pipe(O_NONBLOCK);
  Running upper({tool("upper")}, {.descriptors = {{0, in.reading.get()}, {1, out.writing.get()}}});
  in.reading.reset();
  out.writing.reset();
  // cat cannot wait, so the other ends block: each end of a pipe has flags of its own.
  ASSERT_EQ(::fcntl(in.writing.get(), F_SETFL, 0), 0);
  ASSERT_EQ(::fcntl(out.reading.get(), F_SETFL, 0), 0);
  Running writer({"cat", path}, {.descriptors = {{1, in.writing.get()}}});
  in.writing.reset();
  EXPECT_TRUE(run({"cat"}, {.descriptors = {{0, out.reading.get()}}}).out == wanted);
  EXPECT_EQ(upper.wait().status, 0);
}

TEST(Upper, LeavesTheFlagsOfItsDescriptionsAlone) {
  const Pipe in = make_pipe(O_NONBLOCK), out = make_pipe();
  Running upper({tool("upper")}, {.descriptors = {{0, in.reading.get()}, {1, out.writing.get()}}});
  ASSERT_EQ(::write(in.writing.get(), "x", 1), 1);
  char byte = 0;
  ASSERT_EQ(::read(out.reading.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'X');
  EXPECT_EQ(::fcntl(in.reading.get(), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  EXPECT_EQ(::fcntl(out.writing.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(Upper, SaysWhatWasProbablyMeantByAnOption) {
  for (const auto& [option, says] :
       {std::pair("--uper", "without an option"), std::pair("--sevre", "did you mean '--serve'?"),
        std::pair("--listen=1", "--serve=TCP-LISTEN:PORT")}) {
    const Ended ended = run({tool("upper"), option});
    EXPECT_EQ(ended.status, 2);
    EXPECT_NE(ended.err.find(says), std::string::npos) << ended.err;
  }
}

}  // namespace
}  // namespace sluice::test
