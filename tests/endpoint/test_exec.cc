#include <gtest/gtest.h>

#include <cstdio>

#include "opened.h"
#include "sluice/address/lexer.h"
#include "sluice/endpoint/command_line.h"
#include "sluice/endpoint/spawn.h"

namespace sluice {
namespace {

class Exec : public testing::EndpointTest {
 protected:
  /// What a program answers to a text, and its exit status.
  std::pair<std::string, int> talk(const std::string& address, const std::string& text) {
    auto stream = open(address);
    loop_.start(send(*stream, text));
    std::string answer = read(*stream);
    close(*stream);
    return {answer, stream->exit_status()};
  }
  static Task<> send(Stream& to, std::string text) {
    co_await testing::write_text(to, text);
    co_await to.finish();
  }
};

TEST_F(Exec, TalksToAProgramOverASocketOrPipes) {
  for (const auto* options : {"", ",pipes", ",socktype=5"}) {
    EXPECT_EQ(talk(std::string("EXEC:'tr a-z A-Z'") + options, "hello").first, "HELLO") << options;
    EXPECT_EQ(talk(std::string("SYSTEM:'tr a-z A-Z | cat'") + options, "hello").first, "HELLO") << options;
  }
}

TEST(CommandLine, LosesTheQuotesThatAreTheAddresss) {
  struct Case {
    const char* address;
    bool loses;
  };
  const Case cases[] = {
      {R"(EXEC:sh -c "echo a b")", true},
      {"EXEC:sh -c 'echo a b'", true},
      {R"(EXEC:/bin/bash -lc "exit 3")", true},
      {R"(EXEC:dash -e  -c   'read x; echo "$x"')", true},
      {"EXEC:grep -c 'a b'", true},
      {R"(EXEC:"/a folder/program" x)", true},
      {"EXEC:sh -c ''", true},
      {R"(EXEC:'sh -c "echo a b"')", false},
      {R"(EXEC:"sh -c 'echo a b'")", false},
      {R"(EXEC:'sh -c "echo $0" name')", false},
      {R"(EXEC:sh -c '"echo a b"')", false},
      {R"(EXEC:sh -c \"echo a b\")", false},
      {"EXEC:sh -c echo a b", false},
      {"EXEC:'sh -c echo a b'", false},
      {"EXEC:sh -c 'ls' name", false},
      {"EXEC:sh -c", false},
      {"EXEC:echo {\"a b\"}", false},
      {R"(SYSTEM:echo "a  b")", true},
      {R"(SYSTEM:read -r q; printf "VALUE 9\r\n")", true},
      {"SYSTEM:awk '{print \"x\"}'", true},
      {R"(SHELL:echo "$HOME")", true},
      {R"(SYSTEM:echo "")", true},
      {R"(SYSTEM:'echo "a  b"')", false},
      {R"(SYSTEM:"echo a  b")", false},
      {R"(SYSTEM:'a''b')", false},
      {R"(SYSTEM:echo \"a  b\")", false},
      {R"(SYSTEM:echo '"a  b"')", false},
      {R"(SYSTEM:cat "file.txt")", false},
      {"SYSTEM:echo a  b", false},
      {"SYSTEM:{ echo \"a  b\"; }", false},
      {R"(TEXT:say "hi")", true},
      {R"(TEXT:"say hi")", false},
      {R"(TEXT:{"a": 1})", false},
      {"OPEN:a' 'b", false},
      {"SHELL", false},
      {"PIPE", false},
  };
  for (const auto& [address, loses] : cases)
    EXPECT_EQ(lost_quotes(parse_address(address)).has_value(), loses) << address;
}

TEST(CommandLine, IsAskedForWithTheQuotesThatWereMeant) {
  for (const std::string address : {R"(EXEC:sh -c "echo a b")", R"(SYSTEM:printf "VALUE 9\r\n")",
                                    R"(SYSTEM:awk '{print "a, b"}')", R"(EXEC:grep 'a: b' x)"}) {
    const auto said = lost_quotes(parse_address(address));
    ASSERT_TRUE(said) << address;
    const std::string_view before = "they stay: ";
    const Address better = parse_address(said->substr(said->find(before) + before.size()));
    EXPECT_FALSE(lost_quotes(better)) << *said;
    EXPECT_EQ(better.parameters[0].text, address.substr(address.find(':') + 1));
  }
}

TEST(CommandLine, IsSplitIntoTheWordsThatItWasJoinedOf) {
  const std::vector<std::string> words = {"sh",       "-c",     "echo \"a  b\"; x='y z'",
                                          "",         " ",      "a\\nb",
                                          "\\",       "(]{",    "a!!b",
                                          "!",        "\n\r\t", "a,b:c=d",
                                          "\xff\xfe", "'",      "\"\"",
                                          "ß",        "[x",     "--",
                                          "-",        "a\\ b"};
  EXPECT_EQ(split_command_line(joined_command_line(words)), words);
  const Address address = parse_address("EXEC:" + escaped(joined_command_line(words), ":,"));
  EXPECT_EQ(split_command_line(address.parameters[0].text), words);
  EXPECT_TRUE(address.options.empty());
  EXPECT_EQ(split_command_line(parse_address(to_text(address)).parameters[0].text), words);
}

TEST_F(Exec, TellsItsExitStatus) {
  struct Case {
    std::string command;
    int status;
  };
  for (const auto& one :
       {Case{"exit 0", 0}, Case{"exit 7", 7}, Case{"kill -TERM $$", 143}, Case{"kill -KILL $$", 137}})
    EXPECT_EQ(talk("SYSTEM:'" + one.command + "'", "").second, one.status) << one.command;
}

TEST_F(Exec, SaysWhatItCouldNotExecute) {
  struct Case {
    std::string address;
    ExitStatus status;
  };
  Fd(::open(path("plain").c_str(), O_CREAT | O_WRONLY, 0644));
  for (const auto& one :
       {Case{"EXEC:/nowhere/x", ExitStatus::not_found}, Case{"EXEC:no-such-program", ExitStatus::not_found},
        Case{"EXEC:" + path("plain"), ExitStatus::not_executable},
        Case{"EXEC:" + folder(), ExitStatus::not_executable}}) {
    try {
      open(one.address);
      FAIL() << one.address;
    } catch (const Failure& refused) {
      EXPECT_EQ(refused.status(), one.status) << one.address;
    }
  }
}

TEST_F(Exec, GivesItsProgramDescriptorsWhereItIsTold) {
  EXPECT_EQ(talk("SYSTEM:'cat <&5 >&6',fdin=5,fdout=6", "moved").first, "moved");
  EXPECT_EQ(talk("SYSTEM:'echo err >&2',stderr", "").first, "err\n");
}

TEST_F(Exec, LeaksNoDescriptorIntoItsProgram) {
  const Fd ours(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  int inherited = 0;
  for (int fd = 0; fd < 1024; ++fd)
    if (const int flags = ::fcntl(fd, F_GETFD); flags >= 0 && (flags & FD_CLOEXEC) == 0) ++inherited;
  EXPECT_EQ(
      talk(
          "SYSTEM:'ls /proc/self/fd > /tmp/sluice-fds-$$; wc -l < /tmp/sluice-fds-$$; rm /tmp/sluice-fds-$$'",
          "")
          .first,
      std::to_string(inherited + 1) + '\n')
      << "and the folder itself";
}

TEST_F(Exec, SetsUpWhatItsProgramSees) {
  session_.environment.emplace_back("PEERADDR", "10.1.2.3");
  EXPECT_EQ(talk("SYSTEM:'echo $SOCAT_PEERADDR'", "").first, "10.1.2.3\n");
  EXPECT_EQ(talk("EXEC:pwd,chdir=/usr", "").first, "/usr\n");
  EXPECT_EQ(talk("SYSTEM:umask,umask=0027", "").first, "0027\n");
  EXPECT_EQ(talk("SYSTEM:'ps -o sid= -p $$ | tr -d \" \"; echo $$',setsid", "").second, 0);
  EXPECT_EQ(talk("EXEC:'printf \"A  B\"'", "").first, "A  B");
}

TEST_F(Exec, RestoresWhatWeIgnore) {
  // SIGPIPE is ignored here; a program that writes to nobody must still die of it.
  EXPECT_EQ(talk("EXEC:'sh -c \"kill -PIPE $$\"'", "").second, 141);
}

TEST_F(Exec, EndsAProgramThatOutlivesACutSession) {
  auto stream = open("EXEC:'sleep 1000'");
  limits_.cut = true;
  limits_.linger = std::chrono::milliseconds(10);
  // Closing waits for its end, long before it would come by itself; how we ended it is not its own word.
  close(*stream);
  EXPECT_EQ(stream->exit_status(), 0);
}

TEST_F(Exec, EndsAProgramThatGoesOnForLongerThanASilenceMay) {
  auto stream = open("EXEC:'sleep 1000'");
  limits_.idle = limits_.linger = std::chrono::milliseconds(10);
  close(*stream);
  EXPECT_EQ(stream->exit_status(), 124);
}

TEST_F(Exec, NoticesThatItsProgramHasGoneThoughOthersHoldItsOutput) {
  auto stream = open("SYSTEM:'sleep 1 & exit 3'");
  run(loop_, stream->closed());
  stream->stop_writing();
  loop_.run();
  EXPECT_EQ(stream->exit_status(), 3);
}

// Each is prepared and started while others run, and none sees what another one is.
TEST_F(Exec, AThousandProgramsAtOnceAreEachWhatTheirAddressAsks) {
  raise_descriptor_limit();
  const bool root = ::geteuid() == 0;
  constexpr int count = 1000, at_once = 100;
  for (int i = 0; i < 7; ++i) std::filesystem::create_directory(path(std::to_string(i)));
  std::filesystem::permissions(folder(), std::filesystem::perms::all);
  for (int first = 0; first < count; first += at_once) {
    std::vector<std::pair<std::unique_ptr<Stream>, std::string>> running;
    for (int i = first; i < first + at_once; ++i) {
      char mask[8];
      std::snprintf(mask, sizeof mask, "0%03o", i % 64);
      const std::string where = path(std::to_string(i % 7));
      const int user = root ? 60000 + i % 11 : static_cast<int>(::getuid());
      const std::string address = "SYSTEM:'umask; pwd; id -u',umask=" + std::string(mask) +
                                  ",chdir=" + where +
                                  (root ? ",setuid=" + std::to_string(user) : std::string());
      running.emplace_back(open(address), mask + ('\n' + where) + '\n' + std::to_string(user) + '\n');
    }
    for (auto& [stream, wanted] : running) {
      EXPECT_EQ(read(*stream), wanted);
      close(*stream);
      EXPECT_EQ(stream->exit_status(), 0);
    }
  }
}

TEST(CommandLine, SplitsAsSocatDoes) {
  struct Case {
    std::string text;
    std::vector<std::string> words;
  };
  const Case cases[] = {
      {"cat", {"cat"}},
      {"  tr a-z   A-Z ", {"tr", "a-z", "A-Z"}},
      {"sh -c 'echo a b'", {"sh", "-c", "echo a b"}},
      {R"(sh -c "echo 'a' \"b\"")", {"sh", "-c", "echo 'a' \"b\""}},
      {R"(a\ b 'c\d' "")", {"a b", "cd", ""}},
      {"x'y'\"z\"", {"xyz"}},
      {R"(a\tb "c\nd" 'e\\')", {"a\tb", "c\nd", "e\\"}},
      {"a (b c) d [e f]g {h 'i j'}", {"a", "(b c)", "d", "[e f]g", "{h 'i j'}"}},
      {"a:b,c!!d !!", {"a:b,c!!d", "!!"}},
      {"tab\tstays", {"tab\tstays"}},
      {"", {}},
  };
  for (const auto& one : cases) EXPECT_EQ(split_command_line(one.text), one.words) << one.text;
  for (const auto* bad : {"'", "a \"b", "x 'y\"", "(a b", "a\\"})
    EXPECT_THROW(split_command_line(bad), UsageError) << bad;
}

TEST_F(Exec, RefusesOptionsOfSocketsWhereThereAreNone) {
  for (const std::string means : {"pipes", "pty"})
    EXPECT_TRUE(failure("EXEC:true," + means + ",rcvbuf=20000")
                    .ends_with("option \"so-rcvbuf\": Socket operation on non-socket"))
        << means;
}

TEST_F(Exec, CannotTellAPipeAsASocketIsTold) {
  for (const std::string way : {"shut-down", "shut-null", "shut-none"}) {
    EXPECT_FALSE(open("EXEC:cat,pipes," + way)->info().traits.can_finish) << way;
    EXPECT_FALSE(open("PIPE," + way)->info().traits.can_finish) << way;
  }
  EXPECT_TRUE(open("EXEC:cat,shut-down")->info().traits.can_finish);
}

}  // namespace
}  // namespace sluice
