#include <algorithm>

#include "sluice/cli/description.h"

namespace sluice {
namespace {

constexpr std::size_t width = 79;
constexpr std::size_t help_column = 26;

/// `  -0, --zero`, `      --total=WHEN`, `  -lf FILE`.
std::string option_column(const ArgumentRow& row) {
  std::string text = "  ";
  if (!row.spelling.empty()) {
    text += row.spelling;
    // As it must be given: `--threads=N`, `-lf<FILE>` (also as the next word), `-d<N>`.
    if (row.kind != ArgumentKind::none)
      text += row.spelling.starts_with("--") ? '=' + std::string(row.argument)
                                             : '<' + std::string(row.argument) + '>';
    return text;
  }
  text += row.letter != 0 ? std::string{'-', row.letter} : std::string("  ");
  const std::string argument(row.argument);
  if (row.name.empty()) return text + (row.kind == ArgumentKind::none ? "" : ' ' + argument);
  text += (row.letter != 0 ? ", --" : "  --") + std::string(row.name);
  if (row.kind == ArgumentKind::required) text += '=' + argument;
  if (row.kind == ArgumentKind::optional) text += "[=" + argument + ']';
  return text;
}

void append_row(std::string& out, const ArgumentRow& row) {
  std::string line = option_column(row);
  if (row.help.empty()) {
    out += line + '\n';
    return;
  }
  // A column that is too long has its line for itself.
  if (line.size() + 2 > help_column) {
    out += line + '\n';
    line.clear();
  }
  line.resize(help_column, ' ');
  out += line + wrapped(row.help, width - help_column, help_column) + '\n';
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string out;
  while (text.size() > columns) {
    std::size_t cut = text.rfind(' ', columns);
    if (cut == text.npos) cut = text.find(' ');
    if (cut == text.npos) break;
    out += text.substr(0, cut);
    out += '\n' + std::string(indent, ' ');
    text.remove_prefix(cut + 1);
  }
  return out += text;
}

std::string help_text(const ToolDescription& description) {
  std::string out;
  for (const std::string_view line : description.synopsis) {
    out += out.empty() ? "Usage: " : "   or: ";
    out += description.name;
    out += ' ' + std::string(line) + '\n';
  }
  if (!description.paragraphs.empty()) out += wrapped(description.paragraphs.front(), width, 0) + '\n';

  std::string_view group = "\n";  // no row's
  for (const ArgumentRow& row : description.rows) {
    if (row.hidden) continue;
    if (row.group != group) {
      group = row.group;
      out += '\n' + (group.empty() ? std::string() : std::string(group) + ":\n");
    }
    append_row(out, row);
  }

  out += "\nExit status:\n";
  for (const ExitStatusRow& row : description.statuses) {
    const std::string number = std::to_string(static_cast<int>(row.status));
    out += "  " + number + std::string(5 - std::min<std::size_t>(number.size(), 4), ' ') +
           wrapped(row.meaning, width - 7, 7) + '\n';
  }
  return out;
}

std::string version_text(const ToolDescription& description) {
  std::string text(description.name);
  text += " (sluice) " SLUICE_VERSION "\n";
  return text;
}

}  // namespace sluice
