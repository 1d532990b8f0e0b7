#include "sluice/text/json.h"

#include <array>

#include "sluice/text/utf8.h"

namespace sluice {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

unsigned char byte(char c) { return static_cast<unsigned char>(c); }

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

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    const std::size_t size = next.what == Decoded::character ? next.length : 1;
    if (next.what != Decoded::character)
      quoted += "\xef\xbf\xbd";
    else if (size == 1)
      add_ascii(quoted, text[0]);
    else
      quoted += text.substr(0, size);
    text.remove_prefix(size);
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
