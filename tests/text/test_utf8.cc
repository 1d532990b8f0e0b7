#include "sluice/text/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

TEST(Utf8, IsDecoded) {
  struct Row {
    std::string_view text;
    Decoded::What what;
    int length;
    char32_t code;
  };
  for (const Row& row : {
           Row{"a", Decoded::character, 1, U'a'},
           Row{{"\0", 1}, Decoded::character, 1, 0},
           Row{"\xc2\x80", Decoded::character, 2, 0x80},
           Row{"éa", Decoded::character, 2, U'é'},
           Row{"\xdf\xbf", Decoded::character, 2, 0x7FF},
           Row{"\xe0\xa0\x80", Decoded::character, 3, 0x800},
           Row{"\xed\x9f\xbf", Decoded::character, 3, 0xD7FF},
           Row{"\xee\x80\x80", Decoded::character, 3, 0xE000},
           Row{"\xf0\x90\x80\x80", Decoded::character, 4, 0x10000},
           Row{"\xf4\x8f\xbf\xbf", Decoded::character, 4, 0x10FFFF},
           Row{"\x80", Decoded::invalid, 1, 0},
           Row{"\xc0\xaf", Decoded::invalid, 1, 0},
           Row{"\xc1\x81", Decoded::invalid, 1, 0},
           Row{"\xc3x", Decoded::invalid, 1, 0},
           Row{"\xe0\x9f\xbf", Decoded::invalid, 1, 0},
           Row{"\xe2\x82x", Decoded::invalid, 2, 0},
           Row{"\xed\xa0\x80", Decoded::invalid, 1, 0},
           Row{"\xf0\x8f\xbf\xbf", Decoded::invalid, 1, 0},
           Row{"\xf0\x90\x80x", Decoded::invalid, 3, 0},
           Row{"\xf4\x90\x80\x80", Decoded::invalid, 1, 0},
           Row{"\xf5\x80\x80\x80", Decoded::invalid, 1, 0},
           Row{"\xff", Decoded::invalid, 1, 0},
           Row{"\xc3", Decoded::incomplete, 1, 0},
           Row{"\xe2\x82", Decoded::incomplete, 2, 0},
           Row{"\xf0\x90\x80", Decoded::incomplete, 3, 0},
       }) {
    const Decoded found = decode_utf8(row.text);
    EXPECT_EQ(found.what, row.what) << testing::PrintToString(row.text);
    EXPECT_EQ(found.length, row.length) << testing::PrintToString(row.text);
    EXPECT_EQ(found.code, row.code) << testing::PrintToString(row.text);
  }
}

TEST(Utf8Checker, FindsTheFirstByteOfNoCharacterHoweverTheTextIsCut) {
  struct Row {
    std::string_view text;
    std::optional<std::uint64_t> at;
  };
  for (const Row& row : {
           Row{"", {}},
           Row{"plain text, longer than eight bytes", {}},
           Row{"não é ASCII: 日本語 👍", {}},
           Row{"\xff", 0},
           Row{"twelve bytes\xff and \xff", 12},
           Row{"é\xe2\x82", 2},
           Row{"é\xe2\x82x", 2},
           Row{"日\xed\xa0\x80", 3},
           Row{"日\xf0\x90\x80\xf0\x90\x80\x80", 3},
       })
    for (std::size_t step = 1; step <= row.text.size() + 1; ++step) {
      Utf8Checker checker;
      for (std::size_t at = 0; at < row.text.size(); at += step) checker.feed(row.text.substr(at, step));
      checker.finish();
      EXPECT_EQ(checker.invalid_at(), row.at) << testing::PrintToString(row.text) << " by " << step;
    }
}

}  // namespace
}  // namespace sluice
