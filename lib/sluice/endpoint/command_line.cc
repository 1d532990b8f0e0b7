#include "sluice/endpoint/command_line.h"

#include <algorithm>
#include <array>

#include "sluice/address/lexer.h"

namespace sluice {
namespace {

constexpr std::array<std::string_view, 8> shells = {"sh",  "bash", "dash", "ash",
                                                    "ksh", "mksh", "zsh",  "yash"};

bool is_shell(std::string_view program) {
  const std::string_view name = program.substr(program.rfind('/') + 1);
  return std::find(shells.begin(), shells.end(), name) != shells.end();
}

/// `-c`, or letters with a c among them: `-lc`.
bool takes_script(std::string_view word) {
  return word.size() > 1 && word[0] == '-' && word[1] != '-' && word.find('c') != word.npos;
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

bool loses_its_script(std::string_view written) {
  bool shell = false, option_argument = false;
  for (std::string_view rest = written; !rest.empty();) {
    if (rest.front() == ' ') {
      rest.remove_prefix(1);
      continue;
    }
    // Up to the script there is nothing but plain words; a quote at the beginning holds the whole line.
    const std::string_view word = rest.substr(0, rest.find(' '));
    if (word.find_first_of("'\"\\") != word.npos) return false;
    rest.remove_prefix(word.size());
    if (!shell) {
      shell = is_shell(word);
      if (!shell) return false;
    } else if (takes_script(word)) {
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
      if (!rest.starts_with('"') && !rest.starts_with('\'')) return false;
      return split_command_line(Lexer(rest).until(" ").text).size() > 1;
    } else if (!word.starts_with('-') && !option_argument) {
      return false;  // a file with the script
    }
    option_argument = word == "-o";
  }
  return false;
}

}  // namespace sluice
