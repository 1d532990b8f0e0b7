#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include "opened.h"

namespace sluice {
namespace {

class PtyAddress : public testing::EndpointTest {
 protected:
  /// The slave side of a prepared one, as another program would have it.
  static Fd slave_of(const Endpoint& endpoint) {
    const std::string name = endpoint.names().at(0);
    EXPECT_TRUE(name.starts_with("pty /dev/pts/")) << name;
    return Fd(check("open " + name, ::open(name.substr(4).c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)));
  }
  static void make_raw(const Fd& terminal) {
    termios settings{};
    ::tcgetattr(terminal.get(), &settings);
    ::cfmakeraw(&settings);
    ::tcsetattr(terminal.get(), TCSANOW, &settings);
  }
  static std::string read_slave(const Fd& slave) {
    char buffer[256];
    const auto count = ::read(slave.get(), buffer, sizeof buffer);
    return count < 0 ? "error" : std::string(buffer, static_cast<std::size_t>(count));
  }
  static void write_slave(const Fd& slave, const std::string& text) {
    ASSERT_EQ(::write(slave.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string target(const std::string& link) const {
    std::error_code error;
    return std::filesystem::read_symlink(link, error).string();
  }
};

TEST_F(PtyAddress, CarriesBytesBothWays) {
  const auto pty = endpoint("PTY");
  auto stream = open(*pty);
  const Fd slave = slave_of(*pty);
  make_raw(slave);
  write(*stream, "to the slave");
  EXPECT_EQ(read_slave(slave), "to the slave");
  write_slave(slave, "from the slave");
  EXPECT_EQ(read_once(*stream), "from the slave");
}

TEST_F(PtyAddress, StaysOpenBetweenItsUsers) {
  const auto pty = endpoint("PTY");
  run(loop_, pty->prepare());
  make_raw(slave_of(*pty));
  auto stream = open(*pty);
  for (const std::string text : {"one", "two", "three"}) {
    write_slave(slave_of(*pty), text);
    EXPECT_EQ(read_once(*stream), text);
    write(*stream, text);
    EXPECT_EQ(read_slave(slave_of(*pty)), text) << "what was written waits for the next reader";
  }
  EXPECT_FALSE(stream->info().traits.input_ends);
}

TEST_F(PtyAddress, EndsWithItsLastUserAndLosesNothingBefore) {
  const auto pty = endpoint("PTY,end-on-close");
  auto stream = open(*pty);
  {
    const Fd slave = slave_of(*pty);
    make_raw(slave);
    write_slave(slave, "last words");
  }
  EXPECT_EQ(read(*stream), "last words");
  EXPECT_EQ(read(*stream), "");
  run(loop_, stream->closed());
  EXPECT_EQ(run(loop_, testing::write_text(*stream, "to nobody")), End::broken);
}

TEST_F(PtyAddress, TellsALineReaderThatThereIsNoMore) {
  for (const std::string text : {"", "a line\n", "begun", "one\ntwo"}) {
    const auto pty = endpoint("PTY");
    auto stream = open(*pty);
    const Fd slave = slave_of(*pty);
    write(*stream, text);
    finish(*stream);
    EXPECT_TRUE(stream->info().traits.can_finish);
    std::string got;
    for (std::string part; !(part = read_slave(slave)).empty();) got += part;
    EXPECT_EQ(got, text);
  }
}

TEST_F(PtyAddress, CannotTellARawReader) {
  const auto pty = endpoint("PTY");
  run(loop_, pty->prepare());
  const Fd slave = slave_of(*pty);
  make_raw(slave);
  auto stream = open(*pty);
  EXPECT_FALSE(stream->info().traits.can_finish);
  EXPECT_FALSE(stream->info().traits.input_ends);
  write(*stream, "x");
  finish(*stream);
  EXPECT_EQ(read_slave(slave), "x") << "and no end-of-file character";
}

TEST_F(PtyAddress, WaitsUntilSomebodyOpensTheSlave) {
  const auto pty = endpoint("PTY,wait-slave");
  run(loop_, pty->prepare());
  std::unique_ptr<Stream> stream;
  const auto keep = [](Endpoint& from, Session& session, std::unique_ptr<Stream>& into) -> Task<> {
    into = co_await from.open(session);
  };
  loop_.start(keep(*pty, session_, stream));
  settle();
  EXPECT_EQ(stream, nullptr);
  // However shortly.
  slave_of(*pty).reset();
  loop_.run();
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(read(*stream), "") << "and it has ended";
}

TEST_F(PtyAddress, GivesUpWaitingWhenItIsStopped) {
  const auto pty = endpoint("PTY,wait-slave");
  run(loop_, pty->prepare());
  std::unique_ptr<Stream> stream;
  const auto keep = [](Endpoint& from, Session& session, std::unique_ptr<Stream>& into) -> Task<> {
    into = co_await from.open(session);
  };
  loop_.start(keep(*pty, session_, stream));
  settle();
  pty->stop();
  loop_.run();
  EXPECT_EQ(stream, nullptr);
}

TEST_F(PtyAddress, SitsOutThatNobodyHasTheSlaveOpen) {
  const auto pty = endpoint("PTY,sitout-eio=60");
  auto stream = open(*pty);
  {
    const Fd slave = slave_of(*pty);
    make_raw(slave);
    write_slave(slave, "one");
  }
  EXPECT_EQ(read_once(*stream), "one");
  std::string got;
  const auto read_one = [](Stream& from, std::string& into) -> Task<> {
    Batch batch = Batch::of_bytes(16);
    const End end = co_await from.read_some(batch);
    into = end.kind == End::open ? std::string(as_text(batch.data())) : "ended";
  };
  loop_.start(read_one(*stream, got));
  settle();
  EXPECT_EQ(got, "");
  const Fd again = slave_of(*pty);
  write_slave(again, "two");
  loop_.run();
  EXPECT_EQ(got, "two");
}

TEST_F(PtyAddress, EndsAfterItHasSatOutAsLongAsItMay) {
  const auto pty = endpoint("PTY,sitout-eio=0.02");
  auto stream = open(*pty);
  slave_of(*pty).reset();
  EXPECT_EQ(read(*stream), "");
}

TEST_F(PtyAddress, ASecondStreamOfItDoesNotEndBeforeSomebodyComes) {
  const auto pty = endpoint("PTY,end-on-close");
  EXPECT_TRUE(pty->stays_open());
  auto first = open(*pty);
  slave_of(*pty).reset();
  EXPECT_EQ(read(*first), "");
  close(*first);
  auto second = open(*pty);
  const Fd slave = slave_of(*pty);
  make_raw(slave);
  write_slave(slave, "again");
  EXPECT_EQ(read_once(*second), "again");
}

TEST_F(PtyAddress, LinksToItselfAndTakesTheLinkAway) {
  const std::string link = path("vm0");
  {
    const auto pty = endpoint("PTY,link=" + link);
    run(loop_, pty->prepare());
    EXPECT_EQ("pty " + target(link), pty->names().at(0));
  }
  EXPECT_FALSE(std::filesystem::is_symlink(link));
  {
    const auto pty = endpoint("PTY,unlink-close=0,symbolic-link=" + link);
    run(loop_, pty->prepare());
  }
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  {
    const auto pty = endpoint("PTY,link=" + link);
    run(loop_, pty->prepare());
    EXPECT_EQ("pty " + target(link), pty->names().at(0)) << "the one that was left behind is replaced";
    std::filesystem::remove(link);
    std::filesystem::create_symlink("/dev/pts/elsewhere", link);
  }
  EXPECT_EQ(target(link), "/dev/pts/elsewhere") << "another one's stays";
}

TEST_F(PtyAddress, LeavesAloneWhatIsNoLinkToATerminal) {
  Fd(::open(path("file").c_str(), O_CREAT | O_WRONLY, 0644));
  std::filesystem::create_symlink(path("file"), path("link"));
  std::filesystem::create_directory(path("folder"));
  for (const auto* name : {"file", "link", "folder"}) {
    EXPECT_NE(failure("PTY,link=" + path(name)).find("make the symbolic link"), std::string::npos) << name;
    EXPECT_TRUE(std::filesystem::exists(path(name))) << name;
  }
  // Who says so gets it.
  EXPECT_EQ(failure("PTY,unlink-early,link=" + path("file")), "it opened");
}

TEST_F(PtyAddress, GivesItsSlaveAMode) {
  const auto pty = endpoint("PTY,mode=0606");
  run(loop_, pty->prepare());
  struct stat status {};
  ASSERT_EQ(::stat(pty->names().at(0).substr(4).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0606U);
}

TEST_F(PtyAddress, TellsNobodyIfItIsToldNotTo) {
  for (const char* way : {"shut-none", "shut-close", "shut-down", "shut-null"}) {
    const auto pty = endpoint(std::string("PTY,") + way);
    auto stream = open(*pty);
    EXPECT_FALSE(stream->info().traits.can_finish) << way;
    const Fd slave = slave_of(*pty);
    write(*stream, "begun");
    finish(*stream);
    // Once it is echoed, it is in the slave's line.
    for (std::string seen; seen.find("begun") == seen.npos;) seen += read_once(*stream);
    int unread = -1;
    ASSERT_EQ(::ioctl(slave.get(), FIONREAD, &unread), 0);
    EXPECT_EQ(unread, 0) << way << ": no end-of-file character has made a line of it";
  }
}

TEST_F(PtyAddress, TakesItsLinkAwayAtOnceIfItIsToldTo) {
  const auto pty = endpoint("PTY,link=" + path("link") + ",unlink-late");
  auto stream = open(*pty);
  EXPECT_EQ(target(path("link")), "");
}

}  // namespace
}  // namespace sluice
