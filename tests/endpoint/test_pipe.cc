#include <gtest/gtest.h>
#include <sys/stat.h>

#include "opened.h"

namespace sluice {
namespace {

class Pipe : public testing::EndpointTest {
 protected:
  bool is_fifo(const std::string& name) {
    struct stat status {};
    return ::stat(path(name).c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
  }
};

TEST_F(Pipe, WithoutANameIsAnEcho) {
  auto stream = open("PIPE");
  write(*stream, "echo");
  finish(*stream);
  EXPECT_EQ(read(*stream), "echo");
}

TEST_F(Pipe, WithANameIsAFifoThatGoesWithItsMaker) {
  {
    auto stream = open("PIPE:" + path("p") + ",mode=600");
    EXPECT_TRUE(is_fifo("p"));
    EXPECT_FALSE(stream->info().traits.input_ends) << "we hold its other side ourselves";
    const Fd other(::open(path("p").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    ASSERT_EQ(::write(other.get(), "hi", 2), 2);
    EXPECT_EQ(read_once(*stream), "hi");
    close(*stream);
  }
  EXPECT_FALSE(is_fifo("p"));
}

TEST_F(Pipe, LeavesAFifoThatWasThereBefore) {
  ASSERT_EQ(::mkfifo(path("old").c_str(), 0600), 0);
  { auto stream = open("PIPE:" + path("old")); }
  EXPECT_TRUE(is_fifo("old"));
}

TEST_F(Pipe, WaitsForAReaderWithoutBlockingTheLoop) {
  ASSERT_EQ(::mkfifo(path("w").c_str(), 0600), 0);
  Fd reader;
  const auto read_later = [](Loop& on, std::string name, Fd& into) -> Task<> {
    co_await on.yield();
    into.reset(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  };
  loop_.start(read_later(loop_, path("w"), reader));
  auto stream = open("PIPE:" + path("w"), Use::writing);
  write(*stream, "x");
  char byte = 0;
  EXPECT_EQ(::read(reader.get(), &byte, 1), 1);
}

TEST_F(Pipe, TakesOptionsOfItsFileOnceItIsOpen) {
  auto stream = open("PIPE:" + path("p") + ",perm-late=640,mode=600");
  struct stat status {};
  ASSERT_EQ(::stat(path("p").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
  stream = open("PIPE:" + path("q") + ",unlink-late");
  EXPECT_FALSE(is_fifo("q"));
}

TEST_F(Pipe, WithoutANameTakesThoseOfADescriptor) {
  auto stream = open("PIPE,mode=640,append");
  struct stat status {};
  ASSERT_EQ(::fstat(stream->info().out, &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
  EXPECT_NE(::fcntl(stream->info().in, F_GETFL) & O_APPEND, 0);
  EXPECT_NE(open("PIPE,setlk-rd"), nullptr);
}

TEST_F(Pipe, IsOpenedAtOnceWithoutWritersIfItIsNotToBlock) {
  ASSERT_EQ(::mkfifo(path("p").c_str(), 0600), 0);
  auto stream = open("OPEN:" + path("p") + ",rdonly,nonblock", Use::reading);
  const auto write_later = [](Loop& on, const std::string& path) -> Task<> {
    co_await on.yield();
    const Fd writer(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    EXPECT_EQ(::write(writer.get(), "late", 4), 4);
  };
  const std::string name = path("p");
  loop_.start(write_later(loop_, name));
  EXPECT_EQ(read(*stream), "late") << "and no end before";
}

}  // namespace
}  // namespace sluice
