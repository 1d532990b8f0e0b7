#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "sluice/core/bytes.h"
#include "sockcat.h"

/// What cannot be delivered is not read: it stays for whoever reads the source next.
namespace sluice::test {
namespace {

std::string rest_of(int fd) {
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  std::string all;
  char part[65536];
  for (ssize_t count = 0; (count = ::read(fd, part, sizeof part)) > 0;)
    all.append(part, static_cast<std::size_t>(count));
  return all;
}

void fill(int fd) {
  const int before = ::fcntl(fd, F_GETFL);
  ::fcntl(fd, F_SETFL, before | O_NONBLOCK);
  const std::string page(4096, '.');
  while (::write(fd, page.data(), page.size()) > 0) {
  }
  while (::write(fd, page.data(), 1) > 0) {
  }
  ::fcntl(fd, F_SETFL, before);
}

/// Both ends of something that holds `text`, for a program to read from one.
struct Source {
  const char* name;
  std::function<Pipe(const std::string& text)> make;
};

Pipe pair_of(int type) {
  int ends[2];
  check("create a pair", ::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends));
  return {Fd(ends[0]), Fd(ends[1])};
}

const std::vector<Source> sources = {
    {"a pipe",
     [](const std::string& text) {
       Pipe pipe = make_pipe();
       check("write", ::write(pipe.writing.get(), text.data(), text.size()));
       return pipe;
     }},
    {"a socket",
     [](const std::string& text) {
       Pipe pair = pair_of(SOCK_STREAM);
       check("write", ::write(pair.writing.get(), text.data(), text.size()));
       return pair;
     }},
    {"a datagram socket",
     [](const std::string& text) {
       Pipe pair = pair_of(SOCK_DGRAM);
       check("write", ::write(pair.writing.get(), text.data(), text.size()));
       return pair;
     }},
    {"a file",
     [](const std::string& text) {
       const TemporaryDirectory folder;
       return Pipe{Fd(::open(folder.file("f", text).c_str(), O_RDONLY | O_CLOEXEC)), Fd()};
     }},
};

/// An address of something that is full; descriptor 7 is `writing` of what it needs.
struct Target {
  std::string address;
  std::function<Pipe(const std::string& fifo)> make;
};

Pipe full_pipe(const std::string&) {
  Pipe pipe = make_pipe();
  fill(pipe.writing.get());
  return pipe;
}
Pipe full_socket(const std::string&) {
  Pipe pair = pair_of(SOCK_STREAM);
  fill(pair.writing.get());
  return pair;
}
Pipe full_fifo(const std::string& path) {
  check("make a FIFO", ::mkfifo(path.c_str(), 0600));
  Pipe ends{Fd(::open(path.c_str(), O_RDWR | O_CLOEXEC)), Fd()};
  fill(ends.reading.get());
  return ends;
}
Pipe nothing(const std::string&) { return {}; }

const std::vector<Target> targets = {
    {"STALL", nothing},           {"STALL,crnl", nothing},         {"FD:7", full_pipe},
    {"FD:7,crnl", full_pipe},     {"FD:7", full_socket},           {"OPEN:FIFO,wronly", full_fifo},
    {"STDIN!!FD:7", full_socket}, {"STDIN!!OPEN:FIFO", full_fifo},
};

void expect_left_alone(const Source& source, const Target& target, std::vector<std::string> words) {
  SCOPED_TRACE(std::string(source.name) + " to " + target.address + " with " + words.back());
  const TemporaryDirectory folder;
  const std::string fifo = folder.path() + "/fifo";
  const Pipe to = target.make(fifo);
  const Pipe from = source.make("data");
  std::string address = target.address;
  if (const auto at = address.find("FIFO"); at != address.npos) address.replace(at, 4, fifo);
  words.insert(words.end(), {"-T", "0.02", "-", address});
  RunOptions options{.descriptors = {{0, from.reading.get()}}};
  if (to.writing) options.descriptors[7] = to.writing.get();
  const Ended ended = run_sockcat(words, std::move(options));
  EXPECT_EQ(ended.err.find("delivered"), ended.err.npos) << ended.err;
  EXPECT_EQ(rest_of(from.reading.get()), "data");
}

TEST(FullTarget, LeavesTheSourceAlone) {
  for (const auto& source : sources)
    for (const auto& target : targets) expect_left_alone(source, target, {"-u"});
}

TEST(FullTarget, LeavesTheSourceAloneInEveryManner) {
  for (const auto& target : {targets[0], targets[2]})
    for (const std::vector<std::string>& manner :
         {std::vector<std::string>{"-u", "--socat"}, {"-u", "-v"}, {"-u", "-b", "3"}})
      expect_left_alone(sources[0], target, manner);
}

TEST(FullTarget, OfTheOtherDirectionLeavesTheSourceAlone) {
  const Pipe from = sources[0].make("data");
  const Pipe full = full_pipe({});
  run_sockcat({"-T", "0.03", "STALL!!FD:8", "FD:7!!OPEN:/dev/null"},
              {.descriptors = {{7, from.reading.get()}, {8, full.writing.get()}}});
  EXPECT_EQ(rest_of(from.reading.get()), "data");
}

TEST(FullTarget, EndsAtOnceBySignal) {
  const Pipe from = sources[0].make("data");
  Serving waiting({"-u", "-", "STALL"}, {.descriptors = {{0, from.reading.get()}}});
  waiting->signal(SIGTERM);
  const Ended ended = waiting->wait();
  EXPECT_EQ(ended.err.find("delivered"), ended.err.npos) << ended.err;
  EXPECT_EQ(rest_of(from.reading.get()), "data");
}

TEST(FullTarget, HearsOfTheEndOfItsSource) {
  EXPECT_EQ(run_sockcat({"-u", "-", "STALL"}).status, 0);
  Serving server({"-u", "TCP4-LISTEN:0,bind=127.0.0.1", "STALL"});
  Socket::to_tcp(server.port()).close();
  EXPECT_EQ(server->wait().status, 0);
}

TEST(FullTarget, GetsWhatComesOnceThereIsRoom) {
  for (const auto& source : sources) {
    const Pipe to = full_pipe({});
    Pipe from = source.make("data");
    Serving program({"-u", "-,readbytes=4", "FD:7"},
                    {.descriptors = {{0, from.reading.get()}, {7, to.writing.get()}}});
    std::string all = rest_of(to.reading.get());
    EXPECT_EQ(program->wait().status, 0) << source.name;
    all += rest_of(to.reading.get());
    EXPECT_EQ(all.substr(std::min(all.find_first_not_of('.'), all.size())), "data") << source.name;
  }
}

// However much flows: what was taken from the source is in the target.
TEST(FullTarget, ThatBecameFullLeavesTheRest) {
  const std::string text = sample(kib(700));
  const auto pass = [&](const Fd& from, const char* name) {
    const Pipe to = make_pipe();
    const Ended ended = run_sockcat({"-u", "-T", "0.05", "-", "FD:7"},
                                    {.descriptors = {{0, from.get()}, {7, to.writing.get()}}});
    EXPECT_EQ(ended.status, 124) << name;
    EXPECT_EQ(ended.err.find("delivered"), ended.err.npos) << ended.err;
    const std::string taken = rest_of(to.reading.get());
    EXPECT_LT(taken.size(), text.size());
    EXPECT_TRUE(taken + rest_of(from.get()) == text) << name;
  };
  const TemporaryDirectory folder;
  pass(Fd(::open(folder.file("f", text).c_str(), O_RDONLY | O_CLOEXEC)), "a file");
  const Pipe large = make_pipe();
  if (::fcntl(large.writing.get(), F_SETPIPE_SZ, static_cast<int>(mib(1))) < 0)
    GTEST_SKIP() << "no pipe of 1 MiB is to be had";
  ASSERT_EQ(::write(large.writing.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  pass(large.reading.duplicate(), "a pipe");
}

}  // namespace
}  // namespace sluice::test
