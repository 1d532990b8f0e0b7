#include "sluice/address/binary_data.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace sluice {
namespace {

using namespace std::string_literals;

template <class... Numbers>
std::string bytes_of(Numbers... numbers) {
  std::string bytes;
  (bytes.append(reinterpret_cast<const char*>(&numbers), sizeof numbers), ...);
  return bytes;
}

TEST(BinaryData, IsReadByItsTypes) {
  const struct {
    std::string_view text;
    std::string bytes;
  } rows[] = {
      {"", ""},
      {" \t", ""},
      {"x", ""},
      {"x7f000001", "\x7f\0\0\1"s},
      {"x7F aB", "\x7f\xab"},
      {"x 01\t02", "\1\2"},
      {"x01 b2", "\1\xb2"},
      {"x01x02", "\1\2"},
      {"i-1000", bytes_of(-1000)},
      {"i-1000 5", bytes_of(-1000, 5)},
      {"5", bytes_of(5)},
      {"+5 i+6", bytes_of(5, 6)},
      {"0102", bytes_of(102)},
      {"0x7f", bytes_of(0) + "\x7f"},
      {"i 7", bytes_of(7)},
      {"i-2147483648 2147483647", bytes_of(-2147483647 - 1, 2147483647)},
      {"I4294967295", bytes_of(4294967295U)},
      {"l-9223372036854775808", bytes_of(-9223372036854775807L - 1)},
      {"L18446744073709551615", bytes_of(18446744073709551615UL)},
      {"s-32768 1", bytes_of(short{-32768}, short{1})},
      {"S65535", bytes_of(static_cast<unsigned short>(65535))},
      {"b-128 127", "\x80\x7f"},
      {"B255", "\xff"},
      {"b1x02s3", "\1\2" + bytes_of(short{3})},
      {"i1 s2", bytes_of(1, short{2})},
      {R"("ab" "cd")", "abcd"},
      {R"("")", ""},
      {R"("Hello world!\n")", "Hello world!\n"},
      {R"("\n\r\t\f\b\a\e\0\\\"\z")", "\n\r\t\f\b\a\033\0\\\"z"s},
      {R"('a''b' '\n' '\'' '"')", "ab\n'\""},
      {R"("a"x0a)", "a\n"},
  };
  for (const auto& row : rows) {
    const BinaryData read = read_binary(row.text);
    EXPECT_EQ(read.complaint, "") << row.text;
    EXPECT_EQ(read.bytes, row.bytes) << row.text;
  }
}

TEST(BinaryData, SaysWhatIsWrong) {
  const struct {
    std::string_view text, complaint;
  } rows[] = {
      {"x012", "\"x012\" has an odd number of hex digits"},
      {"x01 0", "\"0\" has an odd number of hex digits"},
      {"x01 zz", "\"zz\" is no hex data"},
      {"x01.02", "\".02\" is no hex data"},
      {"abc", "\"abc\" is not an int"},
      {"i", "\"i\" is not an int"},
      {"i1z", "\"z\" is not an int"},
      {"i--1", "\"i--1\" is not an int"},
      {"i2147483648", "\"i2147483648\" is not an int"},
      {"I-1", "\"I-1\" is not an unsigned int"},
      {"I4294967296", "\"I4294967296\" is not an unsigned int"},
      {"l9223372036854775808", "\"l9223372036854775808\" is not a long int"},
      {"L18446744073709551616", "\"L18446744073709551616\" is not an unsigned long int"},
      {"s32768", "\"s32768\" is not a short int"},
      {"S65536", "\"S65536\" is not an unsigned short int"},
      {"b1 128", "\"128\" is not a byte with a sign"},
      {"B256", "\"B256\" is not a byte"},
      {R"("ab)", "the text in it has no closing \""},
      {R"("ab\")", "the text in it has no closing \""},
      {R"("ab\)", "the text in it has no closing \""},
      {"'", "there is no character between its quotes"},
      {"''", "there is no character between its quotes"},
      {"'ab'", "the character in it has no closing '"},
      {R"('\')", "the character in it has no closing '"},
      {R"(s1"a b"2)", "\"2\" needs a type (i I l L s S b B x \" ')"},
      {"'a' 2", "\"2\" needs a type (i I l L s S b B x \" ')"},
      {"'a' b", "\"b\" is not a byte with a sign"},
  };
  for (const auto& row : rows) {
    const BinaryData read = read_binary(row.text);
    EXPECT_EQ(read.complaint, row.complaint) << row.text;
    EXPECT_EQ(read.bytes, "") << row.text;
  }
}

}  // namespace
}  // namespace sluice
