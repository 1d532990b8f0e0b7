#include "run.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "sluice/endpoint/process.h"

namespace sluice::test {
namespace {

namespace process = boost::process::v2;
using boost::system::error_code;

/// Above every number that a test asks for in the child.
constexpr int out_of_the_way = 100;

/// Runs in the child between fork and exec, as an initializer of Boost.Process's launcher.
struct ChildSetup {
  const RunOptions& options;
  const std::string& name;
  std::map<int, int> descriptors;  // the child's number, ours

  template <class Launcher>
  error_code on_exec_setup(Launcher&, const std::filesystem::path&, const char* const*& words) const {
    const_cast<const char**>(words)[0] = name.c_str();  // the launcher puts the path there
    std::map<int, int> copies;
    for (const auto& [target, source] : descriptors)
      copies[target] = ::fcntl(source, F_DUPFD, out_of_the_way);
    // The launcher leaves some descriptors open; its own error pipe is close-on-exec anyway.
    ::syscall(SYS_close_range, 3U, ~0U, 1U << 2 /* CLOSE_RANGE_CLOEXEC */);
    for (const auto& [target, copy] : copies)
      if (::dup2(copy, target) < 0) return failed();
    for (const int fd : options.closed) ::close(fd);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, options.ignore_broken_pipe ? SIG_IGN : SIG_DFL);
    // What a shell has its background jobs ignore is no business of what is tested.
    for (const int number : {SIGINT, SIGQUIT, SIGHUP}) ::signal(number, SIG_DFL);
    if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) return failed();
    if (!options.user) return {};
    const gid_t group = *options.user;
    if (::setgroups(0, nullptr) != 0 || ::setgid(group) != 0 || ::setuid(*options.user) != 0) return failed();
    return {};
  }
  // The launcher looks for the first and calls the second; its own way out would flush our stdout twice.
  template <class Launcher, class Words>
  void on_exec_error(Launcher&, const error_code&, const std::filesystem::path&, Words,
                     const error_code&) const {}
  template <class Launcher, class Words>
  void on_exec_error(Launcher&, const std::filesystem::path&, Words, const error_code&) const {
    ::_exit(127);
  }

  static error_code failed() { return {errno, boost::system::system_category()}; }
};

std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
  std::vector<std::string> result;
  const auto name_of = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (std::none_of(changes.begin(), changes.end(),
                     [&](const std::string& change) { return name_of(change) == name_of(*entry); }))
      result.emplace_back(*entry);
  for (const std::string& change : changes)
    if (change.find('=') != change.npos) result.push_back(change);
  return result;
}

std::filesystem::path executable_of(const std::string& word) {
  if (word.find('/') != word.npos) return word;
  auto found = process::environment::find_executable(word);
  if (found.empty()) throw Failure("no program is called " + word);
  return found;
}

struct Capture {
  Fd reading;
  std::string text;
};

}  // namespace

class Running::Process {
 public:
  Process(const std::vector<std::string>& words, RunOptions options)
      : options_(std::move(options)), name_(words.front()), handle_(context_.get_executor()) {
    ::signal(SIGPIPE, SIG_IGN);  // a program that does not read its input is no reason to die
    std::vector<Fd> childs;
    ChildSetup child{.options = options_, .name = words.front(), .descriptors = options_.descriptors};
    const auto ours = [&](int target) {
      return !child.descriptors.contains(target) &&
             std::find(options_.closed.begin(), options_.closed.end(), target) == options_.closed.end();
    };
    if (ours(0)) {
      Pipe pipe = make_pipe();
      input_ = std::move(pipe.writing);
      ::fcntl(input_.get(), F_SETFL, O_NONBLOCK);
      child.descriptors[0] = pipe.reading.get();
      childs.push_back(std::move(pipe.reading));
    }
    std::vector<int> captured = {1, 2};
    captured.insert(captured.end(), options_.captured.begin(), options_.captured.end());
    for (const int target : captured) {
      if (!ours(target)) continue;
      Pipe pipe = make_pipe();
      captures_[target].reading = std::move(pipe.reading);
      child.descriptors[target] = pipe.writing.get();
      childs.push_back(std::move(pipe.writing));
    }
    start(words, child);
    write(options_.input);
    if (!options_.more_input) input_ends_ = true;
  }

  ~Process() {
    if (!reaped_) kill_and_reap();
  }

  pid_t pid() const { return pid_; }
  void write(std::string_view text) { pending_ += text; }
  void end_input() { input_ends_ = true; }
  bool all_written() const { return pending_.empty() || !input_; }
  void close_input() { input_.reset(); }
  Capture& capture(int descriptor) { return captures_.at(descriptor); }
  void stop_reading(int descriptor) { capture(descriptor).reading.reset(); }

  /// Moves bytes both ways until a condition holds; past the deadline the program is killed.
  void run_until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!done()) {
      const auto left = end - std::chrono::steady_clock::now();
      const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
      if (milliseconds <= 0) {
        ADD_FAILURE() << name_ << " was not done after " << deadline.count() << " s";
        throw Failure(name_ + " took too long");
      }
      turn(static_cast<int>(milliseconds));
    }
  }

  Ended wait() {
    end_input();
    run_until([this] { return exited_ && std::none_of(captures_.begin(), captures_.end(), open); });
    reap();
    Ended result;
    for (auto& [descriptor, capture] : captures_) {
      std::string& into = descriptor == 1   ? result.out
                          : descriptor == 2 ? result.err
                                            : result.captured[descriptor];
      into = std::move(capture.text);
    }
    const int native = handle_.native_exit_code();
    if (WIFSIGNALED(native))
      result.signal = WTERMSIG(native);
    else
      result.status = WEXITSTATUS(native);
    return result;
  }

 private:
  static bool open(const std::pair<const int, Capture>& entry) {
    return static_cast<bool>(entry.second.reading);
  }

  void start(const std::vector<std::string>& words, const ChildSetup& child) {
    const auto environment = environment_with(options_.environment);
    process::default_process_launcher launcher;
    for (const auto& [target, source] : child.descriptors)
      if (target > 2) launcher.fd_whitelist.push_back(target);
    error_code error;
    handle_ = launcher(context_.get_executor(), error, executable_of(words.front()),
                       std::vector<std::string>(words.begin() + 1, words.end()),
                       process::process_environment(environment), child);
    if (error) {
      // The launcher leaves a zombie behind when exec fails.
      if (launcher.pid > 0) ::waitpid(launcher.pid, nullptr, 0);
      reaped_ = true;
      throw Failure("start " + words.front(), std::error_code(error.value(), std::generic_category()));
    }
    pid_ = launcher.pid;
    exit_ = Fd(check("watch a process", static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))));
  }

  void turn(int milliseconds) {
    if (input_ && pending_.empty() && input_ends_) input_.reset();
    std::vector<pollfd> waits;
    if (input_ && !pending_.empty()) waits.push_back({.fd = input_.get(), .events = POLLOUT, .revents = 0});
    for (const auto& [descriptor, capture] : captures_)
      if (capture.reading) waits.push_back({.fd = capture.reading.get(), .events = POLLIN, .revents = 0});
    if (!exited_) waits.push_back({.fd = exit_.get(), .events = POLLIN, .revents = 0});
    ::poll(waits.data(), waits.size(), milliseconds);
    for (const pollfd& wait : waits) {
      if (wait.revents == 0) continue;
      if (wait.fd == exit_.get())
        exited_ = true;
      else if (wait.fd == input_.get())
        write_pending();
      else
        read_from(wait.fd);
    }
  }

  void write_pending() {
    const ssize_t count = ::write(input_.get(), pending_.data() + written_, pending_.size() - written_);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) return pending_.clear(), input_.reset();  // it does not read: an outcome, not an error
    written_ += static_cast<std::size_t>(count);
    if (written_ < pending_.size()) return;
    pending_.clear();
    written_ = 0;
  }

  void read_from(int fd) {
    static thread_local std::vector<char> buffer(std::size_t{1} << 18);
    const auto found = std::find_if(captures_.begin(), captures_.end(),
                                    [fd](const auto& entry) { return entry.second.reading.get() == fd; });
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) return;
    if (count <= 0) return found->second.reading.reset();
    found->second.text.append(buffer.data(), static_cast<std::size_t>(count));
  }

  void reap() {
    if (reaped_) return;
    handle_.wait();
    reaped_ = true;
  }

  void kill_and_reap() {
    ::kill(pid_, SIGKILL);
    reap();
  }

  RunOptions options_;
  std::string name_;
  boost::asio::io_context context_;
  process::process handle_;
  pid_t pid_ = -1;
  Fd exit_;  // a pidfd
  Fd input_;
  std::string pending_;
  std::size_t written_ = 0;
  bool input_ends_ = false;
  bool exited_ = false;
  bool reaped_ = false;
  std::map<int, Capture> captures_;
};

Running::Running(const std::vector<std::string>& words, RunOptions options)
    : process_(std::make_unique<Process>(words, std::move(options))) {}
Running::~Running() = default;

pid_t Running::pid() const { return process_->pid(); }

void Running::write(std::string_view text) {
  process_->write(text);
  process_->run_until([this] { return process_->all_written(); });
}

void Running::finish_input() {
  process_->run_until([this] { return process_->all_written(); });
  process_->close_input();
}

std::optional<std::string> Running::line(int descriptor) {
  Capture& capture = process_->capture(descriptor);
  process_->run_until([&] { return capture.text.find('\n') != capture.text.npos || !capture.reading; });
  if (capture.text.empty()) return {};
  const std::size_t end = std::min(capture.text.find('\n'), capture.text.size());
  std::string line = capture.text.substr(0, end);
  capture.text.erase(0, end + 1);
  return line;
}

std::string Running::bytes(std::size_t count, int descriptor) {
  Capture& capture = process_->capture(descriptor);
  process_->run_until([&] { return capture.text.size() >= count || !capture.reading; });
  std::string text = capture.text.substr(0, count);
  capture.text.erase(0, count);
  return text;
}

void Running::signal(int number) { check("signal a process", ::kill(process_->pid(), number)); }
void Running::stop_reading(int descriptor) { process_->stop_reading(descriptor); }
Ended Running::wait() { return process_->wait(); }

void PrintTo(const Ended& ended, std::ostream* to) {
  *to << "status " << ended.status << ", signal " << ended.signal << ", out "
      << testing::PrintToString(ended.out.substr(0, 1000)) << ", err " << testing::PrintToString(ended.err);
}

Ended run(const std::vector<std::string>& words, RunOptions options) {
  return Running(words, std::move(options)).wait();
}

TemporaryDirectory::TemporaryDirectory()
    : path_((std::filesystem::temp_directory_path() / "sluice-test-XXXXXX").string()) {
  if (::mkdtemp(path_.data()) == nullptr) throw Failure("make a temporary directory", last_error());
  std::filesystem::permissions(path_, std::filesystem::perms(0755));
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::file(std::string_view name, std::string_view content) const {
  const std::string path = path_ + '/' + std::string(name);
  std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
  return path;
}

Pipe make_pipe(int flags) {
  int ends[2];
  check("make a pipe", ::pipe2(ends, O_CLOEXEC | flags));
  return {.reading = Fd(ends[0]), .writing = Fd(ends[1])};
}

std::string sample(std::size_t count) {
  std::string text(count, '\0');
  std::uint32_t state = 12345;
  for (char& c : text) {
    state = state * 1664525 + 1013904223;
    // A newline every 24 bytes or so.
    c = state >> 27 == 0 ? '\n' : static_cast<char>(state >> 16);
  }
  return text;
}

}  // namespace sluice::test
