#include <gtest/gtest.h>
#include <sys/stat.h>

#include "opened.h"

namespace sluice {
namespace {

class File : public testing::EndpointTest {
 protected:
  void put(const std::string& name, const std::string& text) {
    const Fd file(::open(path(name).c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644));
    ASSERT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string get(const std::string& name) {
    const Fd file(::open(path(name).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return "(none)";
    char text[4096];
    return {text, static_cast<std::size_t>(::read(file.get(), text, sizeof text))};
  }
};

TEST_F(File, ReadsFromWhereItIsTold) {
  put("f", "0123456789");
  struct Case {
    std::string options, text;
  };
  const Case cases[] = {{"", "0123456789"},          {",seek=3", "3456789"},     {",seek-end=-2", "89"},
                        {",readbytes=4", "0123"},    {",seek=2,bytes=3", "234"}, {",rdonly", "0123456789"},
                        {",seek-cur=1", "123456789"}};
  for (const auto& one : cases) {
    auto stream = open("OPEN:" + path("f") + one.options, Use::reading);
    EXPECT_EQ(read(*stream), one.text) << one.options;
  }
}

TEST_F(File, WritesAsItIsTold) {
  struct Case {
    std::string address, before, after;
  };
  const Case cases[] = {
      {"OPEN:%", "old text", "newtext"[0] + std::string("ew text")},
      {"OPEN:%,trunc", "old text", "new"},
      {"OPEN:%,append", "old ", "old new"},
      {"OPEN:%,wronly,seek=4", "old text", "old newt"},
      {"OPEN:%,ftruncate=2,append", "old text", "olnew"},
      {"CREATE:%", "old text", "new"},
      {"GOPEN:%", "old ", "old new"},
      {"OPEN:%,creat", "(none)", "new"},
      {"CREATE:%", "(none)", "new"},
      {"GOPEN:%", "(none)", "new"},
      {"OPEN:%,creat,excl", "(none)", "new"},
  };
  for (const auto& one : cases) {
    ::unlink(path("w").c_str());
    if (one.before != "(none)") put("w", one.before);
    std::string address = one.address;
    replace(address, path("w"));
    auto stream = open(address, Use::writing);
    write(*stream, "new");
    close(*stream);
    EXPECT_EQ(get("w"), one.after) << one.address << " after " << one.before;
  }
}

TEST_F(File, HasTheModeItIsGiven) {
  for (const auto* options : {",creat,mode=604", ",creat,perm=604,umask=077", ",creat,umask=0173"}) {
    ::unlink(path("m").c_str());
    open("OPEN:" + path("m") + options, Use::writing);
    struct stat status {};
    ::stat(path("m").c_str(), &status);
    EXPECT_EQ(status.st_mode & 0777, 0604U) << options;
  }
}

TEST_F(File, IsUnlinkedWhenItIsTold) {
  put("u", "x");
  auto early = open("OPEN:" + path("u") + ",unlink-early,creat", Use::writing);
  EXPECT_EQ(get("u"), "");
  auto at_end = open("OPEN:" + path("u") + ",unlink-close", Use::writing);
  EXPECT_EQ(get("u"), "");
  close(*at_end);
  EXPECT_EQ(get("u"), "(none)");
}

TEST_F(File, FindsRelativePathsInItsOwnDirectory) {
  put("r", "there");
  auto stream = open("OPEN:r,chdir=" + folder(), Use::reading);
  EXPECT_EQ(read(*stream), "there");
}

TEST_F(File, SaysWhyItCannotOpen) {
  EXPECT_NE(failure("OPEN:" + path("none")).find("No such file or directory"), std::string::npos);
  EXPECT_NE(failure("OPEN:" + folder(), Use::reading).find("Is a directory"), std::string::npos);
  put("there", "");
  EXPECT_NE(failure("OPEN:" + path("there") + ",creat,excl").find("File exists"), std::string::npos);
  EXPECT_THROW(endpoint("CREATE:" + path("c"), Use::reading), AddressError);
}

TEST_F(File, OfADeviceNeverWaits) {
  auto null = open("OPEN:/dev/null");
  write(*null, "gone");
  EXPECT_EQ(read(*null), "");
  auto full = open("OPEN:/dev/full", Use::writing);
  const End end = run(loop_, testing::write_text(*full, "x"));
  EXPECT_EQ(end.why, std::errc::no_space_on_device);
}

TEST_F(File, IsNoSocketToBeShutDown) {
  for (const char* way : {"shut-none", "shut-down", "shut-close", "shut-null"}) {
    auto stream = open("CREATE:" + path("f") + ',' + way, Use::writing);
    write(*stream, "all");
    EXPECT_EQ(run(loop_, stream->finish()).kind, End::open) << way;
    EXPECT_EQ(get("f"), "all");
  }
}

TEST_F(File, FindsFilesOfItsOptionsInItsOwnDirectory) {
  put("f", "text");
  auto stream = open("OPEN:f,chdir=" + folder() + ",lockfile=lock", Use::reading);
  EXPECT_NE(get("lock"), "(none)");
  close(*stream);
  stream.reset();
  EXPECT_EQ(get("lock"), "(none)");
}

TEST_F(File, PastThePageCacheLosesNoLastBlock) {
  if (!Fd(::open(path("try").c_str(), O_CREAT | O_WRONLY | O_DIRECT | O_CLOEXEC, 0600)))
    GTEST_SKIP() << "nothing goes past this file system's cache";
  const std::string text(10'000, 'x');
  auto to = open("OPEN:" + path("f") + ",creat,o-direct", Use::writing);
  write(*to, text);
  close(*to);
  std::error_code ignored;
  EXPECT_EQ(std::filesystem::file_size(path("f"), ignored), text.size());
  auto from = open("OPEN:" + path("f") + ",o-direct", Use::reading);
  EXPECT_EQ(read(*from), text);
}

TEST_F(File, ThatIsMadeHasItsOwnerAndModeFromTheBeginning) {
  auto stream = open("OPEN:" + path("f") + ",creat,perm-early=640", Use::writing);
  struct stat status {};
  ASSERT_EQ(::stat(path("f").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give things away";
  stream = open("OPEN:" + path("g") + ",creat,user-early=4711,group-early=4712", Use::writing);
  ASSERT_EQ(::stat(path("g").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 4711U);
  EXPECT_EQ(status.st_gid, 4712U);
}

}  // namespace
}  // namespace sluice
