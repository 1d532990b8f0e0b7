#include "sluice/stream/dump.h"

#include <gtest/gtest.h>

#include <regex>

namespace sluice {
namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

TEST(Dump, ShowsControlsAsEscapesOrDots) {
  struct Case {
    std::string data, shown;
  };
  const Case cases[] = {
      {"plain text", "plain text"},
      {"a\nb\tc", "a\nb\tc"},
      {"a\r\\\a\b\v\f", "a\\r\\\\\\a\\b\\v\\f"},
      {bytes({0, 1, 27, 127, 128, 255}), "......"},
      {"", ""},
  };
  for (const auto& one : cases) EXPECT_EQ(as_shown(one.data), one.shown);
}

TEST(Dump, ShowsBytesAsHexadecimal) {
  EXPECT_EQ(as_hexadecimal(bytes({0, 10, 255})), " 00 0a ff");
  EXPECT_EQ(as_columns(std::string_view("a\nbcdefghijklmnopqr")),
            " 61 0a                                            a.\n"
            " 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f 70 71  bcdefghijklmnopq\n"
            " 72                                               r\n");
}

TEST(Dump, CountsItsOffsets) {
  Dump dump('>', {.text = true, .hexadecimal = false});
  const std::regex first(R"(> \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6}  length=3 from=0 to=2\nabc)");
  const std::regex second(R"(> [^\n]*  length=2 from=3 to=4\nde)");
  EXPECT_TRUE(std::regex_match(dump.block(std::string_view("abc")), first));
  EXPECT_TRUE(std::regex_match(dump.block(std::string_view("de")), second));
}

}  // namespace
}  // namespace sluice
