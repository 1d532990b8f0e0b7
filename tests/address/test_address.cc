#include "sluice/address/address.h"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace sluice {
namespace {

using namespace std::chrono_literals;

TEST(Address, AnswersForItsOptionsByCanonicalName) {
  const auto address = parse_address(
      "TCP-LISTEN:80,fork,backlog=5,backlog=7,accept-timeout=0.5,bind=[::1]:80,nodelay=0,keepalive,"
      "reuseaddr=");
  EXPECT_TRUE(address.flag("fork"));
  EXPECT_TRUE(address.flag("so-keepalive"));
  EXPECT_FALSE(address.flag("tcp-nodelay"));
  EXPECT_FALSE(address.flag("null-eof"));
  EXPECT_EQ(address.integer("backlog"), 7) << "the last one counts";
  EXPECT_EQ(address.integer("fork"), 1);
  EXPECT_EQ(address.integer("so-keepalive"), 1);
  EXPECT_EQ(address.integer("max-children"), std::nullopt);
  EXPECT_EQ(address.integer("so-reuseaddr"), std::nullopt);
  EXPECT_EQ(address.duration("accept-timeout"), 500ms);
  EXPECT_EQ(address.duration("connect-timeout"), std::nullopt);
  EXPECT_EQ(address.duration("backlog"), std::nullopt);
  EXPECT_EQ(address.text("bind"), "[::1]:80");
  EXPECT_EQ(address.text("range"), std::nullopt);
  EXPECT_EQ(address.text("fork"), std::nullopt);
  EXPECT_EQ(address.find("backlog")->place, 29u);
}

TEST(Address, SwitchesOffWhatWasSwitchedOnBefore) {
  EXPECT_FALSE(parse_address("TCP-LISTEN:80,fork,fork=0").flag("fork"));
  EXPECT_TRUE(parse_address("TCP-LISTEN:80,fork=0,fork").flag("fork"));
}

TEST(Address, TakesAnUnknownOptionNameForADefectOfTheCaller) {
  const auto address = parse_address("STDIO");
  EXPECT_THROW(address.find("frok"), std::logic_error);
  EXPECT_THROW(address.flag("keepalive"), std::logic_error) << "an alias";
}

TEST(Address, KnowsHowItWasWritten) {
  const auto both = parse_specification("tcp:h:1,'nodelay'!!-,ignoreeof");
  EXPECT_EQ(both.reading.written(), "tcp:h:1,'nodelay'");
  EXPECT_EQ(both.writing->written(), "-,ignoreeof");
  EXPECT_EQ(both.writing->place, 19u);
}

TEST(Address, IsEqualWhereItMeansTheSame) {
  struct {
    std::string_view a, b;
    bool equal;
  } constexpr rows[] = {
      {"-", "STDIO", true},           {"tcp:h:1,nodelay", "TCP-CONNECT:'h':1,tcp-nodelay", true},
      {"/x", "GOPEN:/x", true},       {"tcp:h:1", "tcp:h:2", false},
      {"tcp:h:1", "tcp4:h:1", false}, {"tcp:h:1", "tcp:h:1,nodelay", false},
      {"PIPE", "PIPE:", false},       {"-", "-!!-", false},
  };
  for (const auto& row : rows)
    EXPECT_EQ(parse_specification(row.a) == parse_specification(row.b), row.equal) << row.a << ' ' << row.b;
}

TEST(NumericPort, IsANumberOrNothing) {
  struct {
    std::string_view text;
    std::optional<std::uint16_t> port;
  } constexpr rows[] = {
      {"0", 0},
      {"80", 80},
      {"65535", 65535},
      {"00080", 80},
      {"http", std::nullopt},
      {"3com-tsmux", std::nullopt},
      {"-1", std::nullopt},
      {"0x50", std::nullopt},
  };
  for (const auto& row : rows) {
    const auto address = parse_address("TCP-LISTEN:" + std::string(row.text));
    EXPECT_EQ(numeric_port(address, address.parameters[0]), row.port) << row.text;
  }
}

TEST(NumericPort, OutOfRangeIsAnErrorUnderItsPlace) {
  struct {
    std::string_view source, what, detail;
  } constexpr rows[] = {
      {"TCP-LISTEN:70000", "TCP-LISTEN:70000: port 70000 is out of range (0-65535)",
       "TCP-LISTEN:70000\n           ^"},
      {"TCP-LISTEN:65536,fork", "TCP-LISTEN:65536,fork: port 65536 is out of range (0-65535)",
       "TCP-LISTEN:65536,fork\n           ^"},
      {"-!!TCP-L:99999999999999999999",
       "TCP-L:99999999999999999999: port 99999999999999999999 is out of range (0-65535)",
       "-!!TCP-L:99999999999999999999\n         ^"},
      {"TCP-LISTEN:", "TCP-LISTEN:: the port is missing", "TCP-LISTEN:\n           ^"},
  };
  for (const auto& row : rows) {
    const auto both = parse_specification(row.source);
    const auto& address = both.writing ? *both.writing : both.reading;
    try {
      numeric_port(address, address.parameters[0]);
      ADD_FAILURE() << row.source;
    } catch (const AddressError& error) {
      EXPECT_EQ(std::string_view(error.what()), row.what);
      EXPECT_EQ(error.detail(), row.detail);
      EXPECT_EQ(error.status(), ExitStatus::usage);
    }
  }
}

TEST(AddressError, CountsColumnsInCodePointsAndCopiesTabs) {
  struct {
    std::string_view source;
    std::size_t place;
    std::string_view what, detail;
  } constexpr rows[] = {
      {"abc", 1, "abc: m", "abc\n ^"},
      {"abc", 3, "abc: m", "abc\n   ^"},
      {"abc", 9, "abc: m", "abc\n   ^"},
      {"", 0, "m", "\n^"},
      {"\xc3\xa4\xe2\x82\xac"
       "x",
       5,
       "\xc3\xa4\xe2\x82\xac"
       "x: m",
       "\xc3\xa4\xe2\x82\xac"
       "x\n  ^"},
      {"a\tb", 2, R"(a\tb: m)", "a\tb\n \t^"},
      {"a\nb", 2, R"(a\nb: m)", "a\\nb\n   ^"},
      {"a\x1b[m", 4, R"(a\x1b[m: m)", "a\\x1b[m\n       ^"},
  };
  for (const auto& row : rows) {
    const AddressError error(row.source, row.place, "m");
    EXPECT_EQ(std::string_view(error.what()), row.what);
    EXPECT_EQ(error.detail(), row.detail);
  }
}

}  // namespace
}  // namespace sluice
