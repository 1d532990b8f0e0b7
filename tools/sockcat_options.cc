#include "sockcat_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include <sys/socket.h>

#include "address_completion.h"
#include "sluice/address/lexer.h"
#include "sluice/address/lookup.h"
#include "sluice/cli/quote.h"
#include "sluice/endpoint/command_line.h"

namespace sluice {
namespace {

/// Whether a word is an address though it begins with a dash: `-`, `-,crnl`, `-!!FILE:x`.
bool is_address(std::string_view word) {
  return word.empty() || word[0] != '-' || word == "-" || word[1] == ',' || word[1] == '!';
}

/// -h, -hh, -hhh, and the same with question marks; what stands behind is not read, as socat does not.
std::optional<int> listing_level(std::string_view word) {
  if (word.size() < 2 || word[0] != '-' || (word[1] != 'h' && word[1] != '?')) return std::nullopt;
  const auto end = std::min(word.find_first_not_of(word[1], 1), word.size());
  return static_cast<int>(std::min<std::size_t>(end - 1, 3));
}

/// The row whose spelling begins a word, the longest one; `value` is what stands behind it.
const ArgumentRow* row_of(std::string_view word, std::string_view& value) {
  const ArgumentRow* best = nullptr;
  std::string best_spelling;
  for (const ArgumentRow& row : sockcat_description().rows) {
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

/// Under the name socat a number that is none is told of in its words.
[[noreturn]] void refuse_number(const ArgumentRow& row, std::string_view value, bool as_socat) {
  if (!as_socat)
    throw UsageError(spelling_of(row) + ": \"" + std::string(value) + "\" is no number of 0 or more");
  const bool begins = !value.empty() && value.find_first_of("0123456789") == 0;
  throw UsageError(std::string(begins ? "trailing garbage in numerical arg" : "missing numerical value") +
                   " of option \"" + spelling_of(row) + '"');
}

double number_of(const ArgumentRow& row, std::string_view value, bool as_socat) {
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size() || !(number >= 0) || !std::isfinite(number))
    refuse_number(row, value, as_socat);
  return number;
}

Duration seconds_of(const ArgumentRow& row, std::string_view value, bool as_socat) {
  constexpr double longest = 1e9;
  const double number = number_of(row, value, as_socat);
  if (number > longest) throw UsageError(spelling_of(row) + ": \"" + std::string(value) + "\" is too long");
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(number));
}

int descriptor_of(const ArgumentRow& row, std::string_view value) {
  const double number = number_of(row, value, false);
  if (number != std::floor(number) || number > 1e6)
    throw UsageError(spelling_of(row) + ": \"" + std::string(value) + "\" is no descriptor number");
  return static_cast<int>(number);
}

/// No step is larger than `most_moved`, whatever it may be; 0 leaves the choice to us.
std::size_t size_of(const ArgumentRow& row, std::string_view value, bool as_socat) {
  constexpr double most = 9223372036854775807.0, most_moved = 1 << 30;
  const double number = number_of(row, value, as_socat);
  if (number > most && as_socat)
    throw UsageError("buffer size option (-b) to big - " + std::string(value) +
                     " (max is 9223372036854775807)");
  if (number != std::floor(number) || number > most)
    throw UsageError(spelling_of(row) + ": size " + std::string(value) +
                     " is out of range (0-9223372036854775807)");
  return static_cast<std::size_t>(std::min(number, most_moved));
}

/// A bit for each signal, that of signal 1 with the value 2 (socat 1.8).
std::uint64_t signals_of(const ArgumentRow& row, std::string_view value) {
  const bool hexadecimal = value.starts_with("0x") || value.starts_with("0X");
  const std::string_view digits = hexadecimal ? value.substr(2) : value;
  std::uint64_t mask = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), mask, hexadecimal ? 16 : 10);
  if (error != std::errc{} || end != digits.data() + digits.size())
    throw UsageError(spelling_of(row) + ": \"" + std::string(value) + "\" is no mask of signals");
  return mask;
}

unsigned threads_of(const ArgumentRow& row, std::string_view value) {
  constexpr double most = 1024;
  const double number = number_of(row, value, false);
  if (number < 1 || number != std::floor(number) || number > most)
    throw UsageError(spelling_of(row) + ": " + std::string(value) + " threads are out of range (1-1024)");
  return static_cast<unsigned>(number);
}

/// Reads the options into a run.
class Reader {
 public:
  Reader(SockcatRun& run, Rules& rules) : run_(run), rules_(rules) {
    // Without -d, warnings are told; each -d is one level more, from warnings on (socat 1.8).
    run_.log.least = Severity::warning;
    run_.plan.threads = processors();
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
    if (name == "-lp") return log.program = value, void(log.variables = upper_case(value));
    if (name == "-lu") return void(log.microseconds = true);
    if (name == "-lh") return void(log.with_host = true);
    if (name == "-v") return void(run_.plan.dump.text = true);
    if (name == "-x") return void(run_.plan.dump.hexadecimal = true);
    if (name == "-r") return void(run_.plan.raw_left = std::string(value));
    if (name == "-R") return void(run_.plan.raw_right = std::string(value));
    if (name == "-b") return void(limits.chunk = size_of(row, value, limits.as_socat));
    if (name == "-s") return void(run_.plan.sloppy = true);
    if (name == "-t") return void(limits.linger = seconds_of(row, value, limits.as_socat));
    if (name == "--drain") return void(limits.grace = seconds_of(row, value, limits.as_socat));
    if (name == "-T") return void(limits.idle = seconds_of(row, value, limits.as_socat));
    if (name == "-u") return void(limits.direction = Direction::left_to_right);
    if (name == "-U") return void(limits.direction = Direction::right_to_left);
    if (name == "-g") return void(rules_.any_group = true);
    if (name == "-D") return void(run_.plan.describes_descriptors = true);
    if (name == "-S") return void(run_.plan.ending_signals = signals_of(row, value));
    if (name == "-L") return void(run_.plan.lock_file = LockFilePlan{std::string(value), false});
    if (name == "-W") return void(run_.plan.lock_file = LockFilePlan{std::string(value), true});
    if (name == "--experimental") return;
    if (name == "--explain") return void(explains_ = true);
    if (name == "-4") return void(run_.plan.preferred_family = run_.plan.listening_family = AF_INET);
    if (name == "-6") return void(run_.plan.preferred_family = run_.plan.listening_family = AF_INET6);
    if (name == "-0") {
      run_.plan.preferred_family = run_.plan.listening_family = AF_UNSPEC;
      run_.plan.listens_on_both = true;
      return;
    }
    if (name == "progress") return void(run_.plan.progress.emplace());
    if (name == "--statistics") return void(run_.plan.statistics = true);
    if (name == "--threads") return void(run_.plan.threads = threads_of(row, value));
    if (name == "--socat") return void(limits.as_socat = true);
    if (name == "ready-fd") return void(run_.plan.ready_fd = descriptor_of(row, value));
    if (name == "ready-file") return void(run_.plan.ready_file = std::string(value));
    if (name == "-V") run_.text = sockcat_features();
    if (name == "help") run_.text = has_value ? sockcat_help_of(value) : help_text(sockcat_description());
    if (name == "version") run_.text = version_text(sockcat_description());
    if (name == "print-manual") run_.text = sockcat_manual();
    if (name == "print-completion")
      run_.text = completion_script(sockcat_description(), choice_of(row, value));
    if (name == "complete-address") run_.text = address_completions(value);
  }

  bool explains() const { return explains_; }

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
  bool explains_ = false;
};

std::optional<std::string_view> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

/// Seconds that a variable of the environment asks to wait, for who debugs; none if it makes no sense.
Duration wait_of(const char* name) {
  double seconds = 0;
  const auto text = variable(name);
  if (text) std::from_chars(text->data(), text->data() + text->size(), seconds);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(std::clamp(seconds, 0.0, 1e6)));
}

/// The IP version that a variable asks for.
int family_of(const char* name) {
  const auto text = variable(name);
  return text == "4" ? AF_INET : text == "6" ? AF_INET6 : AF_UNSPEC;
}

/// Of children-shutup of a session's address, whose process this is.
int steps_of(std::string_view name) {
  int steps = 0;
  const auto text = variable(std::string(name).c_str());
  if (text) std::from_chars(text->data(), text->data() + text->size(), steps);
  return std::clamp(steps, 0, 5);
}

void read_environment(BridgePlan& plan) {
  plan.wait_before_opening = wait_of("SOCAT_MAIN_WAIT");
  plan.wait_before_transfer = wait_of("SOCAT_TRANSFER_WAIT");
  plan.preferred_family = family_of("SOCAT_PREFERRED_RESOLVE_IP");
  plan.listening_family = family_of("SOCAT_DEFAULT_LISTEN_IP");
  const char* const listening = std::getenv("SOCAT_DEFAULT_LISTEN_IP");
  plan.listens_on_both = listening != nullptr && *listening == '\0';
}

/// Only the second address can take the first one's place, and only as a whole.
void refuse_nofork(const Address& address) {
  const Option* option = address.find("nofork");
  if (option != nullptr && address.flag("nofork"))
    throw AddressError(address, option->place,
                       "nofork is for the second address alone, and not for a half of one");
}

/// What the first address's descriptors carry must be what its peer says (socat(1), nofork).
void refuse_taking_over(const Specification& left, const Specification& right) {
  const Option* option = right.reading.find("nofork");
  if (option == nullptr || !right.reading.flag("nofork")) return;
  for (const Address* one : {&left.reading, left.writing ? &*left.writing : &left.reading})
    if (overlap(one->keyword->groups, Group::openssl | Group::readline))
      throw AddressError(right.reading, option->place,
                         "nofork cannot hand over what " + std::string(one->keyword->name) + " reads");
}

bool starts_programs(const Specification& one) {
  const auto starts = [](const Address& address) { return overlap(address.keyword->groups, Group::exec); };
  return starts(one.reading) || (one.writing && starts(*one.writing));
}

/// The words after `ADDRESS --` as an address: a program with these arguments, whatever they contain.
std::string address_of_program(std::span<char* const> words) {
  if (words.empty()) throw UsageError("a command is missing after --");
  const std::vector<std::string> arguments(words.begin(), words.end());
  return "EXEC:" + escaped(joined_command_line(arguments), ":,");
}

UsageError unknown_option(std::string_view word) {
  std::string message = "unknown option \"" + std::string(word) + '"';
  if (word.starts_with("--"))
    message += hint_for(word.substr(2, word.find('=') - 2), sockcat_description().rows,
                        sockcat_description().guesses);
  return UsageError(message);
}

/// A comma that a blank follows separates nothing, so it is one of the text.
std::string with_commas_kept(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == ", ") out += '\\';
    out += text[i];
  }
  return out;
}

/// Why there are more words than addresses, if that can be guessed.
std::string hint_for_count(std::span<const std::string_view> words, bool after_level) {
  if (words.size() < 3) return {};
  if (after_level && words[0].size() == 1 && words[0][0] >= '0' && words[0][0] <= '4')
    return "; a level is one word with its option: -d" + std::string(words[0]);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string_view head = words[i].substr(0, words[i].find_first_of(":,"));
    const KeywordRow* keyword = find_keyword(head);
    const bool takes_text =
        keyword != nullptr && (overlap(keyword->groups, Group::exec) || keyword->name == "TEXT");
    if (!takes_text && !words[i].ends_with(',')) continue;
    // The other address is the first of all, or the last.
    const std::size_t end = i == 0 ? words.size() - 1 : words.size();
    std::string joined(words[i]);
    for (const std::string_view word : words.subspan(i + 1, end - i - 1))
      (joined += takes_text ? " " : "") += word;
    return takes_text ? "; a command with blanks needs quotes: " + quoted(with_commas_kept(joined))
                      : "; no blank follows a comma: " + quoted_if_needed(joined);
  }
  return {};
}

const Address& written_part(const Specification& one) { return one.writing ? *one.writing : one.reading; }

}  // namespace

void read_sockcat_run(const Invocation& invocation, SockcatRun& run) {
  Rules rules;
  run.log.program = invocation.program;
  run.plan.limits.as_socat = invocation.program == "socat";
  run.log.dated = run.plan.limits.as_socat;
  run.log.quieter = steps_of(shutup_variable);
  read_environment(run.plan);
  Reader reader(run, rules);
  std::size_t next = 0;
  const auto& words = invocation.words;
  std::vector<std::string> again = {invocation.program};
  std::vector<std::string_view> addresses;
  std::string program;
  const bool long_ones_follow = order_of_environment() == Order::permute;
  bool options_end = false;
  for (; next < words.size(); ++next) {
    const std::size_t first = next;
    const std::string_view word = words[next];
    if (word == "--" && addresses.size() == 1) {
      program = address_of_program(words.subspan(next + 1));
      addresses.emplace_back(program);
      break;
    }
    // socat's own options come before the addresses, long ones, none of which are its, anywhere.
    const bool may_be_option = addresses.empty() || (long_ones_follow && word.starts_with("--"));
    const bool ends_options = word == "--" && addresses.empty();
    if (options_end || !may_be_option || is_address(word) || (word == "--" && !ends_options)) {
      addresses.push_back(word);
      continue;
    }
    if (ends_options) {
      options_end = true;
      continue;
    }
    if (const auto level = listing_level(word)) {
      run.text = sockcat_listing(*level);
      return;
    }
    std::string_view value;
    const ArgumentRow* row = row_of(word, value);
    if (row == nullptr) throw unknown_option(word);
    // `--name=` has a value, an empty one.
    bool has_value = !value.empty() || (word.starts_with("--") && word.ends_with('='));
    if (row->kind == ArgumentKind::required && !has_value) {
      if (++next == words.size())
        throw UsageError(spelling_of(*row) + " needs an argument (" + std::string(row->argument) + ')');
      value = words[next];
      has_value = true;
    }
    if (row->name == "help" && !has_value && !addresses.empty()) {
      run.text = sockcat_help_of_addresses(addresses);
      return;
    }
    reader.take(*row, value, has_value);
    if (run.text) return;
    // Readiness, progress and locks are those of the whole, and this process's.
    const bool of_the_whole = row->name == "progress" || row->name.starts_with("ready-") ||
                              row->spelling == "-L" || row->spelling == "-W";
    if (of_the_whole) continue;
    again.insert(again.end(), words.begin() + static_cast<std::ptrdiff_t>(first),
                 words.begin() + static_cast<std::ptrdiff_t>(next) + 1);
  }
  rules.as_socat = run.plan.limits.as_socat;
  if (addresses.size() != 2)
    throw UsageError("expects two addresses, got " + std::to_string(addresses.size()) +
                     hint_for_count(addresses, again.back() == "-d"));
  const Specification left = parse_specification(addresses[0], rules);
  const Specification right = parse_specification(addresses[1], rules);
  if (reader.explains()) {
    run.text = sockcat_explanation(left, right);
    return;
  }
  for (const Specification* one : {&left, &right})
    for (std::string& warning : lost_quotes(*one)) run.warnings.push_back(std::move(warning));
  refuse_nofork(left.reading);
  if (left.writing) refuse_nofork(*left.writing);
  if (right.writing) {
    refuse_nofork(right.reading);
    refuse_nofork(*right.writing);
  }
  refuse_taking_over(left, right);
  if (run.plan.progress) run.plan.progress->program = run.log.program;
  run.plan.limits.exit_on = exit_on(left, right);
  run.plan.limits.cool_left = written_part(left).flag("cool-write");
  run.plan.limits.cool_right = written_part(right).flag("cool-write");
  for (const Specification* one : {&left, &right})
    if (const auto steps = one->reading.integer("children-shutup"))
      run.plan.children_shutup =
          std::max(run.plan.children_shutup, static_cast<int>(std::clamp<std::int64_t>(*steps, 0, 5)));
  run.plan.starts_programs = starts_programs(left) || starts_programs(right);
  const int shutup = run.log.quieter + run.plan.children_shutup;
  run.plan.restart = Restart{std::move(again), left, right, shutup};
  run.plan.left = [left](Use use, const Context& context) { return make_endpoint(left, use, context); };
  run.plan.right = [right](Use use, const Context& context) { return make_endpoint(right, use, context); };
}

}  // namespace sluice
