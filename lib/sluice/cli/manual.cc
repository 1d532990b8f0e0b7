#include <algorithm>

#include "sluice/cli/description.h"

namespace sluice {
namespace {

/// Text as man(7) prints it unchanged: a hyphen that can be copied into a shell, no escapes, and no line that
/// begins with a control character.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool at_line_start = out.empty() || out.back() == '\n';
    if (at_line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '-')
      out += "\\-";
    else if (c == '\\')
      out += "\\e";
    else if (c == '\'')
      out += "\\(aq";
    else if (c == '^')
      out += "\\(ha";
    else if (c == '~')
      out += "\\(ti";
    else if (c == '`')
      out += "\\(ga";
    else
      out += c;
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + escaped(text) + "\\fR"; }

std::string upper_cased(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

/// A sentence that the table keeps without its capital and full stop.
std::string sentence(std::string_view text) {
  if (text.empty()) return {};
  std::string out = upper_cased(text.substr(0, 1)) + std::string(text.substr(1));
  return escaped(out) + (out.back() == '.' ? "\n" : ".\n");
}

std::string tag(const ArgumentRow& row) {
  if (row.spelling.starts_with("--") && row.kind != ArgumentKind::none)
    return bold(row.spelling) + '=' + italic(row.argument);
  if (!row.spelling.empty())
    return bold(row.spelling) + (row.kind == ArgumentKind::none       ? ""
                                 : row.kind == ArgumentKind::optional ? '[' + italic(row.argument) + ']'
                                                                      : ' ' + italic(row.argument));
  std::string out;
  if (row.letter != 0) {
    out += bold(std::string{'-', row.letter});
    if (row.name.empty() && row.kind == ArgumentKind::required) out += ' ' + italic(row.argument);
    if (!row.name.empty()) out += ", ";
  }
  if (row.name.empty()) return out;
  out += bold("--" + std::string(row.name));
  if (row.kind == ArgumentKind::required) out += '=' + italic(row.argument);
  if (row.kind == ArgumentKind::optional) out += "[=" + italic(row.argument) + ']';
  return out;
}

void append_rows(std::string& out, std::span<const ArgumentRow> rows) {
  std::string_view group;
  for (const ArgumentRow& row : rows) {
    if (row.hidden) continue;
    if (row.group != group) {
      group = row.group;
      if (!group.empty()) out += ".SS " + escaped(group) + '\n';
    }
    out += ".TP\n" + tag(row) + '\n' + sentence(row.help);
    if (row.choices.empty()) continue;
    out += escaped("One of ");
    for (std::size_t i = 0; i < row.choices.size(); ++i) {
      if (i > 0) out += i + 1 == row.choices.size() ? " and " : ", ";
      out += bold(row.choices[i]);
    }
    out += ".\n";
  }
}

void append_paragraphs(std::string& out, std::span<const std::string_view> paragraphs) {
  for (std::size_t i = 0; i < paragraphs.size(); ++i) {
    if (i > 0) out += ".PP\n";
    out += escaped(paragraphs[i]) + '\n';
  }
}

void append_section(std::string& out, const Section& section) {
  // Long names would leave gaps in lines that are as wide as all others.
  if (!section.part) out += ".ad l\n";
  out += (section.part ? ".SS " : ".SH ") + escaped(section.title) + '\n';
  append_paragraphs(out, section.paragraphs);
  if (section.table && !section.terms.empty()) {
    // The first one keeps its distance from what is above.
    if (!section.paragraphs.empty()) out += ".PP\n";
    out += ".PD 0\n";
  }
  for (const Term& term : section.terms) {
    out += (section.table ? ".TP 20\n" : ".TP\n") + bold(term.name) + '\n' + sentence(term.meaning);
    if (!term.example.empty()) out += ".br\n" + bold(term.example) + '\n';
  }
  if (section.table) out += ".PD\n";
}

}  // namespace

std::string manual_page(const ToolDescription& description) {
  std::string out = ".TH " + upper_cased(description.name) + " 1 \"\" \"sluice " SLUICE_VERSION "\"\n";
  out += ".SH NAME\n" + escaped(description.name) + " \\- " + escaped(description.purpose) + '\n';

  out += ".SH SYNOPSIS\n";
  for (std::size_t i = 0; i < description.synopsis.size(); ++i) {
    if (i > 0) out += ".br\n";
    out += bold(description.name) + ' ' + escaped(description.synopsis[i]) + '\n';
  }
  out += ".SH DESCRIPTION\n";
  append_paragraphs(out, description.paragraphs);
  out += ".SH OPTIONS\n";
  append_rows(out, description.rows);
  for (const Section& section : description.sections) append_section(out, section);

  out += ".SH EXIT STATUS\n";
  for (const ExitStatusRow& row : description.statuses)
    out += ".TP\n" + bold(std::to_string(static_cast<int>(row.status))) + '\n' + sentence(row.meaning);
  if (!description.examples.empty()) out += ".SH EXAMPLES\n";
  for (const Example& example : description.examples)
    out += ".TP\n" + bold(example.command) + '\n' + sentence(example.meaning);
  if (description.see_also.empty()) return out;

  out += ".SH SEE ALSO\n";
  for (std::size_t i = 0; i < description.see_also.size(); ++i) {
    const std::string_view page = description.see_also[i];
    const std::size_t bracket = std::min(page.find('('), page.size());
    out += (i > 0 ? ",\n" : "") + bold(page.substr(0, bracket)) + escaped(page.substr(bracket));
  }
  return out + '\n';
}

}  // namespace sluice
