#include "sluice/endpoint/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "sluice/core/denied.h"
#include "sluice/core/failure.h"
#include "sluice/core/fd.h"
#include "sluice/stream/background.h"

namespace sluice {
namespace {

namespace process = boost::process::v2;

/// The steps of a child, for the message if one fails.
enum class Step : int { none, identity, terminal, chdir, duplicate, exec };
constexpr std::array<std::string_view, 6> step_names = {
    "", "change identity", "get a controlling terminal", "chdir", "duplicate a descriptor", "execute"};

const rlimit& inherited_descriptor_limit() {
  static const rlimit limit = [] {
    rlimit now{};
    ::getrlimit(RLIMIT_NOFILE, &now);
    return now;
  }();
  return limit;
}

/// What the child reads and where it writes how it failed: memory that both share until exec.
struct Launch {
  const Plan& plan;
  char* const* argv;
  char* const* environment;
  sigset_t mask;
  int beyond = 0;  ///< above every number of `moves`
  const rlimit& descriptors;
  bool in_child = true;
  Step failed = Step::none;
  const PrivilegeChange* refused = nullptr;
  int error = 0;
};

/// Runs in the child, on memory shared with its parent: system calls only, nothing allocated, nothing thrown.
/// Comes back only if it failed and this is no child.
__attribute__((no_sanitize("address", "undefined"))) int set_up_and_execute(void* argument) {
  Launch& launch = *static_cast<Launch*>(argument);
  const Plan& plan = launch.plan;
  const auto fail = [&](Step step) {
    launch.error = errno;
    launch.failed = step;
    // Not _exit(2), before which AddressSanitizer looks at the stack and does not know this one.
    if (launch.in_child) ::syscall(SYS_exit_group, 127);
    return 127;
  };
  // What we ignore or handle is not the program's business.
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGCHLD})
    ::sigaction(signal, &usual, nullptr);
  const auto change = [&](const PrivilegeChange& one) {
    if (change_calling_thread(one)) return true;
    launch.refused = &one;
    fail(Step::identity);
    return false;
  };
  if (plan.umask) ::umask(*plan.umask);
  if (plan.directory && ::chdir(plan.directory->c_str()) != 0) return fail(Step::chdir);
  for (const auto& one : plan.identity.early)
    if (!change(one)) return 127;
  // First all out of the way, then each to its place: places may be among the sources.
  int moved[16];
  std::size_t count = 0;
  for (const auto& move : plan.moves) {
    moved[count] = ::fcntl(move.first, F_DUPFD_CLOEXEC, launch.beyond);
    if (moved[count] < 0) return fail(Step::duplicate);
    ++count;
  }
  const int executable = plan.executable < 0 ? -1 : ::fcntl(plan.executable, F_DUPFD_CLOEXEC, launch.beyond);
  for (std::size_t i = 0; i < count; ++i)
    if (::dup2(moved[i], plan.moves[i].second) < 0) return fail(Step::duplicate);
  for (const auto& one : plan.identity.late)
    if (!one.last && !change(one)) return 127;
  // Only a session's leader may have one; who leads one already stays it.
  if (plan.terminal) {
    ::setsid();
    if (::ioctl(*plan.terminal, TIOCSCTTY, 0) != 0) return fail(Step::terminal);
  }
  for (const auto& one : plan.identity.late)
    if (one.last && !change(one)) return 127;
  ::setrlimit(RLIMIT_NOFILE, &launch.descriptors);
  ::sigprocmask(SIG_SETMASK, &launch.mask, nullptr);
  if (plan.executable >= 0)
    ::syscall(SYS_execveat, executable, "", launch.argv, launch.environment, AT_EMPTY_PATH);
  else
    ::execve(plan.program.c_str(), launch.argv, launch.environment);
  return fail(Step::exec);
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void throw_failed(const Plan& plan, const Launch& launch) {
  const Step step = launch.failed;
  const std::error_code why(launch.error, std::generic_category());
  if (step == Step::identity) throw Failure(plan.asked_by + ": " + failed_change(*launch.refused), why);
  const std::string name(step_names[static_cast<std::size_t>(step)]);
  if (step != Step::exec)
    throw Failure(name + (step == Step::chdir ? ' ' + *plan.directory : " for " + plan.program), why);
  throw Failure(
      name + ' ' + plan.program, why,
      launch.error == ENOENT || launch.error == ENOTDIR ? ExitStatus::not_found : ExitStatus::not_executable);
}

/// A stack for the child until it executes.
class Stack {
 public:
  Stack()
      : memory_(
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {
    if (memory_ == MAP_FAILED) throw Failure("allocate a stack", last_error());
  }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  ~Stack() { ::munmap(memory_, size); }
  void* top() const { return static_cast<char*>(memory_) + size; }

 private:
  static constexpr std::size_t size = 64 << 10;
  void* memory_;
};

/// A descriptor that becomes readable when a child ends: its pidfd, or without them the end of a pipe that a
/// waiting thread closes. The child is left to be reaped.
int descriptor_of(pid_t pid) {
  if (!denied(Facility::pidfd)) {
    const auto fd = ::syscall(SYS_pidfd_open, pid, 0);
    if (fd >= 0) return static_cast<int>(fd);
  }
  int ends[2];
  check("create a pipe", ::pipe2(ends, O_CLOEXEC));
  quiet_thread([pid, end = ends[1]] {
    siginfo_t info;
    while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    ::close(end);
  }).detach();
  return ends[0];
}

/// Boost.Process wants an executor, even of who waits for the end of its processes otherwise.
boost::asio::io_context& unused_context() {
  static boost::asio::io_context context;
  return context;
}

/// Whether a file can be executed; `found` if it is one at all. Within a root it is looked at, not asked for:
/// who goes there may do what others may not.
bool is_program(const std::string& root, const std::string& path, bool& found) {
  struct stat status {};
  if (root.empty()) {
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
    found = true;
    return ::access(path.c_str(), X_OK) == 0;
  }
  const Fd file = open_in_root(root, path, O_PATH);
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  found = true;
  return (status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
}

}  // namespace

std::string find_program(const std::string& name, const char* path, const std::string& root) {
  if (name.find('/') != name.npos) return name;
  bool found = false;
  for (std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";;) {
    const auto colon = rest.find(':');
    const auto folder = rest.substr(0, colon);
    std::string candidate = folder.empty() ? name : std::string(folder) + '/' + name;
    if (is_program(root, candidate, found)) return candidate;
    if (colon == rest.npos) break;
    rest.remove_prefix(colon + 1);
  }
  if (found)
    throw Failure("execute " + name, std::error_code(EACCES, std::generic_category()),
                  ExitStatus::not_executable);
  throw Failure("execute " + name, std::error_code(ENOENT, std::generic_category()), ExitStatus::not_found);
}

Spawned spawn(const Plan& plan) {
  const auto argv = pointers_to(plan.arguments);
  const auto environment = pointers_to(plan.environment);
  Launch launch{plan, argv.data(), environment.data(), {}, 10, inherited_descriptor_limit()};
  for (const auto& [from, to] : plan.moves) launch.beyond = std::max(launch.beyond, to + 1);
  const Stack stack;
  // No signal may run a handler in the child while it shares our memory.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &launch.mask);
  const pid_t pid = ::clone(set_up_and_execute, stack.top(), CLONE_VM | CLONE_VFORK | SIGCHLD, &launch);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &launch.mask, nullptr);
  if (pid < 0)
    throw Failure("start a process", std::error_code(error, std::generic_category()),
                  ExitStatus::not_executable);
  if (launch.failed != Step::none) {
    ::waitpid(pid, nullptr, 0);
    throw_failed(plan, launch);
  }
  Fd ended(descriptor_of(pid));
  const int theirs = ended.duplicate().release();
  return {process::process(unused_context().get_executor(), pid, theirs), std::move(ended)};
}

void become(const Plan& plan) {
  const auto argv = pointers_to(plan.arguments);
  const auto environment = pointers_to(plan.environment);
  Launch launch{plan, argv.data(), environment.data(), {}, 10, inherited_descriptor_limit()};
  for (const auto& [from, to] : plan.moves) launch.beyond = std::max(launch.beyond, to + 1);
  ::sigemptyset(&launch.mask);
  launch.in_child = false;
  set_up_and_execute(&launch);
  throw_failed(plan, launch);
}

void raise_descriptor_limit() {
  rlimit limit = inherited_descriptor_limit();
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace sluice
