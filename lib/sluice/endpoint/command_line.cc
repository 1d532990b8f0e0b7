#include "sluice/endpoint/command_line.h"

#include <algorithm>

#include "sluice/address/lexer.h"

namespace sluice {
namespace {

/// Whether all of a text stood in quotes.
bool covers(const std::vector<TextRange>& quoted, std::size_t size) {
  std::size_t covered = 0;
  for (const TextRange& range : quoted) covered += range.end - range.begin;
  return covered == size;
}

/// A word that means the same to a shell with and without quotes.
bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-+./:,@%=^").find(c) != std::string_view::npos;
  });
}

/// Quotes within quotes: the inner ones are for the program.
bool has_its_own_quotes(std::string_view text) {
  return text.size() > 1 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
}

/// The parameter as it was written, with its quotes.
std::string_view written(const Address& address) {
  const std::string_view from = std::string_view(address.source).substr(address.parameters[0].place);
  Lexer lexer(from);
  lexer.until(":,");
  return from.substr(0, lexer.place());
}

}  // namespace

std::vector<std::string> split_command_line(std::string_view text) {
  std::vector<std::string> words;
  Lexer lexer(text);
  while (!lexer.at_end()) {
    if (lexer.take(' ')) continue;
    std::string word = lexer.until(" ").text;
    while (lexer.take_join()) word += "!!" + lexer.until(" ").text;
    words.push_back(std::move(word));
  }
  return words;
}

std::string joined_command_line(std::span<const std::string> words) {
  std::string line;
  for (const std::string& word : words)
    (line += line.empty() ? "" : " ") += word.empty() ? "''" : escaped(word, " ");
  return line;
}

std::optional<std::string> lost_quotes(const Address& address) {
  const std::string_view keyword = address.keyword->name;
  const bool splits = keyword == "EXEC";
  const bool is_text = keyword == "TEXT";
  if (!splits && !is_text && !overlap(address.keyword->groups, Group::exec)) return std::nullopt;
  if (address.parameters.empty()) return std::nullopt;
  const Parameter& parameter = address.parameters[0];
  const std::string_view text = parameter.text;
  if (parameter.quoted.empty() || covers(parameter.quoted, text.size())) return std::nullopt;
  const std::string_view as_written = written(address);
  std::string left = "this runs:";
  if (splits) {
    const auto words = split_command_line(text);
    if (words.size() == split_command_line(as_written).size()) return std::nullopt;
    for (const std::string& word : words) left += " \"" + word + '"';
  } else {
    const bool harmless =
        std::all_of(parameter.quoted.begin(), parameter.quoted.end(), [&](const TextRange& range) {
          const auto part = text.substr(range.begin, range.end - range.begin);
          return !is_text && (is_plain(part) || has_its_own_quotes(part));
        });
    if (harmless) return std::nullopt;
    left = (is_text ? "the text is: " : "the shell gets: ") + std::string(text);
  }
  return std::string(address.written()) + ": the quotes are the address's own and have gone, and " + left +
         "; with a backslash before each they stay: " + std::string(keyword) + ':' +
         escaped(as_written, ":,");
}

std::vector<std::string> lost_quotes(const Specification& specification) {
  std::vector<std::string> all;
  const auto add = [&](const Address& address) {
    if (auto one = lost_quotes(address)) all.push_back(std::move(*one));
  };
  add(specification.reading);
  if (specification.writing) add(*specification.writing);
  return all;
}

}  // namespace sluice
