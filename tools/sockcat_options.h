#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/address/address.h"
#include "sluice/cli/tool.h"
#include "sluice/core/log.h"
#include "sluice/endpoint/bridge.h"

namespace sluice {

/// What a command line in socat's language asks for.
struct SockcatRun {
  BridgePlan plan;
  LogSettings log;
  std::vector<std::string> warnings = {};  ///< of addresses that probably mean something else
  /// Only a text is asked for, not a transfer: -V, -h, --help...
  std::optional<std::string> text;
};

/// What is said about sockcat; its rows are the options.
const ToolDescription& sockcat_description();

/// Reads a command line: options first, spelled as socat spells them (`-lf<file>` and `-lf <file>`, `-t0.5`,
/// `-d -d`, `-dd`, `-d3`), then two addresses, or one and `--` and the words of a command. Throws UsageError;
/// `run` then says where log lines go as far as it was read.
void read_sockcat_run(const Invocation& invocation, SockcatRun& run);

/// What is known of an address or an option of addresses, by any of its names: parameters, options with their
/// units and defaults, what holds without them, an example. Throws UsageError for a name that is neither.
std::string sockcat_help_of(std::string_view name);
/// The same of those of the addresses of a command line that have a keyword; the usual help if none has.
std::string sockcat_help_of_addresses(std::span<const std::string_view> addresses);
/// The sections of the manual about addresses, their options and values. They last as long as the process.
std::vector<Section> sockcat_language();
/// What holds for an address unless an option says otherwise, a line each.
std::vector<std::string_view> sockcat_defaults(const Address& address);

/// The manual page, with every address, option and difference from socat.
std::string sockcat_manual();

/// Whether an address can be opened, not just read.
bool sockcat_has(const KeywordRow& row);

/// What -h (1), -hh (2) and -hhh (3) print, in socat's columns: options, addresses, from 2 on every address
/// option, with 3 every other name of both.
std::string sockcat_listing(int level);
/// What two addresses mean (--explain): keywords, parameters and what they resolve to, each option with its
/// phase and effect, the defaults that hold, and what socat would do otherwise.
std::string sockcat_explanation(const Specification& left, const Specification& right);
/// What -V prints: versions, the system, and `#define WITH_...` for each feature that is there.
std::string sockcat_features();

}  // namespace sluice
