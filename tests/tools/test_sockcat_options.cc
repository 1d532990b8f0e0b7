#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "sockcat.h"

namespace sluice::test {
namespace {

std::string number(long value) { return std::to_string(value); }

mode_t mode_of(const std::string& path) {
  struct stat status {};
  check("stat", ::lstat(path.c_str(), &status));
  return status.st_mode & 07777;
}

struct Writing {
  const char* name;
  std::string options;
  std::string before;  ///< "-": no such file
  std::string after;
  int status = 0;
};

class FileOption : public testing::TestWithParam<Writing> {};

TEST_P(FileOption, DecidesWhatWritingLeavesBehind) {
  const auto& row = GetParam();
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/f";
  if (row.before != "-") directory.file("f", row.before);
  const Ended ended = run_sockcat({"-u", "-", "OPEN:" + path + row.options}, {.input = "NEW"});
  EXPECT_EQ(ended.status, row.status) << ended.err;
  EXPECT_EQ(std::filesystem::exists(path) ? contents_of(path) : "-", row.after);
}

INSTANTIATE_TEST_SUITE_P(Options, FileOption,
                         testing::ValuesIn(std::vector<Writing>{
                             {"None", "", "0123456789", "NEW3456789"},
                             {"NoneMissing", "", "-", "-", 1},
                             {"Creat", ",creat", "-", "NEW"},
                             {"CreatOld", ",creat", "0123", "NEW3"},
                             {"CreatExcl", ",creat,excl", "-", "NEW"},
                             {"CreatExclOld", ",creat,excl", "0123", "0123", 1},
                             {"Trunc", ",trunc", "0123456789", "NEW"},
                             {"TruncOff", ",trunc=0", "0123456789", "NEW3456789"},
                             {"Append", ",append", "0123", "0123NEW"},
                             {"Wronly", ",wronly", "0123", "NEW3"},
                             {"Rdwr", ",rdwr", "0123", "NEW3"},
                             {"Rdonly", ",rdonly", "0123", "0123", 1},
                             {"Seek", ",seek=2", "0123456789", "01NEW56789"},
                             {"SeekSet", ",lseek64-set=2", "0123456789", "01NEW56789"},
                             {"SeekEnd", ",seek-end=-1", "0123456789", "012345678NEW"},
                             {"SeekCur", ",seek=4,seek-cur=-2", "0123456789", "01NEW56789"},
                             {"Ftruncate", ",ftruncate=5", "0123456789", "NEW34"},
                             {"FtruncateLonger", ",ftruncate=5", "01", std::string("NEW\0\0", 5)},
                             {"UnlinkEarly", ",creat,unlink-early,excl", "0123", "NEW"},
                             {"Unlink", ",creat,unlink,excl", "0123", "NEW"},
                             {"UnlinkLate", ",unlink-late", "0123", "-"},
                             {"UnlinkClose", ",unlink-close", "0123", "-"},
                             {"UnlinkCloseOff", ",unlink-close=0", "0123", "NEW3"},
                         }),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(Seek, ChoosesWhereReadingBegins) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("f", "0123456789");
  EXPECT_EQ(run_sockcat({"-u", "FILE:" + path + ",seek=7", "-"}).out, "789");
  EXPECT_EQ(run_sockcat({"-u", "FILE:" + path + ",seek-end=-2", "-"}).out, "89");
  EXPECT_EQ(run_sockcat({"-u", "FILE:" + path + ",seek=2,readbytes=3", "-"}).out, "234");
}

struct Mode {
  std::string options;
  mode_t mode;
};

TEST(Mode, AndUmaskDecideThePermissionsOfWhatIsMade) {
  const std::vector<Mode> rows = {{",mode=640", 0640},           {",perm=600", 0600},
                                  {",umask=077", 0600},          {",umask=000", 0666},
                                  {",umask=077,mode=644", 0644}, {",perm-early=604", 0604}};
  for (const auto& [options, mode] : rows) {
    const TemporaryDirectory directory;
    const std::string file = directory.path() + "/file", fifo = directory.path() + "/fifo",
                      sock = directory.path() + "/sock";
    EXPECT_EQ(run_sockcat({"-u", "-", "CREATE:" + file + options}).status, 0);
    EXPECT_EQ(mode_of(file), mode) << "file" << options;
    Serving pipe({"-u", "PIPE:" + fifo + options, "-"});
    EXPECT_EQ(mode_of(fifo), mode) << "FIFO" << options;
    Serving server({"UNIX-LISTEN:" + sock + options, "PIPE"});
    // bind(2) starts from 0777 where the mode is left to the umask.
    const bool by_umask = options.starts_with(",umask") && options.find("mode") == options.npos;
    EXPECT_EQ(mode_of(sock), by_umask ? mode | (options == ",umask=000" ? 0111 : 0100) : mode)
        << "socket" << options;
  }
}

TEST(Owner, IsSet) {
  if (!is_root()) GTEST_SKIP() << "needs root, to give files away";
  for (const std::string kind : {"CREATE:", "PIPE:", "UNIX-LISTEN:"}) {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/x";
    const std::string address = kind + path + ",user=65534,group=12";
    struct stat status {};
    if (kind == "CREATE:") {
      run_sockcat({"-u", "-", address});
      ASSERT_EQ(::stat(path.c_str(), &status), 0);
    } else {
      const bool pipe = kind == "PIPE:";
      Serving server(pipe ? std::vector<std::string>{"-u", address, "-"}
                          : std::vector<std::string>{address, "PIPE"});
      ASSERT_EQ(::stat(path.c_str(), &status), 0);
    }
    EXPECT_EQ(status.st_uid, 65534U) << kind;
    EXPECT_EQ(status.st_gid, 12U) << kind;
  }
}

TEST(UnlinkClose, DecidesWhetherASocketsPathGoes) {
  for (const auto& [options, stays] : std::vector<std::pair<std::string, bool>>{
           {"", false}, {",unlink-close=0", true}, {",unlink-close", false}}) {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/s";
    Serving server({"UNIX-LISTEN:" + path + options, "PIPE"});
    { const Socket client = Socket::to_unix(path); }
    EXPECT_EQ(server->wait().status, 0);
    EXPECT_EQ(std::filesystem::exists(path), stays) << options;
  }
}

TEST(IgnoreEof, GoesOnAtTheEndOfAFile) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("log", "one\n");
  Running tail(sockcat({"-u", "FILE:" + path + ",ignoreeof", "-"}));
  EXPECT_EQ(tail.line(), "one");
  const Fd more(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  ASSERT_EQ(::write(more.get(), "two\n", 4), 4);
  EXPECT_EQ(tail.line(), "two");
  tail.signal(SIGTERM);
  EXPECT_EQ(tail.wait().status, 143);
}

TEST(ReadBytes, CountsInLargeUnitsToo) {
  EXPECT_EQ(run_sockcat({"-u", "/dev/zero,readbytes=100k", "-"}).out.size(), 102400U);
  EXPECT_EQ(run_sockcat({"-u", "/dev/zero,readbytes=0x10", "-"}).out.size(), 16U);
}

TEST(Pipes, JoinAProgramByPipesAndNotByASocket) {
  const char* kind = "SYSTEM:readlink /proc/self/fd/0";
  EXPECT_EQ(run_sockcat({"-", kind}).out.substr(0, 7), "socket:");
  EXPECT_EQ(run_sockcat({"-", std::string(kind) + ",pipes"}).out.substr(0, 5), "pipe:");
}

TEST(FdInAndFdOut, AreTheNumbersThatTheProgramUses) {
  EXPECT_EQ(run_sockcat({"-", "SYSTEM:cat <&5 >&6,fdin=5,fdout=6"}, {.input = "x"}).out, "x");
  EXPECT_EQ(run_sockcat({"-", "SYSTEM:cat <&6 >&5,fdin=6,fdout=5,pipes"}, {.input = "x"}).out, "x");
  EXPECT_EQ(run_sockcat({"-u", "SYSTEM:echo x >&9,fdout=9", "-"}).out, "x\n");
}

TEST(FdInAndFdOut, AreErrorsForADirectionThatIsNotUsed) {
  struct Case {
    std::vector<std::string> words;
    std::string why;
  };
  const std::string read = "option fdin is useless: the program is only read from",
                    written = "option fdout is useless: the program is only written to";
  for (const std::string how : {"", ",pipes", ",pty"})
    for (const auto& [words, why] : {Case{{"-u", "EXEC:true,fdin=5" + how, "-"}, read},
                                     Case{{"-U", "-", "SYSTEM:true,fdin=5" + how}, read},
                                     Case{{"-", "EXEC:true,fdin=5" + how + "!!CREATE:/dev/null"}, read},
                                     Case{{"-u", "-", "SYSTEM:cat,fdout=5" + how}, written},
                                     Case{{"-", "OPEN:/dev/null!!EXEC:cat,fdout=5" + how}, written}}) {
      const Ended ended = run_sockcat(words);
      EXPECT_EQ(ended.status, 2) << testing::PrintToString(words);
      EXPECT_NE(ended.err.find(why), ended.err.npos) << ended.err;
    }
  EXPECT_EQ(run_sockcat({"-u", "-", "SYSTEM:cat,nofork,fdout=5"}).status, 2);
}

TEST(Stderr, GoesWhereTheOutputGoes) {
  EXPECT_EQ(run_sockcat({"-u", "SYSTEM:echo out; echo err >&2,stderr", "-"}),
            (Ended{.out = "out\nerr\n", .status = 0}));
  EXPECT_EQ(run_sockcat({"-u", "SYSTEM:echo out; echo err >&2", "-"}),
            (Ended{.out = "out\n", .err = "err\n", .status = 0}));
}

/// proc(5): the fields of /proc/PID/stat are the pid, the name, the state, the parent, the group, the
/// session.
TEST(SetSid, MakesTheProgramLeadItsSession) {
  const auto fields = [](const std::string& options) {
    const std::string text = run_sockcat({"-u", "EXEC:cat /proc/self/stat" + options, "-"}).out;
    long pid = 0, parent = 0, group = 0, session = 0;
    EXPECT_EQ(std::sscanf(text.c_str(), "%ld %*s %*s %ld %ld %ld", &pid, &parent, &group, &session), 4)
        << text;
    return std::array{pid, group, session};
  };
  const auto plain = fields("");
  EXPECT_NE(plain[0], plain[2]);
  EXPECT_NE(plain[0], plain[1]);
  const auto own = fields(",setsid");
  EXPECT_EQ(own[0], own[2]);
  const auto group = fields(",setpgid=0");
  EXPECT_EQ(group[0], group[1]);
}

TEST(NoFork, LetsTheProgramTakeThePlaceOfSockcat) {
  Running client(sockcat({"-", "EXEC:'sh -c \"echo $$\"',nofork"}));
  EXPECT_EQ(client.line(), number(client.pid()));
  EXPECT_EQ(client.wait().status, 0);
}

TEST(ChangeDirectory, IsForTheAddressAlone) {
  const TemporaryDirectory directory, other;
  directory.file("here", "found");
  EXPECT_EQ(run_sockcat({"-u", "FILE:here,chdir=" + directory.path(), "-"}).out, "found");
  const Ended ended =
      run_sockcat({"-u", "FILE:here,chdir=" + directory.path(), "CREATE:copy"}, {.directory = other.path()});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(contents_of(other.path() + "/copy"), "found");
  EXPECT_EQ(run_sockcat({"-u", "EXEC:pwd,chdir=" + directory.path(), "-"}).out, directory.path() + '\n');
  Serving server({"UNIX-LISTEN:s,chdir=" + directory.path(), "PIPE"}, {.directory = other.path()});
  EXPECT_EQ(run_sockcat({"-", "UNIX-CONNECT:" + directory.path() + "/s"}, {.input = "x"}).out, "x");
  EXPECT_EQ(server->wait().status, 0);
  EXPECT_FALSE(std::filesystem::exists(directory.path() + "/s"));
}

TEST(Path, IsWhereTheProgramIsLookedFor) {
  const TemporaryDirectory directory;
  const std::string program = directory.file("special", "#!/bin/sh\necho special\n");
  std::filesystem::permissions(program, std::filesystem::perms(0755));
  EXPECT_EQ(run_sockcat({"-u", "EXEC:special", "-"}).status, 127);
  EXPECT_EQ(run_sockcat({"-u", "EXEC:special,path=" + directory.path(), "-"}).out, "special\n");
}

TEST(Dash, MakesALoginShell) {
  const auto name = [](const std::string& options) {
    const std::string words = run_sockcat({"-u", "EXEC:/bin/cat /proc/self/cmdline" + options, "-"}).out;
    return words.substr(0, words.find('\0'));
  };
  EXPECT_EQ(name(""), "cat");
  EXPECT_EQ(name(",dash"), "-cat");
}

/// Keeps connecting, or sending, until told to stop.
class Pest {
 public:
  Pest(int port, int type) : worker_(beside([this, port, type] { bother(port, type); })) {}
  ~Pest() { stop_ = true; }

 private:
  void bother(int port, int type) const {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(static_cast<std::uint16_t>(port));
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while (!stop_) {
      const Fd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
      if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) return;
      if (type == SOCK_DGRAM && ::send(fd.get(), "x", 1, 0) < 0 && errno != EAGAIN) return;
    }
  }

  std::atomic<bool> stop_ = false;
  std::future<void> worker_;
};

TEST(AcceptTimeout, IsNotPutOffByThoseThatAreRefused) {
  const std::vector<std::pair<std::string, int>> servers = {
      {"TCP4-LISTEN:0,bind=127.0.0.1", SOCK_STREAM},
      {"TCP4-LISTEN:0,bind=127.0.0.1,fork", SOCK_STREAM},
      {"UDP4-LISTEN:0,bind=127.0.0.1", SOCK_DGRAM},
      {"UDP4-LISTEN:0,bind=127.0.0.1,fork", SOCK_DGRAM},
  };
  for (const auto& [address, type] : servers)
    for (const char* rule : {"range=10.0.0.0/8", "sourceport=1", "lowport"}) {
      Serving server({address + ",accept-timeout=0.2," + rule, "PIPE"});
      const Pest pest(server.port(), type);
      EXPECT_EQ(server->wait().status, 124) << address << ' ' << rule;
    }
}

TEST(AcceptTimeout, EndsAVainWait) {
  EXPECT_EQ(run_sockcat({"TCP4-LISTEN:0,accept-timeout=0.05", "PIPE"}).status, 124);
  const TemporaryDirectory directory;
  EXPECT_EQ(run_sockcat({"UNIX-LISTEN:" + directory.path() + "/s,accept-timeout=0.05", "PIPE"}).status, 124);
}

TEST(Retry, IsCountedAndSpaced) {
  const auto begin = std::chrono::steady_clock::now();
  const Ended ended = run_sockcat({"-d", "-d", "-", "UNIX-CONNECT:/nonexistent/s,retry=3,interval=0.05"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(150));
  std::size_t count = 0;
  for (auto at = ended.err.find("trying again"); at != ended.err.npos;
       at = ended.err.find("trying again", at + 1))
    ++count;
  EXPECT_EQ(count, 3U) << ended.err;
}

TEST(Forever, NeverGivesUp) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/s";
  Running client(sockcat({"-d", "-d", "-", "UNIX-CONNECT:" + path + ",forever,interval=0.01"}),
                 {.input = "x"});
  for (int i = 0; i < 20; ++i)
    while (client.line(2)->find("trying again") == std::string::npos) {
    }
  Serving server({"UNIX-LISTEN:" + path, "PIPE"});
  EXPECT_EQ(client.wait().out, "x");
}

TEST(Forever, OfAListenerWaitsForItsAddress) {
  auto first =
      std::make_unique<Serving>(std::vector<std::string>{"TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"});
  const int port = first->port();
  Running second(
      sockcat({"-d", "-d", "TCP4-LISTEN:" + number(port) + ",bind=127.0.0.1,forever,interval=0.01", "PIPE"}));
  while (second.line(2)->find("trying again") == std::string::npos) {
  }
  first.reset();
  while (second.line(2)->find("listening on") == std::string::npos) {
  }
  const Socket client = Socket::to_tcp(port);
  client.send("x");
  EXPECT_EQ(client.receive(1), "x");
}

struct Shut {
  std::string option;
  bool ends;  ///< whether the peer sees the end of our input
};

TEST(Shut, DecidesWhatThePeerSeesOfOurEnd) {
  const std::vector<Shut> rows = {{"", true},
                                  {",shut-down", true},
                                  {",shut-none", false},
                                  {",shut-null", false},
                                  {",shut-close", false},
                                  {",end-close", false}};
  for (const auto& [option, ends] : rows) {
    const Socket server = Socket::listening_tcp();
    Running client(sockcat({"-t", "0.1", "-", "TCP4:127.0.0.1:" + number(server.port()) + option}),
                   {.more_input = true});
    const Socket peer = server.accept();
    client.write("x");
    EXPECT_EQ(peer.receive(1), "x");
    client.finish_input();
    if (ends) {
      EXPECT_EQ(peer.receive_all(), "") << option;
      peer.finish();
      EXPECT_EQ(client.wait().status, 0) << option;
    } else {
      // It is not told, so it cannot answer the end by its own: -t ends the session.
      EXPECT_EQ(client.wait().status, 0) << option;
      EXPECT_EQ(peer.receive_all(), "") << option;
    }
  }
}

TEST(ShutNull, SendsAnEmptyPacket) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/s";
  const Socket server = Socket::listening_unix(path, SOCK_SEQPACKET);
  Running client(sockcat({"-t", "0.1", "-", "UNIX-CONNECT:" + path + ",socktype=5,shut-null"}),
                 {.more_input = true});
  const Socket peer = server.accept();
  client.write("x");
  EXPECT_EQ(peer.receive(1), "x");
  client.finish_input();
  char byte = 0;
  EXPECT_EQ(::recv(peer.number(), &byte, 1, 0), 0);
  // It was a packet and not the end: we are still read from.
  peer.send("late");
  EXPECT_EQ(client.bytes(4), "late");
}

TEST(NullEof, TakesAnEmptyPacketForTheEnd) {
  const TemporaryDirectory directory;
  for (const bool option : {true, false}) {
    const std::string path = directory.path() + (option ? "/with" : "/without");
    Serving server({"-u", "UNIX-LISTEN:" + path + ",socktype=5" + (option ? ",null-eof" : ""), "-"});
    const Socket client = Socket::to_unix(path, SOCK_SEQPACKET);
    client.send("one");
    ::send(client.number(), "", 0, MSG_NOSIGNAL);
    client.send_until_broken("two");
    client.finish();
    EXPECT_EQ(server->wait().out, option ? "one" : "onetwo");
  }
}

TEST(CoolWrite, TakesAPeerThatIsGoneEasily) {
  for (const bool option : {true, false}) {
    const Socket server = Socket::listening_tcp();
    Running client(sockcat(
        {"-u", "/dev/zero", "TCP4:127.0.0.1:" + number(server.port()) + (option ? ",cool-write" : "")}));
    Socket peer = server.accept();
    EXPECT_EQ(peer.receive(3).size(), 3U);
    peer.close();
    const Ended ended = client.wait();
    EXPECT_EQ(ended.status, option ? 0 : 1) << ended.err;
    EXPECT_EQ(ended.err.empty(), option) << ended.err;
  }
}

TEST(PipeSize, IsSet) {
  for (const int size : {16384, 262144}) {
    Pipe pipe = make_pipe();
    const Ended ended = run_sockcat({"-u", "-", "FD:7,f-setpipe-sz=" + number(size)},
                                    {.descriptors = {{7, pipe.writing.get()}}});
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_EQ(::fcntl(pipe.reading.get(), F_GETPIPE_SZ), size);
  }
}

TEST(EndClose, LeavesAProgramRunning) {
  const TemporaryDirectory directory;
  // It opens the FIFO once its input is over, and is then waited for by us alone.
  const std::string fifo = directory.file("fifo");
  std::filesystem::remove(fifo);
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string pipes : {"", ",pipes"}) {
    const Ended ended = run_sockcat(
        {"-u", "-", "SYSTEM:'exec > /dev/null 2>&1; cat; echo $$ > " + fifo + "',end-close" + pipes},
        {.input = "x"});
    EXPECT_EQ(ended, (Ended{.status = 0})) << pipes;
    EXPECT_GT(std::stoi(contents_of(fifo)), 1) << "it still ran";
  }
}

TEST(EndClose, ReapsWhatItLeftRunning) {
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork", "EXEC:cat,end-close"});
  for (int i = 0; i < 5; ++i) {
    const Socket client = Socket::to_tcp(server.port());
    client.send("x");
    EXPECT_EQ(client.receive(1), "x");
  }
  const std::string pid = number(server->pid());
  EXPECT_TRUE(eventually([&] { return contents_of("/proc/" + pid + "/task/" + pid + "/children").empty(); }));
}

TEST(CloseOnExec, CanBeSwitchedOff) {
  const auto sockets = [](const std::string& option) {
    Serving server({"TCP4-LISTEN:0,bind=127.0.0.1" + option, "SYSTEM:ls -l /proc/self/fd,pipes"});
    const std::string list = Socket::to_tcp(server.port()).receive_all();
    return list.find("socket:") != list.npos;
  };
  EXPECT_FALSE(sockets(""));
  EXPECT_TRUE(sockets(",cloexec=0"));
}

/// Two descriptors of one socket, one with us: only shutting down is felt by the other.
TEST(EndClose, LeavesTheConnectionToItsOtherHolders) {
  for (const bool option : {true, false}) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const Fd shared(ends[0]);
    const Socket peer((Fd(ends[1])));
    const Ended ended = run_sockcat({"-u", "EXEC:echo x", std::string("FD:5") + (option ? ",end-close" : "")},
                                    {.descriptors = {{5, shared.get()}}});
    EXPECT_EQ(ended.status, 0) << ended.err;
    const ssize_t more = ::send(shared.get(), "more", 4, MSG_NOSIGNAL);
    EXPECT_EQ(more, option ? 4 : -1);
    EXPECT_EQ(peer.receive(2), "x\n");
    if (option) {
      EXPECT_EQ(peer.receive(4), "more");
    }
  }
}

TEST(LongOptions, MayComeAfterTheAddresses) {
  for (const std::vector<std::string>& words : {
           std::vector<std::string>{"-", "ECHO", "--statistics"},
           {"-", "--statistics", "ECHO"},
           {"--statistics", "--", "-", "ECHO"},
           {"-", "ECHO", "--threads=2", "--statistics"},
           {"-", "ECHO", "--threads", "2", "--statistics"},
       }) {
    const Ended ended = run_sockcat(words, {.input = "x"});
    EXPECT_EQ(ended.out, "x") << testing::PrintToString(words);
    EXPECT_NE(ended.err.find("statistics: "), std::string::npos) << testing::PrintToString(words);
  }
  EXPECT_EQ(run_sockcat({"-", "--help"}).out, run_sockcat({"--help"}).out);
  Running server(sockcat({"TCP-LISTEN:0,bind=127.0.0.1", "ECHO", "--ready-fd", "3"}), {.captured = {3}});
  EXPECT_TRUE(server.line(3));
}

TEST(LongOptions, AreAddressesBehindTwoDashesOrInPosixOrder) {
  EXPECT_NE(run_sockcat({"--", "-", "--statistics"}).err.find("--statistics"), std::string::npos);
  EXPECT_NE(run_sockcat({"-", "ECHO", "--", "--statistics"}).err.find("got 3"), std::string::npos);
  EXPECT_NE(
      run_sockcat({"-", "ECHO", "--statistics"}, {.environment = {"POSIXLY_CORRECT=1"}}).err.find("got 3"),
      std::string::npos);
  EXPECT_NE(run_sockcat({"-", "ECHO", "-u"}).err.find("got 3"), std::string::npos)
      << "socat's own come before";
  EXPECT_EQ(run_sockcat({"-", "ECHO", "--nonsense"}).status, 2);
}

class ProgramOfWords : public testing::TestWithParam<const char*> {
 protected:
  /// Under the name that it is called by.
  Ended run_as(std::vector<std::string> words, RunOptions options = {}) {
    const std::string path = files_.path() + '/' + GetParam();
    if (::access(path.c_str(), F_OK) != 0) {
      EXPECT_EQ(::symlink(tool("sockcat").c_str(), path.c_str()), 0);
    }
    words.insert(words.begin(), path);
    return run(words, std::move(options));
  }
  TemporaryDirectory files_;
};

TEST_P(ProgramOfWords, IsGivenThemAsTheyAre) {
  const std::vector<std::string> given = {"a  b", "",       "\"",    "it's", "\\n", "a,b:c", "(", "{]",
                                          "!!",   "--help", "$HOME", "*",    "--",  "\n",    "-u"};
  std::vector<std::string> words = {"-",   "--", "sh", "-c", R"(for one; do printf '<%s>' "$one"; done)",
                                    "name"};
  words.insert(words.end(), given.begin(), given.end());
  std::string out;
  for (const std::string& word : given) out += '<' + word + '>';
  EXPECT_EQ(run_as(words), (Ended{.out = out, .status = 0}));
}

TEST_P(ProgramOfWords, TakesOptionsBeforeItAndEndsThem) {
  EXPECT_EQ(run_as({"-u", "--", "-", "--", "tr", "a-z", "A-Z"}, {.input = "x"}).out, "X");
  EXPECT_EQ(run_as({"-u", "-", "--", "tr", "a-z", "A-Z"}, {.input = "x"}).out, "X");
  EXPECT_EQ(run_as({"TEXT:x", "--", "cat"}, {.environment = {"POSIXLY_CORRECT=1"}}).status, 0);
  EXPECT_NE(run_as({"-", "--"}).err.find("a command is missing"), std::string::npos);
  EXPECT_NE(run_as({"-", "PIPE", "--", "cat"}).err.find("got 4"), std::string::npos);
}

TEST_P(ProgramOfWords, IsStartedForEachClientAndByProcessesOfTheirOwn) {
  for (const std::string options : {"", ",setsid"}) {
    run_as({"-V"});
    Running server(
        {files_.path() + '/' + GetParam(), "--ready-fd", "3", "TCP4-LISTEN:0,bind=127.0.0.1,fork" + options,
         "--", "sh", "-c", "echo \"$1\"", "sh", "a  b, c"},
        {.captured = {3}});
    const std::string name = server.line(3).value_or("");
    const std::string port = name.substr(name.rfind(':') + 1);
    for (int client = 0; client < 2; ++client)
      EXPECT_EQ(run_sockcat({"-u", "TCP4:127.0.0.1:" + port, "-"}).out, "a  b, c\n") << options;
    server.signal(SIGTERM);
    server.wait();
  }
}

TEST_P(ProgramOfWords, IsExplained) {
  const Ended ended = run_as({"--explain", "-", "--", "printf", "%s\\n", "a b"});
  EXPECT_NE(ended.out.find("  runs: printf '%s\\n' 'a b'\n"), std::string::npos) << ended.out;
}

INSTANTIATE_TEST_SUITE_P(UnderBothNames, ProgramOfWords, testing::Values("sockcat", "socat"));

TEST(LostQuotes, AreWarnedOfWithWhatIsLeft) {
  struct Row {
    std::vector<std::string> words;
    std::string says;
  };
  for (const Row& row : {
           Row{{"-u", R"(EXEC:sh -c "echo a b")", "-"}, R"(this runs: "sh" "-c" "echo" "a" "b")"},
           Row{{"-u", R"(SYSTEM:printf "VALUE 9\r\n")", "-"}, R"(the shell gets: printf VALUE 9\r\n)"},
           Row{{"-u", R"(TEXT:say "hi")", "-"}, "the text is: say hi"},
       }) {
    const Ended ended = run_sockcat(row.words);
    EXPECT_NE(ended.err.find(row.says), std::string::npos) << ended.err;
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    EXPECT_EQ(ended.status, 0);
    std::vector<std::string> quiet = row.words;
    quiet.insert(quiet.begin(), "-d0");
    EXPECT_EQ(run_sockcat(quiet).err, "");
  }
  EXPECT_NE(run({tool("upper"), R"(--from=SYSTEM:echo "a  b")"}).err.find("the shell gets: echo a  b"),
            std::string::npos);
  EXPECT_EQ(run_sockcat({"-u", "EXEC:'sh -c \"echo a  b\"'", "-"}), (Ended{.out = "a b\n", .status = 0}));
}

TEST(LongOptions, AreListedAsTheyMustBeGiven) {
  const std::string help = run_sockcat({"--help"}).out;
  EXPECT_NE(help.find("--threads=N"), std::string::npos);
  EXPECT_EQ(help.find("--threads<"), std::string::npos);
  EXPECT_NE(run_sockcat({"--print-manual"}).out.find("\\fB\\-\\-threads\\fR=\\fIN\\fR"), std::string::npos);
  EXPECT_NE(run_sockcat({"--print-completion=zsh"}).out.find("'--threads=["), std::string::npos);
  EXPECT_NE(run_sockcat({"--print-completion=fish"}).out.find(" -l threads"), std::string::npos);
  EXPECT_NE(run_sockcat({"--print-completion=bash"}).out.find("--threads="), std::string::npos);
}

}  // namespace
}  // namespace sluice::test
