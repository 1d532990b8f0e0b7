#include "sluice/core/own_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "sluice/core/fd.h"

namespace sluice {
namespace {

class OwnOutputTest : public testing::Test {
 protected:
  OwnOutputTest() {
    char name[] = "/tmp/sluice-own-XXXXXX";
    folder_ = ::mkdtemp(name);
    std::ofstream(path()) << "0123456789";
  }
  ~OwnOutputTest() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name = "file") const { return folder_ + '/' + name; }
  Fd open(int flags, const std::string& name = "file") const {
    return Fd(::open(path(name).c_str(), flags | O_CLOEXEC, 0600));
  }

 private:
  std::string folder_;
};

struct Row {
  off_t reading, writing;
  bool appends;
  std::size_t unwritten;
  bool met;
};

TEST_F(OwnOutputTest, IsMetWhereWritingIsAheadOfReading) {
  // Of a file of 10 bytes.
  constexpr Row rows[] = {
      {0, 0, true, 0, true},    {9, 0, true, 0, true},   {10, 0, true, 0, false}, {10, 0, true, 1, true},
      {0, 0, false, 0, false},  {5, 0, false, 5, false}, {5, 0, false, 6, true},  {0, 1, false, 0, true},
      {0, 10, false, 0, true},  {5, 5, false, 0, false}, {5, 6, false, 0, true},  {10, 11, false, 0, false},
      {10, 0, false, 1, false}, {7, 2, false, 5, false},
  };
  for (const auto& [reading, writing, appends, unwritten, met] : rows) {
    const Fd in = open(O_RDONLY), out = open(O_WRONLY | (appends ? O_APPEND : 0));
    ::lseek(in.get(), reading, SEEK_SET);
    ::lseek(out.get(), writing, SEEK_SET);
    const auto own = OwnOutput::of(in.get(), out.get());
    ASSERT_TRUE(own);
    EXPECT_EQ(own->is_met(unwritten), met) << reading << ' ' << writing << ' ' << appends << ' ' << unwritten;
  }
}

TEST_F(OwnOutputTest, IsTheSameFileByAnyName) {
  std::filesystem::create_symlink(path(), path("link"));
  std::filesystem::create_hard_link(path(), path("hard"));
  const Fd out = open(O_WRONLY | O_APPEND);
  for (const char* name : {"file", "link", "hard"})
    EXPECT_TRUE(OwnOutput::of(open(O_RDONLY, name).get(), out.get())) << name;
  const Fd again(::open(("/proc/self/fd/" + std::to_string(out.get())).c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(OwnOutput::of(again.get(), out.get()));
}

TEST_F(OwnOutputTest, IsNotWhatEndsByItself) {
  const Fd both = open(O_RDWR | O_APPEND), other = open(O_RDWR | O_CREAT, "other"), in = open(O_RDONLY);
  EXPECT_FALSE(OwnOutput::of(in.get(), other.get()));
  EXPECT_FALSE(OwnOutput::of(in.get(), in.get()));
  EXPECT_FALSE(OwnOutput::of(both.get(), both.get()));
  // One open file has one place; kcmp(2) knows that it is one.
  EXPECT_FALSE(OwnOutput::of(both.get(), both.duplicate().get()));
  EXPECT_FALSE(OwnOutput::of(-1, in.get()));
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC)), again(::open("/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_FALSE(OwnOutput::of(null.get(), again.get()));
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reading(ends[0]), writing(ends[1]);
  EXPECT_FALSE(OwnOutput::of(reading.get(), writing.get()));
}

TEST_F(OwnOutputTest, SaysWhatCatSays) {
  EXPECT_EQ(input_is_output().message(), "input file is output file");
}

}  // namespace
}  // namespace sluice
