#include "sluice/core/visible.h"

#include <algorithm>
#include <array>

#include "sluice/core/figures.h"
#include "sluice/core/utf8_character.h"

namespace sluice {
namespace {

struct Range {
  char32_t first, last;
};
/// Source: Unicode 15, UnicodeData.txt (categories Cc, Zl, Zp) and UAX 9, table 4 (explicit and implicit
/// directional formatting). What has no width stays, since scripts and emoji need it, and it does nothing.
constexpr std::array invisible = {
    Range{0x00, 0x1F},     Range{0x7F, 0x9F},     Range{0x061C, 0x061C},
    Range{0x200E, 0x200F}, Range{0x2028, 0x202E}, Range{0x2066, 0x2069},
};

struct Escape {
  char byte;
  std::string_view text;
};
constexpr std::array escapes = {Escape{'\n', "\\n"}, Escape{'\r', "\\r"}, Escape{'\t', "\\t"}};

void append_escape(std::string& to, char byte) {
  const auto* const row = std::ranges::find(escapes, byte, &Escape::byte);
  if (row != escapes.end())
    to += row->text;
  else
    to += "\\x" + hexadecimal(static_cast<unsigned char>(byte), 2);
}

/// How much of a text begins with characters that most texts consist of alone.
std::size_t leading_plain(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && text[count] >= ' ' && text[count] <= '~') ++count;
  return count;
}

std::string escaped(std::string_view text, std::string_view kept) {
  std::string shown;
  shown.reserve(text.size());
  for (;;) {
    const std::size_t plain = leading_plain(text);
    shown += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return shown;
    const Decoded next = decode_utf8(text);
    const std::string_view bytes = text.substr(0, next.length);
    if ((next.what == Decoded::character && is_visible(next.code)) || kept.find(bytes) != kept.npos)
      shown += bytes;
    else
      for (const char byte : bytes) append_escape(shown, byte);
    text.remove_prefix(next.length);
  }
}

}  // namespace

bool is_visible(char32_t character) {
  return std::ranges::none_of(
      invisible, [character](const Range& one) { return character >= one.first && character <= one.last; });
}

std::string visible(std::string_view text) { return escaped(text, ""); }

std::string visible_lines(std::string_view text) { return escaped(text, "\n\t"); }

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace sluice
