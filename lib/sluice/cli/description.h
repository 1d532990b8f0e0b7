#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "sluice/cli/args.h"
#include "sluice/core/exit_status.h"

namespace sluice {

struct Example {
  std::string_view command;
  std::string_view meaning;  ///< a sentence without a full stop
};

/// A name and what it means, a sentence without a full stop.
struct Term {
  std::string_view name;
  std::string_view meaning;
  std::string_view example = {};  ///< a command line, on a line of its own
};

/// A section of the manual page beyond the usual ones: paragraphs, then a list of terms.
struct Section {
  std::string_view title{};
  std::span<const std::string_view> paragraphs{};
  std::span<const Term> terms{};
  bool part = false;   ///< of the section before it: its title is a heading below that one's
  bool table = false;  ///< the terms are short: a line each
};

/// Everything that is said about a tool: its help, version, manual page and completions come from it.
struct ToolDescription {
  std::string_view name{};
  std::string_view purpose{};                      ///< `turn letters into upper case`: no full stop
  std::span<const std::string_view> synopsis{};    ///< what may stand behind the name, a line each
  std::span<const std::string_view> paragraphs{};  ///< the first one is in --help too
  std::span<const ArgumentRow> rows{};
  std::span<const ExitStatusRow> statuses{};
  std::span<const Example> examples{};
  std::span<const Section> sections{};
  std::span<const Guess> guesses{};
  std::span<const std::string_view> see_also{};  ///< `tr(1)`
  Completes operands = Completes::file;          ///< what a shell completes operands with
  bool ends_in_program = false;  ///< `--` after an operand begins a command: `ADDRESS -- ls -l`
  ExitStatus usage_status = ExitStatus::usage;
};

/// The shells that completions are made for; the values of --print-completion.
inline constexpr std::array<std::string_view, 3> completion_shells = {"bash", "zsh", "fish"};

/// The rows that every tool has.
inline constexpr std::array standard_rows = {
    ArgumentRow{.name = "help", .help = "print this help and exit", .final = true},
    ArgumentRow{.name = "version", .help = "print the version and exit", .final = true},
    ArgumentRow{.name = "print-manual", .final = true, .hidden = true},
    ArgumentRow{.name = "print-completion",
                .kind = ArgumentKind::required,
                .argument = "SHELL",
                .choices = completion_shells,
                .final = true,
                .hidden = true},
};

/// One table of several.
template <std::size_t... Sizes>
constexpr auto joined_rows(const std::array<ArgumentRow, Sizes>&... parts) {
  std::array<ArgumentRow, (Sizes + ...)> rows{};
  std::size_t next = 0;
  const auto copy = [&](const auto& part) {
    for (const ArgumentRow& row : part) rows[next++] = row;
  };
  (copy(parts), ...);
  return rows;
}

/// What --help prints.
std::string help_text(const ToolDescription& description);
/// What --version prints: `upper (sluice) 0.1.0`.
std::string version_text(const ToolDescription& description);
/// The manual page in man(7)'s language.
std::string manual_page(const ToolDescription& description);
/// The completions for one of `completion_shells`.
std::string completion_script(const ToolDescription& description, std::string_view shell);

/// Breaks text into lines of at most `width` columns where it can, each behind `indent` blanks but the first.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace sluice
