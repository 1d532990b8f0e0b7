#include <stdexcept>
#include <string>
#include <vector>

#include "sluice/cli/description.h"

namespace sluice {
namespace {

std::string joined(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) (out += out.empty() ? "" : " ") += word;
  return out;
}

/// Text inside single quotes of a shell; fish and the POSIX shells agree on these four characters.
std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + '\'';
}

/// `--total`, `-x`, `-lf`: the words that a row is written as, without arguments.
std::vector<std::string> words_of(const ArgumentRow& row) {
  if (!row.spelling.empty()) return {std::string(row.spelling)};
  std::vector<std::string> words;
  if (row.letter != 0) words.push_back({'-', row.letter});
  if (!row.name.empty()) words.push_back("--" + std::string(row.name));
  return words;
}

std::span<const std::string_view> offered_values(const ArgumentRow& row) {
  return row.choices.empty() ? row.suggestions : row.choices;
}

/// A shell function's name for a tool: `count-lines` -> `_count_lines`.
std::string function_of(const ToolDescription& description) {
  std::string out = "_";
  for (const char c : description.name) out += c == '-' ? '_' : c;
  return out;
}

// ---- bash ----------------------------------------------------------------------------------------------

std::string bash_argument_case(const ArgumentRow& row) {
  std::string patterns;
  for (const std::string& word : words_of(row)) (patterns += patterns.empty() ? "" : "|") += word;
  std::string action;
  if (!offered_values(row).empty())
    action =
        "mapfile -t COMPREPLY < <(compgen -W " + in_quotes(joined(offered_values(row))) + " -- \"$current\")";
  else if (row.completes == Completes::file)
    action = "compopt -o filenames\n            mapfile -t COMPREPLY < <(compgen -f -- \"$current\")";
  return "        " + patterns + ")\n" + (action.empty() ? "" : "            " + action + '\n') +
         "            return ;;\n";
}

std::string bash_operands(const ToolDescription& description) {
  std::string out;
  if (!description.operand_words.empty())
    out += "    mapfile -t COMPREPLY < <(compgen -W " + in_quotes(joined(description.operand_words)) +
           " -- \"$current\")\n    ((${#COMPREPLY[@]} == 0)) || { compopt -o nospace; return; }\n";
  if (description.operands == Completes::file)
    out += "    compopt -o filenames\n    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n";
  return out.empty() ? "    return\n" : out;
}

std::string bash_script(const ToolDescription& description) {
  std::string cases, options;
  for (const ArgumentRow& row : description.rows) {
    if (row.hidden) continue;
    if (row.kind == ArgumentKind::required && row.spelling.empty()) cases += bash_argument_case(row);
    for (const std::string& word : words_of(row)) {
      const bool wants_value = row.kind == ArgumentKind::required && word.starts_with("--");
      options += (options.empty() ? "" : " ") + word + (wants_value ? "=" : "");
    }
  }
  const std::string function = function_of(description);
  // readline breaks words at `=`, so `--name=value` comes as three.
  return "# bash completion for " + std::string(description.name) + "\n" + function +
         "() {\n"
         "    local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]}\n"
         "    COMPREPLY=()\n"
         "    if [[ $current == '=' ]]; then\n"
         "        current=\n"
         "    elif [[ $option == '=' ]]; then\n"
         "        option=${COMP_WORDS[COMP_CWORD-2]}\n"
         "    fi\n" +
         (cases.empty() ? "" : "    case $option in\n" + cases + "    esac\n") +
         "    if [[ $current == -* && \" ${COMP_WORDS[*]:0:COMP_CWORD} \" != *' -- '* ]]; then\n"
         "        mapfile -t COMPREPLY < <(compgen -W " +
         in_quotes(options) +
         " -- \"$current\")\n"
         "        [[ ${COMPREPLY-} != *= ]] || compopt -o nospace\n"
         "        return\n"
         "    fi\n" +
         bash_operands(description) + "}\ncomplete -F " + function + ' ' + std::string(description.name) +
         '\n';
}

// ---- zsh -----------------------------------------------------------------------------------------------

/// Text in an _arguments specification: brackets and colons have a meaning there.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_specification(const ArgumentRow& row) {
  const std::vector<std::string> words = words_of(row);
  std::string specification;
  std::string argument;
  if (row.kind != ArgumentKind::none) {
    argument = (row.kind == ArgumentKind::optional ? "::" : ":") + zsh_text(row.argument) + ':';
    if (!offered_values(row).empty()) argument += '(' + joined(offered_values(row)) + ')';
    if (offered_values(row).empty() && row.completes == Completes::file) argument += "_files";
  }
  for (const std::string& word : words) {
    std::string line = row.repeatable ? "*" : words.size() == 2 ? "(" + words[0] + ' ' + words[1] + ')' : "";
    line += word;
    // socat's options take their arguments attached or as the next word, long ones as GNU's do.
    const bool is_long = word.starts_with("--");
    if (row.kind == ArgumentKind::required) line += is_long ? "=" : row.spelling.empty() ? "+" : "-";
    if (row.kind == ArgumentKind::optional) line += is_long ? "=-" : "-";
    line += '[' + zsh_text(row.help) + ']' + argument;
    specification += "    " + in_quotes(line) + " \\\n";
  }
  return specification;
}

std::string zsh_script(const ToolDescription& description) {
  std::string out = "#compdef " + std::string(description.name) + "\n\n_arguments -s -S \\\n";
  for (const ArgumentRow& row : description.rows)
    if (!row.hidden) out += zsh_specification(row);
  std::string operands = "*:operand:";
  if (!description.operand_words.empty())
    operands += "{compadd -S \"\" -- " + joined(description.operand_words) + "; _files}";
  else if (description.operands == Completes::file)
    operands = "*:file:_files";
  return out + "    " + in_quotes(operands) + '\n';
}

// ---- fish ----------------------------------------------------------------------------------------------

std::string fish_script(const ToolDescription& description) {
  const std::string command = "complete -c " + std::string(description.name);
  std::string out = "# fish completion for " + std::string(description.name) + '\n';
  if (description.operands == Completes::nothing) out += command + " -f\n";
  if (!description.operand_words.empty())
    out += command + " -a " + in_quotes(joined(description.operand_words)) + '\n';
  for (const ArgumentRow& row : description.rows) {
    if (row.hidden) continue;
    out += command;
    if (row.spelling.starts_with("--"))
      out += " -l " + std::string(row.spelling.substr(2));
    else if (!row.spelling.empty())
      out += " -o " + std::string(row.spelling.substr(1));
    if (row.letter != 0) out += std::string(" -s ") + row.letter;
    if (!row.name.empty()) out += " -l " + std::string(row.name);
    if (row.kind == ArgumentKind::required) out += row.completes == Completes::file ? " -r -F" : " -x";
    if (!offered_values(row).empty()) out += " -a " + in_quotes(joined(offered_values(row)));
    out += " -d " + in_quotes(row.help) + '\n';
  }
  return out;
}

}  // namespace

std::string completion_script(const ToolDescription& description, std::string_view shell) {
  if (shell == "bash") return bash_script(description);
  if (shell == "zsh") return zsh_script(description);
  if (shell == "fish") return fish_script(description);
  throw std::logic_error("no completions are made for " + std::string(shell));
}

}  // namespace sluice
