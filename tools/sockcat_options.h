#pragma once

#include <optional>
#include <string>
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
  /// Only a text is asked for, not a transfer: -V, -h, --help...
  std::optional<std::string> text;
};

/// What is said about sockcat; its rows are the options.
const ToolDescription& sockcat_description();

/// Reads a command line: options first, spelled as socat spells them (`-lf<file>` and `-lf <file>`, `-t0.5`,
/// `-d -d`, `-dd`, `-d3`), then two addresses. Throws UsageError; `run` then says where log lines go as far
/// as it was read.
void read_sockcat_run(const Invocation& invocation, SockcatRun& run);

/// A name with its aliases, and what it means.
struct Entry {
  std::string name;
  std::string_view meaning;
};
/// The addresses that are built, and the options that are applied.
std::vector<Entry> sockcat_addresses();
std::vector<Entry> sockcat_address_options();

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
