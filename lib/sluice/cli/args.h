#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/failure.h"

namespace sluice {

enum class ArgumentKind : std::uint8_t { none, required, optional };

/// How a shell may complete an option's argument or an operand.
enum class Completes : std::uint8_t {
  nothing,
  file,
  address  ///< what the tool's own hidden option --complete-address says (tools/address_completion.h)
};

/// One option of a tool. The parser, the help, the manual page and the completions all come from these rows.
struct ArgumentRow {
  std::string_view name{};      ///< long, without its dashes: "zero"
  char letter = 0;              ///< short: '0'
  std::string_view spelling{};  ///< as written, where a tool's language is not GNU's: "-lf"; `parse` skips it
  ArgumentKind kind = ArgumentKind::none;
  std::string_view argument{};  ///< its argument's name in the help: "FILE"
  std::string_view help{};      ///< one sentence without a full stop
  std::string_view group{};     ///< the heading that it stands under; rows of a group stand together
  std::span<const std::string_view> choices{};  ///< the only values allowed, each by an unambiguous beginning
  std::span<const std::string_view> suggestions{};  ///< values that a shell may offer, beside others
  bool repeatable = false;                          ///< each use counts, else the last one wins
  bool final = false;                               ///< what stands behind it is not even read: --help
  bool hidden = false;                              ///< neither listed nor abbreviated nor suggested
  Completes completes = Completes::nothing;
};

/// A word that people try as an option though the tool has no such one, and what to say then: "-T SECONDS
/// ends after silence".
struct Guess {
  std::string_view word;  ///< without dashes
  std::string_view hint;
};

/// What to say of an unknown long option (without its dashes): ` (did you mean '--serve'?)`, the hint of the
/// nearest guess, or nothing.
std::string hint_for(std::string_view name, std::span<const ArgumentRow> rows,
                     std::span<const Guess> guesses = {});

/// The spelling that messages use: `-lf`, `--zero`, `-x`.
std::string spelling_of(const ArgumentRow& row);

/// One option as given: its row, its argument, and which word of the command line it stood in.
struct ParsedArgument {
  const ArgumentRow* row = nullptr;
  std::string_view value;
  bool has_value = false;
  int position = 0;
};

/// A command line, understood. Texts are those of argv, or of the table where a choice was abbreviated.
class Arguments {
 public:
  explicit Arguments(std::span<const ArgumentRow> rows) : rows_(rows) {}

  /// The last use of an option by its long name (or spelling), or nullptr. Asking for a name that is not in
  /// the table is a defect of the caller (std::logic_error).
  const ParsedArgument* find(std::string_view name) const;
  bool flag(std::string_view name) const { return find(name) != nullptr; }
  /// The value of the last use, or `otherwise`.
  std::string_view value(std::string_view name, std::string_view otherwise = {}) const;
  /// The values of all uses, in order.
  std::vector<std::string_view> values(std::string_view name) const;

  void add(ParsedArgument option) { options_.push_back(option); }
  void add_operand(std::string_view operand) { operands_.push_back(operand); }
  const std::vector<ParsedArgument>& options() const { return options_; }
  const std::vector<std::string_view>& operands() const { return operands_; }

 private:
  std::span<const ArgumentRow> rows_;
  std::vector<ParsedArgument> options_;
  std::vector<std::string_view> operands_;
};

enum class Order : std::uint8_t {
  permute,       ///< options are found behind operands too
  stop_at_first  ///< everything behind the first operand is an operand (POSIX)
};

/// `permute`, unless the environment has POSIXLY_CORRECT.
Order order_of_environment();

/// Reads a command line (argv without its first word) in GNU syntax: `--name`, `--name=value`,
/// `--name value`, `--na` if unambiguous, `-abc`, `-xvalue`, `-x value`, `--`, and `-` as an operand.
/// Throws UsageError in getopt_long's words, with the nearest option where one is near.
Arguments parse_arguments(std::span<const ArgumentRow> rows, std::span<char* const> words,
                          Order order = order_of_environment(), std::span<const Guess> guesses = {});

/// The row whose spelling, `--name` or `-letter` is this word, hidden ones included, or nullptr.
const ArgumentRow* find_row(std::span<const ArgumentRow> rows, std::string_view word);

/// The choice of `row` that `value` is, or is an unambiguous beginning of. Throws UsageError.
std::string_view choice_of(const ArgumentRow& row, std::string_view value);

/// A decimal number between `least` and `most`. Throws UsageError that names the option.
std::int64_t integer_of(const ParsedArgument& option, std::int64_t least, std::int64_t most);

}  // namespace sluice
