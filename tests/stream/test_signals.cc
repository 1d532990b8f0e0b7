#include "sluice/stream/signals.h"

#include <gtest/gtest.h>

#include <vector>

#include "on_loop.h"

namespace sluice {
namespace {

using testing::run;

Task<std::vector<int>> take(Signals& from, std::size_t count) {
  std::vector<int> numbers;
  while (numbers.size() < count) numbers.push_back(co_await from.next());
  co_return numbers;
}

TEST(Signals, AreAwaitedInTheOrderInWhichTheyCame) {
  struct sigaction before {};
  ::sigaction(SIGUSR1, nullptr, &before);
  {
    Loop loop;
    Signals signals(loop, {SIGUSR1, SIGUSR2});
    ::raise(SIGUSR2);
    ::raise(SIGUSR1);
    ::raise(SIGUSR1);
    EXPECT_EQ(run(loop, take(signals, 3)), (std::vector{SIGUSR2, SIGUSR1, SIGUSR1}));
    const auto raise_later = [](Loop& on) -> Task<> {
      co_await on.sleep(std::chrono::milliseconds(2));
      ::raise(SIGUSR1);
    };
    loop.start(raise_later(loop));
    EXPECT_EQ(run(loop, take(signals, 1)), std::vector{SIGUSR1});
  }
  struct sigaction after {};
  ::sigaction(SIGUSR1, nullptr, &after);
  EXPECT_EQ(after.sa_handler, before.sa_handler) << "the usual effect is back";
}

}  // namespace
}  // namespace sluice
