#include "sluice/text/progress.h"

#include <gtest/gtest.h>

#include <limits>

namespace sluice {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t giga = 1'000'000'000;

TEST(Size, HasThreeDigitsAndAnSiUnit) {
  struct Row {
    double bytes;
    std::string_view text;
  };
  for (const Row& row : {Row{0, "0 B"},
                         {0.4, "0 B"},
                         {1, "1 B"},
                         {999, "999 B"},
                         {999.5, "1.00 kB"},
                         {1000, "1.00 kB"},
                         {1024, "1.02 kB"},
                         {9994, "9.99 kB"},
                         {9995, "10.0 kB"},
                         {99949, "99.9 kB"},
                         {99950, "100 kB"},
                         {999499, "999 kB"},
                         {999500, "1.00 MB"},
                         {12'345'678, "12.3 MB"},
                         {1e9, "1.00 GB"},
                         {1e12, "1.00 TB"},
                         {1e15, "1.00 PB"},
                         {1e18, "1.00 EB"},
                         {static_cast<double>(most), "18.4 EB"},
                         {1e21, "1000 EB"}})
    EXPECT_EQ(size_text(row.bytes), row.text) << row.bytes;
}

TEST(Time, HasDaysWhereItTakesThem) {
  struct Row {
    std::chrono::seconds time;
    std::string_view text;
  };
  for (const Row& row : {Row{0s, "0:00:00"},
                         {-1s, "0:00:00"},
                         {59s, "0:00:59"},
                         {60s, "0:01:00"},
                         {3599s, "0:59:59"},
                         {10h, "10:00:00"},
                         {24h - 1s, "23:59:59"},
                         {24h, "1d 00:00:00"},
                         {100h + 5s, "4d 04:00:05"},
                         {9999h * 24, "9999d 00:00:00"},
                         {std::chrono::seconds::max(), "106751991167300d 15:30:07"}})
    EXPECT_EQ(time_text(row.time), row.text) << row.time.count();
}

TEST(RateWindow, KnowsTheRateOfTheLastTime) {
  RateWindow window;
  EXPECT_EQ(window.over(5s), 0) << "no time has passed";
  window.add(0s, 0);
  EXPECT_EQ(window.over(5s), 0) << "still none";
  window.add(500ms, 1000);
  EXPECT_EQ(window.over(5s), 2000) << "since the beginning";
  window.add(1s, 1000);
  EXPECT_EQ(window.over(5s), 1000);
  EXPECT_EQ(window.over(500ms), 0) << "nothing lately";
  window.add(1s, 9000);
  EXPECT_EQ(window.over(5s), 1000) << "no two at one time";
  window.add(11s, 5000);
  EXPECT_EQ(window.over(1s), 400) << "a gap is one step";
  window.add(12s, 4999);
  EXPECT_EQ(window.over(1s), 0) << "nothing goes back";
}

TEST(RateWindow, ForgetsWhatIsLongAgo) {
  RateWindow window;
  for (int i = 1; i <= 1000; ++i) window.add(i * 500ms, most / 1000 * static_cast<std::uint64_t>(i));
  EXPECT_NEAR(window.over(5s), static_cast<double>(most) / 500, 1e6);
  EXPECT_NEAR(window.over(24h), static_cast<double>(most) / 500, 1e6);
  for (int i = 1001; i <= 1100; ++i) window.add(i * 500ms, most);
  EXPECT_EQ(window.over(24h), 0) << "the beginning has left the window";
}

struct Row {
  ProgressFigures figures;
  std::size_t columns;
  std::string_view line;
};

void expect_lines(std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    const std::string line = progress_line(row.figures, row.columns);
    EXPECT_EQ(line, row.line);
    EXPECT_LE(line.size(), row.columns);
  }
}

TEST(ProgressLine, SaysWhatIsKnown) {
  expect_lines({
      // Nothing has come, no time has passed.
      {{}, 79, "    0 B      0 B/s  avg     0 B/s  0:00:00"},
      {{.total = 1000},
       79,
       "    0 B    0% [>              ]      0 B/s  avg     0 B/s  0:00:00  ETA -:--:--"},
      // The size is not known.
      {{.bytes = 1'234'567, .elapsed = 5s, .rate = 250e3}, 79, "1.23 MB   250 kB/s  avg  247 kB/s  0:00:05"},
      // It is.
      {{.bytes = 250, .done = 250, .total = 1000, .elapsed = 5s, .rate = 50, .done_rate = 50},
       79,
       "  250 B   25% [===>           ]     50 B/s  avg    50 B/s  0:00:05  ETA 0:00:15"},
      {{.bytes = 1000, .done = 1000, .total = 1000, .elapsed = 5s},
       79,
       "1.00 kB  100% [===============]      0 B/s  avg   200 B/s  0:00:05  ETA 0:00:00"},
      // 100 % is all, not nearly all.
      {{.bytes = most - 1, .done = most - 1, .total = most, .elapsed = 1s, .done_rate = 1},
       79,
       "18.4 EB   99% [===============]      0 B/s  avg 18.4 EB/s  0:00:01  ETA 0:00:01"},
  });
}

TEST(ProgressLine, GivesTheBarWhatRoomIsLeft) {
  const ProgressFigures half{
      .bytes = 50, .done = 50, .total = 100, .elapsed = 1s, .rate = 50, .done_rate = 50};
  expect_lines({
      {half, 200,
       "   50 B   50% [===============>              ]     50 B/s  avg    50 B/s  0:00:01  ETA 0:00:01"},
      {half, 74, "   50 B   50% [=====>    ]     50 B/s  avg    50 B/s  0:00:01  ETA 0:00:01"},
      {half, 73, "   50 B   50%     50 B/s  avg    50 B/s  0:00:01  ETA 0:00:01"},
  });
}

TEST(ProgressLine, LeavesOutWhatMattersLeast) {
  const ProgressFigures all{.bytes = 50,
                            .back = 20,
                            .lines = 3,
                            .sessions = 2,
                            .done = 50,
                            .total = 100,
                            .elapsed = 1s,
                            .rate = 70,
                            .done_rate = 50};
  expect_lines({
      {all, 120,
       "A->B    50 B  B->A    20 B  3 lines   50% [========>       ]     70 B/s  avg    70 B/s  0:00:01  "
       "ETA 0:00:01  2 sessions"},
      {all, 100,
       "A->B    50 B  B->A    20 B  3 lines   50% [=====>     ]     70 B/s  0:00:01  ETA 0:00:01  2 "
       "sessions"},
      {all, 79, "A->B    50 B  B->A    20 B  3 lines   50%     70 B/s  0:00:01  ETA 0:00:01"},
      {all, 72, "A->B    50 B  B->A    20 B  3 lines   50%     70 B/s  ETA 0:00:01"},
      {all, 60, "A->B    50 B  B->A    20 B  3 lines   50%  ETA 0:00:01"},
      {all, 40, "A->B    50 B  B->A    20 B  3 lines"},
      {all, 26, "A->B    50 B  B->A    20 B"},
      {all, 12, "A->B    50 B"},
      {all, 1, "A"},
      {all, 0, ""},
  });
}

TEST(ProgressLine, BearsGrowthAndWaitsWithoutEnd) {
  expect_lines({
      // What is read has grown beyond what it was.
      {{.bytes = 1500, .done = 1500, .total = 1000, .elapsed = 1s, .rate = 1500, .done_rate = 1500},
       40,
       "1.50 kB  150%  1.50 kB/s  0:00:01"},
      {{.bytes = most, .done = most, .total = 1, .elapsed = 1s}, 40, "18.4 EB  999%      0 B/s  0:00:01"},
      // Days, then more than anybody waits.
      {{.bytes = giga, .done = giga, .total = 1001 * giga, .elapsed = 1h, .rate = 1, .done_rate = 3e6},
       60,
       "1.00 GB    0%      1 B/s  1:00:00  ETA 3d 20:35:34"},
      {{.bytes = 1, .done = 1, .total = most, .elapsed = 1h, .rate = 1, .done_rate = 1},
       60,
       "    1 B    0% [>          ]      1 B/s  1:00:00  ETA -:--:--"},
  });
}

TEST(LastProgressLine, HasTotalsAndTheAverage) {
  struct Last {
    ProgressFigures figures;
    std::string_view line;
  };
  for (const Last& row : {
           Last{{}, "0 bytes in 0.00 s"},
           {{.bytes = 1, .elapsed = 1ms}, "1 byte in 0.00 s, average 1.00 kB/s"},
           {{.bytes = 999, .elapsed = 1s}, "999 bytes in 1.00 s, average 999 B/s"},
           {{.bytes = 1'234'567'890, .elapsed = 5020ms},
            "1234567890 bytes (1.23 GB) in 5.02 s, average 246 MB/s"},
           {{.bytes = 6, .lines = 1, .elapsed = 2s}, "6 bytes, 1 line in 2.00 s, average 3 B/s"},
           {{.bytes = 6, .back = 1600, .elapsed = 90s},
            "A->B 6 bytes, B->A 1600 bytes (1.60 kB) in 0:01:30, average 18 B/s"},
           {{.bytes = 6, .back = 0, .sessions = 3, .elapsed = 49h},
            "A->B 6 bytes, B->A 0 bytes, 3 sessions in 2d 01:00:00, average 0 B/s"},
           {{.bytes = most, .done = most, .total = most, .elapsed = 1ns},
            "18446744073709551615 bytes (18.4 EB) in 0.00 s, average 18446744074 EB/s"},
       })
    EXPECT_EQ(last_progress_line(row.figures), row.line);
}

}  // namespace
}  // namespace sluice
