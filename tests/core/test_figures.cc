#include "sluice/core/figures.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace sluice {
namespace {

TEST(Figures, AreHexadecimalWithAllTheirZeros) {
  EXPECT_EQ(hexadecimal(0xbeef, 8), "0000beef");
  EXPECT_EQ(hexadecimal(0, 2), "00");
  EXPECT_EQ(hexadecimal(0x123, 2), "123");
  EXPECT_EQ(hexadecimal(~0UL, 0), "ffffffffffffffff");
  constexpr char bytes[] = {1, '\0', '\xa0', '\xff'};
  EXPECT_EQ(hexadecimal(bytes), "0100a0ff");
  EXPECT_EQ(hexadecimal(ConstBytes()), "");
}

TEST(Figures, TellMomentsAsCtimeDoes) {
  for (const std::time_t moment : {std::time_t{0}, std::time_t{741476948}, std::time_t{1709164800}}) {
    char text[32];
    EXPECT_EQ(date_text(moment) + '\n', ::ctime_r(&moment, text));
  }
}

}  // namespace
}  // namespace sluice
