#include <fcntl.h>

#include <algorithm>
#include <array>

#include "address_completion.h"
#include "over_addresses.h"
#include "progress_option.h"
#include "sluice/cli/quote.h"
#include "sluice/cli/tool.h"
#include "sluice/core/fd.h"
#include "sluice/stream/plain.h"
#include "sluice/stream/progress.h"
#include "sluice/text/upper.h"
#include "sluice/text/utf8.h"

namespace {

using namespace sluice;

constexpr std::array<std::string_view, 2> sharp_s_choices = {"SS", "ẞ"};
constexpr std::array own_rows = {
    ArgumentRow{
        .name = "locale",
        .kind = ArgumentKind::required,
        .argument = "NAME",
        .help = "follow the rules of a language: Turkish (tr), Azerbaijani (az), Lithuanian (lt), Greek (el) "
                "and Armenian (hy) have their own; names like el_GR.UTF-8 and C do too",
        .suggestions = case_locale_names},
    ArgumentRow{.name = "sharp-s",
                .kind = ArgumentKind::required,
                .argument = "LETTERS",
                .help = "what ß becomes, SS or the capital ẞ (SS)",
                .choices = sharp_s_choices},
    ArgumentRow{.name = "ascii", .help = "turn the letters a to z alone"},
    ArgumentRow{.name = "check", .help = "report input that is no UTF-8, and exit with status 1"},
};
constexpr auto rows = joined_rows(own_rows, progress_rows, standard_rows, address_rows, completion_rows);
constexpr std::array<std::string_view, 3> synopsis = {
    "[OPTION]... [FILE]...", "[OPTION]... --from=ADDRESS... [--to=ADDRESS]", "[OPTION]... --serve=ADDRESS"};
constexpr std::array<std::string_view, 3> paragraphs = {
    "Copy each FILE to standard output with its letters in upper case. With no FILE, or when FILE is -, read "
    "standard input.",
    "Text is UTF-8, whatever the locale is, and upper case is Unicode's, of every script. See WHAT UPPER "
    "CASE "
    "IS. What was read is written before more is read, so that upper can answer line by line in a pipeline.",
    "A FILE that cannot be read is reported, and the rest is still done. So is one that standard output is "
    "written to as well, where it would never come to its end (upper notes >> notes); upper notes 1<> notes "
    "turns it in place.",
};
constexpr std::array examples = {
    Example{"echo labi | upper", "print LABI"},
    Example{"echo straße | upper --sharp-s=ẞ", "print STRAẞE"},
    Example{"echo istanbul | upper --locale=tr", "print İSTANBUL"},
    Example{"upper --check notes.txt > NOTES.TXT", "say so if the notes are not all UTF-8"},
    Example{"upper --progress big.txt > BIG.TXT", "show how far it has come"},
    Example{"upper --serve=UDP-LISTEN:1234", "answer every datagram with itself in upper case"},
};
constexpr std::array<std::string_view, 4> case_paragraphs = {
    "Every character becomes what Unicode 15 calls its full upper case (UnicodeData.txt and "
    "SpecialCasing.txt), "
    "the same in every locale of the environment. It may have more characters than before, so a text may "
    "grow, "
    "to 3 times its bytes at most: ß becomes SS, ﬃ FFI, ŉ ʼN and ΐ Ϊ́. Characters without one, and all that "
    "have no case, stay.",
    "Bytes that are no UTF-8 (a stray or missing byte, surrogates, overlong forms), and NUL, pass unchanged, "
    "byte "
    "for byte; --check reports the first of each input and makes the status 1. A character that is cut in "
    "two by "
    "reads, or stands across the end of one FILE and the beginning of the next, is one; a datagram is a text "
    "of "
    "its own.",
    "With --locale=tr and az, i becomes İ. With lt, the dot above (U+0307) that an i keeps under an accent "
    "is "
    "dropped: i̇̀ becomes Ì. With el, accents and breathings are dropped and the dialytika is kept, and put "
    "where the accent was all that told two vowels from one (άυλος, ΑΫΛΟΣ); ή alone, the word or, keeps its "
    "accent. With hy, և becomes ԵՎ. The name may be one that the environment has (tr_TR.UTF-8, az-Latn-AZ); "
    "C, "
    "POSIX and languages without rules of their own change nothing.",
    "With --ascii, a to z are turned and every other byte passes, as with LC_ALL=C tr a-z A-Z.",
};
constexpr std::array sections = {Section{.title = "WHAT UPPER CASE IS", .paragraphs = case_paragraphs},
                                 progress_section};
constexpr std::array guesses = {
    Guess{"upper", "letters are turned into upper case without an option"},
    Guess{"lower", "there is only upper case; tr A-Z a-z turns the letters of ASCII"},
    Guess{"listen", "--serve=TCP-LISTEN:PORT answers clients"},
    Guess{"output", "standard output is where the text goes; --to=FILE:PATH writes to a file"},
};
constexpr std::array<std::string_view, 3> see_also = {"tr(1)", "count-lines(1)", "sockcat(1)"};

constexpr ToolDescription description = {.name = "upper",
                                         .purpose = "turn letters into upper case",
                                         .synopsis = synopsis,
                                         .paragraphs = paragraphs,
                                         .rows = rows,
                                         .statuses = std::span(exit_statuses).first(3),
                                         .examples = examples,
                                         .sections = sections,
                                         .guesses = guesses,
                                         .see_also = see_also};

UpperRules rules_of(const Arguments& arguments) {
  const std::string_view name = arguments.value("locale", case_locale_names.front());
  const auto locale = case_locale_of(name);
  if (!locale)
    throw UsageError("invalid argument " + quoted(name) +
                     " for '--locale' (a language like tr, el_GR.UTF-8 or C)");
  const UpperRules rules{
      .locale = *locale,
      .capital_sharp_s = arguments.value("sharp-s", sharp_s_choices[0]) == sharp_s_choices[1],
      .ascii = arguments.flag("ascii")};
  for (const std::string_view other : {"locale", "sharp-s"})
    if (rules.ascii && arguments.find(other) != nullptr)
      throw UsageError("--" + std::string(other) + " makes no sense with --ascii");
  return rules;
}

/// Looks at what a filter is fed, input by input.
class Checked final : public Filter {
 public:
  explicit Checked(std::unique_ptr<Filter> inner) : inner_(std::move(inner)) {}

  void feed(ConstBytes in, Output& out) override {
    checker_.feed(in);
    inner_->feed(in, out);
  }
  void finish(Output& out) override { inner_->finish(out); }
  /// The input is over. Where it was no UTF-8, if it was not.
  std::optional<std::uint64_t> invalid_at() {
    checker_.finish();
    return std::exchange(checker_, {}).invalid_at();
  }

 private:
  std::unique_ptr<Filter> inner_;
  Utf8Checker checker_;
};

int upper(const Invocation& invocation, const Arguments& arguments) {
  if (answer_completion(arguments)) return 0;
  const UpperRules rules = rules_of(arguments);
  if (const auto run = address_run_of(invocation, arguments)) {
    if (arguments.flag("check")) throw UsageError("--check makes no sense with addresses");
    return run_over_addresses(*run, [rules] { return upper_filter(rules); });
  }

  int status = 0;
  std::unique_ptr<Filter> filter = upper_filter(rules);
  Checked* checked = nullptr;
  if (arguments.flag("check")) {
    auto owned = std::make_unique<Checked>(std::move(filter));
    checked = owned.get();
    filter = std::move(owned);
  }
  ProgressCounts counts;
  std::optional<ProgressThread> progress;
  if (arguments.flag("progress")) {
    const std::vector<std::string> names(arguments.operands().begin(), arguments.operands().end());
    progress.emplace(ShownProgress{.program = invocation.program,
                                   .counts = counts,
                                   .total = bytes_of_files(names),
                                   .only_at_end = mixes_with_progress(names, true)});
  }
  plain::Runner runner(*filter, 1, progress ? &counts.bytes : nullptr);
  const auto report = [&](std::string_view name, const std::string& what) {
    complain(invocation.program, quoted_if_needed(name) + ": " + what);
    status = 1;
  };
  const auto feed = [&](int fd, std::string_view name) {
    if (const auto why = runner.feed(fd)) report(name, why.message());
    if (checked == nullptr) return;
    if (const auto offset = checked->invalid_at())
      report(name, "no UTF-8 at offset " + std::to_string(*offset));
  };
  if (arguments.operands().empty()) feed(0, "standard input");
  for (const std::string_view name : arguments.operands()) {
    if (name == "-") {
      feed(0, name);
      continue;
    }
    const Fd file(::open(name.data(), O_RDONLY | O_CLOEXEC));  // a word of argv, so it ends in NUL
    file ? feed(file.get(), name) : report(name, last_error().message());
  }
  runner.finish();
  return status;
}

}  // namespace

int main(int argc, char** argv) { return sluice::run_tool(argc, argv, description, upper); }
