#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/cli/args.h"
#include "sluice/cli/tool.h"
#include "sluice/stream/filtered.h"
#include "sluice/text/progress.h"

namespace sluice {

/// The options by which a filter reads from, writes to or serves addresses instead of files.
inline constexpr std::array address_rows = {
    ArgumentRow{.name = "from",
                .kind = ArgumentKind::required,
                .argument = "ADDRESS",
                .help = "read from this address instead of files (repeatable)",
                .group = "Addresses",
                .repeatable = true,
                .completes = Completes::address},
    ArgumentRow{.name = "to",
                .kind = ArgumentKind::required,
                .argument = "ADDRESS",
                .help = "write to this address instead of standard output",
                .group = "Addresses",
                .completes = Completes::address},
    ArgumentRow{.name = "serve",
                .kind = ArgumentKind::required,
                .argument = "ADDRESS",
                .help = "answer every client of this address",
                .group = "Addresses",
                .completes = Completes::address},
    ArgumentRow{.name = "ready-fd",
                .kind = ArgumentKind::required,
                .argument = "N",
                .help = "write the names that were bound to descriptor N, one a line, then close it",
                .group = "Addresses"},
    ArgumentRow{.name = "ready-file",
                .kind = ArgumentKind::required,
                .argument = "PATH",
                .help = "write the names that were bound to this file; it appears when they are ready",
                .group = "Addresses",
                .completes = Completes::file},
};

/// Answers --complete-address, a row of `completion_rows`. Whether it was given.
bool answer_completion(const Arguments& arguments);

/// What a filter is to do with addresses. Either `serve` is set, or `from` or `to` is.
struct AddressRun {
  std::string program;             ///< begins every message
  std::vector<std::string> from;   ///< read one after the other
  std::vector<std::string> files;  ///< where `from` is empty: read these; none is standard input
  std::optional<std::string> to;   ///< nothing is standard output
  std::optional<std::string> serve;
  std::optional<int> ready_fd;
  std::optional<std::string> ready_file;
  std::shared_ptr<ProgressCounts> progress{};  ///< with --progress: what filters count
  bool counts_lines = false;                   ///< they count lines too
};

/// The run that a command line asks for, or nothing if it names no address. Throws UsageError for options
/// that contradict each other.
std::optional<AddressRun> address_run_of(const Invocation& invocation, const Arguments& arguments);

/// Runs filters, one a text, over addresses, to the end. Returns the exit status; throws what cannot be set
/// up.
int run_over_addresses(const AddressRun& run, const FilterFactory& factory);

}  // namespace sluice
