#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <termios.h>

#include <algorithm>
#include <filesystem>

#include "observing.h"
#include "sockcat.h"

/// Programs on pseudo terminals, pseudo terminals for others, and lines typed in one.
namespace sluice::test {
namespace {

std::string lines(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) text += std::to_string(i) + '\n';
  return text;
}

struct Conversation {
  const char* name;
  std::vector<std::string> words;
  std::string in, out;
  int status = 0;
};

class OnATerminal : public testing::TestWithParam<Conversation> {};

TEST_P(OnATerminal, PrintsAndEndsAsItShould) {
  const auto& [name, words, in, out, status] = GetParam();
  EXPECT_EQ(run_sockcat(words, {.input = in}), (Ended{.out = out, .status = status})) << name;
}

const std::vector<Conversation> conversations = {
    {"Raw", {"-", "EXEC:tr a-z A-Z,pty,raw,echo=0"}, "x\n", "X\n"},
    {"RawByPtmx", {"-", "EXEC:tr a-z A-Z,ptmx,raw,echo=0"}, "x\n", "X\n"},
    {"RawByOpenpty", {"-", "EXEC:tr a-z A-Z,openpty,raw,echo=0"}, "x\n", "X\n"},
    {"CookedIsToldOfTheEnd", {"-", "EXEC:tr a-z A-Z,pty,echo=0,opost=0"}, "x\n", "X\n"},
    {"CookedIsToldInTheMidstOfALine", {"-", "EXEC:cat,pty,echo=0,opost=0"}, "one\ntwo", "one\ntwo"},
    {"CookedIsToldOfNoInput", {"-", "EXEC:cat,pty"}, "", ""},
    {"CookedEchoesAndEndsLines", {"-", "EXEC:cat,pty"}, "a\n", "a\r\na\r\n"},
    {"ManyLines", {"-", "EXEC:cat,pty,echo=0,opost=0"}, lines(50'000), lines(50'000)},
    {"ProgramThatHasGoneBeforeItIsRead", {"-u", "SYSTEM:seq 30000,pty,opost=0", "-"}, "", lines(30'000)},
    {"StandardError", {"-u", "SYSTEM:echo err >&2,pty,stderr,opost=0", "-"}, "", "err\n"},
    {"HasNoControllingTerminal", {"-u", "SYSTEM:(true </dev/tty) 2>/dev/null,pty,setsid", "-"}, "", "", 2},
    {"ControllingTerminal", {"-u", "SYSTEM:echo yes >/dev/tty,pty,setsid,ctty,opost=0", "-"}, "", "yes\n"},
    {"ControllingTerminalAlone", {"-u", "SYSTEM:echo yes >/dev/tty,pty,ctty,opost=0", "-"}, "", "yes\n"},
    {"WritingOnly", {"-u", "-", "SYSTEM:sleep 0.1; wc -l >&2; exit 5,pty,setsid,ctty,stderr"}, "a\n", "", 5},
    {"Shell", {"-u", "SHELL:echo $0 x,shell=/bin/sh", "-"}, "", "sh x\n"},
    {"LoginShells", {"-u", "SYSTEM:echo $0,login", "-"}, "", "-sh\n"},
    {"LoginShell", {"-u", "SHELL:echo $0,shell=/bin/sh,dash", "-"}, "", "-sh\n"},
    {"InteractiveShell", {"-", "SHELL,shell=/bin/sh"}, "echo typed\nexit 3\n", "typed\n", 3},
    {"ShellOnATerminal", {"-", "SHELL:cat,shell=/bin/sh,pty,echo=0,opost=0"}, "a\n", "a\n"},
    {"Text", {"-", "TEXT:'a:b,c\\n'"}, "", "a:b,c\n"},
    {"TextLeft", {"TEXT:left", "-"}, "", "left"},
    {"TextPrintsAnAnswer", {"TEXT:question\n", "EXEC:tr a-z A-Z"}, "", "QUESTION\n"},
    {"TextPrintsWhatIsSent", {"EXEC:echo sent", "TEXT:''"}, "", "sent\n"},
    {"TextPrintsOneWay", {"-u", "-", "TEXT:unused"}, "printed", "printed"},
    {"TextPrintsTheOtherWay", {"-U", "TEXT:unused", "-"}, "printed", "printed"},
    {"TextPrintsAsAHalf", {"-", "EXEC:echo a!!TEXT:unused"}, "", "a\n"},
};

INSTANTIATE_TEST_SUITE_P(Program, OnATerminal, testing::ValuesIn(conversations),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(Statuses, OfAProgramCostNoData) {
  const std::string text = lines(20'000);
  for (const std::string options : {"", ",pipes", ",pty,opost=0,echo=0", ",pty,opost=0,echo=0,setsid,ctty"}) {
    EXPECT_EQ(run_sockcat({"-u", "SYSTEM:seq 20000; exit 9" + options, "-"}),
              (Ended{.out = text, .status = 9}))
        << options;
    EXPECT_EQ(run_sockcat({"-U", "-", "SYSTEM:seq 20000; exit 9" + options}),
              (Ended{.out = text, .status = 9}))
        << options;
    EXPECT_EQ(run_sockcat({"-", "SYSTEM:cat; exit 9" + options}, {.input = text}),
              (Ended{.out = text, .status = 9}))
        << options;
    const TemporaryDirectory directory;
    const std::string file = directory.path() + "/out";
    EXPECT_EQ(run_sockcat({"-u", "-", "SYSTEM:cat >" + file + "; exit 9" + options}, {.input = text}),
              (Ended{.status = 9}))
        << options;
    EXPECT_EQ(contents_of(file), text) << options;
  }
  EXPECT_EQ(run_sockcat({"-", "SYSTEM:cat; exit 9,nofork"}, {.input = text}),
            (Ended{.out = text, .status = 9}));
}

TEST(Stall, HoldsUpUntilTheTimeLimit) {
  EXPECT_EQ(run_sockcat({"-T", "0.1", "-", "STALL"}, {.input = "x"}).status, 124);
  EXPECT_EQ(run_sockcat({"-u", "-T", "0.1", "STALL", "-"}).status, 124);
}

TEST(ProgramsTerminal, HasALinkWhileItRuns) {
  const TemporaryDirectory directory;
  const std::string link = directory.path() + "/vm";
  const Ended ended = run_sockcat({"-u", "SYSTEM:readlink " + link + ",pty,opost=0,link=" + link, "-"});
  EXPECT_TRUE(ended.out.starts_with("/dev/pts/")) << ended.out;
  EXPECT_FALSE(std::filesystem::is_symlink(link));
}

TEST(ControllingTerminal, BecomesWhatIsOpenedInASessionOfItsOwn) {
  // Field 7 of /proc/PID/stat is the controlling terminal's device number, 0 if there is none (proc(5)).
  const std::string show = "SYSTEM:read a b c d e f terminal g </proc/self/stat; echo $terminal";
  const Terminal terminal = make_terminal();
  struct stat status {};
  ASSERT_EQ(::fstat(terminal.slave.get(), &status), 0);
  for (const std::string& address : {"OPEN:" + terminal.path, terminal.path}) {
    const Ended ended = run_sockcat({"-u", address + ",setsid,ctty", show + " >&2"});
    EXPECT_EQ(ended.err, std::to_string(status.st_rdev) + '\n') << address;
    EXPECT_EQ(run_sockcat({"-u", address + ",setsid", show + " >&2"}).err, "0\n") << address;
  }
  const Ended refused = run_sockcat({"-u", "OPEN:/dev/null,ctty", "-"});
  EXPECT_NE(
      refused.err.find("sockcat: OPEN:/dev/null,ctty: option \"tiocsctty\": Inappropriate ioctl for device"),
      std::string::npos)
      << refused.err;
  EXPECT_EQ(refused.status, 0);
}

// Whatever socat splits a command line into.
TEST(CommandLines, AreSplitAsBySocat) {
  if (run({"sh", "-c", "command -v socat"}).status != 0) GTEST_SKIP() << "socat is not installed";
  for (const std::string arguments :
       {R"(a b)",        R"(a  b)",       R"('"a b" c')",     R"("'a b' c")",    R"("a b" c)",
        R"('a b' c)",    R"(\"a b\" c)",  R"(\'a b\' c)",     R"('a\ b c')",     R"(a\\ b c)",
        R"('"" c')",     R"('"a""b" c')", R"('x"a b"y')",     R"("'\\n' c")",    R"('"a\\b" c')",
        R"("'a\nb' c")", R"("a 'b' c")",  R"('(a b) c')",     R"('[a b] c')",    R"((a b) c)",
        R"([a b] c)",    R"({a b} c)",    R"(x(a b)y c)",     R"((a, b:c) d)",   R"(a) b)",
        R"(a\,b c)",     R"("a,b" c)",    R"('a\tb "c\td"')", R"('"a:b" a!!b')", R"("a:b c" d)",
        R"(a\:b)"}) {
    const std::string address = "EXEC:printf <%s> " + arguments;
    // Joined with what stands before, a quote at the beginning would mean another thing.
    const Ended socat = run({"socat", "-u", address, "-"});
    EXPECT_EQ(run_sockcat({"-u", address, "-"}).out, socat.out) << address << socat.err;
  }
}

/// A terminal that a user sits at: it reads lines and echoes, as they begin, or is in another mode.
class User {
 public:
  enum class Mode { cooked, without_echo, raw };
  explicit User(Mode mode = Mode::cooked) : terminal_(make_terminal()) {
    if (mode == Mode::raw) return;
    termios cooked{};
    ::tcgetattr(terminal_.slave.get(), &cooked);
    cooked.c_iflag |= ICRNL;
    cooked.c_oflag |= OPOST | ONLCR;
    cooked.c_lflag |= ICANON | ISIG | IEXTEN;
    if (mode == Mode::cooked) cooked.c_lflag |= ECHO;
    ::tcsetattr(terminal_.slave.get(), TCSANOW, &cooked);
  }
  RunOptions options() const {
    RunOptions options;
    options.descriptors = {{0, terminal_.slave.get()}, {1, terminal_.slave.get()}};
    options.environment = {"TERM=dumb"};
    return options;
  }
  void type(std::string_view text) const {
    ASSERT_EQ(::write(terminal_.master.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  /// Waits until it is shown, behind what was waited for before.
  void sees(std::string_view text) {
    std::size_t place = 0;
    while ((place = screen_.find(text, seen_)) == std::string::npos)
      if (!look()) FAIL() << text << " is not shown, but " << screen_.substr(seen_);
    seen_ = place + text.size();
  }
  const std::string& screen() const { return screen_; }
  tcflag_t local_flags() const {
    termios now{};
    ::tcgetattr(terminal_.slave.get(), &now);
    return now.c_lflag;
  }
  bool echoes() const {
    termios now{};
    return ::tcgetattr(terminal_.slave.get(), &now) == 0 &&
           (now.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO);
  }

 private:
  bool look() {
    pollfd state{.fd = terminal_.master.get(), .events = POLLIN, .revents = 0};
    if (::poll(&state, 1, static_cast<int>(std::chrono::milliseconds(deadline).count())) != 1) return false;
    char buffer[4096];
    const ssize_t count = ::read(terminal_.master.get(), buffer, sizeof buffer);
    if (count <= 0) return false;
    screen_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  Terminal terminal_;
  std::string screen_;
  std::size_t seen_ = 0;
};

bool has_editor() {
  return run({"sh", "-c", "ldconfig -p 2>/dev/null || /sbin/ldconfig -p"}).out.find("libedit.so.2") !=
         std::string::npos;
}

std::string dialogue(const TemporaryDirectory& directory) {
  const std::string script = directory.file("dialogue",
                                            "printf 'login: '; read name; echo \"name <$name>\"\n"
                                            "printf 'Password: '; read word; echo \"word <$word>\"\n"
                                            "printf 'more: '; read more; echo \"more <$more>\"\n");
  return "EXEC:sh " + script;
}

TEST(Readline, EditsRemembersAndHidesLines) {
  if (!has_editor()) GTEST_SKIP() << "libedit2 is not installed";
  const TemporaryDirectory directory;
  const std::string history = directory.file("history", "of yore\n");
  User user;
  Running sockcat_(sockcat({"READLINE,history=" + history + ",noecho='^[Pp]assword:'", dialogue(directory)}),
                   user.options());
  user.sees("login: ");
  user.type("somebodx\x7fy\r");
  user.sees("name <somebody>");
  user.sees("Password: ");
  EXPECT_FALSE(user.echoes());
  user.type("secret\r");
  user.sees("word <secret>");
  user.sees("more: ");
  // Twice back: the hidden line is none of the history.
  user.type("\x10\x10\r");
  user.sees("more <of yore>");
  EXPECT_EQ(sockcat_.wait().status, 0);
  EXPECT_TRUE(user.echoes()) << "it is as it was";
  EXPECT_EQ(contents_of(history), "of yore\nsomebody\nof yore\n");
  const std::string& screen = user.screen();
  EXPECT_EQ(screen.find("secret"), screen.rfind("secret")) << "shown by the program alone: " << screen;
}

TEST(Readline, EndsAtTheEndOfInputAndOnSignalsWithTheTerminalAsItWas) {
  if (!has_editor()) GTEST_SKIP() << "libedit2 is not installed";
  for (const int signal : {0, SIGTERM, SIGINT}) {
    User user;
    Running sockcat_(sockcat({"READLINE", "SYSTEM:echo ready; cat"}), user.options());
    user.sees("ready");
    user.type("one\r");
    user.sees("one\r\none");
    user.type("half");
    user.sees("half");
    if (signal == 0)
      user.type("\r\x04");
    else
      sockcat_.signal(signal);
    const Ended ended = sockcat_.wait();
    EXPECT_EQ(ended.status, signal == 0 ? 0 : 128 + signal) << ended.err;
    EXPECT_TRUE(user.echoes()) << signal;
  }
}

// As behind another sockcat that has `-,raw,echo=0`.
TEST(Readline, ShowsWhatIsTypedOnATerminalWithoutEcho) {
  if (!has_editor()) GTEST_SKIP() << "libedit2 is not installed";
  for (const auto mode : {User::Mode::without_echo, User::Mode::raw}) {
    User user(mode);
    const tcflag_t before = user.local_flags();
    Running sockcat_(sockcat({"READLINE,noecho='^[Pp]assword:'", "SYSTEM:echo ready; sed -u s/^/got-/"}),
                     user.options());
    user.sees("ready");
    user.type("onx\x7f");
    user.sees("onx");
    user.type("e\r");
    user.sees("got-one");
    user.type("\x04");
    EXPECT_EQ(sockcat_.wait().status, 0);
    EXPECT_EQ(user.local_flags(), before) << "it is as it was";
  }
}

TEST(Readline, ShowsThePromptThatItIsTold) {
  if (!has_editor()) GTEST_SKIP() << "libedit2 is not installed";
  User user;
  Running sockcat_(sockcat({"READLINE,prompt='say> '", "SYSTEM:echo ready; cat"}), user.options());
  user.sees("ready");
  user.type("x\r");
  user.sees("say> x");
  user.type("\x04");
  EXPECT_EQ(sockcat_.wait().status, 0);
}

TEST(Readline, IsPlainWithoutATerminal) {
  EXPECT_EQ(run_sockcat({"READLINE", "EXEC:tr a-z A-Z"}, {.input = "x\ny"}),
            (Ended{.out = "X\nY", .status = 0}));
}

TEST(Readline, CannotBeHandedOver) {
  const Ended ended = run_sockcat({"READLINE", "EXEC:cat,nofork"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_NE(ended.err.find("nofork cannot hand over what READLINE reads"), std::string::npos) << ended.err;
}

TEST(NoFork, RelaysWhatHasNoDescriptors) {
  EXPECT_EQ(run_sockcat({"TEXT:x", "SYSTEM:cat >&2,nofork"}), (Ended{.err = "x", .status = 0}));
}

/// Opens the slave side as a program would.
Fd open_terminal(const std::string& path) {
  return Fd(check("open " + path, ::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)));
}
std::string exchange(const Fd& terminal, const std::string& text) {
  EXPECT_EQ(::write(terminal.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  std::string got;
  char buffer[256];
  while (got.size() < text.size()) {
    pollfd state{.fd = terminal.get(), .events = POLLIN, .revents = 0};
    if (::poll(&state, 1, static_cast<int>(std::chrono::milliseconds(deadline).count())) != 1) break;
    const auto count = ::read(terminal.get(), buffer, sizeof buffer);
    if (count <= 0) break;
    got.append(buffer, static_cast<std::size_t>(count));
  }
  return got;
}

TEST(PseudoTerminal, IsNamedLinkedAndLogged) {
  const TemporaryDirectory directory;
  const std::string link = directory.path() + "/vm0";
  Serving server({"-d", "-d", "PTY,link=" + link + ",raw,echo=0,end-on-close", "EXEC:cat"});
  ASSERT_EQ(server.names().size(), 1U);
  const std::string& name = server.names().front();
  ASSERT_TRUE(name.starts_with("pty /dev/pts/")) << name;
  EXPECT_EQ(std::filesystem::read_symlink(link), name.substr(4));
  {
    const Fd terminal = open_terminal(link);
    EXPECT_EQ(exchange(terminal, "through cat\n"), "through cat\n");
  }
  const Ended ended = server->wait();
  EXPECT_EQ(ended.status, 0);
  EXPECT_NE(ended.err.find(" N PTY is " + name.substr(4) + '\n'), std::string::npos) << ended.err;
  EXPECT_FALSE(std::filesystem::is_symlink(link));
}

TEST(PseudoTerminal, ThatNobodyHasOpenedSaysWhatIsLost) {
  const Ended ended = run_sockcat({"-u", "TEXT:x", "PTY"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_NE(ended.err.find("PTY: nobody has read all that was written"), std::string::npos) << ended.err;
}

// Programs open and close a serial port for every exchange.
TEST(PseudoTerminal, OutlivesItsUsers) {
  constexpr int times = 30;
  const TemporaryDirectory directory;
  const std::string link = directory.path() + "/serial";
  const std::string file = directory.path() + "/file";
  const Socket listener = Socket::listening_tcp();
  // One connection for each of the two roles.
  const auto echo = beside([&] {
    for (int role = 0; role < 2; ++role) {
      const Socket peer = listener.accept();
      for (std::string got; !(got = peer.receive(6)).empty();) peer.send(got);
    }
  });
  for (const std::string& other : {"TCP:127.0.0.1:" + std::to_string(listener.port()),
                                   std::string("EXEC:cat"), std::string("PIPE"), "CREATE:" + file})
    for (const bool left : {true, false}) {
      const std::string terminal = "PTY,raw,echo=0,link=" + link;
      Serving relay(left ? std::vector<std::string>{terminal, other}
                         : std::vector<std::string>{other, terminal});
      for (int i = 0; i < times; ++i) {
        const std::string text = "no " + std::to_string(10 + i) + '\n';
        {
          const Fd writer(::open(link.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
          ASSERT_EQ(::write(writer.get(), text.data(), text.size()), 6) << other;
        }
        if (other.starts_with("CREATE")) {
          EXPECT_TRUE(eventually([&] { return contents_of(file).ends_with(text); })) << other;
          continue;
        }
        // The answer waits for the next reader, however late it comes.
        const Fd reader = open_terminal(link);
        char answer[6] = {};
        for (ssize_t got = 0; got < 6;)
          got += std::max<ssize_t>(::read(reader.get(), answer + got, 6 - got), 0);
        EXPECT_EQ(std::string(answer, 6), text) << other << ' ' << i;
      }
      relay->signal(SIGTERM);
      EXPECT_EQ(relay->wait().status, 128 + SIGTERM) << other;
      EXPECT_FALSE(std::filesystem::is_symlink(link)) << other;
    }
}

TEST(PseudoTerminal, JoinedToAnotherCarriesWhatItsUsersLeaveBehind) {
  const TemporaryDirectory directory;
  const std::string one = directory.path() + "/A", two = directory.path() + "/B";
  Serving relay({"pty,raw,echo=0,link=" + one, "pty,raw,echo=0,link=" + two});
  for (int i = 0; i < 30; ++i) {
    const std::string& from = i % 2 == 0 ? one : two;
    const std::string& to = i % 2 == 0 ? two : one;
    { EXPECT_EQ(::write(Fd(::open(from.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC)).get(), "hello\n", 6), 6); }
    char text[6] = {};
    const Fd reader = open_terminal(to);
    for (ssize_t got = 0; got < 6;) got += std::max<ssize_t>(::read(reader.get(), text + got, 6 - got), 0);
    EXPECT_EQ(std::string(text, 6), "hello\n") << i;
  }
  EXPECT_TRUE(std::filesystem::is_symlink(one) && std::filesystem::is_symlink(two));
}

TEST(PseudoTerminal, EndsWithItsOtherSide) {
  const TemporaryDirectory directory;
  const std::string link = directory.path() + "/serial";
  const Socket listener = Socket::listening_tcp();
  for (const char* options : {",raw,echo=0", ""}) {
    Serving relay(
        {"-t", "0.1", "PTY,link=" + link + options, "TCP:127.0.0.1:" + std::to_string(listener.port())});
    const Socket peer = listener.accept();
    const Fd user = open_terminal(link);
    peer.send("bye\n");
    char text[5] = {};
    for (ssize_t got = 0; got < 4;) got += std::max<ssize_t>(::read(user.get(), text + got, 4 - got), 0);
    EXPECT_STREQ(text, "bye\n");
    peer.finish();
    EXPECT_EQ(relay->wait().status, 0) << options;
    EXPECT_FALSE(std::filesystem::is_symlink(link));
  }
}

TEST(PseudoTerminal, EndsWithItsLastUserIfItIsToldTo) {
  for (const char* option : {"end-on-close", "pty-end-on-close", "wait-slave", "sitout-eio=0.01"}) {
    Serving relay({std::string("PTY,raw,echo=0,") + option, "EXEC:cat"});
    const std::string path = relay.names().at(0).substr(4);
    Fd first = open_terminal(path);
    { const Fd second = open_terminal(path); }
    EXPECT_EQ(exchange(first, "still there\n"), "still there\n") << option;
    EXPECT_FALSE(ends(relay.process(), false)) << option;
    first.reset();
    EXPECT_EQ(relay->wait().status, 0) << option;
  }
}

TEST(PseudoTerminal, OutlivesTheConnectionsOfWhoDialsAgain) {
  const TemporaryDirectory directory;
  const std::string link = directory.path() + "/vm0";
  const Socket listener = Socket::listening_tcp();
  Serving dialling({"pty,link=" + link + ",raw,echo=0",
                    "tcp:127.0.0.1:" + std::to_string(listener.port()) + ",forever,interval=0.05,fork"});
  const Fd terminal = open_terminal(link);
  const auto say = [&](const Socket& peer, const std::string& text) {
    ASSERT_EQ(::write(terminal.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    EXPECT_EQ(peer.receive(text.size()), text);
    peer.send(text);
    std::string got(text.size(), '\0');
    EXPECT_EQ(::read(terminal.get(), got.data(), got.size()), static_cast<ssize_t>(text.size()));
    EXPECT_EQ(got, text);
  };
  for (const std::string text : {"first", "second", "third"}) {
    Socket peer = listener.accept();
    say(peer, text);
    peer.close();
  }
  EXPECT_EQ(std::filesystem::read_symlink(link), dialling.names().at(0).substr(4)) << "the same all along";
  dialling->signal(SIGTERM);
  EXPECT_EQ(dialling->wait().status, 0);
  EXPECT_FALSE(std::filesystem::is_symlink(link));
}

TEST(PseudoTerminal, WaitsForWhoOpensItsSlave) {
  // With what the kernel tells, and by looking from time to time.
  for (const char* denied : {"", "inotify"}) {
    Serving server({"PTY,wait-slave,pty-interval=0.01,raw,echo=0", "EXEC:cat"},
                   {.environment = {std::string("SLUICE_DENY=") + denied}});
    {
      const Fd terminal = open_terminal(server.names().at(0).substr(4));
      EXPECT_EQ(exchange(terminal, "through cat\n"), "through cat\n") << denied;
    }
    EXPECT_EQ(server->wait().status, 0) << denied;
  }
}

TEST(Signals, ArePassedOnToTheProgramThatAskedForThem) {
  struct Case {
    int number;
    std::string name;
  };
  for (const auto& [number, name] : {Case{SIGHUP, "HUP"}, Case{SIGINT, "INT"}, Case{SIGQUIT, "QUIT"}}) {
    const TemporaryDirectory directory;
    const std::string script =
        directory.file("script", "trap 'echo got " + name + "; exit 3' " + name + "; echo ready; read x");
    Running passing(sockcat({"-", "EXEC:sh " + script + ",sighup,sigint,sigquit"}), {.more_input = true});
    EXPECT_EQ(passing.line(), "ready");
    passing.signal(number);
    EXPECT_EQ(passing.line(), "got " + name);
    EXPECT_EQ(passing.wait().status, 3) << name;
  }
  // Without the option, it is ours.
  Running own(sockcat({"-", "SYSTEM:trap true INT; echo ready; cat"}), {.more_input = true});
  EXPECT_EQ(own.line(), "ready");
  own.signal(SIGINT);
  EXPECT_EQ(own.wait().status, 130);
}

}  // namespace
}  // namespace sluice::test
