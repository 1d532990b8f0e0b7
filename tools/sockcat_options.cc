#include "sockcat_options.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

#include <sys/socket.h>

namespace sluice {
namespace {

constexpr std::array socat_rows = {
    ArgumentRow{.spelling = "-V", .help = "print version and features, and exit", .final = true},
    ArgumentRow{.spelling = "-h",
                .help = "print the options and addresses, and exit (-hh: address options too)",
                .final = true},
    ArgumentRow{.spelling = "-d",
                .kind = ArgumentKind::optional,
                .argument = "N",
                .help = "say more: -d warnings, -dd notices, -ddd info, -dddd debug; -d0 errors only",
                .repeatable = true},
    ArgumentRow{.spelling = "-lf",
                .kind = ArgumentKind::required,
                .argument = "FILE",
                .help = "write log lines to FILE",
                .completes = Completes::file},
    ArgumentRow{.spelling = "-ls", .help = "write log lines to standard error (as usual)"},
    ArgumentRow{.spelling = "-ly",
                .kind = ArgumentKind::optional,
                .argument = "FACILITY",
                .help = "write log lines to syslog"},
    ArgumentRow{.spelling = "-lm",
                .kind = ArgumentKind::optional,
                .argument = "FACILITY",
                .help = "write log lines to standard error until the transfer begins, then to syslog"},
    ArgumentRow{.spelling = "-lp",
                .kind = ArgumentKind::required,
                .argument = "NAME",
                .help = "call the program NAME in log lines"},
    ArgumentRow{.spelling = "-lu", .help = "give log lines microseconds"},
    ArgumentRow{.spelling = "-lh", .help = "give log lines the host's name"},
    ArgumentRow{.spelling = "-v", .help = "show what is transferred on standard error, as text"},
    ArgumentRow{.spelling = "-x", .help = "show what is transferred on standard error, as hexadecimal"},
    ArgumentRow{.spelling = "-r",
                .kind = ArgumentKind::required,
                .argument = "FILE",
                .help = "append what flows left to right to FILE",
                .completes = Completes::file},
    ArgumentRow{.spelling = "-R",
                .kind = ArgumentKind::required,
                .argument = "FILE",
                .help = "append what flows right to left to FILE",
                .completes = Completes::file},
    ArgumentRow{.spelling = "-b",
                .kind = ArgumentKind::required,
                .argument = "SIZE",
                .help = "move at most SIZE bytes in one step (without it, as many as are best)"},
    ArgumentRow{.spelling = "-s", .help = "an option that cannot be applied is a warning, not an error"},
    ArgumentRow{.spelling = "-t",
                .kind = ArgumentKind::required,
                .argument = "SECONDS",
                .help = "when one side has ended, give the other so long a silence (else until its own end)"},
    ArgumentRow{.spelling = "-T",
                .kind = ArgumentKind::required,
                .argument = "SECONDS",
                .help = "end after so long a silence"},
    ArgumentRow{.spelling = "-u", .help = "left to right only"},
    ArgumentRow{.spelling = "-U", .help = "right to left only"},
    ArgumentRow{.spelling = "-g", .help = "do not check whether an option fits its address"},
    ArgumentRow{.spelling = "-4", .help = "prefer IPv4, and listen on it"},
    ArgumentRow{.spelling = "-6", .help = "prefer IPv6, and listen on it"},
    ArgumentRow{.spelling = "-0", .help = "prefer no IP version"},
    ArgumentRow{.spelling = "--statistics", .help = "log how much was transferred before ending"},
    ArgumentRow{.spelling = "--socat",
                .help = "end, exit and listen as socat does (the default under that name)"},
};
constexpr std::array ready_rows = {
    ArgumentRow{.name = "ready-fd",
                .kind = ArgumentKind::required,
                .argument = "N",
                .help = "write the names that were bound to descriptor N, one a line, then close it"},
    ArgumentRow{.name = "ready-file",
                .kind = ArgumentKind::required,
                .argument = "PATH",
                .help = "write the names that were bound to this file; it appears when they are ready",
                .completes = Completes::file},
};
constexpr auto rows = joined_rows(socat_rows, ready_rows, standard_rows);

constexpr std::array<std::string_view, 2> synopsis = {"[OPTION]... ADDRESS ADDRESS", "-V | -h | -hh"};
constexpr std::array<std::string_view, 5> paragraphs = {
    "Join two ADDRESSes: what comes from the left one goes to the right one, and the other way round, until "
    "both "
    "have ended. An address is a keyword, its parameters and its options: TCP-LISTEN:9000,fork,reuseaddr.",
    "The language is socat's. ADDRESS!!ADDRESS reads from the first and writes to the second. - is standard "
    "input "
    "and output, a number is a descriptor, a path is opened. Single and double quotes, a backslash, and (), "
    "[] and {} "
    "keep what is in them together.",
    "Each direction ends by itself and half-closes its target; the transfer is over when both have ended, or "
    "when "
    "one has and the other can no longer matter: then 0.5 s of silence (-t) end it. A side that can end is "
    "waited for "
    "as long as it takes. Nothing is lost silently.",
    "With fork, one process serves every client of a listening address. SIGTERM and SIGINT let sessions end "
    "within "
    "-t seconds, a second one ends at once; SIGUSR1 logs statistics.",
    "Under the name socat, or with --socat, endings (-t 0.5), exit statuses and listening (IPv4) are "
    "socat's; "
    "otherwise the exit status tells the truth, listening serves both IP versions, a path left by a dead "
    "server is "
    "replaced, and a datagram is never cut.",
};
constexpr std::array examples = {
    Example{"sockcat - TCP:localhost:80", "talk to a server by hand"},
    Example{"sockcat TCP-LISTEN:9000,fork UNIX-CONNECT:/run/app.sock",
            "make a local socket reachable by TCP"},
    Example{"sockcat TCP-LISTEN:1234,fork UPPER", "answer every client in upper case"},
    Example{"sockcat -u FILE:backup.tar TCP:host:9000", "send a file"},
    Example{"echo hi | sockcat - EXEC:'tr a-z A-Z'", "talk to a program"},
    Example{"sockcat --ready-fd 3 TCP-LISTEN:0,fork EXEC:cat 3>port",
            "let the system choose a port and learn it"},
};
constexpr std::array<std::string_view, 4> see_also = {"socat(1)", "upper(1)", "count-lines(1)", "socket(7)"};
constexpr std::array<std::string_view, 6> operand_words = {
    "-", "TCP:", "TCP-LISTEN:", "UNIX-CONNECT:", "EXEC:", "FILE:"};

constexpr ToolDescription description = {.name = "sockcat",
                                         .purpose = "join pipes, files, programs and sockets",
                                         .synopsis = synopsis,
                                         .paragraphs = paragraphs,
                                         .rows = rows,
                                         .statuses = exit_statuses,
                                         .examples = examples,
                                         .see_also = see_also,
                                         .operands = Completes::file,
                                         .operand_words = operand_words};

/// Whether a word is an address though it begins with a dash: `-`, `-,crnl`, `-!!FILE:x`.
bool is_address(std::string_view word) {
  return word.empty() || word[0] != '-' || word == "-" || word[1] == ',' || word[1] == '!';
}

/// The row whose spelling begins a word, the longest one; `value` is what stands behind it.
const ArgumentRow* row_of(std::string_view word, std::string_view& value) {
  const ArgumentRow* best = nullptr;
  std::string best_spelling;
  for (const ArgumentRow& row : rows) {
    const std::string spelling = spelling_of(row);
    if (!word.starts_with(spelling) || spelling.size() < best_spelling.size()) continue;
    const bool attached = word.size() > spelling.size();
    const bool is_long = spelling.starts_with("--");
    if (attached && (row.kind == ArgumentKind::none || (is_long && word[spelling.size()] != '='))) continue;
    best = &row;
    best_spelling = spelling;
    value = word.substr(spelling.size());
    if (is_long && attached) value.remove_prefix(1);
  }
  return best;
}

double number_of(const ArgumentRow& row, std::string_view value) {
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size() || !(number >= 0) || !std::isfinite(number))
    throw UsageError(spelling_of(row) + ": \"" + std::string(value) + "\" is no number of 0 or more");
  return number;
}

Duration seconds_of(const ArgumentRow& row, std::string_view value) {
  constexpr double longest = 1e9;
  const double number = number_of(row, value);
  if (number > longest) throw UsageError(spelling_of(row) + ": \"" + std::string(value) + "\" is too long");
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(number));
}

int descriptor_of(const ArgumentRow& row, std::string_view value) {
  const double number = number_of(row, value);
  if (number != std::floor(number) || number > 1e6)
    throw UsageError(spelling_of(row) + ": \"" + std::string(value) + "\" is no descriptor number");
  return static_cast<int>(number);
}

std::size_t size_of(const ArgumentRow& row, std::string_view value) {
  constexpr double largest = 1 << 30;
  const double number = number_of(row, value);
  if (number < 1 || number != std::floor(number) || number > largest)
    throw UsageError(spelling_of(row) + ": size " + std::string(value) + " is out of range (1-1073741824)");
  return static_cast<std::size_t>(number);
}

/// Reads the options into a run.
class Reader {
 public:
  Reader(SockcatRun& run, Rules& rules) : run_(run), rules_(rules) {
    // Without -d, warnings are told; each -d is one level more, from warnings on (socat 1.8).
    run_.log.least = Severity::warning;
  }

  void take(const ArgumentRow& row, std::string_view value, bool has_value) {
    const std::string_view name = row.spelling.empty() ? row.name : row.spelling;
    Limits& limits = run_.plan.limits;
    LogSettings& log = run_.log;
    if (name.starts_with("-l") || name == "-d") log.dated = true;
    if (name == "-d") return take_level(row, value);
    if (name == "-lf") return log.to = LogSettings::To::file, void(log.path = value);
    if (name == "-ls") return void(log.to = LogSettings::To::stderr_);
    if (name == "-ly" || name == "-lm") {
      log.to = name == "-ly" ? LogSettings::To::syslog : LogSettings::To::stderr_then_syslog;
      if (has_value) log.facility = value;
      return;
    }
    if (name == "-lp") return void(log.program = value);
    if (name == "-lu") return void(log.microseconds = true);
    if (name == "-lh") return void(log.with_host = true);
    if (name == "-v") return void(run_.plan.dump.text = true);
    if (name == "-x") return void(run_.plan.dump.hexadecimal = true);
    if (name == "-r") return void(run_.plan.raw_left = std::string(value));
    if (name == "-R") return void(run_.plan.raw_right = std::string(value));
    if (name == "-b") return void(limits.chunk = size_of(row, value));
    if (name == "-s") return void(run_.plan.sloppy = true);
    if (name == "-t") return void(limits.linger = seconds_of(row, value));
    if (name == "-T") return void(limits.idle = seconds_of(row, value));
    if (name == "-u") return void(limits.direction = Direction::left_to_right);
    if (name == "-U") return void(limits.direction = Direction::right_to_left);
    if (name == "-g") return void(rules_.any_group = true);
    if (name == "-4") return void(run_.plan.preferred_family = AF_INET);
    if (name == "-6") return void(run_.plan.preferred_family = AF_INET6);
    if (name == "-0") return void(run_.plan.preferred_family = AF_UNSPEC);
    if (name == "--statistics") return void(run_.plan.statistics = true);
    if (name == "--socat") return void(limits.as_socat = true);
    if (name == "ready-fd") return void(run_.plan.ready_fd = descriptor_of(row, value));
    if (name == "ready-file") return void(run_.plan.ready_file = std::string(value));
    if (name == "-V") run_.text = version_text(description) + sockcat_listing(0);
    if (name == "-h") run_.text = sockcat_listing(1);
    if (name == "help") run_.text = help_text(description);
    if (name == "version") run_.text = version_text(description);
    if (name == "print-manual") run_.text = manual_page(description);
    if (name == "print-completion") run_.text = completion_script(description, choice_of(row, value));
  }

 private:
  /// `-d` and each further d raise the level by one, a digit sets it.
  void take_level(const ArgumentRow& row, std::string_view value) {
    constexpr std::array levels = {Severity::error, Severity::warning, Severity::notice, Severity::info,
                                   Severity::debug};
    if (value.size() == 1 && value[0] >= '0' && value[0] <= '4') {
      level_ = static_cast<std::size_t>(value[0] - '0');
    } else {
      if (value.find_first_not_of('d') != value.npos)
        throw UsageError(spelling_of(row) + ": \"" + std::string(value) + "\" is no level (0-4, or more ds)");
      level_ += 1 + value.size();
    }
    run_.log.least = levels[std::min(level_, levels.size() - 1)];
  }

  SockcatRun& run_;
  Rules& rules_;
  std::size_t level_ = 0;
};

/// Only the second address can take the first one's place, and only as a whole.
void refuse_nofork(const Address& address) {
  const Option* option = address.find("nofork");
  if (option != nullptr && address.flag("nofork"))
    throw AddressError(address, option->place,
                       "nofork is for the second address alone, and not for a half of one");
}

const Address& written_part(const Specification& one) { return one.writing ? *one.writing : one.reading; }

}  // namespace

const ToolDescription& sockcat_description() { return description; }

SockcatRun sockcat_run_of(const Invocation& invocation) {
  SockcatRun run;
  Rules rules;
  run.log.program = invocation.program;
  run.plan.limits.as_socat = invocation.program == "socat";
  run.log.dated = run.plan.limits.as_socat;
  Reader reader(run, rules);
  std::size_t next = 0;
  const auto& words = invocation.words;
  for (; next < words.size() && !is_address(words[next]); ++next) {
    const std::string_view word = words[next];
    if (word == "-?" || word.starts_with("-hh")) {
      run.text = sockcat_listing(static_cast<int>(word.size()) - 1);
      return run;
    }
    std::string_view value;
    const ArgumentRow* row = row_of(word, value);
    if (row == nullptr) throw UsageError("unknown option \"" + std::string(word) + '"');
    bool has_value = !value.empty();
    if (row->kind == ArgumentKind::required && !has_value) {
      if (++next == words.size())
        throw UsageError(spelling_of(*row) + " needs an argument (" + std::string(row->argument) + ')');
      value = words[next];
      has_value = true;
    }
    reader.take(*row, value, has_value);
    if (run.text) return run;
  }
  if (words.size() - next != 2)
    throw UsageError("expects two addresses, got " + std::to_string(words.size() - next));
  const Specification left = parse_specification(words[next], rules);
  const Specification right = parse_specification(words[next + 1], rules);
  refuse_nofork(left.reading);
  if (left.writing) refuse_nofork(*left.writing);
  if (right.writing) {
    refuse_nofork(right.reading);
    refuse_nofork(*right.writing);
  }
  run.plan.limits.exit_on = exit_on(left, right);
  run.plan.limits.cool_left = written_part(left).flag("cool-write");
  run.plan.limits.cool_right = written_part(right).flag("cool-write");
  run.plan.left = [left](Use use, const Context& context) { return make_endpoint(left, use, context); };
  run.plan.right = [right](Use use, const Context& context) { return make_endpoint(right, use, context); };
  return run;
}

}  // namespace sluice
