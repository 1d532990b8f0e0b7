#include "sluice/core/rushes.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Rushes::Clock::time_point begin{};

TEST(Rushes, LetThroughTheFirstOfEach) {
  Rushes rushes;
  EXPECT_TRUE(rushes.heard("reset", begin).is_first);
  EXPECT_TRUE(rushes.heard("refused", begin).is_first);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(rushes.heard("reset", begin + milliseconds(i)).is_first);
  const auto rest = rushes.take_rest();
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].kind, "reset");
  EXPECT_EQ(rest[0].passed_over, 100U);
  EXPECT_TRUE(rushes.take_rest().empty());
}

TEST(Rushes, AreToldOfWhileTheyLastAndWhenTheNextOneBegins) {
  Rushes rushes;
  std::uint64_t told = 0;
  int times = 0;
  for (auto at = begin; at < begin + seconds(25); at += milliseconds(100)) {
    const auto verdict = rushes.heard("reset", at);
    EXPECT_EQ(verdict.is_first, at == begin);
    told += verdict.passed_over;
    times += verdict.passed_over > 0;
  }
  EXPECT_EQ(times, 2);
  EXPECT_EQ(told, 200U);
  const auto next = rushes.heard("reset", begin + seconds(60));
  EXPECT_TRUE(next.is_first);
  EXPECT_EQ(next.passed_over, 49U);
}

TEST(Rushes, HoldNoMoreThanAFewKinds) {
  Rushes rushes;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(rushes.heard("to " + std::to_string(i), begin).is_first);
  EXPECT_TRUE(rushes.heard("to 999", begin).is_first) << "there was no room to remember it";
  EXPECT_TRUE(rushes.heard("new", begin + seconds(5)).is_first);
  EXPECT_FALSE(rushes.heard("new", begin + seconds(5)).is_first) << "the old ones are forgotten";
}

}  // namespace
}  // namespace sluice
