#include "sluice/address/address.h"
#include "sluice/address/lexer.h"

namespace sluice {
namespace {

/// Whether the lexer reads a piece as it stands, whatever comes behind it.
bool needs_no_quotes(std::string_view text, std::string_view delimiters) {
  std::string open;
  for (const char c : text) {
    if (c == '\\' || c == '\'' || c == '"') return false;
    if (!open.empty() && c == open.back())
      open.pop_back();
    else if (closing(c) != '\0')
      open += closing(c);
    else if (open.empty() && (c == '!' || delimiters.find(c) != delimiters.npos))
      return false;
  }
  return open.empty();
}

void append_piece(std::string& line, std::string_view text, std::string_view delimiters) {
  if (needs_no_quotes(text, delimiters)) {
    line += text;
    return;
  }
  line += '\'';
  for (const char c : text) {
    if (c == '\\' || c == '\'') line += '\\';
    line += c;
  }
  line += '\'';
}

}  // namespace

std::string to_text(const Address& address) {
  std::string line(address.keyword->name);
  for (const auto& parameter : address.parameters) {
    line += ':';
    append_piece(line, parameter.text, ":,");
  }
  for (const auto& option : address.options) {
    (line += ',') += option.row->name;
    if (!option.has_text) continue;
    line += '=';
    append_piece(line, option.text, ",");
  }
  return line;
}

std::string to_text(const Specification& specification) {
  auto line = to_text(specification.reading);
  if (specification.writing) (line += "!!") += to_text(*specification.writing);
  return line;
}

}  // namespace sluice
