#include "sluice/text/lines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace sluice {
namespace {

using namespace std::string_view_literals;

TEST(CountByte, IsTheSameAtEveryLengthAndAlignment) {
  std::string text;
  for (unsigned i = 0; text.size() < 2000; ++i) text += (i * i) % 7 == 1 ? '\n' : static_cast<char>(i);
  for (std::size_t start : {0, 1, 15, 63})
    for (std::size_t size = 0; size < 400; ++size) {
      const auto piece = std::string_view(text).substr(start, size);
      ASSERT_EQ(count_byte(piece, '\n'),
                static_cast<std::uint64_t>(std::count(piece.begin(), piece.end(), '\n')));
    }
}

TEST(CountByte, DoesNotOverflowItsLanes) {
  for (std::size_t size : {64 * 254, 64 * 255, 64 * 255 + 1, 64 * 256, 64 * 511, 1 << 20}) {
    const std::string text(size, '\xff');
    EXPECT_EQ(count_byte(text, '\xff'), size);
    EXPECT_EQ(count_byte(text, '\x7f'), 0u);
  }
}

struct Row {
  std::string_view text;
  std::uint64_t newlines, all_lines, nuls, all_records;
};
constexpr Row rows[] = {
    {""sv, 0, 0, 0, 0},           {"x"sv, 0, 1, 0, 1},    {"\n"sv, 1, 1, 0, 1},
    {"a\nb\n"sv, 2, 2, 0, 1},     {"a\nb"sv, 1, 2, 0, 1}, {"\n\n\nx"sv, 3, 4, 0, 1},
    {"a\0b\0"sv, 0, 1, 2, 2},     {"a\0b"sv, 0, 1, 1, 2}, {"a\r\nb\r"sv, 1, 2, 0, 1},
    {"\xff\n\xfe"sv, 1, 2, 0, 1},
};

TEST(LineCounter, KnowsWhetherTheLastLineIsUnterminated) {
  for (const Row& row : rows) {
    // In one piece, and byte by byte with empty pieces between.
    LineCounter whole, pieces, records('\0');
    whole.feed(row.text);
    records.feed(row.text);
    for (const char& c : row.text) {
      pieces.feed({&c, 1});
      pieces.feed({});
    }
    EXPECT_EQ(whole.terminated(), row.newlines) << row.text;
    EXPECT_EQ(whole.all(), row.all_lines) << row.text;
    EXPECT_EQ(whole.bytes(), row.text.size()) << row.text;
    EXPECT_EQ(whole.unterminated(), row.all_lines != row.newlines) << row.text;
    EXPECT_EQ(pieces.terminated(), row.newlines) << row.text;
    EXPECT_EQ(pieces.all(), row.all_lines) << row.text;
    EXPECT_EQ(pieces.bytes(), row.text.size()) << row.text;
    EXPECT_EQ(records.terminated(), row.nuls) << row.text;
    EXPECT_EQ(records.all(), row.all_records) << row.text;
  }
}

TEST(LineCounter, TakesWhatOthersHaveCounted) {
  LineCounter counter;
  counter.feed("a\nb"sv);
  counter.add(mib(1), 7);
  EXPECT_EQ(counter.bytes(), mib(1) + 3);
  EXPECT_EQ(counter.terminated(), 8U);
  counter.feed("\n"sv);
  EXPECT_EQ(counter.all(), 9U);
  counter.feed("c"sv);
  EXPECT_EQ(counter.all(), 10U);
}

TEST(CountLinesFilter, SpeaksAtTheEndAndBeginsAnew) {
  for (const Row& row : rows)
    for (const bool partial : {false, true}) {
      CountLinesFilter filter({.partial = partial});
      for (int round = 0; round < 2; ++round) {
        Output out;
        filter.feed(row.text, out);
        EXPECT_TRUE(out.empty());
        filter.finish(out);
        EXPECT_EQ(as_text(out.data()), std::to_string(partial ? row.all_lines : row.newlines) + "\n");
      }
    }
}

TEST(CountLinesFilter, AddsToARunningCountThatOthersShare) {
  for (const bool partial : {false, true}) {
    std::atomic<std::uint64_t> running = 0;
    CountLinesFilter one({.partial = partial}, &running), other({.partial = partial}, &running);
    Output out;
    one.feed("a\nb\nc"sv, out);
    EXPECT_EQ(running, 2U);
    other.feed("\n"sv, out);
    EXPECT_EQ(running, 3U);
    one.feed("c\nd"sv, out);
    EXPECT_EQ(running, 4U);
    one.finish(out);
    other.finish(out);
    EXPECT_EQ(running, partial ? 5U : 4U) << "what was put out is what was counted";
    one.feed("\n"sv, out);
    EXPECT_EQ(running, partial ? 6U : 5U) << "a text of its own";
  }
}

}  // namespace
}  // namespace sluice
