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

#include <sys/prctl.h>

#include <algorithm>
#include <cstring>
#include <shared_mutex>

#include "sluice/core/denied.h"
#include "sluice/core/failure.h"
#include "sluice/core/fd.h"
#include "sluice/stream/background.h"
#include "sluice/stream/descriptor.h"

namespace sluice {
namespace {

namespace process = boost::process::v2;

/// The steps of a child, for the message if one fails.
enum class Step : int { none, identity, terminal, chdir, duplicate, exec };
constexpr std::array<std::string_view, 6> step_names = {
    "", "change identity", "get a controlling terminal", "chdir", "duplicate a descriptor", "execute"};

/// What this process was started with, and its programs are to be started with too.
struct Inherited {
  rlimit descriptors{};
  sigset_t mask{};
};

/// As it is at the first call: before limits are raised, and on a thread that hears signals.
const Inherited& inherited() {
  static const Inherited at_first = [] {
    Inherited now;
    ::getrlimit(RLIMIT_NOFILE, &now.descriptors);
    ::pthread_sigmask(SIG_SETMASK, nullptr, &now.mask);
    return now;
  }();
  return at_first;
}

/// How a child failed.
struct Complaint {
  Step step = Step::none;
  const PrivilegeChange* refused = nullptr;  ///< where that is what failed; an address in our memory
  int error = 0;
};

/// What the child reads, and where it writes how it failed.
struct Launch {
  explicit Launch(const Plan& of);

  const Plan& plan;
  const Inherited& started_with = inherited();
  std::vector<std::string> texts;  ///< the environment
  std::vector<char*> argv;
  std::vector<char*> environment;
  char* number = nullptr;  ///< where the child's own is to be written
  int beyond = 10;         ///< above every number of `moves`
  bool in_child = true;
  int reporting = -1;   ///< a pipe that takes the complaint of a child with memory of its own
  Complaint complaint;  ///< of a child that shares ours
};

/// Room for the digits of a process's number.
constexpr std::size_t number_room = 20;

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

Launch::Launch(const Plan& of) : plan(of), texts(of.environment), argv(pointers_to(of.arguments)) {
  std::size_t name_size = 0;
  if (of.number_variable) {
    name_size = of.number_variable->size() + 1;
    texts.push_back(*of.number_variable + '=' + std::string(number_room, '\0'));
  }
  environment = pointers_to(texts);
  if (of.number_variable) number = texts.back().data() + name_size;
  for (const auto& move : of.moves) beyond = std::max(beyond, move.second + 1);
}

/// Writes a number's digits and an end; allocates nothing.
__attribute__((no_sanitize("address", "undefined"))) void write_number(char* to, pid_t number) {
  char reversed[number_room];
  int count = 0;
  do reversed[count++] = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  while (count > 0) *to++ = reversed[--count];
  *to = '\0';
}

/// Runs in the child, maybe on memory shared with its parent: system calls only, nothing allocated, nothing
/// thrown. Comes back only if it failed and this is not a child.
__attribute__((no_sanitize("address", "undefined"))) int set_up_and_execute(void* argument) {
  Launch& launch = *static_cast<Launch*>(argument);
  const Plan& plan = launch.plan;
  const auto fail = [&](Step step) {
    launch.complaint.error = errno;
    launch.complaint.step = step;
    if (launch.reporting >= 0) [[maybe_unused]]
      auto ignored = ::write(launch.reporting, &launch.complaint, sizeof launch.complaint);
    // Not _exit(2), before which AddressSanitizer looks at the stack and does not know this one.
    if (launch.in_child) ::syscall(SYS_exit_group, 127);
    return 127;
  };
  // What we ignore or handle is not the program's business.
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (const int signal : {SIGPIPE, SIGXFSZ, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGCHLD})
    ::sigaction(signal, &usual, nullptr);
  const auto change = [&](const PrivilegeChange& one) {
    const bool changed = change_calling_thread(one);
    // Whoever it becomes must not look into what is still our memory; executing the program allows it again.
    // The kernel sets this anew at each change of user (fs.suid_dumpable).
    if (launch.reporting >= 0) ::prctl(PR_SET_DUMPABLE, 0);
    if (changed) return true;
    launch.complaint.refused = &one;
    fail(Step::identity);
    return false;
  };
  if (launch.reporting >= 0) {
    launch.reporting = ::fcntl(launch.reporting, F_DUPFD_CLOEXEC, launch.beyond);
    ::prctl(PR_SET_DUMPABLE, 0);
  }
  if (launch.number != nullptr) write_number(launch.number, ::getpid());
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
  ::setrlimit(RLIMIT_NOFILE, &launch.started_with.descriptors);
  ::sigprocmask(SIG_SETMASK, &launch.started_with.mask, nullptr);
  if (plan.executable >= 0)
    ::syscall(SYS_execveat, executable, "", launch.argv.data(), launch.environment.data(), AT_EMPTY_PATH);
  else
    ::execve(plan.program.c_str(), launch.argv.data(), launch.environment.data());
  return fail(Step::exec);
}

[[noreturn]] void throw_failed(const Plan& plan, const Complaint& complaint) {
  const Step step = complaint.step;
  const std::error_code why(complaint.error, std::generic_category());
  if (step == Step::identity) throw Failure(plan.asked_by + ": " + failed_change(*complaint.refused), why);
  const std::string name(step_names[static_cast<std::size_t>(step)]);
  if (step != Step::exec)
    throw Failure(name + (step == Step::chdir ? ' ' + *plan.directory : " for " + plan.program), why);
  throw Failure(name + ' ' + plan.program, why,
                complaint.error == ENOENT || complaint.error == ENOTDIR ? ExitStatus::not_found
                                                                        : ExitStatus::not_executable);
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

namespace {

/// Held alone while the writing end of a report is open here: a child that another thread starts meanwhile
/// would hold it open as well. Held together by those that start children otherwise.
std::shared_mutex& report_is_open() {
  static std::shared_mutex mutex;
  return mutex;
}

pid_t start(Launch& launch, const Stack& stack, int flags) {
  // No signal may run a handler of ours in the child.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::clone(set_up_and_execute, stack.top(), flags | SIGCHLD, &launch);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid >= 0) return pid;
  throw Failure("start a process", std::error_code(error, std::generic_category()),
                ExitStatus::not_executable);
}

Spawned started(pid_t pid) {
  Fd ended(descriptor_of(pid));
  const int theirs = ended.duplicate().release();
  return {process::process(unused_context().get_executor(), pid, theirs), std::move(ended)};
}

/// A child that has not executed its program yet: killed and reaped, unless it has been let go.
class Unstarted {
 public:
  explicit Unstarted(pid_t pid) : pid_(pid) {}
  ~Unstarted() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Unstarted(const Unstarted&) = delete;
  Unstarted& operator=(const Unstarted&) = delete;
  pid_t let_go() { return std::exchange(pid_, -1); }

 private:
  pid_t pid_;
};

/// How long a child may take from its start to its program.
constexpr Duration longest_start = std::chrono::seconds(5);

}  // namespace

Spawned spawn(const Plan& plan) {
  Launch launch(plan);
  const Stack stack;
  const pid_t pid = [&] {
    const std::shared_lock together(report_is_open());
    return start(launch, stack, CLONE_VM | CLONE_VFORK);
  }();
  if (launch.complaint.step != Step::none) {
    ::waitpid(pid, nullptr, 0);
    throw_failed(plan, launch.complaint);
  }
  return started(pid);
}

Task<Spawned> spawn(const Plan& plan, const Session& session) {
  if (plan.identity.empty()) co_return spawn(plan);
  Fd reports;
  pid_t pid = -1;
  {
    const std::unique_lock alone(report_is_open());
    int ends[2];
    check("create a pipe", ::pipe2(ends, O_CLOEXEC | O_NONBLOCK));
    reports.reset(ends[0]);
    const Fd reporting(ends[1]);
    Launch launch(plan);
    launch.reporting = reporting.get();
    const Stack stack;
    pid = start(launch, stack, 0);
  }
  Unstarted child(pid);
  Descriptor report(session.loop, std::move(reports));
  Complaint complaint;
  const auto begun = Clock::now();
  constexpr Duration nap = std::chrono::milliseconds(100);
  for (;;) {
    // The report ends without a word once the program is executed.
    const Attempt got = report.try_read(Bytes(reinterpret_cast<char*>(&complaint), sizeof complaint));
    if (got.count == 0) break;
    if (got.count > 0) throw_failed(plan, complaint);
    const Duration limit = session.draining ? std::min(session.limits.grace, longest_start) : longest_start;
    if (!got.would_block() || Clock::now() - begun >= limit)
      throw Failure(plan.asked_by + ": its program has not begun within " +
                        std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(limit).count()) +
                        " ms",
                    ExitStatus::not_executable);
    co_await report.wait_until(Descriptor::readable, Clock::now() + nap);
  }
  co_return started(child.let_go());
}

void become(const Plan& plan) {
  Launch launch(plan);
  launch.in_child = false;
  set_up_and_execute(&launch);
  throw_failed(plan, launch.complaint);
}

void raise_descriptor_limit() {
  rlimit limit = inherited().descriptors;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace sluice
