#include <gtest/gtest.h>

#include "sluice/address/address.h"
#include "tools/run.h"

namespace sluice::test {
namespace {

bool installed(const std::string& program) { return run({"sh", "-c", "command -v " + program}).status == 0; }

class Description : public testing::TestWithParam<std::string> {
 protected:
  std::string printed(const std::string& option) const {
    const Ended ended = run({tool(GetParam()), option});
    EXPECT_EQ(ended.status, 0) << ended.err;
    return ended.out;
  }
  TemporaryDirectory files_;
};

TEST_P(Description, IsAManualPageThatManDoesNotComplainAbout) {
  if (!installed("man")) GTEST_SKIP() << "man is not installed";
  const std::string page = files_.file("page.1", printed("--print-manual"));
  const Ended shown = run({"man", "--warnings", "--local-file", page},
                          {.environment = {"MANWIDTH=80", "MAN_KEEP_FORMATTING", "PAGER=cat"}});
  EXPECT_EQ(shown.err, "");
  for (const std::string& part : {"NAME\n       " + GetParam() + " - ", std::string("--serve=ADDRESS"),
                                  std::string("EXIT STATUS"), std::string("sockcat(1)")})
    EXPECT_NE(shown.out.find(part), std::string::npos) << part;
}

TEST(SockcatManual, IsAPageThatManDoesNotComplainAbout) {
  if (!installed("man")) GTEST_SKIP() << "man is not installed";
  const TemporaryDirectory files;
  const std::string page = files.file("page.1", run({tool("sockcat"), "--print-manual"}).out);
  const Ended shown = run({"man", "--warnings", "--local-file", page},
                          {.environment = {"MANWIDTH=80", "MAN_KEEP_FORMATTING", "PAGER=cat"}});
  EXPECT_EQ(shown.err, "");
  for (const std::string& part :
       {std::string("QUOTES AND ESCAPES"), std::string("OPTIONS BY ADDRESS"), std::string("backlog=COUNT"),
        std::string("DIFFERENCES FROM SOCAT"), std::string("ADDRESS -- COMMAND [ARGUMENT]..."),
        std::string("exit-on=first-eof|both|left|right")})
    EXPECT_NE(shown.out.find(part), std::string::npos) << part;
}

TEST(SockcatManual, HasEveryAddressAndOption) {
  const std::string page = run({tool("sockcat"), "--print-manual"}).out;
  const auto has = [&](std::string name) {
    for (std::size_t i = 0; (i = name.find('-', i)) != std::string::npos; i += 2) name.insert(i, 1, '\\');
    return page.find(name) != std::string::npos;
  };
  for (const KeywordRow& row : keyword_rows())
    EXPECT_EQ(has(std::string(row.name) + std::string(row.syntax)), !row.name.starts_with("OPENSSL"))
        << row.name;
  for (const OptionRow& row : option_rows())
    EXPECT_EQ(has("\\fB" + std::string(row.name)) || has(' ' + std::string(row.name)),
              row.effect.kind != Effect::not_yet)
        << row.name;
}

TEST_P(Description, IsUnderstoodByTheShells) {
  std::string missing;
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    if (!installed(shell)) {
      missing += ' ' + shell;
      continue;
    }
    const std::string script = files_.file(shell, printed("--print-completion=" + shell));
    EXPECT_EQ(run({shell, "-n", script}), (Ended{.out = "", .err = "", .captured = {}, .status = 0}))
        << shell;
  }
  if (!missing.empty()) GTEST_SKIP() << "not installed:" << missing;
}

TEST_P(Description, CompletesInBash) {
  if (!installed("bash")) GTEST_SKIP() << "bash is not installed";
  files_.file("script", printed("--print-completion=bash"));
  files_.file("some file");
  struct Row {
    std::string words, completions;
  };
  for (const Row& row : {
           Row{"--vers", "<--version>"},
           Row{"--ready-f", "<--ready-fd=><--ready-file=>"},
           Row{"--ready-file = so", "<some file>"},
           Row{"--ready-file ''", "<script><some file>"},
           Row{"so", "<some file>"},
           Row{"--from T", ""},
           Row{"-- --vers", ""},
           Row{"--print-m", ""},
       }) {
    const std::string function = GetParam() == "upper" ? "_upper" : "_count_lines";
    const Ended ended =
        run({"bash", "--norc", "-c",
             "compopt() { :; }; source ./script; set -- " + GetParam() + ' ' + row.words +
                 "; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); " + function +
                 "; ((${#COMPREPLY[@]})) && printf '<%s>\\n' \"${COMPREPLY[@]}\" | sort | tr -d '\\n'"},
            {.environment = {"LC_ALL=C"}, .directory = files_.path()});
    EXPECT_EQ(ended.out, row.completions) << row.words;
    EXPECT_EQ(ended.err, "") << row.words;
  }
}

TEST_P(Description, CompletesInFish) {
  if (!installed("fish")) GTEST_SKIP() << "fish is not installed";
  files_.file("script", printed("--print-completion=fish"));
  const Ended ended =
      run({"fish", "--no-config", "-c", "source ./script; complete -C '" + GetParam() + " --ready-'"},
          {.environment = {"HOME=" + files_.path()}, .directory = files_.path()});
  EXPECT_NE(ended.out.find("--ready-fd\twrite the names"), std::string::npos) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("--ready-file\t"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(OfEachTool, Description, testing::Values("upper", "count-lines"));

}  // namespace
}  // namespace sluice::test
