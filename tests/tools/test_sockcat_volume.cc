#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "sluice/core/bytes.h"
#include "sockcat.h"

/// Large transfers arrive whole, by every way of moving bytes, in memory that does not grow.
namespace sluice::test {
namespace {

std::size_t volume() { return under_sanitizers() ? mib(64) : mib(1024); }
constexpr long most_memory = 64 << 10;  // kB

/// A stream of bytes that depends on its position alone, so that neither loss, repetition nor disorder
/// passes.
class Pattern {
 public:
  Pattern() : block_(kib(1024) + period, '\0') {
    for (std::size_t i = 0; i < block_.size(); ++i)
      block_[i] = static_cast<char>((i % period) * 31 + (i % period >> 8));
  }
  /// Bytes from a position on.
  std::string_view from(std::size_t position, std::size_t most) const {
    return std::string_view(block_).substr(position % period, std::min(most, kib(1024)));
  }

 private:
  static constexpr std::size_t period = 65'521;  // a prime: no buffer has this size
  std::string block_;
};

void write_pattern(int fd, std::size_t count) {
  const Pattern pattern;
  for (std::size_t done = 0; done < count;) {
    const auto part = pattern.from(done, count - done);
    const ssize_t written = ::write(fd, part.data(), part.size());
    if (written <= 0) return;
    done += static_cast<std::size_t>(written);
  }
}

void expect_flat(pid_t pid) {
  if (under_sanitizers()) return;  // they keep freed memory
  EXPECT_LT(status_figure(pid, "VmHWM"), most_memory);
}

/// How many bytes came in order until the end. The programs' memory is looked at while the last of it still
/// waits for them: what is more than any pipe or socket holds.
std::size_t read_pattern(int fd, std::size_t size, const std::vector<pid_t>& programs) {
  constexpr std::size_t held_back = mib(16);
  const Pattern pattern;
  std::string buffer(kib(256), '\0');
  bool looked = false;
  for (std::size_t done = 0;;) {
    if (!looked && done + held_back >= size) {
      for (const pid_t program : programs) expect_flat(program);
      looked = true;
    }
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count <= 0) return done;
    const auto part = static_cast<std::size_t>(count);
    if (pattern.from(done, part) != std::string_view(buffer).substr(0, part)) return done;
    done += part;
  }
}

class Volume : public testing::TestWithParam<std::string> {
 protected:
  RunOptions options() const { return {.environment = {"SLUICE_DENY=" + GetParam()}}; }
  /// The fallbacks have their turn with less: they are here for correctness.
  std::size_t size() const { return GetParam() == "none" ? volume() : volume() / 16; }
};

TEST_P(Volume, FromAFileIntoAPipe) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("big");
  {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    write_pattern(file.get(), size());
  }
  Pipe pipe = make_pipe();
  RunOptions how = options();
  how.descriptors = {{1, pipe.writing.get()}};
  Running tool(sockcat({"-u", "FILE:" + path, "-"}), how);
  pipe.writing.reset();
  EXPECT_EQ(read_pattern(pipe.reading.get(), size(), {tool.pid()}), size());
  EXPECT_EQ(tool.wait(), (Ended{.status = 0}));
}

TEST_P(Volume, FromAPipeOverTcpIntoAFile) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/out";
  Serving receiver({"-u", "TCP4-LISTEN:0,bind=127.0.0.1", "CREATE:" + path}, options());
  Pipe pipe = make_pipe();
  RunOptions how = options();
  how.descriptors = {{0, pipe.reading.get()}};
  Running sender(sockcat({"-u", "-", "TCP4:127.0.0.1:" + std::to_string(receiver.port())}), how);
  pipe.reading.reset();
  write_pattern(pipe.writing.get(), size());
  expect_flat(sender.pid());
  expect_flat(receiver->pid());
  pipe.writing.reset();
  EXPECT_EQ(sender.wait(), (Ended{.status = 0}));
  EXPECT_EQ(receiver->wait().status, 0);
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(read_pattern(file.get(), size(), {}), size());
}

TEST_P(Volume, BetweenAfUnixAndTcpBothWays) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/s";
  Serving echo({"TCP4-LISTEN:0,bind=127.0.0.1", "PIPE"}, options());
  Serving bridge({"UNIX-LISTEN:" + path, "TCP4:127.0.0.1:" + std::to_string(echo.port())}, options());
  const Socket client = Socket::to_unix(path);
  auto writing = beside([&] {
    write_pattern(client.number(), size());
    client.finish();
  });
  EXPECT_EQ(read_pattern(client.number(), size(), {bridge->pid(), echo->pid()}), size());
  writing.get();
  EXPECT_EQ(bridge->wait().status, 0);
  EXPECT_EQ(echo->wait().status, 0);
}

TEST_P(Volume, ThroughAProgramBothWays) {
  for (const std::string address : {"EXEC:cat", "EXEC:cat,pipes"}) {
    Pipe in = make_pipe(), out = make_pipe();
    RunOptions how = options();
    how.descriptors = {{0, in.reading.get()}, {1, out.writing.get()}};
    Running tool(sockcat({"-", address}), how);
    in.reading.reset();
    out.writing.reset();
    auto writing = beside([&] {
      write_pattern(in.writing.get(), size());
      in.writing.reset();
    });
    EXPECT_EQ(read_pattern(out.reading.get(), size(), {tool.pid()}), size()) << address;
    writing.get();
    EXPECT_EQ(tool.wait(), (Ended{.status = 0})) << address;
  }
}

TEST_P(Volume, ThroughLineEndsAndFilters) {
  // Copied, not spliced: what is in between sees each byte.
  Pipe in = make_pipe(), out = make_pipe();
  RunOptions how = options();
  how.descriptors = {{0, in.reading.get()}, {1, out.writing.get()}};
  Running tool(sockcat({"-u", "-,crnl", "-"}), how);
  in.reading.reset();
  out.writing.reset();
  auto writing = beside([&] {
    const std::string lines = "one line\r\nanother\r\n";
    std::string block;
    while (block.size() < kib(512)) block += lines;
    for (std::size_t done = 0; done < size() / 16; done += block.size())
      if (::write(in.writing.get(), block.data(), block.size()) <= 0) break;
    in.writing.reset();
  });
  std::string buffer(kib(256), '\0');
  std::size_t returns = 0, newlines = 0;
  for (ssize_t count = 0; (count = ::read(out.reading.get(), buffer.data(), buffer.size())) > 0;) {
    returns += static_cast<std::size_t>(std::count(buffer.begin(), buffer.begin() + count, '\r'));
    newlines += static_cast<std::size_t>(std::count(buffer.begin(), buffer.begin() + count, '\n'));
  }
  writing.get();
  EXPECT_EQ(returns, 0U);
  EXPECT_GE(newlines, size() / 16 / 10);
  EXPECT_EQ(tool.wait(), (Ended{.status = 0}));
}

INSTANTIATE_TEST_SUITE_P(Large, Volume,
                         testing::Values("none", "splice", "reopen", "splice,reopen", "pidfd", "epoll",
                                         "splice,reopen,epoll,pidfd"),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::replace(name.begin(), name.end(), ',', '_');
                           return name == "none" ? std::string("Usual") : "Without_" + name;
                         });

/// A source that is faster than its target is held back and not stored.
TEST(BackPressure, ReachesTheSource) {
  const Socket server = Socket::listening_tcp();
  Pipe pipe = make_pipe(O_NONBLOCK);
  Running tool(sockcat({"-u", "-", "TCP4:127.0.0.1:" + std::to_string(server.port())}),
               {.descriptors = {{0, pipe.reading.get()}}});
  const Socket peer = server.accept();
  // Nobody reads at the peer. What fits is what the kernel's buffers hold.
  const std::string chunk(kib(64), 'x');
  std::size_t sum = 0;
  for (int full = 0; full < 20;) {
    const ssize_t count = ::write(pipe.writing.get(), chunk.data(), chunk.size());
    if (count > 0) {
      sum += static_cast<std::size_t>(count);
      full = 0;
    } else {
      ++full;
      ::usleep(5000);
    }
    ASSERT_LT(sum, mib(64));
  }
  expect_flat(tool.pid());
  pipe.writing.reset();
  EXPECT_EQ(peer.receive_all().size(), sum);
  EXPECT_EQ(tool.wait().status, 0);
}

}  // namespace
}  // namespace sluice::test
