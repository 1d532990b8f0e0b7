#include "sluice/stream/loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "on_loop.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

Task<> say(Loop& loop, std::string& into, char letter, int times) {
  for (int i = 0; i < times; ++i) {
    into += letter;
    co_await loop.yield();
  }
}

TEST(Loop, LetsTasksTakeTurnsAndRunsUntilNoneIsLeft) {
  Loop loop;
  std::string said;
  loop.start(say(loop, said, 'a', 3));
  loop.start(say(loop, said, 'b', 3), [&] { said += '.'; });
  loop.run();
  EXPECT_EQ(said, "ababab.");
}

TEST(Loop, ThrowsWhatATaskThrew) {
  Loop loop;
  const auto fail = [](Loop& on) -> Task<> {
    co_await on.yield();
    throw std::runtime_error("no");
  };
  loop.start(fail(loop));
  EXPECT_THROW(loop.run(), std::runtime_error);
  std::string said;
  loop.start(say(loop, said, 'a', 1));
  loop.run();
  EXPECT_EQ(said, "a") << "it can be run again";
}

TEST(Loop, FreesTasksThatStillWaitWhenItGoes) {
  const auto token = std::make_shared<int>(1);
  {
    Loop loop;
    Event never(loop);
    const auto wait_for = [](Event& event, std::shared_ptr<int>) -> Task<> { co_await event.wait(); };
    const auto sleep = [](Loop& on, std::shared_ptr<int>) -> Task<> {
      co_await on.sleep(std::chrono::hours(1));
    };
    loop.start(wait_for(never, token));
    loop.start(sleep(loop, token));
    const auto stop = [](Loop& on) -> Task<> {
      co_await on.yield();
      on.stop();
    };
    loop.start(stop(loop));
    loop.run();
    EXPECT_EQ(token.use_count(), 3);
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Loop, WakesSleepersInTheOrderOfTheirTimes) {
  Loop loop;
  std::string woken;
  const auto sleep = [](Loop& on, int time, std::string& order) -> Task<> {
    co_await on.sleep(milliseconds(time));
    order += static_cast<char>('0' + time);
    // One that goes to sleep while others are woken is woken too.
    co_await on.sleep(milliseconds(1));
    order += '.';
  };
  for (const int time : {7, 3, 5}) loop.start(sleep(loop, time, woken));
  loop.run();
  std::string digits;
  std::copy_if(woken.begin(), woken.end(), std::back_inserter(digits), [](char c) { return c != '.'; });
  EXPECT_EQ(digits, "357");
  EXPECT_EQ(woken.size(), 6U);
}

/// It heard nothing for a while, as if it had been stopped: what was said meanwhile came in time, however
/// many have said something.
TEST(Loop, ListensBeforeItRingsAlarms) {
  for (const std::size_t count : {1, 300}) {
    Loop loop;
    std::vector<std::unique_ptr<Descriptor>> ears;
    std::vector<Fd> mouths;
    std::size_t heard = 0;
    const auto deadline = Clock::now() + milliseconds(10);
    const auto listen = [](Descriptor& ear, Clock::time_point until, std::size_t& sum) -> Task<> {
      if (co_await ear.wait_until(Descriptor::readable, until)) ++sum;
    };
    for (std::size_t i = 0; i < count; ++i) {
      auto [in, out] = testing::pipe_ends();
      ASSERT_EQ(::write(out.get(), "x", 1), 1);
      ears.push_back(std::make_unique<Descriptor>(loop, std::move(in)));
      mouths.push_back(std::move(out));
      loop.start(listen(*ears.back(), deadline, heard));
    }
    const auto block = [](Clock::time_point until) -> Task<> {
      std::this_thread::sleep_until(until + milliseconds(1));
      co_return;
    };
    loop.start(block(deadline));
    loop.run();
    EXPECT_EQ(heard, count);
  }
}

TEST(Event, MayGoWhileItIsWaitedFor) {
  Loop loop;
  auto event = std::make_unique<Event>(loop);
  const auto wait = [](Event& on) -> Task<> { co_await on.wait_until(Clock::now() + std::chrono::hours(1)); };
  const auto destroy = [](Loop& on, std::unique_ptr<Event>& what) -> Task<> {
    co_await on.yield();
    what.reset();
    on.stop();
  };
  loop.start(wait(*event));
  loop.start(destroy(loop, event));
  loop.run();
}

TEST(Event, KeepsANotificationThatComesBeforeTheWait) {
  Loop loop;
  Event event(loop);
  event.notify();
  event.notify();
  const auto wait_twice = [](Event& on, std::string& outcome) -> Task<> {
    co_await on.wait();
    outcome += co_await on.wait_until(Clock::now() + milliseconds(5)) ? "notified" : "late";
  };
  std::string outcome;
  loop.start(wait_twice(event, outcome));
  loop.run();
  EXPECT_EQ(outcome, "late");
}

TEST(Event, EndsAWaitWithAndWithoutADeadline) {
  for (const auto deadline : {Clock::time_point::max(), Clock::now() + std::chrono::hours(1)}) {
    Loop loop;
    Event event(loop);
    const auto wait = [](Event& on, Clock::time_point until, bool& notified) -> Task<> {
      notified = co_await on.wait_until(until);
    };
    const auto wake = [](Loop& on, Event& what) -> Task<> {
      co_await on.yield();
      what.notify();
    };
    bool notified = false;
    loop.start(wait(event, deadline, notified));
    loop.start(wake(loop, event));
    loop.run();
    EXPECT_TRUE(notified);
  }
}

}  // namespace
}  // namespace sluice
