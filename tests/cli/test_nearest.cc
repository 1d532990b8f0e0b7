#include "sluice/cli/nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace sluice {
namespace {

TEST(Nearest, CountsInsertionsRemovalsReplacementsAndSwaps) {
  struct Row {
    std::string_view a, b;
    std::size_t distance;
  };
  for (const Row& row : {Row{"", "", 0}, Row{"", "abc", 3}, Row{"abc", "abc", 0}, Row{"abc", "abd", 1},
                         Row{"abc", "acb", 1}, Row{"form", "from", 1}, Row{"kitten", "sitting", 3},
                         Row{"ready-fd", "readyfd", 1}, Row{"ab", "ba", 1}, Row{"abcd", "wxyz", 4}}) {
    EXPECT_EQ(distance_between(row.a, row.b), row.distance) << row.a << ' ' << row.b;
    EXPECT_EQ(distance_between(row.b, row.a), row.distance) << row.b << ' ' << row.a;
  }
}

TEST(Nearest, SuggestsOnlyWhatIsNear) {
  constexpr std::array<std::string_view, 5> names = {"from", "to", "serve", "ready-file", "files0-from"};
  struct Row {
    std::string_view word, nearest;
  };
  for (const Row& row : {Row{"form", "from"}, Row{"foo", "from"}, Row{"servr", "serve"},
                         Row{"redy-flie", "ready-file"}, Row{"too", "to"}, Row{"files-from", "files0-from"},
                         Row{"nonsense", ""}, Row{"", ""}, Row{"x", ""}, Row{"xyzzy", ""}, Row{"ready", ""}})
    EXPECT_EQ(nearest_of(row.word, names), row.nearest) << row.word;
  EXPECT_EQ(nearest_of("word", {}), "");
}

}  // namespace
}  // namespace sluice
