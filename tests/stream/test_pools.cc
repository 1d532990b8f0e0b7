#include "sluice/stream/pools.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sluice/stream/batch.h"

namespace sluice {
namespace {

TEST(BufferPool, KeepsWhatIsGivenBackForTheNextOfThatSize) {
  BufferPool pool;
  const char* first = nullptr;
  {
    const auto buffer = pool.take(kib(16));
    first = buffer.get();
  }
  EXPECT_EQ(pool.kept(), 1U);
  const auto larger = pool.take(kib(64));
  EXPECT_EQ(pool.kept(), 1U);
  EXPECT_EQ(pool.take(kib(16)).get(), first);
}

TEST(BufferPool, KeepsFewHoweverManyWereOut) {
  BufferPool pool;
  {
    std::vector<BufferPool::Buffer> out;
    for (int i = 0; i < 100; ++i) out.push_back(pool.take(kib(16)));
  }
  EXPECT_LE(pool.kept(), 16U);
}

TEST(BufferPool, ABatchHoldsABufferOnlyWhileItHasSomething) {
  BufferPool pool;
  Batch batch = Batch::of_bytes(kib(16), &pool);
  batch.room()[0] = 'x';
  batch.added(1);
  batch.relax();
  EXPECT_EQ(pool.kept(), 0U) << "what it carries must stay";
  batch.consume(1);
  batch.relax();
  EXPECT_EQ(pool.kept(), 1U);
  EXPECT_EQ(batch.room().size(), kib(16));
  EXPECT_EQ(pool.kept(), 0U);
}

TEST(PipePool, TakesBackOnlyEmptyPipes) {
  PipePool pool;
  auto middle = pool.take();
  ASSERT_TRUE(middle);
  EXPECT_GE(middle->size, kib(64));
  ASSERT_EQ(::write(middle->in.get(), "x", 1), 1);
  middle->held = 1;
  pool.give(std::move(*middle));
  EXPECT_EQ(pool.kept(), 0U);
  auto other = pool.take();
  ASSERT_TRUE(other);
  const int number = other->in.get();
  pool.give(std::move(*other));
  EXPECT_EQ(pool.kept(), 1U);
  EXPECT_EQ(pool.take()->in.get(), number);
}

TEST(PipePool, GivesUpDescriptorsThatAreWantedElsewhere) {
  PipePool pool;
  auto middle = pool.take();
  ASSERT_TRUE(middle);
  const int number = middle->in.get();
  pool.give(std::move(*middle));
  pool.clear();
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST(PipePool, HasNothingToGiveWhereTheProcessHasNoMoreDescriptors) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  PipePool pool;
  EXPECT_FALSE(pool.take());
  ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace sluice
