#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sluice/core/bytes.h"
#include "sockcat.h"

namespace sluice::test {
namespace {

/// Runs a script of sh in which $upper, $count and $sockcat are the tools. A file that grows without end
/// comes to 20 MiB and no further.
Ended run_script(const std::string& script, const TemporaryDirectory& folder) {
  return run({"sh", "-c", "ulimit -f 40960; " + script},
             {.environment = {"upper=" + tool("upper"), "count=" + tool("count-lines"),
                              "sockcat=" + tool("sockcat")},
              .directory = folder.path()});
}

std::string content(const TemporaryDirectory& folder, const std::string& name) {
  return contents_of(folder.path() + '/' + name);
}

struct Row {
  const char* script;
  const char* err;  ///< nothing: it ends in good order
  std::string s;    ///< what the file s holds then, of "one\ntwo\n"
};

const std::string unchanged = "one\ntwo\n";

/// `a` holds "first\n", `empty` nothing; `link` and `hard` are other names of `s`.
void expect_rows(const std::vector<Row>& rows) {
  for (const auto& [script, err, s] : rows) {
    const TemporaryDirectory folder;
    folder.file("s", unchanged);
    folder.file("a", "first\n");
    folder.file("empty");
    run({"sh", "-c", "ln -s s link; ln s hard"}, {.directory = folder.path()});
    const Ended ended = run_script(script, folder);
    EXPECT_EQ(ended.err, err) << script;
    EXPECT_EQ(ended.status, *err == '\0' ? 0 : 1) << script;
    EXPECT_EQ(content(folder, "s").substr(0, 200), s) << script;
  }
}

TEST(OwnOutput, OfFiltersIsRefusedAsCatDoes) {
  expect_rows({
      {"$upper s >> s", "upper: s: input file is output file\n", unchanged},
      {"$upper < s >> s", "upper: 'standard input': input file is output file\n", unchanged},
      {"$upper - < s >> s", "upper: -: input file is output file\n", unchanged},
      {"$upper link >> s", "upper: link: input file is output file\n", unchanged},
      {"$upper hard >> s", "upper: hard: input file is output file\n", unchanged},
      {"$upper s >> link", "upper: s: input file is output file\n", unchanged},
      {"$upper /dev/stdout >> s", "upper: /dev/stdout: input file is output file\n", unchanged},
      {"$upper /dev/stdin < s >> s", "upper: /dev/stdin: input file is output file\n", unchanged},
      {"$upper /proc/self/fd/3 3< s >> s", "upper: /proc/self/fd/3: input file is output file\n", unchanged},
      {"$upper --ascii s >> s", "upper: s: input file is output file\n", unchanged},
      {"$upper --check s >> s", "upper: s: input file is output file\n", unchanged},
      // The other FILEs are still done.
      {"$upper a s > s", "upper: s: input file is output file\n", "FIRST\n"},
      {"$upper a s a > s", "upper: s: input file is output file\n", "FIRST\nFIRST\n"},
      {"$upper a s s a >> s", "upper: s: input file is output file\nupper: s: input file is output file\n",
       unchanged + "FIRST\nFIRST\n"},
      {"$upper a s 1<> s", "upper: s: input file is output file\n", "FIRST\no\n"},
      {"$count --pass s 2>&1 >> s | cat >&2; false", "count-lines: s: input file is output file\n0 s\n",
       unchanged},
      {"$count --pass < s 2>&1 >> s | cat >&2; false",
       "count-lines: 'standard input': input file is output file\n0\n", unchanged},
      {"$count --pass --max=100 s 2>&1 >> s | cat >&2; false",
       "count-lines: s: input file is output file\n0 s\n", unchanged},
  });
}

TEST(OwnOutput, OfFiltersThatEndsIsNoError) {
  expect_rows({
      {"$upper s 1<> s", "", "ONE\nTWO\n"},
      {"$upper < s 1<> s", "", "ONE\nTWO\n"},
      {"$upper s > s", "", ""},
      {"$upper s a > s", "", "FIRST\n"},
      {"$upper empty >> empty", "", unchanged},
      {"$upper <> s >&0", "", unchanged + "ONE\nTWO\n"},
      {"(read line; $upper) < s 1<> s", "", "TWO\ntwo\n"},
      {"(read line; read line; $upper) < s >> s", "", unchanged},
      {"$upper s >> s2; cat s2 > s", "", "ONE\nTWO\n"},
      {"$upper a >> s", "", unchanged + "FIRST\n"},
      {"$upper /dev/null >> /dev/null", "", unchanged},
      {"$count s >> s", "", unchanged + "2 s\n"},
      {"$count < s >> s", "", unchanged + "2\n"},
      {"$count --pass s 2> /dev/null 1<> s", "", unchanged},
      {"$count --pass a > s 2>> s", "", "first\n1 a\n"},
      {"$count --from=OPEN:s >> s", "", unchanged + "2\n"},
  });
}

TEST(OwnOutput, IsRefusedAfterItGrewToo) {
  const TemporaryDirectory folder;
  // In place, each ŉ takes a byte more than it had, so that writing overtakes reading.
  std::string text;
  while (text.size() < kib(600)) text += "ŉ";
  folder.file("s", text);
  const Ended ended = run_script("$upper s 1<> s", folder);
  EXPECT_EQ(ended.err, "upper: s: input file is output file\n");
  EXPECT_EQ(ended.status, 1);
}

TEST(OwnOutput, OfLargeFilesIsRefusedToo) {
  for (const char* script : {"$upper s >> s", "$count --pass s >> s", "$sockcat -u OPEN:s OPEN:s,append",
                             "$sockcat -u ./s - >> s", "$sockcat -b 100 -u OPEN:s OPEN:s,append"}) {
    const TemporaryDirectory folder;
    const std::string text = sample(mib(5));
    folder.file("s", text);
    EXPECT_EQ(run_script(script, folder).status, 1) << script;
    EXPECT_TRUE(content(folder, "s") == text) << script;
  }
}

TEST(OwnOutput, OfAnAddressIsRefused) {
  // The file's path is shown as the kernel knows it.
  const auto of_folder = [](const char* words) {
    return "{ " + std::string(words) + "; } 2> err; status=$?; sed \"s,$PWD/,,\" err >&2; exit $status";
  };
  for (const char* words : {
           "$sockcat -u OPEN:s OPEN:s,append",
           "$sockcat -U OPEN:s,append OPEN:s",
           "$sockcat OPEN:s,append OPEN:s,append",
           "$sockcat -u ./link OPEN:s,append",
           "$sockcat -u GOPEN:s GOPEN:s,append",
           "$sockcat -u OPEN:s OPEN:s,seek-end",
           "$sockcat -u OPEN:s OPEN:s,seek-set=3",
           "$sockcat -b 1 -u OPEN:s OPEN:s,append",
           "$sockcat -u OPEN:s,readbytes=100 OPEN:s,append",
           "$sockcat -u OPEN:s,crnl OPEN:s,append",
           "$sockcat -u OPEN:s OPEN:s,append,crnl",
           "$sockcat -u FD:3 FD:4 3< s 4>> s",
           "$sockcat -u OPEN:s,ignoreeof OPEN:s,append",
           "$sockcat -v -u OPEN:s OPEN:s,append > out",
           "$sockcat -u ./s - >> s",
           "$sockcat - - < s >> s",
           "$sockcat -u - OPEN:s,append < s",
           "$sockcat - OPEN:s,append < s > out",
           "$sockcat --socat -u OPEN:s OPEN:s,append",
           // Through what gives back whatever it is given.
           "$sockcat 'OPEN:s!!OPEN:s,append' PIPE",
           "$sockcat PIPE 'OPEN:s!!OPEN:s,append'",
           "$sockcat 'OPEN:s!!OPEN:s,append' UPPER",
           "$sockcat 'OPEN:s!!OPEN:s,append' SOCKETPAIR",
           "$sockcat 'OPEN:s!!OPEN:s,append' PIPE:./fifo",
           "$sockcat - UPPER < s >> s",
           // What is shown of it would be shown again.
           "$sockcat -u -r s OPEN:s OPEN:/dev/null",
           "$sockcat -U -R s OPEN:/dev/null OPEN:s",
           // The filters over addresses.
           "$upper --from=OPEN:s >> s",
           "$upper --from=OPEN:s --to=OPEN:s,append",
           "$upper --to=OPEN:s,append s",
           "$upper --to=OPEN:s,append < s",
       }) {
    const std::string script = of_folder(words);
    const bool filter = script.find("$upper") != std::string::npos;
    expect_rows(
        {{script.c_str(),
          filter ? "upper: s: input file is output file\n" : "sockcat: s: input file is output file\n",
          unchanged}});
  }
  for (const char* words : {"$sockcat -u ./s OPEN:hard,append", "$sockcat -u ./hard OPEN:s,append"}) {
    const std::string script = of_folder(words);
    expect_rows({{script.c_str(),
                  words[14] == 's' ? "sockcat: s: input file is output file\n"
                                   : "sockcat: hard: input file is output file\n",
                  unchanged}});
  }
  const std::string cycle = of_folder("$sockcat 'OPEN:s!!OPEN:s,append' 'OPEN:a!!OPEN:a,append'");
  expect_rows({{cycle.c_str(), "sockcat: s: input file is output file\n", unchanged}});
  const std::string rest = of_folder("$upper --to=OPEN:s,append a s a");
  expect_rows({{rest.c_str(), "upper: s: input file is output file\n", unchanged + "FIRST\nFIRST\n"}});
}

TEST(OwnOutput, OfAnAddressThatEndsIsNoError) {
  expect_rows({
      {"$sockcat -u OPEN:s OPEN:s", "", unchanged},
      {"$sockcat -u OPEN:s - 1<> s", "", unchanged},
      {"$sockcat -u OPEN:s,seek-end OPEN:s,append", "", unchanged},
      {"$sockcat -u OPEN:s,seek-set=4 OPEN:s", "", "two\ntwo\n"},
      {"$sockcat -u OPEN:empty OPEN:empty,append", "", unchanged},
      {"$sockcat -u OPEN:s,seek-set=100 OPEN:s,append", "", unchanged},
      {"$sockcat -u OPEN:s CREATE:s", "", ""},
      {"$sockcat OPEN:s,append PIPE", "", unchanged + unchanged},
      {"$sockcat 'OPEN:s!!OPEN:s,append' COUNT-LINES", "", unchanged + "2\n"},
      {"$sockcat 'OPEN:s!!OPEN:s,append' EXEC:'wc -l'", "", unchanged + "2\n"},
      {"$sockcat 'OPEN:s!!OPEN:s,append' OPEN:/dev/null", "", unchanged},
      {"$sockcat 'OPEN:a!!OPEN:s,append' PIPE", "", unchanged + "first\n"},
      {"$upper --from=OPEN:s --to=OPEN:s", "", "ONE\nTWO\n"},
      {"$upper --from=OPEN:a --to=OPEN:s,append", "", unchanged + "FIRST\n"},
  });
}

TEST(OwnOutput, OfAGrowingFileIsRefusedOnceItGrows) {
  const TemporaryDirectory folder;
  folder.file("s");
  Running follower(
      {"sh", "-c", "ulimit -f 40960; exec \"$0\" -u OPEN:s,ignoreeof OPEN:s,append", tool("sockcat")},
      {.directory = folder.path()});
  run({"sh", "-c", "echo more >> s"}, {.directory = folder.path()});
  const Ended ended = follower.wait();
  EXPECT_EQ(ended.status, 1);
  EXPECT_NE(ended.err.find("input file is output file"), std::string::npos) << ended.err;
  EXPECT_EQ(content(folder, "s"), "more\n");
}

}  // namespace
}  // namespace sluice::test
