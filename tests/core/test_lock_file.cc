#include "sluice/core/lock_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "sluice/core/failure.h"

namespace sluice {
namespace {

class LockFileTest : public testing::Test {
 protected:
  LockFileTest() {
    char name[] = "/tmp/sluice-lock-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~LockFileTest() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + '/' + name; }

 private:
  std::string folder_;
};

TEST_F(LockFileTest, IsHeldByOneAndGoesWithIt) {
  {
    LockFile first;
    EXPECT_TRUE(first.take(path("lock")));
    std::string text;
    std::getline(std::ifstream(path("lock")), text);
    EXPECT_EQ(text, std::to_string(::getpid()));
    LockFile second;
    EXPECT_FALSE(second.take(path("lock")));
  }
  EXPECT_FALSE(std::filesystem::exists(path("lock")));
}

TEST_F(LockFileTest, OfOthersStays) {
  std::ofstream(path("lock")) << "1\n";
  {
    LockFile mine;
    EXPECT_FALSE(mine.take(path("lock")));
  }
  EXPECT_TRUE(std::filesystem::exists(path("lock")));
}

TEST_F(LockFileTest, ThatCannotBeMadeSaysWhy) {
  LockFile mine;
  EXPECT_THROW(mine.take(path("no/lock")), Failure);
}

TEST_F(LockFileTest, NeverFollowsALink) {
  std::filesystem::create_symlink(path("elsewhere"), path("lock"));
  LockFile mine;
  EXPECT_FALSE(mine.take(path("lock")));
  EXPECT_FALSE(std::filesystem::exists(path("elsewhere")));
}

}  // namespace
}  // namespace sluice
