#include "sluice/cli/description.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace sluice {
namespace {

constexpr std::array<std::string_view, 2> speeds = {"slow", "fast"};
constexpr std::array own_rows = {
    ArgumentRow{
        .name = "speed",
        .letter = 's',
        .kind = ArgumentKind::required,
        .argument = "HOW",
        .help = "don't go [as] others: at this speed, even where a very long line must be broken in two",
        .choices = speeds},
    ArgumentRow{.letter = 'q', .help = "be quiet"},
    ArgumentRow{.name = "mark", .kind = ArgumentKind::optional, .argument = "TEXT", .help = "mark it"},
    ArgumentRow{.spelling = "-lf",
                .kind = ArgumentKind::required,
                .argument = "logfile",
                .help = "log to a file",
                .group = "Log",
                .completes = Completes::file},
};
constexpr auto rows = joined_rows(own_rows, standard_rows);
constexpr std::array<std::string_view, 2> synopsis = {"[OPTION]... FILE", "--all"};
constexpr std::array<std::string_view, 2> paragraphs = {"It moves.",
                                                        ".It's a line that begins with a dot \\ ^~`."};
constexpr std::array examples = {Example{"move -s fast", "go"}};
constexpr std::array<std::string_view, 2> see_also = {"wc(1)", "pipe(7)"};
constexpr ToolDescription description = {.name = "move-it",
                                         .purpose = "move things",
                                         .synopsis = synopsis,
                                         .paragraphs = paragraphs,
                                         .rows = rows,
                                         .statuses = std::span(exit_statuses).first(2),
                                         .examples = examples,
                                         .see_also = see_also};

TEST(Description, TellsItsVersion) {
  EXPECT_EQ(version_text(description), "move-it (sluice) " SLUICE_VERSION "\n");
}

TEST(Description, MakesTheHelp) {
  EXPECT_EQ(help_text(description), R"(Usage: move-it [OPTION]... FILE
   or: move-it --all
It moves.

  -s, --speed=HOW         don't go [as] others: at this speed, even where a
                          very long line must be broken in two
  -q                      be quiet
      --mark[=TEXT]       mark it

Log:
  -lf<logfile>            log to a file

      --help              print this help and exit
      --version           print the version and exit

Exit status:
  0    everything arrived and ended in good order
  1    a file, peer or connection failed, was refused or was reset
)");
}

TEST(Description, BreaksLinesAtBlanksOnly) {
  EXPECT_EQ(wrapped("one two three", 7, 2), "one two\n  three");
  EXPECT_EQ(wrapped("one two three", 6, 0), "one\ntwo\nthree");
  EXPECT_EQ(wrapped("unbreakable", 4, 2), "unbreakable");
  EXPECT_EQ(wrapped("unbreakable x", 4, 1), "unbreakable\n x");
  EXPECT_EQ(wrapped("", 4, 1), "");
}

TEST(Description, MakesAManualPageWithoutStrayControlLines) {
  const std::string page = manual_page(description);
  EXPECT_TRUE(page.starts_with(".TH MOVE-IT 1 \"\" \"sluice " SLUICE_VERSION
                               "\"\n.SH NAME\nmove\\-it \\- move things\n"));
  for (const std::string_view part :
       {".TP\n\\fB\\-s\\fR, \\fB\\-\\-speed\\fR=\\fIHOW\\fR\n",
        "\\&.It\\(aqs a line that begins with a dot \\e \\(ha\\(ti\\(ga.\n",
        "One of \\fBslow\\fR and \\fBfast\\fR.\n", ".SS Log\n.TP\n\\fB\\-lf\\fR \\fIlogfile\\fR\n",
        "\n.SH EXAMPLES\n.TP\n", ".SH SEE ALSO\n\\fBwc\\fR(1),\n\\fBpipe\\fR(7)\n"})
    EXPECT_NE(page.find(part), page.npos) << part;
  EXPECT_EQ(page.find("print\\-manual"), page.npos) << "hidden options stay hidden";
}

TEST(Description, MakesCompletionsForEachShell) {
  struct Row {
    std::string_view shell;
    std::vector<std::string_view> parts;
  };
  for (const Row& row : {
           Row{"bash",
               {"complete -F _move_it move-it\n", "-s|--speed)", "compgen -W 'slow fast'", "--mark", "-lf"}},
           Row{"zsh",
               {"#compdef move-it\n", "'(-s --speed)--speed=[don'\\''t go \\[as\\] others\\: at",
                ":HOW:(slow fast)'", "'-lf+[log to a file]:logfile:_files'", "'--mark=-[mark it]::TEXT:'"}},
           Row{"fish",
               {"complete -c move-it -s s -l speed -x -a 'slow fast' -d 'don'\\''t go",
                " -o lf -r -F -d 'log"}},
       }) {
    const std::string script = completion_script(description, row.shell);
    for (const std::string_view part : row.parts) EXPECT_NE(script.find(part), script.npos) << part << script;
    EXPECT_EQ(script.find("print-manual"), script.npos);
  }
  EXPECT_THROW(completion_script(description, "tcsh"), std::logic_error);
}

}  // namespace
}  // namespace sluice
