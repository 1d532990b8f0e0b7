#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

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

TEST_F(Text, HasADescriptorForItsOptions) {
  struct stat status {};
  ASSERT_EQ(::fstat(STDOUT_FILENO, &status), 0);
  const mode_t before = status.st_mode;
  auto stream = open("TEXT:x,perm-late=400,shut-none");
  EXPECT_EQ(stream->info().out, STDOUT_FILENO);
  ASSERT_EQ(::fstat(STDOUT_FILENO, &status), 0);
  EXPECT_EQ(status.st_mode, before) << "options are for the text";
  ASSERT_EQ(::fstat(stream->info().in, &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0400U);
  EXPECT_FALSE(open("TEXT:x", Use::reading)->info().writable);
  EXPECT_EQ(failure("TEXT:x,f-setpipe-sz=4096"),
            "TEXT:x,f-setpipe-sz=4096: option \"f-setpipe-sz\": Bad file descriptor");
}

}  // namespace
}  // namespace sluice
