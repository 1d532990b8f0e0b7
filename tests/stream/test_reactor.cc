#include "sluice/stream/reactor.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <memory>

#include "on_loop.h"

namespace sluice {
namespace {

using testing::pipe_ends;
using testing::socket_pair;
using enum Watch::Readiness;

/// The number that the next descriptor will have.
int next_number() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)).get(); }

/// A task that waits is a handle and a waiter: here it is never resumed.
struct Bench {
  std::vector<std::coroutine_handle<>> ready;
  int epoll = next_number();
  Reactor reactor{ready};

  /// Whether the reactor would sleep: a loop that is told again and again burns its processor.
  bool sleeps() {
    reactor.wait(0);
    pollfd state{epoll, POLLIN, 0};
    return ::poll(&state, 1, 0) == 0;
  }

  /// How many became ready by one look.
  std::size_t look() {
    ready.clear();
    reactor.wait(0);
    return ready.size();
  }
};

TEST(Reactor, TellsOfInputUntilItIsRead) {
  Bench bench;
  auto [in, out] = pipe_ends();
  Watch watch(bench.reactor, in.get());
  Watch::Waiter waiter;
  watch.wait(waiter, readable, std::noop_coroutine());
  EXPECT_EQ(bench.look(), 0U);
  ASSERT_EQ(::write(out.get(), "ab", 2), 2);
  EXPECT_EQ(bench.look(), 1U);
  EXPECT_EQ(bench.look(), 0U) << "once for each wait";
  // Half of it was read: the rest tells again.
  char half = 0;
  ASSERT_EQ(::read(in.get(), &half, 1), 1);
  watch.wait(waiter, readable, std::noop_coroutine());
  EXPECT_EQ(bench.look(), 1U);
}

TEST(Reactor, KeepsQuietAboutWhatNobodyWaitsFor) {
  Bench bench;
  auto [one, other] = socket_pair();
  Watch watch(bench.reactor, one.get());
  {
    Watch::Waiter waiter;
    watch.wait(waiter, readable, std::noop_coroutine());
  }
  // Input, then the end of both directions: each is reported at most once, though it stays so.
  ASSERT_EQ(::write(other.get(), "x", 1), 1);
  EXPECT_EQ(bench.look(), 0U);
  EXPECT_TRUE(bench.sleeps());
  other.reset();
  EXPECT_EQ(bench.look(), 0U);
  EXPECT_TRUE(bench.sleeps());
  Watch::Waiter waiter;
  watch.wait(waiter, hung_up, std::noop_coroutine());
  EXPECT_EQ(bench.look(), 1U);
}

TEST(Reactor, ForgetsThatOutputWasWaitedFor) {
  Bench bench;
  auto [one, other] = socket_pair();
  Watch watch(bench.reactor, one.get());
  Watch::Waiter waiter;
  watch.wait(waiter, writable, std::noop_coroutine());
  EXPECT_EQ(bench.look(), 1U);
  EXPECT_TRUE(bench.sleeps());
  watch.wait(waiter, writable, std::noop_coroutine());
  EXPECT_EQ(bench.look(), 1U) << "and is asked for again";
}

TEST(Reactor, RestsAtTheEndOfInput) {
  Bench bench;
  auto [one, other] = socket_pair();
  Watch watch(bench.reactor, one.get());
  Watch::Waiter waiter;
  watch.wait(waiter, readable, std::noop_coroutine());
  ::shutdown(other.get(), SHUT_WR);
  EXPECT_EQ(bench.look(), 1U);
  watch.rest();
  bench.look();
  pollfd state{bench.epoll, POLLIN, 0};
  EXPECT_EQ(::poll(&state, 1, 0), 0) << "from the next wait on, without having been told a second time";
  watch.wait(waiter, readable, std::noop_coroutine());
  EXPECT_EQ(bench.look(), 1U) << "the end is still there for who asks";
}

TEST(Reactor, WakesAllWhoWaitForOneDescriptor) {
  Bench bench;
  auto [one, other] = socket_pair();
  Watch watch(bench.reactor, one.get());
  Watch::Waiter first, second, reading;
  watch.wait(first, writable, std::noop_coroutine());
  watch.wait(second, writable, std::noop_coroutine());
  watch.wait(reading, readable, std::noop_coroutine());
  EXPECT_EQ(bench.look(), 2U);
  bench.ready.clear();
  watch.wake(readable);
  EXPECT_EQ(bench.ready.size(), 1U);
}

TEST(Reactor, ForgetsWaitersAndWatchesThatGo) {
  Bench bench;
  auto [in, out] = pipe_ends();
  auto watch = std::make_unique<Watch>(bench.reactor, in.get());
  Watch::Waiter left_over;
  {
    Watch::Waiter gone;
    watch->wait(gone, readable, std::noop_coroutine());
    watch->wait(left_over, readable, std::noop_coroutine());
  }
  ASSERT_EQ(::write(out.get(), "x", 1), 1);
  EXPECT_EQ(bench.look(), 1U);
  watch->wait(left_over, readable, std::noop_coroutine());
  watch.reset();
  EXPECT_EQ(bench.look(), 0U);
  left_over.wake();
  EXPECT_TRUE(bench.ready.empty());
}

TEST(Reactor, RefusesWhatCannotBeWatched) {
  Bench bench;
  const Fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  Watch watch(bench.reactor, file.get());
  Watch::Waiter waiter;
  EXPECT_THROW(watch.wait(waiter, readable, std::noop_coroutine()), Failure);
  // A file never hangs up; who waits for it may still be woken.
  watch.wait(waiter, hung_up, std::noop_coroutine());
  EXPECT_EQ(bench.look(), 0U);
  watch.wake(hung_up);
  EXPECT_EQ(bench.ready.size(), 1U);
}

TEST(Reactor, HearsItsBell) {
  Bench bench;
  const Fd bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  bench.reactor.set_bell(bell.get());
  EXPECT_FALSE(bench.reactor.wait(0).rung);
  ::eventfd_write(bell.get(), 1);
  EXPECT_TRUE(bench.reactor.wait(-1).rung);
}

}  // namespace
}  // namespace sluice
