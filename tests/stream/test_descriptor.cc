#include "sluice/stream/descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "on_loop.h"

namespace sluice {
namespace {

using testing::pipe_ends;
using testing::run;
using testing::sample_text;
using testing::socket_pair;

int flags_of(int fd) { return ::fcntl(fd, F_GETFL); }

/// A descriptor as somebody else left it to us: blocking.
Fd blocking(Fd fd) {
  ::fcntl(fd.get(), F_SETFL, flags_of(fd.get()) & ~O_NONBLOCK);
  return fd;
}

Task<bool> wait_for(Descriptor& descriptor, Descriptor::Readiness readiness) {
  co_return co_await descriptor.wait(readiness);
}

TEST(Descriptor, TriesWithoutWaiting) {
  Loop loop;
  auto [in, out] = pipe_ends();
  Descriptor reader(loop, std::move(in)), writer(loop, std::move(out));
  char buffer[16];
  EXPECT_TRUE(reader.try_read(buffer).would_block());
  EXPECT_EQ(writer.try_write(std::string("abc")).count, 3);
  EXPECT_EQ(reader.try_read(buffer).count, 3);
  writer.close_checked();
  EXPECT_EQ(reader.try_read(buffer).count, 0);
}

TEST(Descriptor, WaitsUntilThereIsSomethingToRead) {
  Loop loop;
  auto [in, out] = pipe_ends();
  Descriptor reader(loop, std::move(in)), writer(loop, std::move(out));
  const auto write_later = [](Loop& on, Descriptor& to) -> Task<> {
    co_await on.yield();
    to.try_write(std::string("x"));
  };
  loop.start(write_later(loop, writer));
  EXPECT_TRUE(run(loop, wait_for(reader, Descriptor::readable)));
  char buffer[4];
  EXPECT_EQ(reader.try_read(buffer).count, 1);
}

TEST(Descriptor, WaitEndsWhenStopped) {
  for (const auto readiness : {Descriptor::readable, Descriptor::hung_up}) {
    Loop loop;
    auto [in, out] = pipe_ends();
    Descriptor descriptor(loop, readiness == Descriptor::readable ? std::move(in) : std::move(out));
    const auto stop_later = [](Loop& on, Descriptor& what, Descriptor::Readiness which) -> Task<> {
      co_await on.yield();
      what.stop(which);
    };
    loop.start(stop_later(loop, descriptor, readiness));
    EXPECT_FALSE(run(loop, wait_for(descriptor, readiness)));
    EXPECT_FALSE(run(loop, wait_for(descriptor, readiness)));
  }
}

TEST(Descriptor, NoticesThatTheOtherSideHasGone) {
  Loop loop;
  auto [in, out] = pipe_ends();
  Descriptor writer(loop, std::move(out));
  in.reset();
  EXPECT_TRUE(run(loop, wait_for(writer, Descriptor::hung_up)));
}

TEST(Descriptor, NeverTouchesTheFlagsOfASharedSocket) {
  Loop loop;
  auto [mine, theirs] = socket_pair();
  const int before = flags_of(blocking(mine.duplicate()).get());
  Descriptor shared(loop, mine.duplicate(), Access::shared_socket);
  char buffer[4];
  EXPECT_TRUE(shared.try_read(buffer).would_block());
  ASSERT_EQ(::write(theirs.get(), "x", 1), 1);
  EXPECT_TRUE(run(loop, wait_for(shared, Descriptor::readable)));
  EXPECT_EQ(shared.try_read(buffer).count, 1);
  EXPECT_EQ(flags_of(mine.get()), before);
}

TEST(Descriptor, UsesASharedPipeWithoutBlockingOnIt) {
  Loop loop;
  auto [in, out] = pipe_ends();
  const Fd reader = blocking(std::move(in)), writer = blocking(std::move(out));
  Descriptor from(loop, reader.duplicate(), Access::shared_pipe),
      to(loop, writer.duplicate(), Access::shared_pipe);
  char buffer[16];
  EXPECT_TRUE(from.try_read(buffer).would_block());
  // Until the pipe is full: what does not fit is not taken.
  const std::string text = sample_text(kib(512));
  std::size_t taken = 0;
  for (;;) {
    const auto attempt = to.try_write(std::string_view(text).substr(taken));
    if (attempt.would_block()) break;
    ASSERT_GT(attempt.count, 0);
    taken += static_cast<std::size_t>(attempt.count);
  }
  EXPECT_LT(taken, text.size());
  std::string got;
  while (got.size() < taken) {
    std::string part(kib(64), '\0');
    const auto attempt = from.try_read(part);
    ASSERT_GT(attempt.count, 0);
    got.append(part, 0, static_cast<std::size_t>(attempt.count));
  }
  EXPECT_EQ(got, text.substr(0, taken));
  EXPECT_TRUE(from.try_read(buffer).would_block());
  EXPECT_EQ(flags_of(reader.get()) & O_NONBLOCK, 0);
  EXPECT_EQ(flags_of(writer.get()) & O_NONBLOCK, 0);
}

TEST(Descriptor, KnowsHowInheritedOnesMayBeUsed) {
  const Fd file(::open("/etc/hostname", O_RDONLY | O_CLOEXEC));
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_EQ(access_of_inherited(file.get()), Access::always_ready);
  EXPECT_EQ(access_of_inherited(null.get()), Access::always_ready);
  EXPECT_EQ(access_of_inherited(socket_pair().first.get()), Access::shared_socket);
  EXPECT_EQ(access_of_inherited(pipe_ends().first.get()), std::nullopt);
}

}  // namespace
}  // namespace sluice
