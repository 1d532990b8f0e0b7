#include "sluice/stream/dump.h"

#include <algorithm>

#include "sluice/core/log.h"

namespace sluice {
namespace {

bool is_printable(char c) { return c >= 0x20 && c < 0x7f; }

}  // namespace

std::string as_shown(ConstBytes bytes) {
  constexpr std::string_view escapes = "\a\b\v\f\r\\";
  constexpr std::string_view letters = "abvfr\\";
  std::string text;
  for (const char c : bytes) {
    const auto escape = escapes.find(c);
    if (escape != escapes.npos)
      (text += '\\') += letters[escape];
    else
      text += is_printable(c) || c == '\n' || c == '\t' ? c : '.';
  }
  return text;
}

std::string as_hexadecimal(ConstBytes bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    text += ' ';
    text += digits[value >> 4];
    text += digits[value & 15];
  }
  return text;
}

std::string as_columns(ConstBytes bytes) {
  constexpr std::size_t width = 16;
  std::string text;
  while (!bytes.empty()) {
    auto part = bytes.first(std::min(width, bytes.size()));
    const auto newline = std::find(part.begin(), part.end(), '\n');
    if (newline != part.end()) part = part.first(static_cast<std::size_t>(newline - part.begin()) + 1);
    text += as_hexadecimal(part);
    text.append((width - part.size()) * 3 + 2, ' ');
    for (const char c : part) text += is_printable(c) ? c : '.';
    text += '\n';
    bytes = bytes.subspan(part.size());
  }
  return text;
}

std::string Dump::block(ConstBytes bytes) {
  const auto end = offset_ + bytes.size();
  std::string text(1, mark_);
  text += ' ' + local_time(true) + "  length=" + std::to_string(bytes.size()) +
          " from=" + std::to_string(offset_) + " to=" + std::to_string(end == 0 ? 0 : end - 1) + '\n';
  offset_ = end;
  if (style_.text && style_.hexadecimal) return text + as_columns(bytes) + "--\n";
  if (style_.hexadecimal) return text + as_hexadecimal(bytes) + '\n';
  return text + as_shown(bytes);
}

}  // namespace sluice
