#include "sluice/cli/tool.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <exception>

#include "sluice/core/standing_line.h"
#include "sluice/core/visible.h"

namespace sluice {
namespace {

/// Opening gives the lowest number that is free, so this must come before anything else opens a file. Each
/// is opened the wrong way round: reading from a closed standard input must stay an error, not an end.
void occupy_standard_descriptors() {
  for (const int fd : {0, 1, 2}) {
    if (::fcntl(fd, F_GETFD) != -1) continue;
    if (::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
      _exit(static_cast<int>(ExitStatus::failure));
  }
}

std::string program_of(int argc, char** argv) {
  if (argc < 1) return "sluice";
  const std::string_view path = argv[0];
  return std::string(path.substr(path.rfind('/') + 1));
}

void close_standard_output() {
  // A file system may report a full disk or quota as late as now. Occupied or closed by the body: no news.
  if (::close(1) == 0 || errno == EBADF || errno == EINTR) return;
  throw Failure("write error", last_error());
}

void complain_of_usage(const Invocation& invocation, const UsageError& error) {
  const std::string pointer = "Try '" + invocation.program + " --help' for more information.";
  complain(invocation.program, error.what(), error.detail().empty() ? pointer : error.detail());
}

}  // namespace

void print(std::string_view text, int fd) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      // Whoever shares the description made it non-blocking; the flag is not ours to clear.
      pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      throw Failure("write error", last_error());
    }
  }
}

void complain(std::string_view program, std::string_view text, std::string_view detail) {
  std::string line = visible(std::string(program) + ": " + std::string(text)) + '\n';
  if (!detail.empty()) line += visible_lines(detail) + '\n';
  const StandingLine::Pause pause;
  try {
    print(line, 2);
  } catch (const Failure&) {
    // There is no one left to tell; the exit status still does.
  }
}

int run_tool(int argc, char** argv, const std::function<int(const Invocation&)>& body) {
  const bool no_input = ::fcntl(STDIN_FILENO, F_GETFD) == -1;
  occupy_standard_descriptors();
  const Invocation invocation{.program = program_of(argc, argv),
                              .words = {argv + (argc > 0 ? 1 : 0), argv + argc},
                              .no_input = no_input};
  const auto guarded = [&](const auto& step, int otherwise) -> int {
    try {
      return step();
    } catch (const UsageError& error) {
      complain_of_usage(invocation, error);
      return static_cast<int>(error.status());
    } catch (const Failure& failure) {
      complain(invocation.program, failure.what(), failure.detail());
      return static_cast<int>(failure.status());
    } catch (const std::exception& error) {
      complain(invocation.program, error.what());
      return otherwise;
    }
  };
  const int failure = static_cast<int>(ExitStatus::failure);
  const int status = guarded([&] { return body(invocation); }, failure);
  const int closed = guarded([] { return close_standard_output(), 0; }, failure);
  return status != 0 ? status : closed;
}

bool answer_standard_row(const ToolDescription& description, const ParsedArgument& option) {
  if (option.row->name == "help") return print(help_text(description)), true;
  if (option.row->name == "version") return print(version_text(description)), true;
  if (option.row->name == "print-manual") return print(manual_page(description)), true;
  if (option.row->name != "print-completion") return false;
  print(completion_script(description, option.value));
  return true;
}

int run_tool(int argc, char** argv, const ToolDescription& description,
             const std::function<int(const Invocation&, const Arguments&)>& body) {
  return run_tool(argc, argv, [&](const Invocation& invocation) {
    try {
      const Arguments arguments =
          parse_arguments(description.rows, invocation.words, order_of_environment(), description.guesses);
      const auto& options = arguments.options();
      if (!options.empty() && answer_standard_row(description, options.back())) return 0;
      return body(invocation, arguments);
    } catch (const UsageError& error) {
      complain_of_usage(invocation, error);
      return static_cast<int>(description.usage_status);
    }
  });
}

}  // namespace sluice
