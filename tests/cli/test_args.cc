#include "sluice/cli/args.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace sluice {
namespace {

using Words = std::vector<std::string>;

constexpr std::array<std::string_view, 3> colours = {"always", "auto", "never"};
constexpr std::array rows = {
    ArgumentRow{.name = "all", .letter = 'a'},
    ArgumentRow{.name = "almost", .letter = 'A'},
    ArgumentRow{.name = "file", .letter = 'f', .kind = ArgumentKind::required, .repeatable = true},
    ArgumentRow{.name = "file-list", .kind = ArgumentKind::required},
    ArgumentRow{.name = "colour", .letter = 'c', .kind = ArgumentKind::optional, .choices = colours},
    ArgumentRow{.letter = 'x', .kind = ArgumentKind::required},
    ArgumentRow{.spelling = "-lf", .kind = ArgumentKind::required},
    ArgumentRow{.name = "help", .final = true},
    ArgumentRow{.name = "secret", .hidden = true},
};

/// A command line as text: options with their values, `|`, operands.
std::string shown(const Words& words, Order order = Order::permute) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  try {
    const Arguments arguments = parse_arguments(rows, pointers, order);
    std::string out;
    for (const ParsedArgument& option : arguments.options()) {
      out += spelling_of(*option.row);
      if (option.has_value) out += '=' + std::string(option.value);
      out += '@' + std::to_string(option.position) + ' ';
    }
    out += '|';
    for (const auto operand : arguments.operands()) out += ' ' + std::string(operand);
    return out;
  } catch (const UsageError& error) {
    EXPECT_EQ(error.status(), ExitStatus::usage);
    return error.what();
  }
}

TEST(Arguments, AreReadInTheSyntaxOfGnu) {
  struct Row {
    Words words;
    std::string_view shown;
  };
  for (const Row& row : {
           Row{{}, "|"},
           Row{{"x", "y"}, "| x y"},
           Row{{"-"}, "| -"},
           Row{{"--all"}, "--all@0 |"},
           Row{{"--al"}, "option '--al' is ambiguous; possibilities: '--all' '--almost'"},
           Row{{"--alm"}, "--almost@0 |"},
           Row{{"--file", "a"}, "--file=a@0 |"},
           Row{{"--file=a=b"}, "--file=a=b@0 |"},
           Row{{"--file="}, "--file=@0 |"},
           Row{{"--file-=a"}, "--file-list=a@0 |"},
           Row{{"--file", "--all"}, "--file=--all@0 |"},
           Row{{"--file"}, "option '--file' requires an argument"},
           Row{{"--file-l"}, "option '--file-list' requires an argument"},
           Row{{"--all=x"}, "option '--all' doesn't allow an argument"},
           Row{{"-aA"}, "--all@0 --almost@0 |"},
           Row{{"-afb"}, "--all@0 --file=b@0 |"},
           Row{{"-af", "b", "c"}, "--all@0 --file=b@0 | c"},
           Row{{"-f", "-a"}, "--file=-a@0 |"},
           Row{{"-af"}, "option requires an argument -- 'f'"},
           Row{{"-aq"}, "invalid option -- 'q'"},
           Row{{"-a-"}, "invalid option -- '-'"},
           Row{{"-x1"}, "-x=1@0 |"},
           Row{{"-lf"}, "invalid option -- 'l'"},
           Row{{"--colour"}, "--colour@0 |"},
           Row{{"--colour", "never"}, "--colour@0 | never"},
           Row{{"--colour=nev"}, "--colour=never@0 |"},
           Row{{"-cal", "-c"}, "--colour=always@0 --colour@1 |"},
           Row{{"--colour=a"}, "ambiguous argument 'a' for '--colour' (one of always, auto, never)"},
           Row{{"--colour=nevre"},
               "invalid argument 'nevre' for '--colour' (one of always, auto, never) (did you mean "
               "'never'?)"},
           Row{{"--colour="}, "ambiguous argument '' for '--colour' (one of always, auto, never)"},
           Row{{"x", "-a", "y", "-A"}, "--all@1 --almost@3 | x y"},
           Row{{"x", "--", "-a", "--"}, "| x -a --"},
           Row{{"-f", "--", "-a"}, "--file=--@0 --all@2 |"},
           Row{{"--help", "--nonsense"}, "--help@0 |"},
           Row{{"--nonsense", "--help"}, "unrecognized option '--nonsense'"},
           Row{{"--flie=x"}, "unrecognized option '--flie=x' (did you mean '--file'?)"},
           Row{{"--secret"}, "--secret@0 |"},
           Row{{"--secre"}, "unrecognized option '--secre'"},
           Row{{"--=x"},
               "option '--' is ambiguous; possibilities: '--all' '--almost' '--file' '--file-list' "
               "'--colour' '--help'"},
       })
    EXPECT_EQ(shown(row.words), row.shown) << testing::PrintToString(row.words);
}

TEST(Arguments, EndAtTheFirstOperandWhereThePosixOrderIsAskedFor) {
  EXPECT_EQ(shown({"-a", "x", "-A"}, Order::stop_at_first), "--all@0 | x -A");
  EXPECT_EQ(shown({"-f", "x", "-A"}, Order::stop_at_first), "--file=x@0 --almost@2 |");
  EXPECT_EQ(shown({"-", "-A"}, Order::stop_at_first), "| - -A");
}

TEST(Arguments, GiveTheLastUseAndAllUses) {
  Words words = {"-fone", "--file=two", "-c"};
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  const Arguments arguments = parse_arguments(rows, pointers);
  EXPECT_EQ(arguments.value("file"), "two");
  EXPECT_EQ(arguments.values("file"), (std::vector<std::string_view>{"one", "two"}));
  EXPECT_TRUE(arguments.flag("colour"));
  EXPECT_EQ(arguments.value("colour", "auto"), "auto");
  EXPECT_FALSE(arguments.flag("all"));
  EXPECT_EQ(arguments.value("file-list", "none"), "none");
  EXPECT_FALSE(arguments.flag("-lf"));
  EXPECT_THROW(arguments.flag("nonsense"), std::logic_error);
  EXPECT_THROW(arguments.flag(""), std::logic_error);
}

TEST(Arguments, FindTheirRowByAnySpelling) {
  EXPECT_EQ(find_row(rows, "-lf"), &rows[6]);
  EXPECT_EQ(find_row(rows, "--file"), &rows[2]);
  EXPECT_EQ(find_row(rows, "-f"), &rows[2]);
  EXPECT_EQ(find_row(rows, "-x"), &rows[5]);
  for (const std::string_view word : {"", "-", "--", "file", "-file", "--f", "-q", "---file"})
    EXPECT_EQ(find_row(rows, word), nullptr) << word;
}

TEST(Arguments, HintAtWhatWasMeant) {
  constexpr std::array guesses = {Guess{"verbose", "-v shows more"}};
  EXPECT_EQ(hint_for("verbos", rows, guesses), " (-v shows more)");
  EXPECT_EQ(hint_for("verbose", rows), "");
  EXPECT_EQ(hint_for("fiel", rows, guesses), " (did you mean '--file'?)");
  EXPECT_EQ(hint_for("zzzzzzzz", rows, guesses), "");
}

TEST(Arguments, AreNumbersOnlyWhereTheyAreOnesInRange) {
  for (const auto& [text, number] : {std::pair("0", 0), std::pair("100", 100), std::pair("007", 7)})
    EXPECT_EQ(integer_of({.row = &rows[2], .value = text, .has_value = true}, 0, 100), number);
  for (const std::string_view text : {"", "-1", "101", "1x", " 1", "+1", "0x1", "99999999999999999999"})
    EXPECT_THROW(integer_of({.row = &rows[2], .value = text, .has_value = true}, 0, 100), UsageError) << text;
}

}  // namespace
}  // namespace sluice
