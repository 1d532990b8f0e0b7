#include "sluice/address/lexer.h"

#include <gtest/gtest.h>

#include <string>

#include "sluice/address/address.h"

namespace sluice {
namespace {

using namespace std::string_view_literals;

struct Row {
  std::string_view source, text, rest;
};

// Each of these is what socat 1.7.4 makes of a file name, except where the comment says otherwise.
constexpr Row rows[] = {
    {"", "", ""},
    {"a b", "a b", ""},
    {"a:b", "a", ":b"},
    {"a,b", "a", ",b"},
    {"a=b", "a=b", ""},
    {"x!!y", "x", "!!y"},
    {"x!!!y", "x", "!!!y"},
    {"x!y!z", "x!y!z", ""},
    {"x!", "x!", ""},
    {R"('a:b')", "a:b", ""},
    {R"("a:b")", "a:b", ""},
    {R"('x!!y')", "x!!y", ""},
    {R"("x!!y")", "x!!y", ""},
    {R"({x!!y})", "{x!!y}", ""},
    {R"(x"y:z"w'a:b'c)", "xy:zwa:bc", ""},
    {R"('')", "", ""},
    {R"("")", "", ""},
    {R"(a\:b)", "a:b", ""},
    {R"(x\!!y)", "x!!y", ""},
    {R"(x!\!y)", "x!!y", ""},
    {R"(a\ab\n\t\q\\x)", "a\ab\n\tq\\x", ""},
    {R"("a\ab\n\t\q\\x")", "a\ab\n\tq\\x", ""},
    {R"('a\ab\n\t\q\\x')", "a\ab\n\tq\\x", ""},
    {R"(a\b\f\v\r\e)", "a\b\f\v\re", ""},
    {R"(\x41\101)", "x41101", ""},
    {R"("\:\,\!")", ":,!", ""},
    {R"('a\'b')", "a'b", ""},
    {R"("a\"b")", "a\"b", ""},
    {R"(a\"b)", "a\"b", ""},
    {R"(\(x:y)", "(x", ":y"},
    {R"('a"b')", "a\"b", ""},
    {R"('a(b')", "a(b", ""},
    {R"('a"b:c"d')", "a\"b:c\"d", ""},
    {R"(x)y)", "x)y", ""},
    {R"(x]y}z)", "x]y}z", ""},
    {R"([::1]:80)", "[::1]", ":80"},
    {R"((a:b,c!!d):e)", "(a:b,c!!d)", ":e"},
    {R"((x[y:z]w:v):u)", "(x[y:z]w:v)", ":u"},
    {R"((x]y)z)", "(x]y)z", ""},
    {R"([a)b]:c)", "[a)b]", ":c"},
    {R"((x\)y:z))", "(x)y:z)", ""},
    {R"((x\ny))", "(x\ny)", ""},
    {R"((x'y)z'w):v)", "(x'y)z'w)", ":v"},
    {R"((x"y)z"w):v)", "(x\"y)z\"w)", ":v"},
    {R"([a"b]c"d]:e)", "[a\"b]c\"d]", ":e"},
    {R"(["a\"b"])", "[\"a\"b\"]", ""},
    {R"([x:'y,z':w]:v)", "[x:'y,z':w]", ":v"},
    {R"("a(b)c")", "a(b)c", ""},
    {R"("a'b c'd")", "a'b c'd", ""},
    {R"("a'b"c'd")", "a'b\"c'd", ""},
    {R"("a(b'c)d')e":f)", "a(b'c)d')e", ":f"},
    {R"(("[b"]c:d"]:e"):f)", "(\"[b\"]c:d\"]:e\")", ":f"},
    // The manual lets quotes and brackets stand alone within "..."; socat finds no end of them.
    {R"("a'b":c)", "a'b", ":c"},
    {R"("a(b":c)", "a(b", ":c"},
    {R"("it's [x":c)", "it's [x", ":c"},
    {"\xc3\xa4:b", "\xc3\xa4", ":b"},
};

TEST(Lexer, CutsPiecesAsSocatDoes) {
  for (const auto& row : rows) {
    Lexer lexer(row.source);
    const auto piece = lexer.until(":,");
    EXPECT_EQ(piece.text, row.text) << row.source;
    EXPECT_EQ(piece.place, 0u);
    EXPECT_EQ(row.source.substr(lexer.place()), row.rest) << row.source;
  }
}

TEST(Lexer, StopsOnlyAtTheDelimitersAskedFor) {
  Lexer lexer("a=b:c,d");
  EXPECT_EQ(lexer.until("=,").text, "a");
  EXPECT_FALSE(lexer.take(','));
  EXPECT_TRUE(lexer.take('='));
  const auto text = lexer.until(",");
  EXPECT_EQ(text.text, "b:c");
  EXPECT_EQ(text.place, 2u);
  EXPECT_FALSE(lexer.take_join());
  EXPECT_TRUE(lexer.take(','));
  EXPECT_EQ(lexer.until(",").text, "d");
  EXPECT_TRUE(lexer.at_end());
}

TEST(Lexer, PointsAtWhatIsNotClosed) {
  struct {
    std::string_view source;
    std::size_t place;
    std::string_view message;
  } constexpr bad[] = {
      {"ab'c", 2, "unexpected end of address, no closing ' for this"},
      {"ab\"c", 2, "unexpected end of address, no closing \" for this"},
      {"ab\"c'd", 2, "unexpected end of address, no closing \" for this"},
      {"ab\"c(d", 2, "unexpected end of address, no closing \" for this"},
      {"a[b", 1, "unexpected end of address, no closing ] for this"},
      {"a{b", 1, "unexpected end of address, no closing } for this"},
      {"a(b[c)d", 3, "unexpected end of address, no closing ] for this"},
      {"a(b(c)d", 1, "unexpected end of address, no closing ) for this"},
      {"a(b'c)d", 3, "unexpected end of address, no closing ' for this"},
      {"a'b\\'", 1, "unexpected end of address, no closing ' for this"},
      {"ab\\", 2, "nothing follows the backslash"},
      {"(b\\", 2, "nothing follows the backslash"},
      {"a\\0b", 1, "\\0 cannot stand in an address"},
      {"a\0b"sv, 0, "a NUL byte cannot stand in an address"},
      {"('\0')"sv, 0, "a NUL byte cannot stand in an address"},
  };
  for (const auto& row : bad) {
    Lexer lexer(row.source);
    try {
      lexer.until(":,");
      ADD_FAILURE() << row.source;
    } catch (const AddressError& error) {
      EXPECT_TRUE(std::string_view(error.what()).ends_with(row.message)) << error.what();
      const auto& detail = error.detail();
      EXPECT_EQ(detail.size() - detail.rfind('\n') - 2, row.place) << detail;
    }
  }
}

TEST(Lexer, TakesDeepNestingInItsStride) {
  const std::string open(100'000, '(');
  const auto closed = open + std::string(100'000, ')');
  EXPECT_EQ(Lexer(closed).until(":").text, closed);
  const auto quoted = '"' + open + '"';
  EXPECT_EQ(Lexer(quoted).until(":").text, open);
  EXPECT_THROW(Lexer(open).until(":"), AddressError);
}

}  // namespace
}  // namespace sluice
