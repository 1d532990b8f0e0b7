#include "sluice/core/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

bool is_open(int number) { return ::fcntl(number, F_GETFD) != -1; }

Fd null() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

TEST(Fd, ClosesWhatItOwns) {
  int number = -1;
  {
    const Fd fd = null();
    number = fd.get();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, GivesItsNumberAwayWhenMoved) {
  Fd first = null();
  const int number = first.get();
  Fd second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(second.get(), number);
  second = null();
  EXPECT_NE(second.get(), -1);
}

TEST(Fd, DuplicatesAboveTheStandardOnesAndClosedOnExec) {
  const Fd copy = null().duplicate();
  EXPECT_GE(copy.get(), 3);
  EXPECT_EQ(::fcntl(copy.get(), F_GETFD), FD_CLOEXEC);
}

TEST(Fd, ReportsWhatClosingSays) {
  Fd fd = null();
  EXPECT_FALSE(fd.close_checked());
  EXPECT_FALSE(fd.close_checked());
  Fd gone(987654);
  EXPECT_EQ(gone.close_checked(), std::errc::bad_file_descriptor);
}

TEST(Check, SaysWhatWasAttempted) {
  EXPECT_EQ(check("count", 3), 3);
  try {
    check("open /nowhere/x", ::open("/nowhere/x", O_RDONLY));
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_STREQ(failure.what(), "open /nowhere/x: No such file or directory");
    EXPECT_EQ(failure.code(), std::errc::no_such_file_or_directory);
    EXPECT_EQ(failure.status(), ExitStatus::failure);
  }
}

}  // namespace
}  // namespace sluice
