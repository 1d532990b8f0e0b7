#include "sluice/stream/progress.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "on_loop.h"
#include "sluice/stream/decorators.h"
#include "sluice/stream/filtered.h"
#include "sluice/text/upper.h"

namespace sluice {
namespace {

/// A file of a thousand bytes, of which `place` were read already; it has no name any more.
Fd file_of_a_thousand(off_t place = 0) {
  char path[] = "/tmp/sluice-file-XXXXXX";
  Fd file(::mkstemp(path));
  ::unlink(path);
  EXPECT_EQ(::ftruncate(file.get(), 1000), 0);
  ::lseek(file.get(), place, SEEK_SET);
  return file;
}

TEST(BytesLeft, IsTheSizeOfAFileButForWhatWasRead) {
  struct Row {
    off_t place;
    std::uint64_t left;
  };
  for (const Row& row : {Row{0, 1000}, Row{1, 999}, Row{1000, 0}, Row{5000, 0}})
    EXPECT_EQ(bytes_left(file_of_a_thousand(row.place).get()), row.left) << row.place;
}

TEST(BytesLeft, IsNotKnownOfWhatIsNoFile) {
  const auto [reading, writing] = testing::pipe_ends();
  EXPECT_EQ(bytes_left(reading.get()), std::nullopt);
  EXPECT_EQ(bytes_left(Fd(::open("/dev/zero", O_RDONLY | O_CLOEXEC)).get()), std::nullopt);
  EXPECT_EQ(bytes_left(Fd(::open("/", O_RDONLY | O_CLOEXEC)).get()), std::nullopt);
  EXPECT_EQ(bytes_left(-1), std::nullopt);
}

class SizeLeft : public ::testing::Test {
 protected:
  std::unique_ptr<Stream> file(off_t place = 0) {
    FdStream::Parts parts;
    parts.in = std::make_unique<Descriptor>(loop_, file_of_a_thousand(place), Access::always_ready);
    return std::make_unique<FdStream>(std::move(parts));
  }
  std::unique_ptr<Stream> pipe() {
    auto ends = testing::pipe_ends();
    FdStream::Parts parts;
    parts.in = std::make_unique<Descriptor>(loop_, std::move(ends.first));
    return std::make_unique<FdStream>(std::move(parts));
  }

  Loop loop_;
};

TEST_F(SizeLeft, IsThatOfTheFile) {
  EXPECT_EQ(file()->size_left(), 1000U);
  EXPECT_EQ(file(400)->size_left(), 600U);
  EXPECT_EQ(pipe()->size_left(), std::nullopt);
  EXPECT_EQ(FdStream(FdStream::Parts{}).size_left(), std::nullopt);
}

TEST_F(SizeLeft, IsWhatADecoratorMakesOfIt) {
  EXPECT_EQ(limit_reading(file(), 10)->size_left(), 10U);
  EXPECT_EQ(limit_reading(file(), 5000)->size_left(), 1000U);
  EXPECT_EQ(limit_reading(pipe(), 10)->size_left(), 10U) << "at most, and as wanted";
  EXPECT_EQ(ignore_eof(file(), loop_)->size_left(), std::nullopt) << "it may grow";
  EXPECT_EQ(join(file(), pipe())->size_left(), 1000U);
  EXPECT_EQ(join(pipe(), file())->size_left(), std::nullopt);
  EXPECT_EQ(tap(file(), kib(8), {}, {})->size_left(), 1000U);
  EXPECT_EQ(filtered(file(), nullptr, upper_filter())->size_left(), 1000U);
  EXPECT_EQ(filtered(file(), upper_filter(), nullptr)->size_left(), std::nullopt);
}

TEST(ProgressThread, LeavesTheMaskOfSignalsAsItWas) {
  sigset_t before, during, after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    // Its last line is not for the reader of this test's output.
    const Fd error(::dup(STDERR_FILENO));
    ::dup2(Fd(::open("/dev/null", O_WRONLY | O_CLOEXEC)).get(), STDERR_FILENO);
    ProgressCounts counts;
    {
      const ProgressThread thread({.program = "prog", .counts = counts, .total = {}});
      ::pthread_sigmask(SIG_SETMASK, nullptr, &during);
    }
    ::dup2(error.get(), STDERR_FILENO);
  }
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_NE(::sigismember(&during, SIGTERM), ::sigismember(&before, SIGTERM));
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE})
    EXPECT_EQ(::sigismember(&after, number), ::sigismember(&before, number)) << number;
}

}  // namespace
}  // namespace sluice
