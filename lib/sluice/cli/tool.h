#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "sluice/cli/args.h"
#include "sluice/cli/description.h"

namespace sluice {

/// What a tool is told about its own start.
struct Invocation {
  std::string program;           ///< argv[0]'s last part: begins every message
  std::span<char* const> words;  ///< argv without its first word
  bool no_input = false;         ///< standard input was closed at the start
};

/// Runs a tool's body and returns its exit status. Descriptors 0 to 2 that are closed at the start are
/// occupied first, so that no file gets their numbers (using them still fails: EBADF). What the body throws
/// becomes one line, `program: message`, and the Failure's own status; a wrong command line is followed by
/// its detail or a pointer to --help; and a failed close of standard output is a failure too. SIGPIPE keeps
/// its disposition: a filter whose reader has gone dies quietly.
int run_tool(int argc, char** argv, const std::function<int(const Invocation&)>& body);

/// The same for a tool with GNU syntax: reads the command line by the description's rows, answers --help,
/// --version and the hidden options that print the manual page and completions, and gives the body the rest.
/// A wrong command line exits with the description's own status for that.
int run_tool(int argc, char** argv, const ToolDescription& description,
             const std::function<int(const Invocation&, const Arguments&)>& body);

/// Writes text to a descriptor whole, waiting where it must. Throws Failure "write error: ...".
void print(std::string_view text, int fd = 1);

/// Writes `program: text` as one line to standard error, whatever is in it (core/visible.h), and below it the
/// lines of `detail`, in one call; a failure to do so is ignored.
void complain(std::string_view program, std::string_view text, std::string_view detail = {});

/// Answers an option that only prints a text about the tool (rows of `standard_rows`). Whether it was one.
bool answer_standard_row(const ToolDescription& description, const ParsedArgument& option);

}  // namespace sluice
