#include "sluice/stream/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "on_loop.h"

namespace sluice {
namespace {

Task<int> seven() { co_return 7; }
Task<int> add(Task<int> other, int more) { co_return co_await std::move(other) + more; }
Task<std::unique_ptr<std::string>> made(std::string text) {
  co_return std::make_unique<std::string>(std::move(text));
}
Task<int> failing(Loop& loop, bool waits) {
  if (waits) co_await loop.yield();
  throw std::runtime_error("no");
}

TEST(Task, ReturnsWhatItComesTo) {
  Loop loop;
  EXPECT_EQ(testing::run(loop, add(seven(), 3)), 10);
  EXPECT_EQ(*testing::run(loop, made("text")), "text");
}

TEST(Task, BeginsWhenItIsAwaitedAndIsFreedIfItNeverIs) {
  bool begun = false;
  auto token = std::make_shared<int>(1);
  const auto note = [](bool& flag, std::shared_ptr<int>) -> Task<> {
    flag = true;
    co_return;
  };
  {
    const auto task = note(begun, token);
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_FALSE(begun);
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Task, ThrowsWhereItIsAwaited) {
  for (const bool waits : {false, true}) {
    Loop loop;
    const auto caught = [](Loop& on, bool waiting) -> Task<std::string> {
      try {
        co_await failing(on, waiting);
      } catch (const std::runtime_error& error) {
        co_return error.what();
      }
      co_return "nothing";
    };
    EXPECT_EQ(testing::run(loop, caught(loop, waits)), "no");
  }
}

TEST(Task, ManyThatNeverWaitDoNotDeepenTheStack) {
  Loop loop;
  const auto many = []() -> Task<long> {
    long sum = 0;
    for (int i = 0; i < 1'000'000; ++i) sum += co_await seven();
    co_return sum;
  };
  EXPECT_EQ(testing::run(loop, many()), 7'000'000);
}

}  // namespace
}  // namespace sluice
