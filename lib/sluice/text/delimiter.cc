#include "sluice/text/delimiter.h"

#include <array>
#include <charconv>

namespace sluice {
namespace {

struct Escape {
  char letter;
  char meaning;
};
constexpr std::array escapes = {Escape{'n', '\n'}, Escape{'r', '\r'}, Escape{'t', '\t'}, Escape{'0', '\0'},
                                Escape{'\\', '\\'}};

}  // namespace

std::optional<char> delimiter_of(std::string_view text) {
  if (text.size() == 1) return text[0];
  if (!text.starts_with('\\')) return {};
  if (text.size() == 2)
    for (const Escape& escape : escapes)
      if (text[1] == escape.letter) return escape.meaning;
  if (text.size() != 4 || text[1] != 'x') return {};
  unsigned char byte = 0;
  const auto [end, why] = std::from_chars(text.data() + 2, text.data() + text.size(), byte, 16);
  if (why != std::errc{} || end != text.data() + text.size()) return {};
  return static_cast<char>(byte);
}

}  // namespace sluice
