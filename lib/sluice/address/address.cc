#include "sluice/address/address.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "sluice/address/lookup.h"
#include "sluice/core/visible.h"

namespace sluice {
namespace {

std::string error_line(std::string_view written, std::string_view message) {
  return visible(std::string(written) + (written.empty() ? "" : ": ") + std::string(message));
}

/// On one line, tabs as they are.
std::string shown(std::string_view source) {
  std::string line;
  for (;;) {
    const auto tab = std::min(source.find('\t'), source.size());
    line += visible(source.substr(0, tab));
    if (tab == source.size()) return line;
    line += '\t';
    source.remove_prefix(tab + 1);
  }
}

/// The source, and below it a caret under the place: a column for each character, tabs as they are.
std::string with_caret(std::string_view source, std::size_t place) {
  std::string lines = shown(source) + '\n';
  for (const char c : shown(source.substr(0, place)))
    if (characters_in({&c, 1}) > 0) lines += c == '\t' ? '\t' : ' ';
  return lines + '^';
}

}  // namespace

AddressError::AddressError(const Address& address, std::size_t place, std::string_view message)
    : UsageError(error_line(address.written(), message)) {
  set_detail(with_caret(address.source, place));
}

AddressError::AddressError(std::string_view source, std::size_t place, std::string_view message)
    : UsageError(error_line(source, message)) {
  set_detail(with_caret(source, place));
}

const Option* Address::find(std::string_view name) const {
  const auto* row = find_row(option_rows(), &OptionRow::name, name);
  if (row == nullptr) throw std::logic_error("there is no option named " + std::string(name));
  const auto last =
      std::find_if(options.rbegin(), options.rend(), [row](const Option& o) { return o.row == row; });
  return last == options.rend() ? nullptr : &*last;
}

bool Address::flag(std::string_view name) const {
  const auto* option = find(name);
  if (option == nullptr) return false;
  if (const auto* on = std::get_if<bool>(&option->value)) return *on;
  if (const auto* number = std::get_if<std::int64_t>(&option->value)) return *number != 0;
  return true;
}

std::optional<std::int64_t> Address::integer(std::string_view name) const {
  const auto* option = find(name);
  if (option == nullptr) return std::nullopt;
  if (const auto* on = std::get_if<bool>(&option->value)) return *on ? 1 : 0;
  if (const auto* number = std::get_if<std::int64_t>(&option->value)) return *number;
  return std::nullopt;
}

std::optional<std::chrono::nanoseconds> Address::duration(std::string_view name) const {
  const auto* option = find(name);
  const auto* value = option == nullptr ? nullptr : std::get_if<std::chrono::nanoseconds>(&option->value);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<std::string> Address::text(std::string_view name) const {
  const auto* option = find(name);
  if (option == nullptr || !option->has_text) return std::nullopt;
  return option->text;
}

std::string_view Address::written() const { return std::string_view(source).substr(place, written_length); }

bool operator==(const Address& a, const Address& b) {
  const auto same_parameter = [](const Parameter& one, const Parameter& other) {
    return one.text == other.text;
  };
  const auto same_option = [](const Option& one, const Option& other) {
    return one.row == other.row && one.value == other.value && one.has_text == other.has_text &&
           one.text == other.text;
  };
  return a.keyword == b.keyword &&
         std::equal(a.parameters.begin(), a.parameters.end(), b.parameters.begin(), b.parameters.end(),
                    same_parameter) &&
         std::equal(a.options.begin(), a.options.end(), b.options.begin(), b.options.end(), same_option);
}

std::optional<std::uint16_t> numeric_port(const Address& address, const Parameter& parameter) {
  const std::string_view text = parameter.text;
  if (text.empty()) throw AddressError(address, parameter.place, "the port is missing");
  // Names may begin with a digit (3com-tsmux), so only a text of digits is a number.
  if (text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  std::uint16_t port = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), port).ec != std::errc{})
    throw AddressError(address, parameter.place, "port " + parameter.text + " is out of range (0-65535)");
  return port;
}

}  // namespace sluice
