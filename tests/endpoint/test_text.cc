#include <gtest/gtest.h>
#include <sys/stat.h>

#include "opened.h"

namespace sluice {
namespace {

using Text = testing::EndpointTest;

TEST_F(Text, DeliversItselfAndEnds) {
  struct Case {
    std::string address, text;
  };
  for (const auto& one :
       {Case{"TEXT:hello", "hello"}, Case{"TEXT:'a:b,c'", "a:b,c"}, Case{"TEXT:'one\\ntwo\\n'", "one\ntwo\n"},
        Case{"TEXT:''", ""}, Case{"TEXT:a\\:b", "a:b"},
        Case{"TEXT:" + std::string(200'000, 'x'), std::string(200'000, 'x')}}) {
    auto stream = open(one.address);
    EXPECT_EQ(read(*stream), one.text) << one.address.substr(0, 40);
    EXPECT_EQ(read(*stream), "") << "the end is told again";
  }
}

TEST_F(Text, DropsWhatIsWrittenToIt) {
  auto stream = open("TEXT:mine");
  write(*stream, std::string(1'000'000, 'x'));
  finish(*stream);
  EXPECT_EQ(read(*stream), "mine");
  close(*stream);
}

TEST_F(Text, HasADescriptorForItsOptions) {
  struct stat status {};
  ASSERT_EQ(::stat("/dev/null", &status), 0);
  const mode_t before = status.st_mode;
  auto stream = open("TEXT:x,perm-late=400,shut-none");
  ASSERT_EQ(::stat("/dev/null", &status), 0);
  EXPECT_EQ(status.st_mode, before) << "what drops is everybody's";
  ASSERT_EQ(::fstat(stream->info().in, &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0400U);
  EXPECT_FALSE(open("TEXT:x", Use::reading)->info().writable);
  EXPECT_EQ(failure("TEXT:x,f-setpipe-sz=4096"),
            "TEXT:x,f-setpipe-sz=4096: option \"f-setpipe-sz\": Bad file descriptor");
}

}  // namespace
}  // namespace sluice
