#include "sluice/stream/mover.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdlib>

#include "on_loop.h"

namespace sluice {
namespace {

using testing::pipe_ends;
using testing::sample_text;
using testing::socket_pair;
using testing::tcp_pair;

/// A nameless file with a text in it, to be read from its beginning.
Fd file_of(const std::string& text, int flags = 0) {
  char path[] = "/tmp/sluice-mover-XXXXXX";
  Fd file(::mkostemp(path, O_CLOEXEC | flags));
  ::unlink(path);
  EXPECT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_SET), 0);
  return file;
}

std::string contents(int file) {
  std::string text(mib(4), '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(::pread(file, text.data(), text.size(), 0), 0)));
  return text;
}

/// Reads a part of what there is now.
bool drain_some(int fd, std::string& into) {
  char part[kib(16)];
  const ssize_t count = ::read(fd, part, sizeof part);
  if (count > 0) into.append(part, static_cast<std::size_t>(count));
  return count > 0;
}

void drain(int fd, std::string& into) {
  while (drain_some(fd, into)) {
  }
}

/// Steps until the mover does anything else than moving or waiting for its target, which is read meanwhile.
Step move_all(Mover& mover, int reader, std::string& got, std::size_t& bytes) {
  for (;;) {
    const Step step = mover.step();
    bytes += step.bytes;
    drain(reader, got);
    if (step.outcome != Step::moved && step.outcome != Step::target_waits) return step;
  }
}

TEST(Mover, CopiesARangeFromFileToFileUntilCopyingHasToShowTheEnd) {
  const std::string text = sample_text(mib(2) + 3);
  const Fd from = file_of(text), to = file_of("");
  const auto mover = copy_range(from.get(), to.get());
  std::size_t bytes = 0;
  Step step;
  while ((step = mover->step()).outcome == Step::moved) bytes += step.bytes;
  EXPECT_EQ(step.outcome, Step::refused);
  EXPECT_EQ(bytes, text.size());
  EXPECT_EQ(contents(to.get()), text);
}

TEST(Mover, TakesNothingFromAFileThatItCannotCopyToAnAppendingOne) {
  const Fd from = file_of("text"), to = file_of("", O_APPEND);
  EXPECT_EQ(copy_range(from.get(), to.get())->step().outcome, Step::refused);
  EXPECT_EQ(::lseek(from.get(), 0, SEEK_CUR), 0);
}

TEST(Mover, SendsAFileToASocket) {
  const std::string text = sample_text(mib(2) + 3);
  const Fd from = file_of(text);
  const auto [a, b] = socket_pair();
  std::string got;
  std::size_t bytes = 0;
  EXPECT_EQ(move_all(*send_file(from.get(), a.get()), b.get(), got, bytes).outcome, Step::refused);
  EXPECT_EQ(bytes, text.size());
  EXPECT_TRUE(got == text);
}

TEST(Mover, SplicesDirectlyWhereOneEndIsAPipe) {
  const std::string text = sample_text(mib(1));
  const Fd from = file_of(text);
  const auto [in, out] = pipe_ends();
  std::string got;
  std::size_t bytes = 0;
  EXPECT_EQ(move_all(*splice_directly(from.get(), out.get()), in.get(), got, bytes).outcome, Step::refused);
  EXPECT_TRUE(got == text);
}

TEST(Mover, SaysWhichSideOfADirectSpliceWaits) {
  const auto [in, out] = pipe_ends();
  const auto [a, b] = socket_pair();
  const auto mover = splice_directly(in.get(), a.get());
  EXPECT_EQ(mover->step().outcome, Step::source_waits);
  const std::string block = sample_text(kib(64));
  Step step;
  do {
    ASSERT_GE(::write(out.get(), block.data(), block.size()), -1);
    step = mover->step();
  } while (step.outcome == Step::moved);
  EXPECT_EQ(step.outcome, Step::target_waits);
}

TEST(Mover, GoesThroughAPipeBetweenSocketsAndGivesItBackWhileItWaits) {
  PipePool pipes;
  auto [source, feeder] = socket_pair();
  const auto [target, reader] = socket_pair();
  const auto mover = splice_through(source.get(), target.get(), pipes);
  ASSERT_EQ(::write(feeder.get(), "some", 4), 4);
  const Step moved = mover->step();
  EXPECT_EQ(moved.outcome, Step::moved);
  EXPECT_EQ(moved.bytes, 4U);
  EXPECT_EQ(mover->step().outcome, Step::source_waits);
  EXPECT_EQ(pipes.kept(), 0U);
  mover->relax();
  EXPECT_EQ(pipes.kept(), 1U);
  std::string got;
  drain(reader.get(), got);
  EXPECT_EQ(got, "some");
}

TEST(Mover, KeepsWhatATargetHasNoRoomForAndCountsItOnce) {
  PipePool pipes;
  auto [source, feeder] = socket_pair();
  const auto [target, reader] = socket_pair();
  const auto mover = splice_through(source.get(), target.get(), pipes);
  const std::string text = sample_text(mib(3));
  std::string got;
  std::size_t sent = 0, bytes = 0;
  bool waited = false;
  while (got.size() < text.size()) {
    const ssize_t part = ::write(feeder.get(), text.data() + sent, text.size() - sent);
    if (part > 0) sent += static_cast<std::size_t>(part);
    Step step;
    do {
      step = mover->step();
      bytes += step.bytes;
      waited = waited || step.outcome == Step::target_waits;
    } while (step.outcome == Step::moved);
    mover->relax();
    drain_some(reader.get(), got);
  }
  EXPECT_TRUE(waited) << "the test must fill the target once";
  EXPECT_EQ(bytes, text.size());
  EXPECT_TRUE(got == text);
}

TEST(Mover, HandsOverTheRestWhereTheKernelRefusesTheTarget) {
  PipePool pipes;
  auto [source, feeder] = socket_pair();
  const Fd target = file_of("", O_APPEND);
  const auto mover = splice_through(source.get(), target.get(), pipes);
  ASSERT_EQ(::write(feeder.get(), "not lost", 8), 8);
  const Step step = mover->step();
  EXPECT_EQ(step.outcome, Step::refused);
  EXPECT_EQ(step.bytes, 8U);
  Batch rest = Batch::of_bytes(100);
  mover->take_rest(rest);
  EXPECT_EQ(as_text(rest.data()), "not lost");
  rest.clear();
  mover->take_rest(rest);
  EXPECT_TRUE(rest.empty());
}

TEST(Mover, TellsABrokenTargetFromABrokenSource) {
  ::signal(SIGPIPE, SIG_IGN);
  PipePool pipes;
  auto [source, feeder] = socket_pair();
  auto [in, out] = pipe_ends();
  in.reset();
  ASSERT_EQ(::write(feeder.get(), "x", 1), 1);
  const Step direct = splice_directly(source.get(), out.get())->step();
  EXPECT_EQ(direct.outcome, Step::target_ended);
  EXPECT_EQ(direct.error, EPIPE);
  auto [target, reader] = socket_pair();
  reader.reset();
  const Step through = splice_through(source.get(), target.get(), pipes)->step();
  EXPECT_EQ(through.outcome, Step::target_ended);
  EXPECT_EQ(through.error, EPIPE);
}

TEST(Mover, IsChosenByWhatTheTwoEndsAre) {
  Loop loop;
  const auto descriptor = [&](Fd fd) { return Descriptor(loop, std::move(fd)); };
  auto [a, b] = socket_pair();
  auto [in, out] = pipe_ends();
  Descriptor file = descriptor(file_of("text")), socket = descriptor(std::move(a)),
             pipe = descriptor(std::move(out));
  EXPECT_EQ(file.kind(), mode_t{S_IFREG});
  EXPECT_EQ(socket.kind(), mode_t{S_IFSOCK});
  EXPECT_EQ(pipe.kind(), mode_t{S_IFIFO});
  for (Descriptor* target : {&socket, &pipe}) {
    ASSERT_EQ(::lseek(file.number(), 0, SEEK_SET), 0);
    const auto mover = mover_between(file, *target, loop.pipes());
    ASSERT_NE(mover, nullptr);
    const Step step = mover->step();
    EXPECT_EQ(step.outcome, Step::moved);
    EXPECT_EQ(step.bytes, 4U);
    mover->relax();
    EXPECT_EQ(loop.pipes().kept(), 0U) << "a file needs no pipe between";
  }
}

TEST(Mover, LeavesFromAPipeOrALocalSocketToTheNetworkToCopying) {
  Loop loop;
  auto [out_end, in_end] = pipe_ends();
  auto [local_a, local_b] = socket_pair();
  auto [network_a, network_b] = tcp_pair();
  Descriptor local(loop, std::move(local_a)), other(loop, std::move(local_b));
  Descriptor network(loop, std::move(network_a));
  EXPECT_EQ(mover_between(local, network, loop.pipes()), nullptr);
  EXPECT_NE(mover_between(network, local, loop.pipes()), nullptr);
  EXPECT_NE(mover_between(local, other, loop.pipes()), nullptr);
  Descriptor out(loop, std::move(out_end)), in(loop, std::move(in_end));
  EXPECT_EQ(mover_between(out, network, loop.pipes()), nullptr);
  EXPECT_NE(mover_between(network, in, loop.pipes()), nullptr);
  EXPECT_NE(mover_between(out, local, loop.pipes()), nullptr);
}

}  // namespace
}  // namespace sluice
