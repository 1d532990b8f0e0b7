#include "sluice/text/delimiter.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using namespace std::string_view_literals;

TEST(Delimiter, IsOneByteOrAnEscape) {
  struct Row {
    std::string_view text;
    std::optional<char> byte;
  };
  for (const Row& row : {
           Row{";"sv, ';'},        Row{" "sv, ' '},      Row{"\n"sv, '\n'},     Row{"\xff"sv, '\xff'},
           Row{"\\"sv, '\\'},      Row{"n"sv, 'n'},      Row{"0"sv, '0'},       Row{"\0"sv, '\0'},
           Row{"\\n"sv, '\n'},     Row{"\\r"sv, '\r'},   Row{"\\t"sv, '\t'},    Row{"\\0"sv, '\0'},
           Row{"\\\\"sv, '\\'},    Row{"\\x00"sv, '\0'}, Row{"\\x0a"sv, '\n'},  Row{"\\xFf"sv, '\xff'},
           Row{"\\x80"sv, '\x80'}, Row{""sv, {}},        Row{"ab"sv, {}},       Row{"\\a"sv, {}},
           Row{"\\x"sv, {}},       Row{"\\xa"sv, {}},    Row{"\\x0g"sv, {}},    Row{"\\x-1"sv, {}},
           Row{"\\x+1"sv, {}},     Row{"\\x 1"sv, {}},   Row{"\\x100"sv, {}},   Row{"\\X0a"sv, {}},
           Row{"\\nn"sv, {}},      Row{"\\00"sv, {}},    Row{"\xc3\xa9"sv, {}}, Row{"x0a"sv, {}},
           Row{"0x0a"sv, {}},      Row{"\\x0x"sv, {}},
       })
    EXPECT_EQ(delimiter_of(row.text), row.byte) << row.text;
}

}  // namespace
}  // namespace sluice
