#include "sluice/endpoint/command_line.h"

#include "sluice/address/lexer.h"

namespace sluice {

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

}  // namespace sluice
