#include <fcntl.h>

#include <array>

#include "count_report.h"
#include "file_names.h"
#include "over_addresses.h"
#include "progress_option.h"
#include "sluice/cli/quote.h"
#include "sluice/cli/tool.h"
#include "sluice/stream/plain.h"
#include "sluice/stream/progress.h"
#include "sluice/text/lines.h"

namespace {

using namespace sluice;

constexpr std::array own_rows = {
    ArgumentRow{.name = "lines", .letter = 'l', .help = "count lines, as always (wc's option)"},
    ArgumentRow{.name = "zero", .letter = '0', .help = "lines end in NUL, not newline"},
    ArgumentRow{.name = "partial", .help = "an unterminated last line counts too"},
    ArgumentRow{.name = "pass",
                .help = "pass the data through to standard output; counts go to standard error"},
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
};
constexpr auto rows = joined_rows(own_rows, progress_rows, standard_rows, address_rows);
constexpr std::array<std::string_view, 4> synopsis = {"[OPTION]... [FILE]...", "[OPTION]... --files0-from=F",
                                                      "[OPTION]... --from=ADDRESS... [--to=ADDRESS]",
                                                      "[OPTION]... --serve=ADDRESS"};
constexpr std::array<std::string_view, 3> paragraphs = {
    "Print how many lines each FILE has, and a total line if more than one FILE is named. With no FILE, or "
    "when FILE is -, read standard input.",
    "A line ends in a newline; bytes behind the last newline are no line unless --partial is given. Output, "
    "messages and exit status are those of wc -l for the same arguments.",
    "A FILE that cannot be read is reported, and the rest is still done.",
};
constexpr std::array statuses = {
    exit_statuses[0],
    ExitStatusRow{ExitStatus::failure,
                  "a file, peer or connection failed, or the command line is wrong, as wc's"},
};
constexpr std::array examples = {
    Example{"ip -o link | count-lines", "count the network interfaces"},
    Example{"find . -type f -print0 | count-lines -0", "count files, whatever their names contain"},
    Example{"find . -name '*.cc' -print0 | count-lines --total=only --files0-from=-",
            "print the sum of the lines of all these files"},
};
constexpr std::array sections = {progress_section};
constexpr std::array<std::string_view, 3> see_also = {"wc(1)", "upper(1)", "sockcat(1)"};

constexpr ToolDescription description = {.name = "count-lines",
                                         .purpose = "count lines",
                                         .synopsis = synopsis,
                                         .paragraphs = paragraphs,
                                         .rows = rows,
                                         .statuses = statuses,
                                         .examples = examples,
                                         .sections = sections,
                                         .see_also = see_also,
                                         .usage_status = ExitStatus::failure};

/// Counts input after input; what cannot be read is reported and makes the status 1.
class Counting {
 public:
  /// Bytes and lines are counted in `progress` too, if that is given.
  Counting(std::string_view program, LineRules rules, bool pass, CountReport& report,
           ProgressCounts* progress)
      : program_(program),
        rules_(rules),
        pass_(pass),
        report_(report),
        progress_(progress),
        reader_(progress != nullptr ? &progress->bytes : nullptr) {}

  void count(int fd, std::string_view shown, std::string_view name_in_messages) {
    LineCounter counter(rules_.delimiter);
    const auto why = reader_.each(fd, [&](ConstBytes piece) {
      counter.feed(piece);
      if (pass_) plain::write_all(1, piece);
      show(lines_of(counter, rules_));
    });
    if (why) complain_of(quoted_if_needed(name_in_messages), why.message());
    lines_ += lines_of(counter, rules_);
    report_.add(lines_of(counter, rules_), shown);
  }

  void count_file(const std::string& name) {
    if (name == "-") return count(0, name, name);
    const Fd file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return complain_of(quoted_if_needed(name), last_error().message());
    count(file.get(), name, name);
  }

  void complain_of(std::string_view where, std::string_view what) {
    complain(program_, std::string(where) + ": " + std::string(what));
    status_ = 1;
  }
  void complain_of(std::string_view what) {
    complain(program_, what);
    status_ = 1;
  }

  int status() const { return status_; }

 private:
  void show(std::uint64_t lines) {
    if (progress_ != nullptr) progress_->lines.store(lines_ + lines, std::memory_order_relaxed);
  }

  std::string_view program_;
  LineRules rules_;
  bool pass_;
  CountReport& report_;
  ProgressCounts* progress_;
  plain::Reader reader_;
  std::uint64_t lines_ = 0;  ///< of the inputs that are done
  int status_ = 0;
};

/// The next name; a list that cannot be read further ends there and is reported.
std::optional<std::string> next_name(FileNames& names, Counting& counting) {
  try {
    return names.next();
  } catch (const Failure& failure) {
    counting.complain_of(failure.what());
    return {};
  }
}

/// Counts every file that is named; a name that cannot be one is reported as wc does.
void count_named(FileNames& names, std::string_view list, Counting& counting) {
  while (const auto name = next_name(names, counting)) {
    if (name->empty()) {
      const std::string place =
          list.empty() ? "" : quoted_if_needed(list) + ':' + std::to_string(names.given()) + ": ";
      counting.complain_of(place + "invalid zero-length file name");
    } else if (list == "-" && *name == "-") {
      counting.complain_of("when reading file names from stdin, no file name of '-' allowed");
    } else {
      counting.count_file(*name);
    }
  }
}

int count_lines(const Invocation& invocation, const Arguments& arguments) {
  const LineRules rules{.delimiter = arguments.flag("zero") ? '\0' : '\n',
                        .partial = arguments.flag("partial")};
  const ParsedArgument* list = arguments.find("files0-from");
  const auto& operands = arguments.operands();
  if (list != nullptr && !operands.empty())
    throw UsageError("extra operand " + quoted(operands.front()) +
                     "\nfile operands cannot be combined with --files0-from");
  if (auto run = address_run_of(invocation, arguments)) {
    for (const std::string_view name : {"files0-from", "pass", "total"})
      if (arguments.flag(name)) throw UsageError("--" + std::string(name) + " makes no sense with addresses");
    run->counts_lines = true;
    return run_over_addresses(*run, [rules, progress = run->progress] {
      return std::make_unique<CountLinesFilter>(rules, progress ? &progress->lines : nullptr);
    });
  }

  FileNames names = list != nullptr ? FileNames::of_list(list->value) : FileNames(operands);
  const bool pass = arguments.flag("pass");
  CountReport report(total_of(arguments.value("total", "auto")), column_width(names.known()), pass ? 2 : 1);
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
                                   .only_at_end = mixes_with_progress(names.known(), pass)});
  }
  Counting counting(invocation.program, rules, pass, report, progress ? &counts : nullptr);
  if (list == nullptr && operands.empty()) {
    counting.count(0, {}, "standard input");
    report.finish(1);
    return counting.status();
  }
  count_named(names, list != nullptr ? list->value : std::string_view(), counting);
  report.finish(names.given());
  return counting.status();
}

}  // namespace

int main(int argc, char** argv) { return sluice::run_tool(argc, argv, description, count_lines); }
