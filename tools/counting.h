#pragma once

#include <string>
#include <string_view>

#include "count_report.h"
#include "file_names.h"
#include "sluice/core/exit_status.h"
#include "sluice/stream/line_scanner.h"

namespace sluice {

/// What is done with each input.
struct CountingRules {
  ScanRules scan;
  bool pass = false;         ///< its bytes go to standard output
  bool check_final = false;  ///< a last line without its delimiter is wrong
};

/// Counts input after input. What cannot be read, or is not as it should be, is told, and makes the status 1;
/// more lines than allowed end it all, and the status is 3.
class Counting {
 public:
  /// References must outlive it.
  Counting(std::string_view program, const CountingRules& rules, CountReport& report, ProgressCounts& running)
      : program_(program), rules_(rules), report_(report), scanner_(rules.scan, running) {}

  /// Standard input without a name.
  void count_standard_input() { count(0, {}, "standard input"); }
  /// Every file that is named; a name that cannot be one is told as wc does. `list` is where they come from
  /// (--files0-from), if from anywhere but the command line.
  void count_named(FileNames& names, std::string_view list);

  ExitStatus status() const { return status_; }

 private:
  void count_file(const std::string& name);
  void count(int fd, std::optional<std::string_view> name, std::string_view name_in_messages);
  std::optional<std::string> next_name(FileNames& names);
  void complain_of(std::string_view name, std::string_view what);
  void complain_of(std::string_view what);
  bool ended() const { return status_ == ExitStatus::too_much; }

  std::string_view program_;
  CountingRules rules_;
  CountReport& report_;
  LineScanner scanner_;
  ExitStatus status_ = ExitStatus::success;
};

}  // namespace sluice
