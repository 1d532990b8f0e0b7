#include "sluice/cli/args.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <stdexcept>

#include "sluice/cli/nearest.h"

namespace sluice {
namespace {

std::string hint(std::string_view nearest) {
  return nearest.empty() ? std::string() : " (did you mean '" + std::string(nearest) + "'?)";
}

bool named(const ArgumentRow& row, std::string_view name) {
  return !name.empty() && (row.name == name || row.spelling == name);
}

/// The row of a long option, by its whole name or an unambiguous beginning.
const ArgumentRow& long_row(std::span<const ArgumentRow> rows, std::string_view name,
                            std::string_view written, std::span<const Guess> guesses) {
  const ArgumentRow* found = nullptr;
  std::string possibilities;
  bool ambiguous = false;
  for (const ArgumentRow& row : rows) {
    if (row.name.empty()) continue;
    if (row.name == name) return row;
    if (row.hidden || !row.name.starts_with(name)) continue;
    ambiguous = found != nullptr;
    found = &row;
    possibilities += " '--" + std::string(row.name) + "'";
  }
  if (ambiguous)
    throw UsageError("option '--" + std::string(name) + "' is ambiguous; possibilities:" + possibilities);
  if (found != nullptr) return *found;
  throw UsageError("unrecognized option '" + std::string(written) + "'" + hint_for(name, rows, guesses));
}

/// Walks over the words once; each method takes what belongs to it.
class Parser {
 public:
  Parser(std::span<const ArgumentRow> rows, std::span<char* const> words, Order order,
         std::span<const Guess> guesses)
      : rows_(rows), words_(words), order_(order), guesses_(guesses), result_(rows) {}

  Arguments parse() && {
    while (!stopped_ && next_ < words_.size()) {
      const std::string_view word = words_[next_++];
      if (word == "--") {
        take_operands();
      } else if (word.starts_with("--")) {
        take_long(word);
      } else if (word.size() > 1 && word.front() == '-') {
        take_letters(word);
      } else {
        result_.add_operand(word);
        if (order_ == Order::stop_at_first) take_operands();
      }
    }
    return std::move(result_);
  }

 private:
  void take_operands() {
    while (next_ < words_.size()) result_.add_operand(words_[next_++]);
  }

  void take_long(std::string_view word) {
    const int position = static_cast<int>(next_) - 1;
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(2, equals == word.npos ? equals : equals - 2);
    const ArgumentRow& row = long_row(rows_, name, word, guesses_);
    if (equals != word.npos) {
      if (row.kind == ArgumentKind::none)
        throw UsageError("option '" + spelling_of(row) + "' doesn't allow an argument");
      return add(row, word.substr(equals + 1), position);
    }
    if (row.kind != ArgumentKind::required) return add_bare(row, position);
    if (next_ == words_.size()) throw UsageError("option '" + spelling_of(row) + "' requires an argument");
    add(row, words_[next_++], position);
  }

  void take_letters(std::string_view word) {
    const int position = static_cast<int>(next_) - 1;
    for (std::size_t i = 1; i < word.size() && !stopped_; ++i) {
      const char letter = word[i];
      const auto row = std::find_if(rows_.begin(), rows_.end(),
                                    [&](const ArgumentRow& each) { return each.letter == letter; });
      if (row == rows_.end()) throw UsageError("invalid option -- '" + std::string(1, letter) + "'");
      const std::string_view rest = word.substr(i + 1);
      if (row->kind == ArgumentKind::none || (row->kind == ArgumentKind::optional && rest.empty())) {
        add_bare(*row, position);
        continue;
      }
      if (!rest.empty()) return add(*row, rest, position);
      if (next_ == words_.size())
        throw UsageError("option requires an argument -- '" + std::string(1, letter) + "'");
      return add(*row, words_[next_++], position);
    }
  }

  void add_bare(const ArgumentRow& row, int position) {
    result_.add({.row = &row, .value = {}, .has_value = false, .position = position});
    stopped_ = row.final;
  }

  void add(const ArgumentRow& row, std::string_view value, int position) {
    if (!row.choices.empty()) value = choice_of(row, value);
    result_.add({.row = &row, .value = value, .has_value = true, .position = position});
    stopped_ = row.final;
  }

  std::span<const ArgumentRow> rows_;
  std::span<char* const> words_;
  Order order_;
  std::span<const Guess> guesses_;
  Arguments result_;
  std::size_t next_ = 0;
  bool stopped_ = false;
};

}  // namespace

std::string spelling_of(const ArgumentRow& row) {
  if (!row.spelling.empty()) return std::string(row.spelling);
  if (!row.name.empty()) return "--" + std::string(row.name);
  return {'-', row.letter};
}

const ParsedArgument* Arguments::find(std::string_view name) const {
  if (std::none_of(rows_.begin(), rows_.end(), [&](const ArgumentRow& row) { return named(row, name); }))
    throw std::logic_error("no option is called " + std::string(name));
  const auto last = std::find_if(options_.rbegin(), options_.rend(),
                                 [&](const ParsedArgument& option) { return named(*option.row, name); });
  return last == options_.rend() ? nullptr : &*last;
}

std::string_view Arguments::value(std::string_view name, std::string_view otherwise) const {
  const ParsedArgument* option = find(name);
  return option != nullptr && option->has_value ? option->value : otherwise;
}

std::vector<std::string_view> Arguments::values(std::string_view name) const {
  std::vector<std::string_view> values;
  if (find(name) == nullptr) return values;
  for (const ParsedArgument& option : options_)
    if (named(*option.row, name)) values.push_back(option.value);
  return values;
}

Order order_of_environment() {
  return std::getenv("POSIXLY_CORRECT") != nullptr ? Order::stop_at_first : Order::permute;
}

std::string hint_for(std::string_view name, std::span<const ArgumentRow> rows,
                     std::span<const Guess> guesses) {
  std::vector<std::string_view> names;
  for (const ArgumentRow& row : rows) {
    if (row.hidden) continue;
    if (!row.name.empty()) names.push_back(row.name);
    if (row.spelling.starts_with("--")) names.push_back(row.spelling.substr(2));
  }
  for (const Guess& guess : guesses) names.push_back(guess.word);
  const std::string_view nearest = nearest_of(name, names);
  for (const Guess& guess : guesses)
    if (guess.word == nearest) return " (" + std::string(guess.hint) + ')';
  return hint(nearest.empty() ? std::string() : "--" + std::string(nearest));
}

Arguments parse_arguments(std::span<const ArgumentRow> rows, std::span<char* const> words, Order order,
                          std::span<const Guess> guesses) {
  return Parser(rows, words, order, guesses).parse();
}

const ArgumentRow* find_row(std::span<const ArgumentRow> rows, std::string_view word) {
  for (const ArgumentRow& row : rows) {
    if (!row.spelling.empty() && row.spelling == word) return &row;
    if (!row.name.empty() && word.starts_with("--") && word.substr(2) == row.name) return &row;
    if (row.letter != 0 && word.size() == 2 && word[0] == '-' && word[1] == row.letter) return &row;
  }
  return nullptr;
}

std::string_view choice_of(const ArgumentRow& row, std::string_view value) {
  std::string_view found;
  int beginnings = 0;
  std::string allowed;
  for (const std::string_view choice : row.choices) {
    if (choice == value) return choice;
    if (choice.starts_with(value)) found = choice, ++beginnings;
    if (!allowed.empty()) allowed += ", ";
    allowed += choice;
  }
  if (beginnings == 1) return found;
  throw UsageError((beginnings > 1 ? "ambiguous argument '" : "invalid argument '") + std::string(value) +
                   "' for '" + spelling_of(row) + "' (one of " + allowed + ")" +
                   hint(nearest_of(value, row.choices)));
}

std::int64_t integer_of(const ParsedArgument& option, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  const std::string_view text = option.value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most)
    throw UsageError("invalid number '" + std::string(text) + "' for '" + spelling_of(*option.row) + "' (" +
                     std::to_string(least) + " to " + std::to_string(most) + ")");
  return number;
}

}  // namespace sluice
