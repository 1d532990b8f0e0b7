#include "sluice/endpoint/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>
#include <string>

#include "sluice/core/failure.h"
#include "sluice/core/fd.h"

namespace sluice {
namespace {

struct Pty {
  Pty() {
    int ends[2];
    EXPECT_EQ(::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr), 0);
    master.reset(ends[0]);
    slave.reset(ends[1]);
    char name[64] = "";
    ::ttyname_r(slave.get(), name, sizeof name);
    path = name;
  }
  Fd master, slave;
  std::string path;
};

void apply_to(const Pty& pty, const std::string& options) {
  apply_terminal_options(parse_address("FD:0," + options), pty.slave.get());
}

/// What stty(1) says of a terminal: a judge that knows the settings by name too.
std::string stty(const Pty& pty, const std::string& words = "-a") {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
      ::popen(("stty -F " + pty.path + ' ' + words).c_str(), "re"), ::pclose);
  std::string text;
  char part[4096];
  while (const auto count = std::fread(part, 1, sizeof part, pipe.get())) text.append(part, count);
  for (char& c : text)
    if (c == '\n' || c == ';') c = ' ';
  return ' ' + text + ' ';
}

bool says(const std::string& text, const std::string& word) {
  return text.find(' ' + word + ' ') != text.npos;
}

TEST(Terminal, FlagsAreSetAndClearedAsSttySeesThem) {
  // That stty(1) shows under their own names.
  constexpr std::array names = {"brkint",  "icrnl",  "ignbrk",  "igncr",  "ignpar", "imaxbel", "inlcr",
                                "inpck",   "istrip", "iuclc",   "ixany",  "ixoff",  "ixon",    "parmrk",
                                "ocrnl",   "ofdel",  "ofill",   "olcuc",  "onlcr",  "onlret",  "onocr",
                                "opost",   "clocal", "crtscts", "cstopb", "hupcl",  "parodd",  "echo",
                                "echoctl", "echoe",  "echok",   "echoke", "echonl", "echoprt", "flusho",
                                "icanon",  "iexten", "isig",    "noflsh", "tostop", "xcase"};
  for (const std::string name : names) {
    const Pty pty;
    apply_to(pty, name);
    EXPECT_TRUE(says(stty(pty), name)) << name << ": " << stty(pty);
    apply_to(pty, name + "=0");
    EXPECT_TRUE(says(stty(pty), '-' + name)) << name << ": " << stty(pty);
  }
}

TEST(Terminal, ValuesReplaceWhatWasThere) {
  struct {
    const char *options, *shown;
  } constexpr cases[] = {
      {"cr1", "cr1"},          {"cr3", "cr3"},           {"cr3,cr0", "cr0"},     {"crdly=2", "cr2"},
      {"nl1", "nl1"},          {"nldly", "nl1"},         {"bs1", "bs1"},         {"bsdly=1", "bs1"},
      {"tab1", "tab1"},        {"tab3", "tab3"},         {"xtabs", "tab3"},      {"tabdly=2", "tab2"},
      {"vt1", "vt1"},          {"vtdly", "vt1"},         {"ff1", "ff1"},         {"ffdly", "ff1"},
      {"raw", "-icanon"},      {"raw", "-opost"},        {"raw", "echo"},        {"rawer", "-echo"},
      {"cfmakeraw", "-echo"},  {"cfmakeraw", "-isig"},   {"rawer,sane", "echo"}, {"rawer,sane", "icanon"},
      {"echo=0,sane", "echo"}, {"sane,echo=0", "-echo"},
  };
  for (const auto& [options, shown] : cases) {
    const Pty pty;
    apply_to(pty, options);
    EXPECT_TRUE(says(stty(pty), shown)) << options << ": " << stty(pty);
  }
}

TEST(Terminal, EverySpeedIsWhatItsNameSays) {
  int tried = 0;
  for (const OptionRow& row : option_rows()) {
    if (row.effect.kind != Effect::terminal_speed || row.type != ValueType::constant) continue;
    const Pty pty;
    apply_to(pty, std::string(row.name));
    EXPECT_TRUE(says(stty(pty, "speed"), std::string(row.name.substr(1)))) << row.name << stty(pty, "speed");
    ++tried;
  }
  EXPECT_EQ(tried, 31);
}

TEST(Terminal, SpeedsOfAnyNumberCanBeAskedFor) {
  const Pty pty;
  apply_to(pty, "ispeed=9600,ospeed=9600");
  EXPECT_TRUE(says(stty(pty, "speed"), "9600"));
  apply_to(pty, "ispeed=12345,ospeed=12345");
  termios settings{};
  ASSERT_EQ(::tcgetattr(pty.slave.get(), &settings), 0);
  // glibc has no name for it (BOTHER).
  EXPECT_EQ(::cfgetospeed(&settings), 0010000U);
}

TEST(Terminal, CharactersAreSetByTheirNumber) {
  struct {
    const char* name;
    int index;
  } constexpr cases[] = {{"intr", VINTR},       {"quit", VQUIT},       {"erase", VERASE},   {"kill", VKILL},
                         {"eof", VEOF},         {"time", VTIME},       {"min", VMIN},       {"swtc", VSWTC},
                         {"start", VSTART},     {"stop", VSTOP},       {"susp", VSUSP},     {"eol", VEOL},
                         {"reprint", VREPRINT}, {"discard", VDISCARD}, {"werase", VWERASE}, {"lnext", VLNEXT},
                         {"eol2", VEOL2},       {"veof", VEOF},        {"vswtch", VSWTC}};
  for (const auto& [name, index] : cases) {
    if (find_option(name) == nullptr) continue;
    const Pty pty;
    apply_to(pty, std::string(name) + "=0x07");
    termios settings{};
    ASSERT_EQ(::tcgetattr(pty.slave.get(), &settings), 0);
    EXPECT_EQ(settings.c_cc[index], 7) << name;
  }
}

TEST(Terminal, BitsCanBeSetByNumber) {
  const Pty pty;
  apply_to(pty, "echo=0,noflsh=0");
  apply_to(pty, "setflags=3:" + std::to_string(NOFLSH));
  EXPECT_TRUE(says(stty(pty), "noflsh"));
  EXPECT_TRUE(says(stty(pty), "-echo"));
}

TEST(Terminal, TheWindowHasColumnsAndRows) {
  const Pty pty;
  apply_to(pty, "tiocswinsz=132:43");
  winsize size{};
  ASSERT_EQ(::ioctl(pty.slave.get(), TIOCGWINSZ, &size), 0);
  EXPECT_EQ(size.ws_col, 132);
  EXPECT_EQ(size.ws_row, 43);
}

TEST(Terminal, WhatIsWrongChangesNothing) {
  for (const std::string options : {"echo=0,csize=4", "echo=0,crdly=9", "echo=0,setflags=4:1"}) {
    const Pty pty;
    EXPECT_THROW(apply_to(pty, options), AddressError) << options;
    EXPECT_TRUE(says(stty(pty), "echo")) << options;
  }
}

TEST(Terminal, OptionsOfOneAreNotForOtherFiles) {
  const Fd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  try {
    apply_terminal_options(parse_address("FD:0,b9600"), file.get());
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_STREQ(failure.what(), "FD:0,b9600: option \"b9600\": Inappropriate ioctl for device");
  }
  apply_terminal_options(parse_address("FD:0"), file.get());
}

TEST(Terminal, SettingsThatAreKeptComeBack) {
  const Pty pty;
  const std::string before = stty(pty);
  {
    const auto kept = keep_terminal_settings(pty.slave.get());
    apply_to(pty, "rawer,b50,tab3");
    EXPECT_NE(stty(pty), before);
  }
  EXPECT_EQ(stty(pty), before);
  const Fd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_EQ(keep_terminal_settings(file.get()), nullptr);
}

}  // namespace
}  // namespace sluice
