#include "sluice/core/new_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

namespace sluice {
namespace {

constexpr uid_t somebody = 65534;

/// A folder that anybody may write to, without the sticky bit: nothing that the kernel protects.
class NewFile : public testing::Test {
 protected:
  NewFile() {
    char name[] = "/tmp/sluice-new-XXXXXX";
    folder_ = ::mkdtemp(name);
    ::chmod(folder_.c_str(), 0777);
    std::ofstream(path("victim")) << "mine\n";
  }
  ~NewFile() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + '/' + name; }
  std::string content(const std::string& name) const {
    std::ifstream file(path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

 private:
  std::string folder_;
};

void give_away(const std::string& path) { ASSERT_EQ(::lchown(path.c_str(), somebody, somebody), 0); }

/// What may have the name before us.
struct Planted {
  const char* what;
  std::function<void(const std::string& path, const std::string& victim)> plant;
  bool can_be_replaced = true;
};

const Planted all_planted[] = {
    {"nothing", [](const std::string&, const std::string&) {}},
    {"a link", [](const auto& path, const auto& victim) { std::filesystem::create_symlink(victim, path); }},
    {"a dangling link",
     [](const auto& path, const auto& victim) { std::filesystem::create_symlink(victim + "-not", path); }},
    {"a link to itself", [](const auto& path, const auto&) { std::filesystem::create_symlink(path, path); }},
    {"a FIFO", [](const auto& path, const auto&) { ::mkfifo(path.c_str(), 0666); }},
    {"a hard link", [](const auto& path, const auto& victim) { ::link(victim.c_str(), path.c_str()); }},
    {"a file", [](const auto& path, const auto&) { std::ofstream(path) << "old\n"; }},
    {"a folder", [](const auto& path, const auto&) { std::filesystem::create_directory(path); }, false},
};

TEST_F(NewFile, ThatIsPutReplacesWhateverWasPlanted) {
  for (const auto& [what, plant, can_be_replaced] : all_planted) {
    plant(path("new"), path("victim"));
    if (!can_be_replaced) {
      EXPECT_THROW(put_file(path("new"), "text\n", 0666), Failure) << what;
    } else {
      const Fd file = put_file(path("new"), "text\n", 0666);
      EXPECT_TRUE(is_named(path("new"), file)) << what;
      EXPECT_EQ(content("new"), "text\n") << what;
    }
    EXPECT_EQ(content("victim"), "mine\n") << what;
    EXPECT_EQ(entries(), 2) << what;
    std::filesystem::remove(path("new"));
  }
}

TEST_F(NewFile, ThatIsMadeIsNeverWhatWasPlanted) {
  for (const auto& [what, plant, can_be_replaced] : all_planted) {
    plant(path("new"), path("victim"));
    const bool is_free = std::string(what) == "nothing";
    EXPECT_EQ(static_cast<bool>(make_file(path("new"), 0666)), is_free) << what;
    EXPECT_EQ(content("victim"), "mine\n") << what;
    EXPECT_FALSE(std::filesystem::exists(path("victim-not"))) << what;
    std::filesystem::remove(path("new"));
  }
}

TEST_F(NewFile, LeavesNothingBehindWhereItsDiskIsFull) {
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto old = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{2, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(put_file(path("new"), "text\n", 0666), Failure);
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, old);
  EXPECT_EQ(entries(), 1);
}

TEST_F(NewFile, IsNotNamedByALinkToIt) {
  const Fd file = put_file(path("new"), "", 0600);
  std::filesystem::rename(path("new"), path("moved"));
  EXPECT_FALSE(is_named(path("new"), file));
  std::filesystem::create_symlink(path("moved"), path("new"));
  EXPECT_FALSE(is_named(path("new"), file));
  EXPECT_TRUE(leads_to(path("new"), file));
  EXPECT_FALSE(leads_to(path("victim"), file));
  EXPECT_FALSE(is_named(path("new"), Fd()));
}

Fd append_to(const std::string& path, Unread unread = Unread::refuse) {
  return open_to_append(path, 0600, unread, O_WRONLY);
}

TEST_F(NewFile, IsAppendedToThroughLinksOfOurOwn) {
  std::filesystem::create_symlink("victim", path("near"));
  std::filesystem::create_symlink(path("near"), path("far"));
  std::filesystem::create_symlink(path("made"), path("dangling"));
  for (const char* name : {"victim", "near", "far"}) {
    const Fd file = append_to(path(name));
    ASSERT_TRUE(file) << name;
    EXPECT_EQ(::write(file.get(), "more\n", 5), 5);
  }
  EXPECT_EQ(content("victim"), "mine\nmore\nmore\nmore\n");
  EXPECT_TRUE(append_to(path("dangling")));
  EXPECT_TRUE(std::filesystem::exists(path("made")));
  EXPECT_TRUE(append_to(path("fresh")));
  EXPECT_TRUE(append_to("/dev/null"));
  std::filesystem::create_symlink(path("loop"), path("loop"));
  EXPECT_FALSE(append_to(path("loop")));
  EXPECT_EQ(errno, ELOOP);
  EXPECT_FALSE(append_to(path("no/file")));
  EXPECT_EQ(errno, ENOENT);
}

TEST_F(NewFile, IsNotAppendedToWhereSomebodyElsePlantedIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  for (const auto& [what, plant, can_be_replaced] : all_planted) {
    if (std::string(what) == "nothing" || std::string(what) == "a hard link") continue;
    for (const Unread unread : {Unread::refuse, Unread::hold}) {
      plant(path("new"), path("victim"));
      give_away(path("new"));
      EXPECT_FALSE(append_to(path("new"), unread)) << what;
      EXPECT_EQ(errno, EACCES) << what;
      EXPECT_FALSE(std::filesystem::exists(path("victim-not"))) << what;
      std::filesystem::remove(path("new"));
    }
  }
  // What belongs to the folder's owner is his to decide about, and so is all in a folder of one's own.
  std::filesystem::create_symlink(path("victim"), path("new"));
  give_away(path("new"));
  ::chmod(path("").c_str(), 0755);
  EXPECT_TRUE(append_to(path("new")));
  ::chmod(path("").c_str(), 0777);
  give_away(path(""));
  EXPECT_TRUE(append_to(path("new")));
}

TEST_F(NewFile, DoesNotWaitForAReader) {
  ::mkfifo(path("fifo").c_str(), 0600);
  EXPECT_FALSE(append_to(path("fifo")));
  EXPECT_TRUE(is_unread_fifo(path("fifo")));
  {
    const Fd held = append_to(path("fifo"), Unread::hold);
    ASSERT_TRUE(held);
    EXPECT_EQ(::write(held.get(), "kept", 4), 4);
    const Fd reader(::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    char text[8];
    EXPECT_EQ(::read(reader.get(), text, sizeof text), 4);
    EXPECT_TRUE(append_to(path("fifo")));
  }
  EXPECT_FALSE(append_to(path("no/file")));
  EXPECT_FALSE(is_unread_fifo(path("no/file")));
}

}  // namespace
}  // namespace sluice
