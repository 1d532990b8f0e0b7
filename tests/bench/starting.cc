#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <atomic>
#include <future>

#include "traffic.h"

namespace sluice::bench {
namespace {

/// What stands at a new program's standard input and output.
class Ends {
 public:
  Ends() { ::posix_spawn_file_actions_init(&actions_); }
  ~Ends() { ::posix_spawn_file_actions_destroy(&actions_); }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  void open(int number, const char* path, int flags) {
    ::posix_spawn_file_actions_addopen(&actions_, number, path, flags, 0);
  }
  void copy(int from, int number) { ::posix_spawn_file_actions_adddup2(&actions_, from, number); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

/// `words` are the program's name and its arguments.
pid_t start(Words words, const Ends& ends) {
  std::vector<char*> arguments(words.begin(), words.end());
  arguments.push_back(nullptr);
  pid_t child = 0;
  errno = ::posix_spawnp(&child, arguments[0], ends.get(), nullptr, arguments.data(), environ);
  check(std::string("start ") + arguments[0], errno == 0 ? 0 : -1);
  return child;
}

/// Waits for an end in good order; returns what the program has used.
rusage end_of(Words words, pid_t child) {
  int status = 0;
  rusage usage{};
  check(std::string("wait for ") + words[0], ::wait4(child, &status, 0, &usage));
  if (status != 0) throw Failure(std::string(words[0]) + " ended with wait status " + std::to_string(status));
  return usage;
}

std::int64_t nanoseconds_of(const timeval& time) {
  return (std::int64_t{time.tv_sec} * 1'000'000 + time.tv_usec) * 1000;
}

/// A program that echoes is started, gives back a byte, and ends.
void exchange_with(Words words) {
  int sockets[2];
  check("create sockets", ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
  const Fd ours(sockets[0]);
  Fd its(sockets[1]);
  Ends ends;
  ends.copy(its.get(), 0);
  ends.copy(its.get(), 1);
  const pid_t child = start(words, ends);
  its.reset();
  char byte = 'x';
  check("write", ::write(ours.get(), &byte, 1));
  if (check("read", ::read(ours.get(), &byte, 1)) != 1) throw Failure("the program did not answer");
  ::shutdown(ours.get(), SHUT_WR);
  end_of(words, child);
}

}  // namespace

void run(Words words) {
  const std::int64_t begin = now();
  const rusage usage = end_of(words, start(words, Ends()));
  report(
      {{"elapsed", now() - begin}, {"cpu", nanoseconds_of(usage.ru_utime) + nanoseconds_of(usage.ru_stime)}});
}

void start_up(Words words) {
  std::vector<std::int64_t> samples(static_cast<std::size_t>(number_of(words[0])));
  const Words command = words.subspan(1);
  Ends ends;
  ends.open(0, "/dev/null", O_RDONLY);
  ends.open(1, "/dev/null", O_WRONLY);
  for (std::int64_t& sample : samples) {
    const std::int64_t before = now();
    end_of(command, start(command, ends));
    sample = now() - before;
  }
  report({{"median", quantile(samples, 0.5)}, {"p90", quantile(samples, 0.9)}});
}

void start_rate(Words words) {
  const Words command = words.subspan(2);
  const std::int64_t begin = now(), until = begin + number_of(words[1]) * nanoseconds_per_ms;
  std::atomic<std::int64_t> count = 0;
  std::vector<std::future<void>> at_once(static_cast<std::size_t>(number_of(words[0])));
  for (auto& one : at_once)
    one = std::async(std::launch::async, [&] {
      for (; now() < until; ++count) exchange_with(command);
    });
  for (auto& one : at_once) one.get();
  report({{"count", count}, {"failed", 0}, {"elapsed", now() - begin}});
}

}  // namespace sluice::bench
