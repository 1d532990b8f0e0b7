#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "sluice/address/address.h"
#include "sluice/endpoint/endpoint.h"
#include "sockcat.h"

namespace sluice::test {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool has(const std::vector<std::string>& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

bool is_built(std::string_view keyword) {
  const auto types = endpoint_types();
  return std::any_of(types.begin(), types.end(),
                     [&](const EndpointType& type) { return type.keyword == keyword; });
}

TEST(Listing, ShowsAddressesWithTheirGroups) {
  const auto lines = lines_of(run_sockcat({"-h"}).out);
  for (const char* line : {"      TCP-LISTEN:<port>\tgroups=FD,SOCKET,LISTEN,CHILD,RETRY,RANGE,IP4,IP6,TCP",
                           "      CREATE:<filename>\tgroups=FD,REG,NAMED",
                           "   address-head:", "      <single-address>!!<single-address>"})
    EXPECT_TRUE(has(lines, line)) << line;
  for (const KeywordRow& row : keyword_rows()) {
    const std::string beginning = "      " + std::string(row.name) + std::string(row.syntax) + "\tgroups=";
    const bool shown = std::any_of(lines.begin(), lines.end(),
                                   [&](const std::string& line) { return line.starts_with(beginning); });
    EXPECT_EQ(shown, is_built(row.name)) << row.name;
  }
  EXPECT_FALSE(has(lines, "   opt:"));
}

TEST(Listing, ShowsOptionsWithGroupsPhaseAndType) {
  const auto lines = lines_of(run_sockcat({"-hh"}).out);
  for (const char* line : {"      accept-timeout\tgroups=LISTEN\tphase=LISTEN\ttype=STRUCT-TIMEVAL",
                           "      chdir\tgroups=(all)\tphase=INIT\ttype=STRING",
                           "      setsockopt-int\tgroups=SOCKET\tphase=CONNECTED\ttype=INT:INT:INT",
                           "      b9600\tgroups=TERMIOS\tphase=FD\ttype=CONST"})
    EXPECT_TRUE(has(lines, line)) << line;
  EXPECT_FALSE(has(lines, "      fork is an alias for fork"));
}

TEST(Listing, ShowsOtherNamesLast) {
  const auto lines = lines_of(run_sockcat({"-hhh"}).out);
  EXPECT_TRUE(has(lines, "         TCP is an alias name for TCP-CONNECT"));
  EXPECT_TRUE(has(lines, "      reuseaddr is an alias for so-reuseaddr"));
  EXPECT_TRUE(has(lines, "      ECHO is an alias for PIPE"));
  EXPECT_GT(lines.size(), 800U);
  EXPECT_EQ(run_sockcat({"-???"}).out, run_sockcat({"-hhh"}).out);
  EXPECT_EQ(run_sockcat({"-?"}).out, run_sockcat({"-h"}).out);
}

TEST(Listing, OfFeaturesIsTrue) {
  const Ended ended = run_sockcat({"-V"});
  EXPECT_EQ(ended.status, 0);
  const auto lines = lines_of(ended.out);
  struct {
    const char *feature, *keyword;
  } constexpr rows[] = {{"STDIO", "STDIO"},     {"UNIX", "UNIX-CONNECT"}, {"SCTP", "SCTP-CONNECT"},
                        {"OPENSSL", "OPENSSL"}, {"PTY", "PTY"},           {"TCP", "TCP-CONNECT"}};
  for (const auto& [feature, keyword] : rows) {
    const bool built = is_built(keyword);
    EXPECT_EQ(has(lines, "  #define WITH_" + std::string(feature) + " 1"), built) << feature;
    EXPECT_EQ(has(lines, "  #undef WITH_" + std::string(feature)), !built) << feature;
  }
  const bool versioned = std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.starts_with("socat version 1.8.");
  });
  EXPECT_TRUE(versioned);
}

TEST(Help, OfAnAddressHasItsOptionsWithUnitsDefaultsAndAnExample) {
  const std::string help = run_sockcat({"--help=TCP-LISTEN"}).out;
  for (const std::string part :
       {"TCP-LISTEN:<port>\nWaits for TCP connections.\n", "Other names: INET-L, INET-LISTEN, TCP-L.\n",
        "Example:\n  sockcat TCP-LISTEN:", "  <port>                  0 to 65535",
        "one connection is served, and then", "\nOptions: Listening\n  accept-timeout", "=SECONDS",
        "(default: no limit)", "\nValues:\n", "  SECONDS                 0.5 is half a second"})
    EXPECT_NE(help.find(part), std::string::npos) << part << '\n' << help;
  for (const std::string part : {"pty", "unlink", "connect-timeout"})
    EXPECT_EQ(help.find("\n  " + part), std::string::npos) << part;
  EXPECT_EQ(run_sockcat({"TCP-LISTEN", "--help"}).out, help);
  EXPECT_EQ(run_sockcat({"tcp-l:9000,fork", "--help"}).out, help);
  EXPECT_EQ(run_sockcat({"-", "TCP-LISTEN", "--help"}).out, help);
  EXPECT_EQ(run_sockcat({"--help=tcp-l"}).out, help);
  EXPECT_EQ(run_sockcat({"-", "backup", "--help"}).out, run_sockcat({"--help"}).out);
  const std::string both = run_sockcat({"PIPE", "UPPER", "--help"}).out;
  EXPECT_EQ(both, run_sockcat({"--help=PIPE"}).out + "\n\n" + run_sockcat({"--help=UPPER"}).out);
}

TEST(Help, OfAnOptionSaysWhereItFits) {
  const std::string help = run_sockcat({"--help=backlog"}).out;
  for (const std::string part : {"backlog=COUNT\n", "(default: as many as the kernel grants)",
                                 "COUNT                   a number", "Fits:\n  ", "TCP-LISTEN"})
    EXPECT_NE(help.find(part), std::string::npos) << part << '\n' << help;
  EXPECT_EQ(help.find("TCP-CONNECT"), std::string::npos);
}

TEST(Help, KnowsEveryAddressAndEveryOption) {
  for (const KeywordRow& row : keyword_rows()) {
    const Ended ended = run_sockcat({"--help=" + std::string(row.name)});
    EXPECT_EQ(ended.status, is_built(row.name) ? 0 : 2) << row.name;
    if (!is_built(row.name)) continue;
    EXPECT_TRUE(ended.out.starts_with(std::string(row.name) + std::string(row.syntax) + '\n')) << row.name;
    EXPECT_NE(ended.out.find("\nExample:\n"), std::string::npos) << row.name;
  }
  for (const char* name : {"fork", "mode", "so-rcvbuf", "raw", "exit-on", "reset", "b9600", "chdir"})
    EXPECT_EQ(run_sockcat({"--help=" + std::string(name)}).status, 0) << name;
}

TEST(GeneralOption, LockFilesKeepOthersOut) {
  const TemporaryDirectory directory;
  const std::string lock = directory.path() + "/lock";
  const Ended holding = run_sockcat({"-L", lock, "-u", "EXEC:'cat " + lock + "'", "-"});
  EXPECT_EQ(holding.status, 0) << holding.err;
  EXPECT_GT(std::stol(holding.out), 0);
  EXPECT_NE(::access(lock.c_str(), F_OK), 0);
  directory.file("lock", "1\n");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"-L" + lock, "-", "PIPE"}, {"-", "PIPE,lockfile=" + lock}}) {
    const Ended refused = run_sockcat(words);
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.err.find("could not obtain lock \"" + lock + '"'), std::string::npos) << refused.err;
  }
  EXPECT_EQ(contents_of(lock), "1\n");
}

TEST(GeneralOption, LockFilesCanBeWaitedFor) {
  for (const bool as_option : {true, false}) {
    const TemporaryDirectory directory;
    const std::string lock = directory.path() + "/lock";
    directory.file("lock", "1\n");
    std::vector<std::string> words = {"-u", "", "-"};
    directory.file("text", "after the lock");
    words[1] = "FILE:" + directory.path() + "/text";
    if (as_option)
      words[1] += ",waitlock=" + lock;
    else
      words.insert(words.begin(), {"-W", lock});
    auto waiting = beside([&] { return run_sockcat(words); });
    EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
    ASSERT_EQ(::unlink(lock.c_str()), 0);
    const Ended ended = waiting.get();
    EXPECT_EQ(ended.out, "after the lock") << ended.err;
    EXPECT_NE(::access(lock.c_str(), F_OK), 0);
  }
}

TEST(GeneralOption, DescriptorsAreDescribedBeforeTheTransfer) {
  const Ended ended = run_sockcat({"-D", "-", "PIPE"}, {.input = "hi\n"});
  EXPECT_EQ(ended.out, "hi\n");
  const auto lines = lines_of(ended.err);
  ASSERT_EQ(lines.size(), 5U) << ended.err;
  EXPECT_TRUE(lines[0].starts_with("  FD  type\tdevice\tinode\tmode\t")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("   0: pipe\t")) << lines[1];
  EXPECT_NE(lines[1].find("poll: "), std::string::npos) << lines[1];
}

TEST(GeneralOption, WaitsForWhoDebugs) {
  for (const char* name : {"SOCAT_MAIN_WAIT", "SOCAT_TRANSFER_WAIT"}) {
    const auto begun = std::chrono::steady_clock::now();
    RunOptions options{.input = "x"};
    options.environment.emplace_back(std::string(name) + "=0.2");
    EXPECT_EQ(run_sockcat({"-", "PIPE"}, std::move(options)).out, "x");
    EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(200)) << name;
  }
}

TEST(Explanation, SaysWhatWasUnderstoodAndOpensNothing) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/new";
  const Ended ended = run_sockcat(
      {"--explain", "TCP-L:0,fork,reuseaddr=1", "OPEN:" + path + ",creat!!TCP6:[::1]:80,nodelay"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  for (const char* part :
       {"left: TCP-L:0,fork,reuseaddr=1\n", "  keyword TCP-LISTEN: Waits for TCP connections\n",
        "  parameter <port>: 0\n", "  option so-reuseaddr=1 [PREBIND, INT/NULL, setsockopt(1, 2)]: ",
        "  default: as many connections may wait as the kernel grants (backlog)\n",
        "  unlike socat: socat listens on IPv4 alone\n", "right, read: OPEN:",
        "  option o-creat [OPEN, BOOL, open flag(64)]: ", "right, written: TCP6:[::1]:80,nodelay\n",
        "  parameter <host>: [::1] (::1)\n", "  option tcp-nodelay [PASTSOCKET, INT, setsockopt(6, 1)]: "})
    EXPECT_NE(ended.out.find(part), std::string::npos) << part << ended.out;
  EXPECT_EQ(ended.out.find("so-reuseaddr: "), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(run_sockcat({"--explain", "TPC:h:1", "-"}).status, 2);
}

TEST(TerminalOption, IsTakenBackAtTheEnd) {
  const Terminal terminal = make_terminal();
  const auto settings = [&](const char* what) { return run({"stty", "-F", terminal.path, what}).out; };
  run({"stty", "-F", terminal.path, "sane"});
  const std::string before = settings("-g");
  RunOptions options;
  options.descriptors = {{0, terminal.slave.get()}, {1, terminal.slave.get()}};
  Running running(sockcat({"-d", "-d", "-,echo=0,icanon=0", "PIPE"}), std::move(options));
  while (running.line(2).value_or("starting data transfer").find("starting data transfer") ==
         std::string::npos) {
  }
  EXPECT_NE(settings("-a").find(" -echo "), std::string::npos);
  EXPECT_NE(settings("-a").find("-icanon"), std::string::npos);
  running.signal(SIGTERM);
  running.wait();
  EXPECT_EQ(settings("-g"), before);
}

TEST(TerminalOption, OfAPathIsTakenBackAtTheEnd) {
  for (const char* keyword : {"FILE:", "OPEN:", "GOPEN:", ""}) {
    const Terminal terminal = make_terminal();
    const auto settings = [&](const char* what) { return run({"stty", "-F", terminal.path, what}).out; };
    run({"stty", "-F", terminal.path, "sane"});
    const std::string before = settings("-g");
    Running running(sockcat({"-d", "-d", keyword + terminal.path + ",raw,echo=0", "PIPE"}));
    while (running.line(2).value_or("starting data transfer").find("starting data transfer") ==
           std::string::npos) {
    }
    EXPECT_NE(settings("-g"), before);
    running.signal(SIGTERM);
    running.wait();
    EXPECT_EQ(settings("-g"), before) << keyword;
  }
}

}  // namespace
}  // namespace sluice::test
