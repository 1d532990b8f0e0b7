#pragma once

#include <future>
#include <string>
#include <string_view>
#include <vector>

#include "run.h"

/// What tests of sockcat share: the command line, servers that say when they are ready, and plain sockets to
/// talk to them with. Every wait ends by `deadline` at the latest, as an error of the call.
namespace sluice::test {

/// The words of a command line that runs sockcat.
std::vector<std::string> sockcat(std::vector<std::string> words);
/// Runs it to its end.
Ended run_sockcat(std::vector<std::string> words, RunOptions options = {});

/// A sockcat that has bound its addresses: started with --ready-fd, the names were read.
class Serving {
 public:
  explicit Serving(std::vector<std::string> words, RunOptions options = {});

  /// `tcp 127.0.0.1:43121`, one for each bound address.
  const std::vector<std::string>& names() const { return names_; }
  /// The number behind the last colon of the first name.
  int port() const;
  Running& process() { return process_; }
  Running* operator->() { return &process_; }

 private:
  Running process_;
  std::vector<std::string> names_;
};

/// A connected or listening socket of the test; closes as it goes.
class Socket {
 public:
  explicit Socket(Fd fd);
  static Socket to_tcp(int port, const char* host = "127.0.0.1");
  static Socket to_unix(const std::string& path, int type = 0);  ///< 0: a stream
  static Socket listening_tcp(int backlog = 16);
  static Socket listening_unix(const std::string& path, int type = 0);

  int number() const { return fd_.get(); }
  int port() const;
  Socket accept() const;
  void send(std::string_view bytes) const;
  /// Sends as much as the peer takes before it stops reading; says how much.
  std::size_t send_until_broken(std::string_view bytes) const;
  /// Writes until nothing fits any more: the buffers between both are full.
  std::size_t fill() const;
  std::string receive(std::size_t count) const;  ///< fewer at the end
  std::string receive_all() const;               ///< to the end; a reset is one too
  bool was_reset() const;                        ///< waits for the end: whether it was ECONNRESET
  void finish() const;                           ///< no more to send
  void reset();                                  ///< closes so that the peer gets ECONNRESET
  void close() { fd_.reset(); }

 private:
  Fd fd_;
};

/// A thread beside the test: for the side that must move while the test waits for the other.
template <class Work>
auto beside(Work work) {
  return std::async(std::launch::async, std::move(work));
}

/// Both ends of a pseudo terminal, raw.
struct Terminal {
  Fd master, slave;
  std::string path;
};
Terminal make_terminal();

std::string contents_of(const std::string& path);
bool is_root();
/// Polls until a condition holds that no event tells of (a flag in /proc); false after the deadline.
bool eventually(const std::function<bool()>& condition);
/// A figure of /proc/PID/status in kilobytes or as it stands.
long status_figure(pid_t pid, std::string_view name);

}  // namespace sluice::test
