#pragma once

#include <sys/types.h>

#include <chrono>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/fd.h"

/// Running real programs from tests: bytes in, bytes out, status. Nothing here can hang: after its deadline a
/// program is killed and the test fails.
namespace sluice::test {

/// Sanitizers and busy machines are slow; nothing that is tested takes as long as this.
inline constexpr std::chrono::seconds deadline{60};

/// How a program is started. What is not said is inherited, but only descriptors 0 to 2 and those named here.
struct RunOptions {
  std::string input = {};                     ///< written to standard input, which is then closed
  bool more_input = false;                    ///< standard input stays open for `Running::write`
  std::vector<int> captured = {};             ///< the program's descriptors that are read beside 1 and 2
  std::map<int, int> descriptors = {};        ///< the program's number, our descriptor: instead of our pipes
  std::vector<int> closed = {};               ///< the program's numbers that are closed at its start
  std::vector<std::string> environment = {};  ///< NAME=value, beside ours; NAME alone takes it away
  std::string directory = {};                 ///< where it runs
  std::optional<uid_t> user = {};             ///< whose it is; only root can say this
  bool ignore_broken_pipe = false;            ///< started with SIGPIPE ignored
};

/// How a program ended, and what it said.
struct Ended {
  std::string out = {}, err = {};
  std::map<int, std::string> captured = {};  ///< of RunOptions::captured
  int status = -1;                           ///< its exit status; -1 if a signal ended it
  int signal = 0;

  friend bool operator==(const Ended&, const Ended&) = default;
  /// How a failed expectation shows it.
  friend void PrintTo(const Ended& ended, std::ostream* to);
};

/// Runs a program to its end. The first word is a path, or a name that is looked for in PATH; the program
/// sees it as it is.
Ended run(const std::vector<std::string>& words, RunOptions options = {});

/// A program that runs beside the test. Killed, by its own pid, and reaped at the end of its life here.
class Running {
 public:
  explicit Running(const std::vector<std::string>& words, RunOptions options = {});
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  pid_t pid() const;
  /// Puts bytes on its standard input and waits until they are in the pipe.
  void write(std::string_view text);
  void finish_input();
  /// Waits for the next line of one of its descriptors and returns it without its end; what stands behind
  /// the last newline is a line too. Nothing when the descriptor has ended.
  std::optional<std::string> line(int descriptor = 1);
  /// Waits for the next `count` bytes; fewer if the descriptor ends.
  std::string bytes(std::size_t count, int descriptor = 1);
  void signal(int number);
  /// Closes our end of one of its outputs: the next write there breaks.
  void stop_reading(int descriptor = 1);
  /// Finishes its input, waits for its end, and returns all output that was not taken yet.
  Ended wait();

 private:
  class Process;
  std::unique_ptr<Process> process_;
};

/// A directory of its own that removes itself with all that is in it. Others may read it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  /// Makes a file and returns its path.
  std::string file(std::string_view name, std::string_view content = {}) const;

 private:
  std::string path_;
};

/// Where a tool of this build is: in the folder that the environment's SLUICE_TOOLS names, else the build's.
std::string tool(std::string_view name);
/// The same for an example, and SLUICE_EXAMPLES.
std::string example(std::string_view name);
/// Where a program is that this build has for its tests: `socket-options`, `show-identity`,
/// `libjumping-clock.so`.
std::string helper(std::string_view name);
/// Whether sanitizers watch the tools: they use memory and time of their own. SLUICE_SANITIZERS says so of
/// tools of another build (Meson's b_sanitize).
bool under_sanitizers();

struct Pipe {
  Fd reading, writing;
};
/// A pipe, close-on-exec, with pipe2's further flags.
Pipe make_pipe(int flags = 0);

/// `count` bytes of lines of odd lengths, in which every byte occurs; the same at each call.
std::string sample(std::size_t count);

}  // namespace sluice::test
