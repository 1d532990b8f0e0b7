#include "sluice/core/visible.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

/// A character in UTF-8.
std::string utf8(char32_t code) {
  const auto byte = [](char32_t value) { return static_cast<char>(value); };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F))};
  if (code < 0x10000)
    return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F))};
  return {byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)), byte(0x80 | (code >> 6 & 0x3F)),
          byte(0x80 | (code & 0x3F))};
}

TEST(Visible, LeavesWhatCanBeReadAsItIs) {
  for (const char* text : {"", "plain text", "ü, 漢, é, 𐐨, 👩‍💻",
                           "back\\slash \\n 'quotes' \"too\"", "\xC2\xA0 no-break", "zero\u200Bwidth", "~"})
    EXPECT_EQ(visible(text), text);
}

TEST(Visible, EscapesEveryControlCharacterAndItsKin) {
  using namespace std::string_literals;
  const auto expect_escaped = [](const std::string& text) {
    const std::string shown = visible("a" + text + "b");
    EXPECT_EQ(shown.substr(0, 2), "a\\") << shown;
    for (const char c : shown) EXPECT_TRUE(c >= ' ' && c <= '~') << shown;
    EXPECT_EQ(visible(shown), shown);
  };
  for (int byte = 0; byte < 0x100; ++byte)
    if (byte < 0x20 || byte >= 0x7F) expect_escaped(std::string(1, static_cast<char>(byte)));
  for (char32_t code = 0x80; code < 0xA0; ++code) expect_escaped(utf8(code));
  for (const char32_t code : {0x2028, 0x2029, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068,
                              0x2069, 0x200E, 0x200F, 0x061C})
    expect_escaped(utf8(code));
  EXPECT_EQ(visible("\0\n\r\t\x1b[2J\x7f"s), R"(\x00\n\r\t\x1b[2J\x7f)");
  EXPECT_EQ(visible("\xC2\x9B"), R"(\xc2\x9b)");
  EXPECT_EQ(visible("\x9B"), R"(\x9b)");
  EXPECT_EQ(visible("\xE2\x80\xAE"), R"(\xe2\x80\xae)");
}

TEST(Visible, EscapesWhatIsNotUtf8) {
  EXPECT_EQ(visible("caf\xE9"), R"(caf\xe9)");
  EXPECT_EQ(visible("\xE6\xBC"), R"(\xe6\xbc)");
  EXPECT_EQ(visible("\xC0\x8A"), R"(\xc0\x8a)") << "an overlong newline";
  EXPECT_EQ(visible("\xED\xA0\x80"), R"(\xed\xa0\x80)") << "a surrogate";
}

TEST(Visible, KeepsLinesOfOurOwn) {
  EXPECT_EQ(visible_lines("one\n\ttwo\x1b[m\r\n"), "one\n\ttwo\\x1b[m\\r\n");
  EXPECT_EQ(characters_in("aü漢"), 3);
}

}  // namespace
}  // namespace sluice
