#include "sluice/stream/mailbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "on_loop.h"
#include "sluice/stream/background.h"

namespace sluice {
namespace {

using testing::run;

TEST(Mailbox, IsOpenedOnTheLoopInTheOrderOfItsLetters) {
  Loop loop;
  Event all(loop);
  std::string order;
  const auto owner = std::this_thread::get_id();
  std::thread sender([&, mailbox = loop.mailbox()] {
    for (int i = 0; i < 100; ++i)
      mailbox->put([&, i] {
        EXPECT_EQ(std::this_thread::get_id(), owner);
        order += static_cast<char>('0' + i % 10);
        if (i == 99) all.notify();
      });
  });
  const auto wait = [](Event& on) -> Task<> { co_await on.wait(); };
  run(loop, wait(all));
  sender.join();
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += static_cast<char>('0' + i % 10);
  EXPECT_EQ(order, expected);
}

TEST(Mailbox, DropsWhatComesAfterItsLoop) {
  std::shared_ptr<Mailbox> mailbox;
  const auto token = std::make_shared<int>(0);
  {
    Loop loop;
    mailbox = loop.mailbox();
    mailbox->put([token] {});
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_EQ(token.use_count(), 1) << "what was not opened is let go";
  mailbox->put([token] {});
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Background, GivesResultsAndFailuresToTheLoop) {
  Loop loop;
  const auto owner = std::this_thread::get_id();
  const auto ask = [](Loop& on, std::thread::id here) -> Task<std::string> {
    auto answering = in_background(on, [here] {
      EXPECT_NE(std::this_thread::get_id(), here);
      return std::string("answer");
    });
    std::string answer = co_await answering;
    EXPECT_EQ(std::this_thread::get_id(), here);
    auto failing = in_background(on, []() -> int { throw Failure("no"); });
    try {
      co_await failing;
    } catch (const Failure& failure) {
      answer += failure.what();
    }
    co_return answer;
  };
  EXPECT_EQ(run(loop, ask(loop, owner)), "answerno");
}

}  // namespace
}  // namespace sluice
