#include "sluice/stream/ticker.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace sluice {
namespace {

TEST(Ticker, TicksAtTheEndOfEachInterval) {
  constexpr Duration interval = std::chrono::milliseconds(20);
  std::vector<Duration> times;
  std::promise<void> three;
  {
    const Ticker ticker(interval, [&](Duration now) {
      times.push_back(now);
      if (times.size() == 3) three.set_value();
    });
    three.get_future().wait();
  }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_GE(times[i], interval * (i + 1));
  EXPECT_LT(times[0], times[1]);
  EXPECT_LT(times[1], times[2]);
}

TEST(Ticker, LeavesOutIntervalsThatItHasMissed) {
  constexpr Duration interval = std::chrono::milliseconds(5);
  std::vector<Duration> times;
  std::promise<void> two;
  {
    const Ticker ticker(interval, [&](Duration now) {
      times.push_back(now);
      // The tick itself takes as long as four.
      if (times.size() == 1)
        for (const auto begun = Clock::now(); Clock::now() - begun < interval * 4;) {
        }
      if (times.size() == 2) two.set_value();
    });
    two.get_future().wait();
  }
  EXPECT_GE(times[1] - times[0], interval * 4);
  EXPECT_GE(times[1] / interval, 5);
}

TEST(Ticker, EndsAtOnceHoweverLongItsIntervalIs) {
  for (const Duration interval : {Duration(std::chrono::hours(1)), Duration::max()}) {
    int ticks = 0;
    {
      const Ticker ticker(interval, [&](Duration) { ++ticks; });
    }
    EXPECT_EQ(ticks, 0);
  }
}

}  // namespace
}  // namespace sluice
