#pragma once

#include <array>
#include <string_view>

namespace sluice {

/// What a tool tells the shell. Children's own statuses (1 to 255) are passed on besides.
enum class ExitStatus : int {
  success = 0,
  failure = 1,
  usage = 2,
  too_much = 3,
  timed_out = 124,
  not_executable = 126,
  not_found = 127,
  terminated = 143,
};

struct ExitStatusRow {
  ExitStatus status;
  std::string_view meaning;
};

/// The table behind the manual pages' EXIT STATUS sections.
inline constexpr std::array exit_statuses = {
    ExitStatusRow{ExitStatus::success, "everything arrived and ended in good order"},
    ExitStatusRow{ExitStatus::failure, "a file, peer or connection failed, was refused or was reset"},
    ExitStatusRow{ExitStatus::usage, "the command line is wrong"},
    ExitStatusRow{ExitStatus::timed_out, "a wait ended by its time limit"},
    ExitStatusRow{ExitStatus::not_executable, "a program was found but could not be executed"},
    ExitStatusRow{ExitStatus::not_found, "a program was not found"},
    ExitStatusRow{ExitStatus::terminated, "a signal ended the transfer (128 + the signal's number)"},
};

}  // namespace sluice
