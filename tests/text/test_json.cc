#include "sluice/text/json.h"

#include <gtest/gtest.h>

#include "sluice/text/utf8.h"

namespace sluice {
namespace {

using namespace std::string_view_literals;

struct Row {
  std::string_view text, json;
  bool utf8 = true;
};
constexpr Row rows[] = {
    {"", "\"\""},
    {"plain", "\"plain\""},
    {"a \"b\" \\ c/d", R"("a \"b\" \\ c/d")"},
    {"\n\r\t", R"("\n\r\t")"},
    {"\0\x01\b\f\x1b\x1f\x7f"sv, "\"\\u0000\\u0001\\u0008\\u000c\\u001b\\u001f\x7f\""},
    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", "\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\""},
    // A byte that leads nothing, or nothing whole.
    {"\xff", "\"\xef\xbf\xbd\"", false},
    {"\x80", "\"\xef\xbf\xbd\"", false},
    {"a\xc3", "\"a\xef\xbf\xbd\"", false},
    {"\xc3z", "\"\xef\xbf\xbdz\"", false},
    {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"", false},
    {"\xe2\x82\"", "\"\xef\xbf\xbd\xef\xbf\xbd\\\"\"", false},
    {"\xf0\x9f\x98z", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"", false},
    // Too long for what it says, a surrogate, above the last character.
    {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"", false},
    {"\xe0\x9f\xbf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", false},
    {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", false},
    {"\xf0\x8f\xbf\xbf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", false},
    {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", false},
};

TEST(Json, QuotesWhateverBytesThereAre) {
  for (const Row& row : rows) {
    EXPECT_EQ(json_string(row.text), row.json);
    EXPECT_EQ(is_utf8(row.text), row.utf8) << row.json;
    EXPECT_TRUE(is_utf8(json_string(row.text)));
  }
}

TEST(Json, IsValidForEveryPairOfBytes) {
  for (int first = 0; first < 256; ++first)
    for (int second = 0; second < 256; ++second) {
      const std::string text = {static_cast<char>(first), static_cast<char>(second)};
      const std::string json = json_string(text);
      ASSERT_TRUE(is_utf8(json));
      for (const char c : json) ASSERT_GE(static_cast<unsigned char>(c), 0x20);
    }
}

TEST(Hex, HasTwoDigitsAByte) {
  EXPECT_EQ(hex_text({}), "");
  EXPECT_EQ(hex_text("\x00\x0f\xa0\xff"sv), "000fa0ff");
}

}  // namespace
}  // namespace sluice
