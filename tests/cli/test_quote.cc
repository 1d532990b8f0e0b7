#include "sluice/cli/quote.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace sluice {
namespace {

TEST(Quote, QuotesOnlyWhereAShellWouldNeedIt) {
  struct Row {
    std::string_view name, if_needed, always;
  };
  for (const Row& row : {
           Row{"plain", "plain", "'plain'"},
           Row{"", "''", "''"},
           Row{"a b", "'a b'", "'a b'"},
           Row{"a:b", "'a:b'", "'a:b'"},
           Row{"it's", "\"it's\"", "\"it's\""},
           Row{"it's a \"b\"", "'it'\\''s a \"b\"'", "'it'\\''s a \"b\"'"},
           Row{"a\nb", "'a'$'\\n''b'", "'a'$'\\n''b'"},
           Row{"\t\x01", "''$'\\t\\001'", "''$'\\t\\001'"},
           Row{"\xff", "''$'\\377'", "''$'\\377'"},
           Row{"a\n'b", "'a'$'\\n'\\''b'", "'a'$'\\n'\\''b'"},
           Row{"#a", "'#a'", "'#a'"},
           Row{"a#", "a#", "'a#'"},
           Row{"{", "'{'", "'{'"},
           Row{"{}", "{}", "'{}'"},
           Row{"-", "-", "'-'"},
       }) {
    EXPECT_EQ(quoted_if_needed(row.name), row.if_needed);
    EXPECT_EQ(quoted(row.name), row.always);
  }
}

TEST(Quote, LeavesErrnoAlone) {
  errno = ENOTBLK;
  quoted("\xc3\xa9\n");
  EXPECT_EQ(errno, ENOTBLK);
}

}  // namespace
}  // namespace sluice
