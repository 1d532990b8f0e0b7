#include "sluice/text/json.h"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

/// The sequences of one range of first bytes: how long they are, and between what the second byte is.
struct Sequences {
  unsigned char first, last;
  unsigned char second_least, second_most;
  std::size_t size;
};
constexpr std::array sequences = {
    Sequences{0x00, 0x7f, 0x00, 0x00, 1}, Sequences{0xc2, 0xdf, 0x80, 0xbf, 2},
    Sequences{0xe0, 0xe0, 0xa0, 0xbf, 3}, Sequences{0xe1, 0xec, 0x80, 0xbf, 3},
    Sequences{0xed, 0xed, 0x80, 0x9f, 3}, Sequences{0xee, 0xef, 0x80, 0xbf, 3},
    Sequences{0xf0, 0xf0, 0x90, 0xbf, 4}, Sequences{0xf1, 0xf3, 0x80, 0xbf, 4},
    Sequences{0xf4, 0xf4, 0x80, 0x8f, 4},
};

unsigned char byte(char c) { return static_cast<unsigned char>(c); }

/// How long the well-formed character is that a text begins with; 0 if it begins with none.
std::size_t character_size(std::string_view text) {
  const unsigned char first = byte(text[0]);
  const auto row = std::find_if(sequences.begin(), sequences.end(), [first](const Sequences& one) {
    return first >= one.first && first <= one.last;
  });
  if (row == sequences.end() || text.size() < row->size) return 0;
  if (row->size > 1 && (byte(text[1]) < row->second_least || byte(text[1]) > row->second_most)) return 0;
  for (std::size_t i = 2; i < row->size; ++i)
    if ((byte(text[i]) & 0xc0) != 0x80) return 0;
  return row->size;
}

struct Escape {
  char character;
  std::string_view text;
};
constexpr std::array escapes = {Escape{'"', "\\\""}, Escape{'\\', "\\\\"}, Escape{'\n', "\\n"},
                                Escape{'\r', "\\r"}, Escape{'\t', "\\t"}};

void add_ascii(std::string& to, char c) {
  for (const Escape& escape : escapes) {
    if (c != escape.character) continue;
    to += escape.text;
    return;
  }
  if (byte(c) < 0x20)
    to += "\\u00" + hex_text({&c, 1});
  else
    to += c;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    if (size == 0)
      quoted += "\xef\xbf\xbd";
    else if (size == 1)
      add_ascii(quoted, text[0]);
    else
      quoted += text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return quoted += '"';
}

std::string hex_text(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    text += digits[byte(c) >> 4];
    text += digits[byte(c) & 0xf];
  }
  return text;
}

}  // namespace sluice
