#include <gtest/gtest.h>

#include "opened.h"

namespace sluice {
namespace {

/// Typing itself is tested with a terminal, in tests/tools/test_sockcat_readline.cc.
using Readline = testing::EndpointTest;

TEST_F(Readline, RefusesAPatternThatIsNone) {
  for (const std::string bad : {"noecho='('", "noecho='[a'", "noecho='*x{2,1}'"}) {
    try {
      endpoint("READLINE," + bad);
      ADD_FAILURE() << bad;
    } catch (const AddressError& error) {
      EXPECT_NE(std::string(error.what()).find("option \"noecho\""), std::string::npos) << error.what();
      EXPECT_EQ(error.status(), ExitStatus::usage);
    }
  }
  EXPECT_NE(endpoint("READLINE,noecho='^[Pp]assword:.*$'"), nullptr);
}

}  // namespace
}  // namespace sluice
