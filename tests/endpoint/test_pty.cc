#include <fcntl.h>
#include <gtest/gtest.h>
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

TEST_F(PtyAddress, EndsWhenItsSlaveIsClosedAndLosesNothingBefore) {
  const auto pty = endpoint("PTY");
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

TEST_F(PtyAddress, ASecondStreamOfItDoesNotEndBeforeSomebodyComes) {
  const auto pty = endpoint("PTY");
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

}  // namespace
}  // namespace sluice
