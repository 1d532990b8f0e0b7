#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "opened.h"

namespace sluice {
namespace {

class Stall : public testing::EndpointTest {
 protected:
  static Task<> read_into(Stream& from, End& end) {
    Batch batch = Batch::of_bytes(16);
    end = co_await from.read_some(batch);
  }
  static Task<> write_from(Stream& to, Batch& batch, End& end) { end = co_await to.write_some(batch); }
};

TEST_F(Stall, NeitherGivesNorTakesAnythingUntilItIsStopped) {
  auto stream = open("STALL");
  Batch batch = Batch::of_bytes(1);
  batch.added(1);
  End read, written;
  loop_.start(read_into(*stream, read));
  loop_.start(write_from(*stream, batch, written));
  settle();
  EXPECT_EQ(read.kind, End::open);
  EXPECT_EQ(written.kind, End::open);
  EXPECT_EQ(batch.size(), 1U) << "nothing was taken";
  stream->stop_reading();
  stream->stop_writing();
  loop_.run();
  EXPECT_EQ(read.kind, End::abandoned);
  EXPECT_EQ(written.kind, End::abandoned);
}

TEST_F(Stall, SaysThatItDoesNotEnd) {
  auto stream = open("STALL");
  EXPECT_FALSE(stream->info().traits.input_ends);
  EXPECT_FALSE(stream->info().traits.can_finish);
}

TEST_F(Stall, IsAFullPipeOfTheSizeThatItIsGiven) {
  auto stream = open("STALL,f-setpipe-sz=16384");
  EXPECT_EQ(::fcntl(stream->info().out, F_GETPIPE_SZ), 16384);
  pollfd state{stream->info().out, POLLOUT, 0};
  EXPECT_EQ(::poll(&state, 1, 0), 0) << "nothing fits in";
}

}  // namespace
}  // namespace sluice
