#include <unistd.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "sluice/address/address.h"
#include "sluice/address/hints.h"
#include "sluice/address/lexer.h"
#include "sluice/address/lookup.h"
#include "sluice/address/misfits.h"
#include "sluice/address/value.h"

// An argument is read in two steps: the lexer cuts it into pieces (lexer.h has the lexical rules), then the
// tables say what the pieces mean.
//
//   specification = address [ "!!" address ]
//   address       = keyword { ":" parameter } { "," [ option [ "=" text ] ] }
//
// A parameter ends at ':', ',' or "!!", a text behind '=' at ',' or "!!" only.

namespace sluice {
namespace {

using Piece = Lexer::Piece;

struct OptionPieces {
  Piece name;
  std::optional<Piece> text;
};

struct AddressPieces {
  Piece head;
  std::vector<Piece> parameters;
  std::vector<OptionPieces> options;
  std::size_t place = 0;
  std::size_t length = 0;
};

AddressPieces cut(Lexer& lexer) {
  AddressPieces pieces;
  pieces.place = lexer.place();
  pieces.head = lexer.until(":,");
  while (lexer.take(':')) pieces.parameters.push_back(lexer.until(":,"));
  while (lexer.take(',')) {
    OptionPieces option{lexer.until("=,"), std::nullopt};
    if (lexer.take('=')) option.text = lexer.until(",");
    if (!option.name.text.empty() || option.text) pieces.options.push_back(std::move(option));
  }
  pieces.length = lexer.place() - pieces.place;
  return pieces;
}

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

std::string suggestion(std::string_view name) {
  return name.empty() ? std::string() : ", did you mean " + quoted(name) + '?';
}

std::string_view nearest_keyword(std::string_view written) {
  std::vector<std::string_view> names;
  for (const auto& row : keyword_rows()) names.push_back(row.name);
  for (const auto& row : keyword_aliases()) names.push_back(row.alias);
  return nearest(written, names);
}

/// The nearest option that fits the address and is applied; failing that, the nearest one at all.
std::string_view nearest_option(std::string_view written, Group fitting) {
  std::vector<std::string_view> useful;
  std::vector<std::string_view> all;
  const auto add = [&](std::string_view name, const OptionRow& row) {
    all.push_back(name);
    if (row.effect.kind != Effect::not_yet && overlap(row.groups, fitting)) useful.push_back(name);
  };
  for (const auto& row : option_rows()) add(row.name, row);
  for (const auto& row : option_aliases()) add(row.alias, *find_option(row.name));
  const auto best = nearest(written, useful);
  return best.empty() ? nearest(written, all) : best;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

/// What a head that is no keyword was probably meant to be: a misspelt one, a file, or a host with its port.
std::string guess(const AddressPieces& pieces) {
  const std::string& head = pieces.head.text;
  const auto& parameters = pieces.parameters;
  const auto exists = [](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; };
  const auto as_file = [&] { return "; for a file, ./" + head + " or FILE:" + head; };
  if (parameters.empty() && exists(head)) return as_file();
  if (const auto near = nearest_keyword(head); !near.empty()) return suggestion(near);
  if (parameters.size() == 1 && is_number(parameters[0].text))
    return suggestion("TCP:" + head + ':' + parameters[0].text);
  // Text, a dot, and an extension, as names of files have it.
  const auto dot = head.rfind('.');
  if (parameters.empty() && dot != head.npos && dot > 0 && dot + 1 < head.size()) return as_file();
  return {};
}

/// The keyword that stands at the head, or the one that a bare number or path stands for; such a head becomes
/// the first parameter.
const KeywordRow& keyword_of(const Address& address, AddressPieces& pieces) {
  const auto& head = pieces.head;
  if (head.text.empty()) {
    const bool is_port = pieces.parameters.size() == 1 && is_number(pieces.parameters[0].text);
    throw AddressError(address, head.place,
                       "the address's keyword is missing" +
                           (is_port ? suggestion("TCP-LISTEN:" + pieces.parameters[0].text) : std::string()));
  }
  const bool is_path = head.text.find('/') != head.text.npos;
  if (is_path || is_number(head.text)) {
    pieces.parameters.insert(pieces.parameters.begin(), head);
    return *find_keyword(is_path ? "GOPEN" : "FD");
  }
  if (const auto* row = find_keyword(head.text)) return *row;
  throw AddressError(address, head.place, "unknown address " + quoted(head.text) + guess(pieces));
}

std::string expected_parameters(const KeywordRow& row) {
  const auto least = std::to_string(row.least_parameters);
  const auto most = std::to_string(row.most_parameters);
  if (row.most_parameters == 0) return "no parameters";
  if (row.least_parameters == 0)
    return "at most " + most + (row.most_parameters == 1 ? " parameter" : " parameters");
  if (least != most) return least + " to " + most + " parameters";
  return most + (row.most_parameters == 1 ? " parameter" : " parameters");
}

void check_parameters(const Address& address) {
  const auto& row = *address.keyword;
  const auto count = address.parameters.size();
  if (count >= row.least_parameters && count <= row.most_parameters) return;
  auto message = "expects " + expected_parameters(row) + " (" + std::string(row.name) +
                 std::string(row.syntax) + "), got " + std::to_string(count);
  if (count < row.least_parameters) {
    const auto place = count == 0 ? address.place : address.parameters.back().place;
    throw AddressError(address, place, message);
  }
  if (row.syntax.find("host>") != row.syntax.npos)
    message += "; an IPv6 address needs brackets";
  else if (row.most_parameters > 0)
    message += "; a ':' within a parameter needs quotes or a backslash";
  throw AddressError(address, address.parameters[row.most_parameters].place, message);
}

/// What socat 1.7.4.4 says.
std::string in_words_of_socat(const std::string& name, const Option& option, const ReadValue& read) {
  if (!option.has_text) return "option " + quoted(name) + ": value required";
  if (!read.is_no_number) return "option " + quoted(name) + ": " + read.complaint;
  const bool begins = option.text.find_first_of("0123456789") <= 1;
  return std::string(begins ? "trailing garbage in numerical arg" : "missing numerical value") +
         " of option " + quoted(name + '=' + option.text);
}

/// Whether its parameter is a text that may well have a comma: a command, or the text of TEXT.
bool has_free_text(const Address& address) {
  return overlap(address.keyword->groups, Group::exec) || address.keyword->name == "TEXT";
}

Option understand(const Address& address, OptionPieces& pieces, const Rules& rules) {
  const auto& name = pieces.name;
  if (name.text.empty()) throw AddressError(address, name.place, "the option's name is missing");
  const auto fitting = address.keyword->groups | every_address;
  const auto* row = find_option(name.text);
  if (row == nullptr)
    throw AddressError(address, name.place,
                       "unknown option " + quoted(name.text) +
                           (has_free_text(address) && name.text.find(' ') != name.text.npos
                                ? "; a comma that belongs to the text needs a backslash: \\,"
                                : suggestion(nearest_option(name.text, fitting))));
  if (!rules.any_group && !overlap(row->groups, fitting))
    throw AddressError(
        address, name.place,
        "option " + quoted(name.text) + " does not apply to " + std::string(address.keyword->name));
  if (row->effect.kind == Effect::not_yet)
    throw AddressError(address, name.place, "option " + quoted(name.text) + " is not supported yet");

  Option option{row, {}, {}, pieces.text.has_value(), name.place};
  const auto place = pieces.text ? pieces.text->place : name.place;
  if (pieces.text) option.text = std::move(pieces.text->text);
  ReadValue read =
      read_value(*row, option.has_text ? std::optional<std::string_view>(option.text) : std::nullopt);
  if (!read.complaint.empty())
    throw AddressError(address, place,
                       rules.as_socat ? in_words_of_socat(name.text, option, read)
                                      : "option " + quoted(name.text) + ": " + read.complaint);
  option.value = std::move(read.value);
  return option;
}

/// Some options have an effect only beside others, so this waits until all are read.
void check_fitness(const Address& address, std::span<const OptionPieces> written) {
  for (std::size_t i = 0; i < written.size(); ++i)
    if (const auto why = misfit(address, address.options[i]))
      throw AddressError(address, written[i].name.place,
                         "option " + quoted(written[i].name.text) + " does not apply to " +
                             std::string(address.keyword->name) + *why);
}

Address read_address(Lexer& lexer, std::string_view source, const Rules& rules) {
  auto pieces = cut(lexer);
  Address address;
  address.source = source;
  address.place = pieces.place;
  address.written_length = pieces.length;
  if (pieces.length == 0)
    throw AddressError(source, pieces.place,
                       source.empty() ? "the address is empty" : "an address is missing beside !!");
  address.keyword = &keyword_of(address, pieces);
  for (auto& piece : pieces.parameters)
    address.parameters.push_back({std::move(piece.text), piece.place, std::move(piece.quoted)});
  check_parameters(address);
  for (auto& option : pieces.options) address.options.push_back(understand(address, option, rules));
  if (!rules.any_group) check_fitness(address, pieces.options);
  return address;
}

}  // namespace

Specification parse_specification(std::string_view source, const Rules& rules) {
  Lexer lexer(source);
  Specification specification{read_address(lexer, source, rules), std::nullopt};
  if (lexer.take_join()) specification.writing = read_address(lexer, source, rules);
  if (!lexer.at_end()) throw AddressError(source, lexer.place(), "!! joins two addresses, not more");
  return specification;
}

Address parse_address(std::string_view source, const Rules& rules) {
  Lexer lexer(source);
  auto address = read_address(lexer, source, rules);
  if (!lexer.at_end())
    throw AddressError(source, lexer.place(), "only one address can stand here, without !!");
  return address;
}

}  // namespace sluice
