#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "traffic.h"

namespace sluice::bench {

void start_up(Words words) {
  std::vector<std::int64_t> samples(static_cast<std::size_t>(number_of(words[0])));
  const std::string program = words[1];
  std::vector<char*> arguments(words.begin() + 1, words.end());
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  for (std::int64_t& sample : samples) {
    const std::int64_t start = now();
    pid_t child = 0;
    errno = ::posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments.data(), environ);
    check("start " + program, errno == 0 ? 0 : -1);
    int status = 0;
    check("wait for " + program, ::waitpid(child, &status, 0));
    sample = now() - start;
    if (status != 0) throw Failure(program + " ended with wait status " + std::to_string(status));
  }
  ::posix_spawn_file_actions_destroy(&actions);
  report({{"median", quantile(samples, 0.5)}, {"p90", quantile(samples, 0.9)}});
}

}  // namespace sluice::bench
