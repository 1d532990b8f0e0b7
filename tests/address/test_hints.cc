#include "sluice/address/hints.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace sluice {
namespace {

TEST(Distance, CountsEditsAndSwapsOfNeighbours) {
  struct {
    std::string_view a, b;
    std::size_t edits;
  } constexpr rows[] = {
      {"", "", 0},         {"fork", "fork", 0},
      {"FORK", "fork", 0}, {"fork", "fokr", 1},
      {"fork", "frk", 1},  {"frk", "fork", 1},
      {"fork", "folk", 1}, {"fork", "form", 1},
      {"", "abc", 3},      {"abc", "", 3},
      {"fork", "krof", 3}, {"ab", "ba", 1},
      {"abcd", "badc", 2}, {"reuseaddr", "resueaddr", 1},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(distance(row.a, row.b, 9), row.edits) << row.a << ' ' << row.b;
    EXPECT_EQ(distance(row.b, row.a, 9), row.edits) << row.b << ' ' << row.a;
  }
}

TEST(Distance, StopsAtItsLimit) {
  EXPECT_EQ(distance("abc", "xyz", 2), 3u);
  EXPECT_EQ(distance("a", "abcdefgh", 3), 4u);
  EXPECT_EQ(distance(std::string(1000, 'a'), std::string(1000, 'a'), 3), 4u) << "no name is that long";
}

TEST(Nearest, NamesTheNearestWithinASensibleLimit) {
  constexpr std::array<std::string_view, 6> candidates = {"fork", "bind", "backlog", "range", "retry", "cr"};
  struct {
    std::string_view written, expected;
  } constexpr rows[] = {
      {"frok", "fork"}, {"forks", "fork"}, {"bindd", "bind"}, {"balcklog", "backlog"}, {"xyz", ""},
      {"", ""},         {"c", ""},         {"crx", "cr"},     {"xxrangexx", ""},       {"FORC", "fork"},
  };
  for (const auto& row : rows) EXPECT_EQ(nearest(row.written, candidates), row.expected) << row.written;
}

}  // namespace
}  // namespace sluice
