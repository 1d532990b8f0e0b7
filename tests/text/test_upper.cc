#include "sluice/text/upper.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

namespace sluice {
namespace {

std::string copied(std::string_view text) {
  std::string out(text.size(), '?');
  upper_ascii(ConstBytes(text), Bytes(out));
  return out;
}

std::string every_byte() {
  std::string bytes;
  for (int c = 0; c < 256; ++c) bytes += static_cast<char>(c);
  return bytes;
}

std::string slow_upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return text;
}

TEST(Upper, TouchesLettersOfAsciiOnly) {
  struct Row {
    std::string_view in, out;
  };
  for (const Row& row : {
           Row{"", ""},
           Row{"labi", "LABI"},
           Row{"LABI", "LABI"},
           Row{"`az{@AZ[", "`AZ{@AZ["},
           Row{"a\0b", "A\0B"},
           Row{"stra\xc3\x9f"
               "e",
               "STRA\xc3\x9f"
               "E"},
           Row{"\xe1\xfa\xff", "\xe1\xfa\xff"},
       })
    EXPECT_EQ(copied(row.in), row.out);
}

TEST(Upper, KnowsEveryByte) { EXPECT_EQ(copied(every_byte()), slow_upper(every_byte())); }

TEST(Upper, IsTheSameAtEveryLengthAndAlignment) {
  std::string source;
  while (source.size() < 1024) source += "aZ{`z" + every_byte();
  for (std::size_t start : {0, 1, 7, 31, 63})
    for (std::size_t size = 0; size < 300; ++size) {
      const std::string text = source.substr(start, size);
      ASSERT_EQ(copied(std::string_view(source).substr(start, size)), slow_upper(text));
      std::string in_place = source;
      upper_ascii(Bytes(in_place).subspan(start, size));
      ASSERT_EQ(in_place, source.substr(0, start) + slow_upper(text) + source.substr(start + size));
    }
}

TEST(UpperFilter, PutsOutWhatItIsFedAtOnce) {
  UpperFilter filter;
  Output out;
  filter.feed(ConstBytes(std::string_view("one ")), out);
  EXPECT_EQ(as_text(out.data()), "ONE ");
  filter.feed(ConstBytes(std::string_view("two")), out);
  EXPECT_EQ(as_text(out.data()), "ONE TWO");
  filter.finish(out);
  EXPECT_EQ(as_text(out.data()), "ONE TWO");
}

}  // namespace
}  // namespace sluice
