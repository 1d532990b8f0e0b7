#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "address_completion.h"
#include "count_report.h"
#include "counting.h"
#include "file_names.h"
#include "over_addresses.h"
#include "progress_option.h"
#include "sluice/address/value.h"
#include "sluice/cli/quote.h"
#include "sluice/cli/tool.h"
#include "sluice/core/standing_line.h"
#include "sluice/core/visible.h"
#include "sluice/endpoint/bridge.h"
#include "sluice/stream/progress.h"
#include "sluice/stream/ticker.h"
#include "sluice/text/delimiter.h"
#include "sluice/text/lines.h"

namespace {

using namespace sluice;

constexpr std::array own_rows = {
    ArgumentRow{.name = "lines", .letter = 'l', .help = "count lines, as always (wc's option)"},
    ArgumentRow{.name = "zero", .letter = '0', .help = "lines end in NUL, not newline"},
    ArgumentRow{
        .name = "delimiter",
        .kind = ArgumentKind::required,
        .argument = "C",
        .help = "lines end in C, one byte, not newline; \\n, \\r, \\t, \\0, \\\\ and \\xHH name bytes too"},
    ArgumentRow{.name = "partial", .help = "an unterminated last line counts too"},
    ArgumentRow{.name = "check-final",
                .help = "status 1, and a message, where a last line is not terminated"},
    ArgumentRow{.name = "max",
                .kind = ArgumentKind::required,
                .argument = "N",
                .help = "stop with status 3 as soon as there are more than N lines in all"},
    ArgumentRow{.name = "pass",
                .help = "pass the data through to standard output; counts go to standard error"},
    ArgumentRow{
        .name = "every",
        .kind = ArgumentKind::required,
        .argument = "DURATION",
        .help = "say on standard error at this interval (0.5, 500ms, 1s, 2m) how many lines have come, and "
                "how many a second come now"},
    ArgumentRow{.name = "json", .help = "print JSON, one document a line for each FILE and the total"},
    ArgumentRow{.name = "total",
                .kind = ArgumentKind::required,
                .argument = "WHEN",
                .help = "when to print a line with the total (auto: if there is more than one FILE)",
                .choices = total_choices},
    ArgumentRow{.name = "files0-from",
                .kind = ArgumentKind::required,
                .argument = "F",
                .help = "count the files whose NUL-terminated names stand in file F (- is standard input)",
                .completes = Completes::file},
    ArgumentRow{.name = "threads",
                .kind = ArgumentKind::required,
                .argument = "N",
                .help = "count a large file with up to N threads (the processors that there are, at most 8)"},
};
constexpr auto rows = joined_rows(own_rows, progress_rows, standard_rows, address_rows, completion_rows);
constexpr std::array<std::string_view, 4> synopsis = {"[OPTION]... [FILE]...", "[OPTION]... --files0-from=F",
                                                      "[OPTION]... --from=ADDRESS... [--to=ADDRESS]",
                                                      "[OPTION]... --serve=ADDRESS"};
constexpr std::array<std::string_view, 4> paragraphs = {
    "Print how many lines each FILE has, and a total line if more than one FILE is named. With no FILE, or "
    "when FILE is -, read standard input.",
    "A line ends in a newline; bytes behind the last newline are no line unless --partial is given. Output, "
    "messages and exit status are those of wc -l for the same arguments.",
    "A FILE that cannot be read is reported, and the rest is still done. So is one that --pass would feed "
    "with itself without end (count-lines --pass log >> log).",
    "With --max, nothing is printed of the FILE in which there came to be too many lines, nor a total; with "
    "--pass, the longest beginning of it goes on that has not too many.",
};
constexpr std::array<std::string_view, 2> json_paragraphs = {
    "With --json each FILE has a document, an object on a line of its own. Behind them, where a total is due "
    "(--total), comes one that has nothing but the member total. What --every says are documents that have "
    "nothing but the member running. Messages stay text.",
    "These are the members, in this order; one that does not apply is left out.",
};
constexpr std::array json_terms = {
    Term{"name",
         "as given; null is standard input that was not named. A byte that is no part of valid UTF-8 stands "
         "as "
         "U+FFFD"},
    Term{"name_hex", "the bytes of a name that is not valid UTF-8, in hexadecimal"},
    Term{"lines, bytes", "what was counted; not of a FILE that could not be opened or has too many lines"},
    Term{"problem", "what was reported of the FILE"},
    Term{"total", "an object with files, lines and bytes"},
    Term{"running", "an object with lines, bytes, seconds and lines_per_second"},
};
constexpr std::array statuses = {
    exit_statuses[0],
    ExitStatusRow{ExitStatus::failure,
                  "a file, peer or connection failed, a last line was not terminated (--check-final), or the "
                  "command line is wrong, as wc's"},
    ExitStatusRow{ExitStatus::too_much, "there were more lines than --max allows"},
};
constexpr std::array examples = {
    Example{"ip -o link | count-lines", "count the network interfaces"},
    Example{"find . -type f -print0 | count-lines -0", "count files, whatever their names contain"},
    Example{"find . -name '*.cc' -print0 | count-lines --total=only --files0-from=-",
            "print the sum of the lines of all these files"},
    Example{"tail -f access.log | count-lines --every=1s",
            "say each second how many lines have come, and how fast"},
    Example{"producer | count-lines --pass | consumer", "tell how many lines went from one to the other"},
    Example{"count-lines --max=1000 --check-final upload.csv > /dev/null || exit",
            "refuse a file that is too long or ends within a line"},
    Example{"count-lines --json --delimiter=';' *.sql",
            "count what ends in semicolons, for a program to read"},
};
constexpr std::array sections = {Section{.title = "JSON", .paragraphs = json_paragraphs, .terms = json_terms},
                                 progress_section};
constexpr std::array guesses = {
    Guess{"bytes", "--json prints the bytes too; wc -c counts them alone"},
    Guess{"words", "lines alone are counted; wc -w counts words"},
    Guess{"null", "-0, --zero: lines end in NUL"},
    Guess{"listen", "--serve=TCP-LISTEN:PORT answers clients"},
};
constexpr std::array<std::string_view, 3> see_also = {"wc(1)", "upper(1)", "sockcat(1)"};

constexpr ToolDescription description = {.name = "count-lines",
                                         .purpose = "count lines",
                                         .synopsis = synopsis,
                                         .paragraphs = paragraphs,
                                         .rows = rows,
                                         .statuses = statuses,
                                         .examples = examples,
                                         .sections = sections,
                                         .guesses = guesses,
                                         .see_also = see_also,
                                         .usage_status = ExitStatus::failure};

/// How many threads count a large file if nobody says; more find no more memory to read.
constexpr unsigned usual_threads = 8;
constexpr std::int64_t most_threads = 32;
constexpr Duration least_interval = std::chrono::milliseconds(1);

/// The first is refused beside the second.
struct Conflict {
  std::string_view name, other;
};
constexpr std::array conflicts = {Conflict{"zero", "delimiter"}, Conflict{"threads", "pass"}};
/// Files and the report about them have these; of an address each text is answered with its count.
constexpr std::array<std::string_view, 7> only_of_files = {"files0-from", "pass", "total",      "threads",
                                                           "max",         "json", "check-final"};

LineRules line_rules_of(const Arguments& arguments) {
  LineRules rules{.delimiter = arguments.flag("zero") ? '\0' : '\n', .partial = arguments.flag("partial")};
  if (const ParsedArgument* option = arguments.find("delimiter")) {
    const auto delimiter = delimiter_of(option->value);
    if (!delimiter)
      throw UsageError("invalid delimiter " + quoted(option->value) +
                       " (one byte, or \\n, \\r, \\t, \\0, \\\\ or \\xHH)");
    rules.delimiter = *delimiter;
  }
  return rules;
}

CountingRules counting_rules_of(const Arguments& arguments) {
  CountingRules rules{.scan = {.lines = line_rules_of(arguments)},
                      .pass = arguments.flag("pass"),
                      .check_final = arguments.flag("check-final")};
  const ParsedArgument* threads = arguments.find("threads");
  rules.scan.threads = threads != nullptr ? static_cast<unsigned>(integer_of(*threads, 1, most_threads))
                                          : std::min(processors(), usual_threads);
  if (const ParsedArgument* most = arguments.find("max"))
    rules.scan.most =
        static_cast<std::uint64_t>(integer_of(*most, 0, std::numeric_limits<std::int64_t>::max()));
  return rules;
}

std::optional<Duration> interval_of(const Arguments& arguments) {
  const ParsedArgument* every = arguments.find("every");
  if (every == nullptr) return {};
  const ReadValue read = read_value({.name = "every", .type = ValueType::timespec}, every->value);
  if (!read.complaint.empty()) throw UsageError("--every: " + read.complaint);
  const auto interval = std::get<std::chrono::nanoseconds>(read.value);
  if (interval < least_interval) throw UsageError("--every: an interval is at least 1ms");
  return interval;
}

/// Says on standard error how far counting has come, again and again while it lives.
class RunningLines {
 public:
  RunningLines(std::string_view program, Duration interval, const ProgressCounts& counts, bool json)
      : begin_(json ? "" : visible(program) + ": "),
        json_(json),
        counts_(counts),
        ticker_(interval, [this](Duration now) { say(now); }) {}

 private:
  void say(Duration now) {
    const Counts counts{counts_.lines.load(std::memory_order_relaxed),
                        counts_.bytes.load(std::memory_order_relaxed)};
    const std::string line = begin_ + running_text(counts, last_, now - at_, now, json_) + '\n';
    last_ = counts;
    at_ = now;
    const StandingLine::Pause pause;
    try {
      print(line, STDERR_FILENO);
    } catch (const Failure&) {
      // Whoever read it has gone; what is counted matters more.
    }
  }

  std::string begin_;
  bool json_;
  const ProgressCounts& counts_;
  Counts last_;
  Duration at_{};
  Ticker ticker_;  // last: its thread uses the others
};

int count_over_addresses(AddressRun& run, const Invocation& invocation, const Arguments& arguments) {
  for (const std::string_view name : only_of_files)
    if (arguments.flag(name)) throw UsageError("--" + std::string(name) + " makes no sense with addresses");
  run.counts_lines = true;
  const auto interval = interval_of(arguments);
  const auto counts = run.progress || !interval ? run.progress : std::make_shared<ProgressCounts>();
  std::optional<RunningLines> running;
  if (interval) running.emplace(invocation.program, *interval, *counts, false);
  return run_over_addresses(run, [rules = line_rules_of(arguments), counts] {
    return std::make_unique<CountLinesFilter>(rules, counts ? &counts->lines : nullptr);
  });
}

int count_lines(const Invocation& invocation, const Arguments& arguments) {
  if (answer_completion(arguments)) return 0;
  const ParsedArgument* list = arguments.find("files0-from");
  const auto& operands = arguments.operands();
  if (list != nullptr && !operands.empty())
    throw UsageError("extra operand " + quoted(operands.front()),
                     "file operands cannot be combined with --files0-from\nTry '" + invocation.program +
                         " --help' for more information.");
  for (const auto& [name, other] : conflicts)
    if (arguments.flag(name) && arguments.flag(other))
      throw UsageError("--" + std::string(name) + " cannot be combined with --" + std::string(other));
  if (auto run = address_run_of(invocation, arguments))
    return count_over_addresses(*run, invocation, arguments);

  const CountingRules rules = counting_rules_of(arguments);
  const auto interval = interval_of(arguments);
  const bool json = arguments.flag("json");
  FileNames names = list != nullptr ? FileNames::of_list(list->value) : FileNames(operands);
  CountReport report(total_of(arguments.value("total", "auto")),
                     json ? 0 : column_width(names.known(), invocation.no_input),
                     rules.pass ? STDERR_FILENO : STDOUT_FILENO, json);
  ProgressCounts counts;
  std::optional<ProgressThread> progress;
  if (arguments.flag("progress")) {
    // Of a list that is read as it comes, nothing is known; nor is it standard input's bytes that are
    // counted.
    const bool known = list == nullptr || !names.known().empty();
    progress.emplace(ShownProgress{.program = invocation.program,
                                   .counts = counts,
                                   .total = known ? bytes_of_files(names.known()) : std::nullopt,
                                   .with_lines = true,
                                   .only_at_end = mixes_with_progress(names.known(), rules.pass)});
  }
  std::optional<RunningLines> running;
  if (interval) running.emplace(invocation.program, *interval, counts, json);

  Counting counting(invocation.program, rules, report, counts);
  if (list == nullptr && operands.empty())
    counting.count_standard_input();
  else
    counting.count_named(names, list != nullptr ? list->value : std::string_view());
  running.reset();
  // Where it was not counted to the end, there is no sum.
  if (counting.status() != ExitStatus::too_much)
    report.add_total(list == nullptr && operands.empty() ? 1 : names.given());
  report.finish();
  return static_cast<int>(counting.status());
}

}  // namespace

int main(int argc, char** argv) { return sluice::run_tool(argc, argv, description, count_lines); }
