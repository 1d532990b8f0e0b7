#include "counting.h"

#include <fcntl.h>

#include "sluice/cli/quote.h"
#include "sluice/cli/tool.h"
#include "sluice/core/fd.h"

namespace sluice {

void Counting::count_named(FileNames& names, std::string_view list) {
  while (const auto name = next_name(names)) {
    if (name->empty()) {
      const std::string place =
          list.empty() ? "" : quoted_if_needed(list) + ':' + std::to_string(names.given()) + ": ";
      complain_of(place + "invalid zero-length file name");
    } else if (list == "-" && *name == "-") {
      complain_of("when reading file names from stdin, no file name of '-' allowed");
    } else {
      count_file(*name);
    }
    if (ended()) return;
  }
}

/// A list that cannot be read further ends there and is reported.
std::optional<std::string> Counting::next_name(FileNames& names) {
  try {
    return names.next();
  } catch (const Failure& failure) {
    complain_of(failure.what());
    return {};
  }
}

void Counting::count_file(const std::string& name) {
  if (name == "-") return count(0, name, name);
  const Fd file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (file) return count(file.get(), name, name);
  const std::string why = last_error().message();
  complain_of(name, why);
  report_.add({.name = name, .problem = why});
}

void Counting::count(int fd, std::optional<std::string_view> name, std::string_view name_in_messages) {
  const Scan scan = rules_.pass ? scanner_.pass(fd, 1) : scanner_.count(fd);
  CountedInput input{.name = name,
                     .counts = Counts{lines_of(scan.counter, rules_.scan.lines), scan.counter.bytes()}};
  if (scan.too_many) {
    input.counts.reset();
    const std::uint64_t most = rules_.scan.most;
    input.problem = "more than " + std::to_string(most) + (most == 1 ? " line" : " lines") + " in all";
  } else if (scan.why) {
    input.problem = scan.why.message();
  } else if (rules_.check_final && scan.counter.unterminated()) {
    input.problem = "the last line is not terminated";
  }
  if (!input.problem.empty()) complain_of(name_in_messages, input.problem);
  if (scan.too_many) status_ = ExitStatus::too_much;
  report_.add(input);
}

void Counting::complain_of(std::string_view name, std::string_view what) {
  complain_of(quoted_if_needed(name) + ": " + std::string(what));
}

void Counting::complain_of(std::string_view what) {
  complain(program_, what);
  status_ = ExitStatus::failure;
}

}  // namespace sluice
