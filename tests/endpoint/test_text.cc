#include <gtest/gtest.h>

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

}  // namespace
}  // namespace sluice
