#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "sluice/core/bytes.h"
#include "sockcat.h"

/// The files that sockcat makes, in folders that others may write to, on full disks and with nobody to read
/// them.
namespace sluice::test {
namespace {

constexpr uid_t somebody = 65534;

/// Anybody may write to it, and it has no sticky bit: nothing that the kernel protects (proc(5),
/// fs.protected_*).
class SharedFolder {
 public:
  SharedFolder() {
    ::chmod(folder_.path().c_str(), 0777);
    folder_.file("victim", "mine\n");
  }
  std::string path(const std::string& name) const { return folder_.path() + '/' + name; }
  void expect_unharmed(const std::string& what) const {
    EXPECT_EQ(contents_of(path("victim")), "mine\n") << what;
    EXPECT_FALSE(std::filesystem::exists(path("made"))) << what;
  }

 private:
  TemporaryDirectory folder_;
};

struct Planted {
  const char* what;
  void (*plant)(const SharedFolder& folder, const std::string& path);
};

constexpr Planted all_planted[] = {
    {"a link", [](const auto& folder,
                  const auto& path) { std::filesystem::create_symlink(folder.path("victim"), path); }},
    {"a dangling link", [](const auto& folder,
                           const auto& path) { std::filesystem::create_symlink(folder.path("made"), path); }},
    {"a link to a link",
     [](const auto&, const auto& path) {
       std::filesystem::create_symlink("victim", path + "-");
       std::filesystem::create_symlink(path + "-", path);
       ASSERT_EQ(::lchown((path + "-").c_str(), somebody, somebody), 0);
     }},
    {"a FIFO", [](const auto&, const auto& path) { ASSERT_EQ(::mkfifo(path.c_str(), 0666), 0); }},
    {"a file",
     [](const auto&, const auto& path) { Fd(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666)); }},
};

TEST(Files, ThatAreAppendedToAreNotThoseThatOthersPlanted) {
  if (!is_root()) GTEST_SKIP() << "only root can give files away";
  for (const char* option : {"-lf", "-r", "-R"})
    for (const auto& [what, plant] : all_planted) {
      const SharedFolder folder;
      const std::string path = folder.path("log");
      plant(folder, path);
      ASSERT_EQ(::lchown(path.c_str(), somebody, somebody), 0);
      const Ended ended = run_sockcat({option, path, "-", "ECHO"}, {.input = "x"});
      EXPECT_EQ(ended.status, 1) << option << ' ' << what;
      EXPECT_NE(ended.err.find("open " + path + ": Permission denied"), std::string::npos) << ended.err;
      folder.expect_unharmed(what);
    }
}

TEST(Files, ThatAreAppendedToMayBeLinksOfOurOwn) {
  for (const char* option : {"-r", "-R"}) {
    const SharedFolder folder;
    std::filesystem::create_symlink(folder.path("victim"), folder.path("log"));
    EXPECT_EQ(run_sockcat({option, folder.path("log"), "-", "ECHO"}, {.input = "x\n"}).status, 0);
    EXPECT_EQ(contents_of(folder.path("victim")), "mine\nx\n");
    EXPECT_EQ(run_sockcat({option, "/dev/stderr", "-", "ECHO"}, {.input = "x\n"}).err, "x\n");
  }
  EXPECT_NE(run_sockcat({"-lf", "/dev/stdout", "-dd", "-u", "/dev/null", "-"}).out.find("exiting"),
            std::string::npos);
}

TEST(Files, ForReadinessReplaceWhateverWasPlanted) {
  for (const auto& [what, plant] : all_planted) {
    if (std::string(what) == "a link to a link") continue;
    const SharedFolder folder;
    plant(folder, folder.path("ready"));
    Running server(sockcat({"--ready-file", folder.path("ready"), "--ready-fd", "3",
                            "TCP-LISTEN:0,bind=127.0.0.1", "ECHO"}),
                   {.captured = {3}});
    const auto name = server.line(3);
    ASSERT_TRUE(name);
    EXPECT_EQ(contents_of(folder.path("ready")), *name + '\n') << what;
    EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(folder.path("ready"))))
        << what;
    folder.expect_unharmed(what);
    server.signal(SIGTERM);
    server.wait();
    EXPECT_FALSE(std::filesystem::exists(folder.path("ready"))) << what;
  }
}

TEST(Files, ForReadinessHaveNoNameOnTheWayThatCouldBeGuessed) {
  for (const char* plant :
       {"ln -s victim \"$1.new-$$\"", "mkfifo \"$1.new-$$\"", "ln -s made \"$1.new-$$\""}) {
    const SharedFolder folder;
    Running server(
        {"sh", "-c", "cd \"$0\"; " + std::string(plant) + "; shift; exec \"$@\"", folder.path(""), "ready",
         tool("sockcat"), "--ready-file", "ready", "--ready-fd", "3", "TCP-LISTEN:0,bind=127.0.0.1", "ECHO"},
        {.captured = {3}});
    const auto name = server.line(3);
    ASSERT_TRUE(name) << plant;
    EXPECT_EQ(contents_of(folder.path("ready")), *name + '\n') << plant;
    folder.expect_unharmed(plant);
  }
}

TEST(Files, WhoseNamesAreTakenAreLeftAlone) {
  for (const auto& [what, plant] : all_planted) {
    if (std::string(what) == "a link to a link") continue;
    const SharedFolder folder;
    const std::string path = folder.path("taken");
    const std::vector<std::vector<std::string>> lines = {
        {"-L", path, "-", "ECHO"},
        {"-", "PIPE,lockfile=" + path},
        {"-", "PTY,link=" + path},
        {"-", "UNIX-LISTEN:" + path},
        {"-", "UNIX-CONNECT:" + folder.path("no") + ",bind=" + path},
    };
    for (const auto& words : lines) {
      plant(folder, path);
      EXPECT_EQ(run_sockcat(words, {.input = "x"}).status, 1) << what << ' ' << words.back();
      folder.expect_unharmed(what);
      EXPECT_TRUE(std::filesystem::exists(std::filesystem::symlink_status(path))) << what;
      std::filesystem::remove(path);
    }
  }
}

TEST(Files, LeaveNothingBehindOnAFullDisk) {
  for (const char* words : {"--ready-file", "-L"}) {
    const SharedFolder folder;
    const Ended ended = run({"sh", "-c", "ulimit -f 0; exec \"$@\"", "-", tool("sockcat"), words,
                             folder.path("new"), "TCP-LISTEN:0,bind=127.0.0.1", "ECHO"});
    EXPECT_EQ(ended.status, 1) << words;
    EXPECT_NE(ended.err.find("File too large"), std::string::npos) << ended.err;
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path("")), {}), 1) << words;
  }
}

TEST(Files, OfALockAreRemovedByTheirOwnerAlone) {
  const SharedFolder folder;
  Running holder(
      sockcat({"-L", folder.path("lock"), "--ready-fd", "3", "TCP-LISTEN:0,bind=127.0.0.1", "ECHO"}),
      {.captured = {3}});
  ASSERT_TRUE(holder.line(3));
  std::filesystem::rename(folder.path("lock"), folder.path("old"));
  Fd(::open(folder.path("lock").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  holder.signal(SIGTERM);
  holder.wait();
  EXPECT_TRUE(std::filesystem::exists(folder.path("lock")));
}

TEST(Files, ThatNobodyReadsHoldUpNeitherTheStartNorTheEnd) {
  for (const char* option : {"-lf", "-r", "-R"}) {
    const SharedFolder folder;
    ASSERT_EQ(::mkfifo(folder.path("fifo").c_str(), 0600), 0);
    Running server(
        sockcat({option, folder.path("fifo"), "--ready-fd", "3", "TCP-LISTEN:0,bind=127.0.0.1", "ECHO"}),
        {.captured = {3}});
    const auto name = server.line(3);
    ASSERT_TRUE(name) << option;
    const Socket client = Socket::to_tcp(std::stoi(name->substr(name->rfind(':') + 1)));
    client.send("x");
    server.signal(SIGTERM);
    const Ended ended = server.wait();
    EXPECT_EQ(ended.signal, 0) << option;
  }
}

/// What opens a FIFO for reading: FIFO stands for its path.
const std::vector<std::string> fifo_addresses = {"OPEN:FIFO,rdonly", "OPEN:FIFO", "GOPEN:FIFO", "FIFO",
                                                 "PIPE:FIFO"};

std::string with_path(std::string address, const std::string& path) {
  return address.replace(address.find("FIFO"), 4, path);
}

// As open(2) has it. The first look finds the writer, or one that comes later is told of, or looked for.
TEST(Fifos, AreOpenForReadingOnceAWriterHasThemOpen) {
  for (const std::string denied : {"", "inotify"})
    for (const auto& address : fifo_addresses) {
      const TemporaryDirectory folder;
      const std::string path = folder.path() + "/fifo";
      ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
      const RunOptions how{.environment = {"SLUICE_DENY=" + denied}};
      const std::vector<std::string> words = {"-u", "-T", "0.05", with_path(address, path), "-"};
      {
        const Fd writer(::open(path.c_str(), O_RDWR | O_CLOEXEC));
        EXPECT_EQ(run_sockcat(words, how).status, 124) << address << " before, " << denied;
      }
      Running later(sockcat(words), how);
      const Fd writer(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
      EXPECT_EQ(later.wait().status, 124) << address << " later, " << denied;
    }
}

TEST(Fifos, WaitForTheirFirstWriterAndEndWithTheLast) {
  for (const std::string denied : {"", "inotify", "splice"})
    for (const auto& address : fifo_addresses)
      for (const std::string text : {"", "data"}) {
        const TemporaryDirectory folder;
        const std::string path = folder.path() + "/fifo";
        ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
        Running reader(sockcat({"-u", with_path(address, path), "-"}),
                       {.environment = {"SLUICE_DENY=" + denied}});
        Fd writer(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
        ASSERT_EQ(::write(writer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
        writer.reset();
        EXPECT_EQ(reader.wait(), (Ended{.out = text, .status = 0})) << address << ' ' << denied;
      }
}

TEST(Fifos, OfAClientThatOpensBothBeforeItWritesAreOpened) {
  const TemporaryDirectory folder;
  const std::string in = folder.path() + "/in", out = folder.path() + "/out";
  ASSERT_EQ(::mkfifo(in.c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo(out.c_str(), 0600), 0);
  Running server(sockcat({"OPEN:" + in + ",rdonly!!OPEN:" + out + ",wronly", "EXEC:tr a-z A-Z"}));
  Fd question(::open(in.c_str(), O_WRONLY | O_CLOEXEC));
  const Fd answer(::open(out.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::write(question.get(), "text", 4), 4);
  question.reset();
  char text[16];
  EXPECT_EQ(::read(answer.get(), text, sizeof text), 4);
  EXPECT_EQ(std::string(text, 4), "TEXT");
  EXPECT_EQ(server.wait().status, 0);
}

TEST(Fifos, ThatHaveASilentWriterLetTheOtherSideListen) {
  const TemporaryDirectory folder;
  const std::string path = folder.path() + "/fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  Fd writer(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  Serving server({"-u", "OPEN:" + path + ",rdonly", "TCP4-LISTEN:0,bind=127.0.0.1"});
  const Socket client = Socket::to_tcp(server.port());
  ASSERT_EQ(::write(writer.get(), "text", 4), 4);
  EXPECT_EQ(client.receive(4), "text");
  writer.reset();
  EXPECT_EQ(client.receive_all(), "");
}

TEST(Dumps, ThatCannotBeWrittenAreAnErrorAndTheDataStillArrives) {
  const std::string text = sample(kib(300));
  for (const char* option : {"-r", "-R"}) {
    const Ended ended = run_sockcat({option, "/dev/full", "-", "ECHO"}, {.input = text});
    EXPECT_TRUE(ended.out == text) << option;
    EXPECT_EQ(ended.status, 1) << option;
    EXPECT_EQ(ended.err, "sockcat: write /dev/full: No space left on device; going on without this dump\n");

    const TemporaryDirectory folder;
    const Ended limited = run({"sh", "-c", "ulimit -f 100; exec \"$@\"", "-", tool("sockcat"), option,
                               folder.path() + "/dump", "-", "ECHO"},
                              {.input = text});
    EXPECT_TRUE(limited.out == text) << option;
    EXPECT_EQ(limited.status, 1) << option;
    EXPECT_NE(limited.err.find("File too large"), std::string::npos) << limited.err;
    EXPECT_EQ(contents_of(folder.path() + "/dump"), text.substr(0, 100 * 512)) << option;
  }
}

TEST(Dumps, OfBothDirectionsAreToldOfOnce) {
  const Ended ended = run_sockcat({"-r", "/dev/full", "-R", "/dev/full", "-", "ECHO"}, {.input = "x\n"});
  EXPECT_EQ(ended.out, "x\n");
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
  EXPECT_EQ(ended.status, 1);
}

TEST(Dumps, OfAServerMakeItsStatusOne) {
  Serving server({"-r", "/dev/full", "TCP-LISTEN:0,bind=127.0.0.1,fork", "ECHO"});
  for (int i = 0; i < 5; ++i) {
    const Socket client = Socket::to_tcp(server.port());
    client.send("x");
    client.finish();
    EXPECT_EQ(client.receive_all(), "x");
  }
  server->signal(SIGTERM);
  const Ended ended = server->wait();
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
}

TEST(Dumps, WaitForASlowReaderAndLoseNothing) {
  const TemporaryDirectory folder;
  const std::string fifo = folder.path() + "/fifo", text = sample(mib(1));
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const char* option : {"-r", "-R"}) {
    Running reader({"sh", "-c", "sleep 0.2; exec cat \"$0\" > \"$0.copy\"", fifo});
    const Ended ended = run_sockcat({option, fifo, "-", "ECHO"}, {.input = text});
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_TRUE(ended.out == text);
    reader.wait();
    EXPECT_TRUE(contents_of(fifo + ".copy") == text) << option;
  }
}

TEST(Dumps, WhoseReaderLeavesAreAnError) {
  const TemporaryDirectory folder;
  const std::string fifo = folder.path() + "/fifo", text = sample(mib(1));
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  Running reader({"head", "-c", "10", fifo});
  const Ended ended = run_sockcat({"-r", fifo, "-", "ECHO"}, {.input = text});
  EXPECT_EQ(ended.status, 1);
  EXPECT_TRUE(ended.out == text);
  EXPECT_EQ(ended.err, "sockcat: write " + fifo + ": Broken pipe; going on without this dump\n");
}

// It cannot be opened (open(2) ENXIO), however long somebody waits.
TEST(Open, OfASocketIsAnError) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/socket";
  const Socket server = Socket::listening_unix(path);
  for (const std::string& to :
       {"OPEN:" + path, "OPEN:" + path + ",append", "CREATE:" + path, "PIPE:" + path}) {
    const Ended ended = run_sockcat({"-u", "-", to});
    EXPECT_EQ(ended.status, 1) << to;
    EXPECT_NE(ended.err.find("No such device or address"), std::string::npos) << ended.err;
  }
}

}  // namespace
}  // namespace sluice::test
