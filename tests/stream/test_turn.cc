#include "sluice/stream/turn.h"

#include <gtest/gtest.h>

#include "on_loop.h"

namespace sluice {
namespace {

constexpr Clock::time_point begin{};

TEST(Turn, IsOverAfterSoManyBytesStepsOrSoMuchTime) {
  Loop loop;
  Turn bytes(loop);
  EXPECT_FALSE(bytes.over(mib(1) - 1, begin));
  EXPECT_TRUE(bytes.over(1, begin));
  Turn steps(loop);
  int count = 1;
  while (!steps.over(1, begin)) ++count;
  EXPECT_EQ(count, 256);
  Turn time(loop);
  EXPECT_FALSE(time.over(0, begin));
  EXPECT_FALSE(time.over(0, begin + std::chrono::milliseconds(4)));
  EXPECT_TRUE(time.over(0, begin + std::chrono::milliseconds(5)));
}

TEST(Turn, BeginsAgainWhenTheOthersHaveHadTheirs) {
  Loop loop;
  Turn turn(loop);
  bool other = false;
  const auto another = [](bool& ran) -> Task<> {
    ran = true;
    co_return;
  };
  loop.start(another(other));
  EXPECT_TRUE(turn.over(mib(1), begin));
  testing::run(loop, turn.pass());
  EXPECT_TRUE(other);
  EXPECT_FALSE(turn.over(mib(1) - 1, begin));
}

TEST(Turn, BeginsAgainAfterAWait) {
  Loop loop;
  Turn turn(loop);
  const auto wait = [](Loop& on) -> Task<> { co_await on.sleep(std::chrono::milliseconds(1)); };
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(turn.over(kib(600), begin + std::chrono::seconds(i))) << "the others had theirs meanwhile";
    if (i % 100 == 0)
      testing::run(loop, wait(loop));
    else
      testing::run(loop, turn.pass());
  }
}

}  // namespace
}  // namespace sluice
