#include <fcntl.h>

#include <array>

#include "over_addresses.h"
#include "progress_option.h"
#include "sluice/cli/quote.h"
#include "sluice/cli/tool.h"
#include "sluice/core/fd.h"
#include "sluice/stream/plain.h"
#include "sluice/stream/progress.h"
#include "sluice/text/upper.h"

namespace {

using namespace sluice;

constexpr auto rows = joined_rows(progress_rows, standard_rows, address_rows);
constexpr std::array<std::string_view, 3> synopsis = {
    "[OPTION]... [FILE]...", "[OPTION]... --from=ADDRESS... [--to=ADDRESS]", "[OPTION]... --serve=ADDRESS"};
constexpr std::array<std::string_view, 3> paragraphs = {
    "Copy each FILE to standard output with its letters in upper case. With no FILE, or when FILE is -, read "
    "standard input.",
    "The letters a to z are turned; every other byte, also one that is no valid text, passes unchanged. What "
    "was read is written before more is read, so that upper can answer line by line in a pipeline.",
    "A FILE that cannot be read is reported, and the rest is still done.",
};
constexpr std::array examples = {
    Example{"echo labi | upper", "print LABI"},
    Example{"upper --progress big.txt > BIG.TXT", "show how far it has come"},
    Example{"upper --serve=UDP-LISTEN:1234", "answer every datagram with itself in upper case"},
};
constexpr std::array sections = {progress_section};
constexpr std::array<std::string_view, 3> see_also = {"tr(1)", "count-lines(1)", "sockcat(1)"};

constexpr ToolDescription description = {.name = "upper",
                                         .purpose = "turn letters into upper case",
                                         .synopsis = synopsis,
                                         .paragraphs = paragraphs,
                                         .rows = rows,
                                         .statuses = std::span(exit_statuses).first(3),
                                         .examples = examples,
                                         .sections = sections,
                                         .see_also = see_also};

int upper(const Invocation& invocation, const Arguments& arguments) {
  if (const auto run = address_run_of(invocation, arguments))
    return run_over_addresses(*run, [] { return std::make_unique<UpperFilter>(); });

  int status = 0;
  UpperFilter filter;
  ProgressCounts counts;
  std::optional<ProgressThread> progress;
  if (arguments.flag("progress")) {
    const std::vector<std::string> names(arguments.operands().begin(), arguments.operands().end());
    progress.emplace(ShownProgress{.program = invocation.program,
                                   .counts = counts,
                                   .total = bytes_of_files(names),
                                   .only_at_end = mixes_with_progress(names, true)});
  }
  plain::Runner runner(filter, 1, progress ? &counts.bytes : nullptr);
  const auto report = [&](std::string_view name, std::error_code why) {
    complain(invocation.program, quoted_if_needed(name) + ": " + why.message());
    status = 1;
  };
  const auto feed = [&](int fd, std::string_view name) {
    if (const auto why = runner.feed(fd)) report(name, why);
  };
  if (arguments.operands().empty()) feed(0, "standard input");
  for (const std::string_view name : arguments.operands()) {
    if (name == "-") {
      feed(0, name);
      continue;
    }
    const Fd file(::open(name.data(), O_RDONLY | O_CLOEXEC));  // a word of argv, so it ends in NUL
    file ? feed(file.get(), name) : report(name, last_error());
  }
  runner.finish();
  return status;
}

}  // namespace

int main(int argc, char** argv) { return sluice::run_tool(argc, argv, description, upper); }
