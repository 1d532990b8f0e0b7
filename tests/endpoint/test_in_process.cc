#include <gtest/gtest.h>

#include "opened.h"

namespace sluice {
namespace {

class InProcess : public testing::EndpointTest {};

TEST_F(InProcess, AnswersWhatIsWrittenToIt) {
  struct Case {
    std::string address, question, answer;
  };
  const Case cases[] = {{"UPPER", "labi", "LABI"},
                        {"upper", "", ""},
                        {"COUNT-LINES", "a\nb\n", "2\n"},
                        {"COUNT-LINES", "", "0\n"}};
  for (const auto& one : cases) {
    auto stream = open(one.address);
    write(*stream, one.question);
    finish(*stream);
    EXPECT_EQ(read(*stream), one.answer) << one.address;
  }
}

TEST_F(InProcess, StartsAnewForEachPeer) {
  const auto counter = endpoint("COUNT-LINES");
  for (const auto* text : {"a\n", "a\nb\nc\n"}) {
    auto stream = open(*counter);
    write(*stream, text);
    finish(*stream);
    EXPECT_EQ(read(*stream), std::to_string(std::string(text).size() / 2) + '\n');
  }
}

}  // namespace
}  // namespace sluice
