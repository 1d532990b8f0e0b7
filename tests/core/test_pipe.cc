#include "sluice/core/pipe.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "sluice/core/fd.h"

namespace sluice {
namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    out = Fd(ends[0]);
    in = Fd(ends[1]);
  }
  int size() const { return ::fcntl(in.get(), F_GETPIPE_SZ); }
  Fd out, in;
};

TEST(Pipe, IsToldFromOtherDescriptors) {
  const Pipe pipe;
  EXPECT_TRUE(is_pipe(pipe.out.get()));
  EXPECT_TRUE(is_pipe(pipe.in.get()));
  EXPECT_FALSE(is_pipe(Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)).get()));
  EXPECT_FALSE(is_pipe(-1));
}

TEST(Pipe, IsWidenedFromEitherEnd) {
  const Pipe one, other;
  widen_pipe(one.out.get());
  EXPECT_EQ(one.size(), static_cast<int>(wide_pipe_size));
  widen_pipe(other.in.get());
  EXPECT_EQ(other.size(), static_cast<int>(wide_pipe_size));
  const Pipe wider;
  widen_pipe(wider.in.get(), kib(512));
  EXPECT_EQ(wider.size(), static_cast<int>(kib(512)));
}

TEST(Pipe, IsWidenedFurtherButNeverMadeSmaller) {
  const Pipe pipe;
  widen_pipe(pipe.in.get());
  widen_pipe(pipe.in.get(), 2 * wide_pipe_size);
  EXPECT_EQ(pipe.size(), static_cast<int>(2 * wide_pipe_size));
  widen_pipe(pipe.in.get());
  EXPECT_EQ(pipe.size(), static_cast<int>(2 * wide_pipe_size));
}

TEST(Pipe, KeepsASizeThatSomebodyHasChosen) {
  for (const std::size_t chosen : {kib(4), kib(16), kib(128), kib(512)}) {
    const Pipe pipe;
    const int granted = ::fcntl(pipe.in.get(), F_SETPIPE_SZ, static_cast<int>(chosen));
    widen_pipe(pipe.out.get());
    EXPECT_EQ(pipe.size(), granted);
  }
}

TEST(Pipe, KeepsItsBytesWhileItIsWidened) {
  const Pipe pipe;
  ASSERT_EQ(::write(pipe.in.get(), "bytes", 5), 5);
  widen_pipe(pipe.in.get());
  char got[8];
  ASSERT_EQ(::read(pipe.out.get(), got, sizeof got), 5);
  EXPECT_EQ(std::string_view(got, 5), "bytes");
}

}  // namespace
}  // namespace sluice
