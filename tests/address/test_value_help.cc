#include "sluice/address/value_help.h"

#include <gtest/gtest.h>

#include <vector>

#include "sluice/address/misfits.h"

namespace sluice {
namespace {

TEST(ValueHelp, HasAnExampleOfEveryKeywordThatIsAnAddress) {
  for (const KeywordRow& row : keyword_rows()) {
    if (row.name.starts_with("OPENSSL")) continue;
    const std::string example(example_of(row));
    EXPECT_TRUE(example.starts_with("sockcat ")) << row.name;
  }
}

TEST(ValueHelp, NamesTheUnitThatTheTypeUnderstands) {
  for (const OptionRow& row : option_rows()) {
    const auto placeholder = placeholder_of(row);
    const bool duration = row.type == ValueType::timeval || row.type == ValueType::timespec;
    const bool size = row.type == ValueType::size || row.type == ValueType::offset;
    EXPECT_EQ(placeholder == "SECONDS", duration) << row.name;
    EXPECT_EQ(placeholder == "SIZE", size) << row.name;
    EXPECT_EQ(placeholder == "MODE", row.type == ValueType::mode) << row.name;
    EXPECT_EQ(placeholder == "USER", row.type == ValueType::user) << row.name;
    if (row.type == ValueType::boolean || row.type == ValueType::constant) {
      EXPECT_EQ(placeholder, "") << row.name;
    }
    // Nobody can guess what a text is.
    if (row.type == ValueType::text && row.effect.kind != Effect::not_yet) {
      EXPECT_NE(placeholder, row.name == "prompt" ? "" : "TEXT") << row.name;
    }
  }
}

TEST(ValueHelp, CutsASyntaxIntoItsParameters) {
  std::string_view syntax = ":<socks-server>[:<socks-port>]:<target-host>:<target-port>";
  std::vector<std::string_view> names;
  for (auto name = next_parameter(syntax); !name.empty(); name = next_parameter(syntax))
    names.push_back(name);
  EXPECT_EQ(names,
            (std::vector<std::string_view>{"socks-server", "socks-port", "target-host", "target-port"}));
  EXPECT_EQ(placeholder_of_parameter("socks-port"), "PORT");
  EXPECT_EQ(placeholder_of_parameter("target-host"), "HOST");
}

TEST(CanFit, LooksAtGroupsAndAtWhatNeverHasAnEffect) {
  const auto fits = [](const char* keyword, const char* option) {
    return can_fit(*find_keyword(keyword), *find_option(option));
  };
  EXPECT_TRUE(fits("TCP-LISTEN", "fork"));
  EXPECT_TRUE(fits("TCP-LISTEN", "chdir"));
  EXPECT_TRUE(fits("TCP-LISTEN", "max-children")) << "beside fork";
  EXPECT_TRUE(fits("EXEC", "ctty")) << "beside pty";
  EXPECT_TRUE(fits("EXEC", "stderr")) << "unless beside nofork";
  EXPECT_FALSE(fits("TCP-LISTEN", "connect-timeout"));
  EXPECT_FALSE(fits("EXEC", "bind"));
  EXPECT_FALSE(fits("OPEN", "fork"));
  EXPECT_FALSE(fits("OPENSSL", "cert")) << "nothing applies it";
}

}  // namespace
}  // namespace sluice
