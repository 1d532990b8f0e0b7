#include "sluice/address/value.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <ostream>
#include <string>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr auto nothing = std::nullopt;

OptionRow row_of(ValueType type) {
  OptionRow row;
  row.name = "x";
  row.type = type;
  return row;
}

struct Good {
  ValueType type;
  std::optional<std::string_view> text;
  Value value;
};

TEST(Value, IsReadByItsType) {
  using V = ValueType;
  const Good rows[] = {
      {V::boolean, nothing, true},
      {V::boolean, "1", true},
      {V::boolean, "0", false},
      {V::constant, nothing, true},
      {V::byte, nothing, std::int64_t{1}},
      {V::byte, "0", std::int64_t{0}},
      {V::byte, "255", std::int64_t{255}},
      {V::byte, "0xfF", std::int64_t{255}},
      {V::byte, "0377", std::int64_t{255}},
      {V::integer, nothing, std::int64_t{1}},
      {V::integer, "+5", std::int64_t{5}},
      {V::integer, "-5", std::int64_t{-5}},
      {V::integer, "-0x10", std::int64_t{-16}},
      {V::integer, "00", std::int64_t{0}},
      {V::integer, "010", std::int64_t{8}},
      {V::integer, "2147483647", std::int64_t{2147483647}},
      {V::integer, "-2147483648", std::int64_t{-2147483648}},
      {V::integer_or_nothing, nothing, std::int64_t{1}},
      {V::integer_or_nothing, "", std::monostate{}},
      {V::integer_or_nothing, "0", std::int64_t{0}},
      {V::long_integer, "9223372036854775807", INT64_MAX},
      {V::long_integer, "-9223372036854775808", INT64_MIN},
      {V::unsigned_integer, "4294967295", std::int64_t{4294967295}},
      {V::unsigned_short, "65535", std::int64_t{65535}},
      {V::size, "0", std::int64_t{0}},
      {V::size, "10", std::int64_t{10}},
      {V::size, "10k", std::int64_t{10240}},
      {V::size, "10K", std::int64_t{10240}},
      {V::size, "0x10k", std::int64_t{16384}},
      {V::size, "3M", std::int64_t{3 << 20}},
      {V::size, "2G", std::int64_t{2} << 30},
      {V::size, "8589934591G", std::int64_t{8589934591} << 30},
      {V::offset, nothing, std::int64_t{1}},
      {V::offset, "-2k", std::int64_t{-2048}},
      {V::offset, "-9223372036854775808", INT64_MIN},
      {V::mode, "0", std::int64_t{0}},
      {V::mode, "644", std::int64_t{0644}},
      {V::mode, "0644", std::int64_t{0644}},
      {V::mode, "7777", std::int64_t{07777}},
      {V::user, "0", std::int64_t{0}},
      {V::user, "root", std::int64_t{0}},
      {V::user, "12345", std::int64_t{12345}},
      {V::user, "4294967294", std::int64_t{4294967294}},
      {V::group, "root", std::int64_t{0}},
      {V::group, "0x10", std::int64_t{16}},
      {V::text, "", std::string()},
      {V::text, "a:b", std::string("a:b")},
      {V::text_or_nothing, nothing, std::monostate{}},
      {V::text_or_nothing, "x", std::string("x")},
      {V::linger, "5", std::int64_t{5}},
      {V::timeval, "10", nanoseconds(10s)},
      {V::timeval, "0.5", nanoseconds(500ms)},
      {V::timeval, ".5", nanoseconds(500ms)},
      {V::timeval, "5.", nanoseconds(5s)},
      {V::timespec, "0", nanoseconds(0)},
      {V::timespec, "0.000000001", 1ns},
      {V::timespec, "0.0000000019", 1ns},
      {V::timespec, "1.000000001", nanoseconds(1s) + 1ns},
      {V::timespec, "250us", nanoseconds(250us)},
      {V::timespec, "20ms", nanoseconds(20ms)},
      {V::timespec, "1.5s", nanoseconds(1500ms)},
      {V::timespec, "2m", nanoseconds(2min)},
      {V::timespec, "1.5h", nanoseconds(90min)},
      {V::timespec, "9223372035", nanoseconds(9223372035s)},
      {V::ip_membership, "224.0.0.1:eth0", std::string("224.0.0.1:eth0")},
      {V::ip4_name, "10.0.0.1", std::string("10.0.0.1")},
      {V::binary, "x0102", Numbered{{}, "\1\2"}},
      {V::int_int, "80:25", Numbered{{80, 25}, ""}},
      {V::int_int, "0x10:-1", Numbered{{16, -1}, ""}},
      {V::int_unsigned_long, "3:0xffffffff", Numbered{{3, 4294967295}, ""}},
      {V::int_triple, "1:2:3", Numbered{{1, 2, 3}, ""}},
      {V::int_intp, "0x80045430:1",
       Numbered{{
                    2147767344,
                },
                std::string("\1\0\0\0", 4)}},
      {V::int_text, "7:a:b", Numbered{{7}, std::string("a:b\0", 4)}},
      {V::int_binary, "7:x41", Numbered{{7}, "A"}},
      {V::int_int_int, "1:6:2", Numbered{{1, 6}, std::string("\2\0\0\0", 4)}},
      {V::int_int_text, "1:25:lo", Numbered{{1, 25}, std::string("lo\0", 3)}},
      {V::int_int_binary, "1:6:x01000000", Numbered{{1, 6}, std::string("\1\0\0\0", 4)}},
  };
  for (const auto& row : rows) {
    const auto read = read_value(row_of(row.type), row.text);
    const auto label = "type " + std::to_string(static_cast<int>(row.type)) + " of " +
                       std::string(row.text.value_or("nothing"));
    EXPECT_EQ(read.complaint, "") << label;
    EXPECT_TRUE(read.value == row.value) << label;
  }
}

struct Bad {
  ValueType type;
  std::optional<std::string_view> text;
  std::string_view complaint;
};

TEST(Value, IsRefusedWithTheReason) {
  using V = ValueType;
  constexpr std::string_view number = " is not a number";
  constexpr std::string_view bytes = " is not a number of bytes (such as 100, 64k, 3M, 1G)";
  constexpr std::string_view duration = " is not a duration (seconds such as 0.5, or 20ms)";
  constexpr Bad rows[] = {
      {V::boolean, "", "\"\" is neither 0 nor 1"},
      {V::boolean, "2", "\"2\" is neither 0 nor 1"},
      {V::boolean, "yes", "\"yes\" is neither 0 nor 1"},
      {V::constant, "", "takes no value"},
      {V::constant, "1", "takes no value"},
      {V::byte, "256", "\"256\" is out of range (0..255)"},
      {V::byte, "-1", "\"-1\" is out of range (0..255)"},
      {V::integer, "", number},
      {V::integer, "x", number},
      {V::integer, "5x", number},
      {V::integer, "5k", number},
      {V::integer, " 5", number},
      {V::integer, "5 ", number},
      {V::integer, "08", number},
      {V::integer, "0x", number},
      {V::integer, "0xg", number},
      {V::integer, "+", number},
      {V::integer, "-", number},
      {V::integer, "--5", number},
      {V::integer, "-+5", number},
      {V::integer, "2147483648", "\"2147483648\" is out of range (-2147483648..2147483647)"},
      {V::integer, "99999999999999999999",
       "\"99999999999999999999\" is out of range (-2147483648..2147483647)"},
      {V::unsigned_integer, "4294967296", "\"4294967296\" is out of range (0..4294967295)"},
      {V::unsigned_short, "70000", "\"70000\" is out of range (0..65535)"},
      {V::unsigned_short, "-1", "\"-1\" is out of range (0..65535)"},
      {V::size, nothing, "needs a value"},
      {V::size, "", number},
      {V::size, "k", number},
      {V::size, "1kk", bytes},
      {V::size, "1T", bytes},
      {V::size, "-1", "\"-1\" is out of range (0..9223372036854775807)"},
      {V::size, "8589934592G", "\"8589934592G\" is out of range (0..9223372036854775807)"},
      {V::mode, nothing, "needs a value"},
      {V::mode, "", "\"\" is not an octal number"},
      {V::mode, "999", "\"999\" is not an octal number"},
      {V::mode, "0x1ff", "\"0x1ff\" is not an octal number"},
      {V::mode, "-1", "\"-1\" is not an octal number"},
      {V::mode, "10000", "\"10000\" is out of range (0..7777, octal)"},
      {V::user, nothing, "needs a value"},
      {V::user, "", "there is no user \"\""},
      {V::user, "no such user", "there is no user \"no such user\""},
      {V::user, "12x", number},
      {V::user, "4294967295", "\"4294967295\" is out of range (0..4294967294)"},
      {V::group, "no such group", "there is no group \"no such group\""},
      {V::text, nothing, "needs a value"},
      {V::linger, nothing, "needs a value"},
      {V::linger, "1:5", number},
      {V::timeval, nothing, "needs a value"},
      {V::timeval, "", duration},
      {V::timeval, ".", duration},
      {V::timeval, "s", duration},
      {V::timeval, "x", duration},
      {V::timeval, "-1", duration},
      {V::timeval, "1,5", duration},
      {V::timeval, "1.5.5", duration},
      {V::timeval, "1e3", duration},
      {V::timeval, "1 s", duration},
      {V::timeval, "1d", duration},
      {V::timeval, "nan", duration},
      {V::timeval, "9223372037", "\"9223372037\" is too long a duration"},
      {V::timeval, "2562048h", "\"2562048h\" is too long a duration"},
      {V::timeval, "99999999999999999999", "\"99999999999999999999\" is too long a duration"},
      {V::ip_membership, nothing, "needs a value"},
      {V::int_int, nothing, "needs a value"},
      {V::int_int, "80", "expects <int>:<int>"},
      {V::int_int, "80:", "\"\" is not a number"},
      {V::int_int, "80:25:1", "\"25:1\" is not a number"},
      {V::int_int_int, "1:6", "expects <int>:<int>:<int>"},
      {V::int_int_binary, "1:x01", "expects <int>:<int>:<data>"},
      {V::int_int_binary, "a:b:x01", "\"a\" is not a number"},
      {V::int_int_int, "1:99999999999:1", "\"99999999999\" is out of range (-2147483648..4294967295)"},
      {V::int_triple, "1:2", "expects <int>:<int>:<int>"},
  };
  for (const auto& row : rows) {
    const auto read = read_value(row_of(row.type), row.text);
    const bool names_itself = row.complaint.starts_with(' ');
    const auto expected =
        (names_itself ? '"' + std::string(*row.text) + '"' : std::string()) + std::string(row.complaint);
    EXPECT_EQ(read.complaint, expected);
  }
}

TEST(Value, IsOneOfTheChoicesWhereThereAreSome) {
  const auto& row = *find_option("exit-on");
  for (const auto* choice : {"first-eof", "both", "left", "right"})
    EXPECT_TRUE(read_value(row, choice).value == Value(std::string(choice))) << choice;
  for (const auto* other : {"", "first", "both|left", "right "})
    EXPECT_EQ(read_value(row, other).complaint,
              '"' + std::string(other) + "\" is not one of first-eof, both, left, right");
}

}  // namespace
}  // namespace sluice
