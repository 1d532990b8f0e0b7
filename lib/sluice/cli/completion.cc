#include <algorithm>
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

bool completes_addresses(const ToolDescription& description) {
  return description.operands == Completes::address ||
         std::any_of(description.rows.begin(), description.rows.end(),
                     [](const ArgumentRow& row) { return row.completes == Completes::address; });
}

// ---- bash ----------------------------------------------------------------------------------------------

/// Asks the tool itself how an address goes on. `$1` is what has been typed of it, quotes included.
constexpr std::string_view bash_addresses = R"sh(_addresses() {
    local typed=$1 word='' open='' character candidate rest
    while [[ $typed ]]; do
        character=${typed:0:1}
        if [[ $open && $character == "$open" ]]; then
            open=''
        elif [[ ! $open && $character == [\'\"] ]]; then
            open=$character
        elif [[ $character == \\ && $open != \' ]]; then
            typed=${typed:1}
            word+=${typed:0:1}
        else
            word+=$character
        fi
        typed=${typed:1}
    done
    # Only what readline takes for the word is replaced, without a quote that is still open.
    local kept=${COMP_WORDS[COMP_CWORD]}
    [[ $kept != [:=]* ]] || kept=''
    [[ ! $open ]] || kept=${kept##*"$open"}
    while IFS=$'\t' read -r candidate rest; do
        rest=${candidate#"$word"}
        [[ $open || ! $rest ]] || printf -v rest %q "$rest"
        COMPREPLY+=("$kept$rest")
    done < <("${COMP_WORDS[0]/#~\//"$HOME"/}" --complete-address="$word" 2> /dev/null)
    compopt -o nospace
}
)sh";

std::string bash_argument_case(const ArgumentRow& row, const std::string& function) {
  std::string patterns;
  for (const std::string& word : words_of(row)) (patterns += patterns.empty() ? "" : "|") += word;
  std::string action;
  if (!offered_values(row).empty())
    action =
        "mapfile -t COMPREPLY < <(compgen -W " + in_quotes(joined(offered_values(row))) + " -- \"$current\")";
  else if (row.completes == Completes::file)
    action = "compopt -o filenames\n            mapfile -t COMPREPLY < <(compgen -f -- \"$current\")";
  else if (row.completes == Completes::address)
    action = function + "_addresses \"$current\"";
  return "        " + patterns + ")\n" + (action.empty() ? "" : "            " + action + '\n') +
         "            return ;;\n";
}

/// The program and its arguments after `ADDRESS --`.
constexpr std::string_view bash_program = R"sh(    if [[ $before == *' -- '* && $before != ' -- '* ]]; then
        local kind=-f
        [[ $option != -- ]] || kind=-c
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen "$kind" -- "$current")
        return
    fi
)sh";

std::string bash_script(const ToolDescription& description) {
  const std::string function = function_of(description);
  std::string cases, options;
  for (const ArgumentRow& row : description.rows) {
    if (row.hidden) continue;
    if (row.kind == ArgumentKind::required || row.completes == Completes::address)
      cases += bash_argument_case(row, function);
    for (const std::string& word : words_of(row)) {
      const bool wants_value = row.kind == ArgumentKind::required && word.starts_with("--");
      options += (options.empty() ? "" : " ") + word + (wants_value ? "=" : "");
    }
  }
  const bool addresses = description.operands == Completes::address;
  std::string operands = "    return\n";
  if (description.operands == Completes::file)
    operands = "    compopt -o filenames\n    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n";
  if (addresses) operands = "    " + function + "_addresses \"$current\"\n";
  return "# bash completion for " + std::string(description.name) + '\n' +
         (completes_addresses(description) ? function + std::string(bash_addresses) : "") + function +
         "() {\n"
         "    local -i first=COMP_CWORD\n"
         "    local current=${COMP_WORDS[COMP_CWORD]} option before\n"
         "    COMPREPLY=()\n"
         "    # readline breaks words at : and =, so that one may have come as several.\n"
         "    while ((first > 1)) && [[ ${COMP_WORDS[first]} == [:=]* || ${COMP_WORDS[first - 1]} == *[:=] "
         "]]; "
         "do\n"
         "        first=first-1\n"
         "        current=${COMP_WORDS[first]}$current\n"
         "    done\n"
         "    option=${COMP_WORDS[first - 1]}\n"
         "    before=\" ${COMP_WORDS[*]:1:first - 1} \"\n"
         "    if [[ $current == --*=* ]]; then\n"
         "        option=${current%%=*}\n"
         "        current=${current#*=}\n"
         "    fi\n" +
         (description.ends_in_program ? std::string(bash_program) : "") +
         (cases.empty() ? "" : "    case $option in\n" + cases + "    esac\n") + "    if [[ $current == -* " +
         (addresses ? "&& $current != -[,!]* " : "") +
         "&& $before != *' -- '* ]]; then\n"
         "        mapfile -t COMPREPLY < <(compgen -W " +
         in_quotes(options) +
         " -- \"$current\")\n"
         "        [[ ${COMPREPLY-} != *= ]] || compopt -o nospace\n"
         "        return\n"
         "    fi\n" +
         operands + "}\ncomplete -F " + function + ' ' + std::string(description.name) + '\n';
}

// ---- zsh -----------------------------------------------------------------------------------------------

/// Asks the tool itself how an address goes on.
constexpr std::string_view zsh_addresses = R"sh(_addresses() {
    local line text word=${(Q)PREFIX}
    local -a texts shown
    for line in ${(f)"$("${words[1]/#\~/$HOME}" --complete-address="$word" 2> /dev/null)"}; do
        text=${line%%$'\t'*}
        shown+=("${text##*[:,=]} ${${line#$text}:+-- ${line#*$'\t'}}")
        texts+=("$PREFIX${(q)text#${(b)word}}")
    done
    compadd -Q -S '' -l -d shown -a texts
}
)sh";

/// The program and its arguments after `ADDRESS --`.
constexpr std::string_view zsh_program = R"sh(local -i dashes=${words[(i)--]}
if ((dashes > 2 && dashes < CURRENT)); then
    shift dashes words
    ((CURRENT -= dashes))
    _normal
    return
fi
)sh";

/// Text in an _arguments specification: brackets and colons have a meaning there.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_specification(const ArgumentRow& row, const std::string& function) {
  const std::vector<std::string> words = words_of(row);
  std::string specification;
  std::string argument;
  if (row.kind != ArgumentKind::none) {
    argument = (row.kind == ArgumentKind::optional ? "::" : ":") + zsh_text(row.argument) + ':';
    if (!offered_values(row).empty())
      argument += '(' + joined(offered_values(row)) + ')';
    else if (row.completes == Completes::file)
      argument += "_files";
    else if (row.completes == Completes::address)
      argument += function + "_addresses";
  }
  for (const std::string& word : words) {
    std::string line = row.repeatable ? "*" : words.size() == 2 ? "(" + words[0] + ' ' + words[1] + ')' : "";
    line += word;
    // socat's options take their arguments attached or as the next word, long ones as GNU's do.
    const bool is_long = word.starts_with("--");
    if (row.kind == ArgumentKind::required) line += is_long ? "=" : "+";
    if (row.kind == ArgumentKind::optional) line += is_long ? "=-" : "-";
    line += '[' + zsh_text(row.help) + ']' + argument;
    specification += "    " + in_quotes(line) + " \\\n";
  }
  return specification;
}

std::string zsh_script(const ToolDescription& description) {
  const std::string function = function_of(description);
  std::string out = "#compdef " + std::string(description.name) + "\n\n";
  if (completes_addresses(description)) out += function + std::string(zsh_addresses);
  if (description.ends_in_program) out += zsh_program;
  out += "_arguments -s -S \\\n";
  for (const ArgumentRow& row : description.rows)
    if (!row.hidden) out += zsh_specification(row, function);
  std::string operands = "*:operand:";
  if (description.operands == Completes::address)
    operands = "*:address:" + function + "_addresses";
  else if (description.operands == Completes::file)
    operands = "*:file:_files";
  return out + "    " + in_quotes(operands) + '\n';
}

// ---- fish ----------------------------------------------------------------------------------------------

/// Asks the tool itself how an address goes on.
constexpr std::string_view fish_addresses = R"sh(_addresses
    set -l typed (commandline -ct | string replace -r -- '^--[^=]*=' '')
    set -l word (string unescape -- $typed)
    or set word $typed
    set -l program (string replace -r -- '^~/' "$HOME/" (commandline -opc)[1])
    $program --complete-address="$word" 2>/dev/null
end
)sh";

std::string fish_script(const ToolDescription& description) {
  const std::string command = "complete -c " + std::string(description.name);
  const std::string addresses = "__fish" + function_of(description) + "_addresses";
  std::string out = "# fish completion for " + std::string(description.name) + '\n';
  if (completes_addresses(description))
    out += "function __fish" + function_of(description) + std::string(fish_addresses);
  std::string unless_program;
  if (description.ends_in_program) {
    const std::string program = "__fish" + function_of(description) + "_program";
    out += "function " + program +
           "\n    set -l words (commandline -opc)\n    contains -- -- $words[3..]\nend\n" + command + " -n " +
           program + " -f -a '(complete -C (commandline -cp | string replace -r -- \"^.*? -- \" \"\"))'\n";
    unless_program = " -n 'not " + program + '\'';
  }
  if (description.operands != Completes::file) out += command + " -f\n";
  if (description.operands == Completes::address)
    out += command + unless_program + " -a '(" + addresses + ")'\n";
  for (const ArgumentRow& row : description.rows) {
    if (row.hidden) continue;
    out += command + unless_program;
    if (row.spelling.starts_with("--"))
      out += " -l " + std::string(row.spelling.substr(2));
    else if (!row.spelling.empty())
      out += " -o " + std::string(row.spelling.substr(1));
    if (row.letter != 0) out += std::string(" -s ") + row.letter;
    if (!row.name.empty()) out += " -l " + std::string(row.name);
    if (row.kind == ArgumentKind::required) out += row.completes == Completes::file ? " -r -F" : " -x";
    if (!offered_values(row).empty())
      out += " -a " + in_quotes(joined(offered_values(row)));
    else if (row.completes == Completes::address)
      out += " -a '(" + addresses + ")'";
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
