#include "observing.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <thread>

namespace sluice::test {
namespace {

/// What does not happen is looked for so long: too short a moment makes a test weaker, never wrong.
constexpr std::chrono::milliseconds moment{80};

int patience(bool expected) {
  return static_cast<int>(expected ? std::chrono::milliseconds(deadline).count() : moment.count());
}

bool has_ended(pid_t pid) {
  siginfo_t state{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &state, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         state.si_pid == pid;
}

}  // namespace

std::string filled(std::string text, const std::map<char, std::string>& places) {
  // What is filled in may have places too.
  for (std::size_t at = 0; (at = text.find('%', at)) != text.npos;) {
    const auto found = at + 1 < text.size() ? places.find(text[at + 1]) : places.end();
    if (found == places.end())
      ++at;
    else
      text.replace(at, 2, found->second);
  }
  return text;
}

std::string described(const Ended& ended) {
  return "out=<" + ended.out + ">\nerr=<" + ended.err +
         ">\nstatus=" + std::to_string(ended.signal != 0 ? 1000 + ended.signal : ended.status) + '\n';
}

std::string files_in(const std::string& folder) {
  std::vector<std::string> lines;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    struct stat status {};
    if (::lstat(entry.path().c_str(), &status) != 0) continue;
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", status.st_mode & 07777);
    lines.push_back("file " + entry.path().filename().string() + ' ' + mode + ' ' +
                    std::to_string(status.st_uid) + '/' + std::to_string(status.st_gid) +
                    (S_ISREG(status.st_mode) ? " <" + contents_of(entry.path()) + '>' : "") + '\n');
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const auto& line : lines) text += line;
  return text;
}

bool begins(Running& program, std::string* told) {
  while (const auto line = program.line(2)) {
    if (line->find("starting data transfer loop") != line->npos) return true;
    if (told != nullptr) *told += *line + '\n';
  }
  return false;
}

bool ends(const Running& program, bool expected) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience(expected));
  while (!has_ended(program.pid())) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

bool readable(int fd, bool expected) {
  pollfd state{fd, POLLIN, 0};
  return ::poll(&state, 1, patience(expected)) == 1;
}

int flags_of_open(pid_t pid, const std::string& path) {
  const std::string process = "/proc/" + std::to_string(pid);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(process + "/fd", ignored)) {
    if (std::filesystem::read_symlink(entry.path(), ignored) != path) continue;
    const std::string info = contents_of(process + "/fdinfo/" + entry.path().filename().string());
    const auto place = info.find("flags:");
    if (place != info.npos) return std::stoi(info.substr(place + 6), nullptr, 8);
  }
  return -1;
}

bool in_own_network(const std::function<void()>& work) {
  return beside([&] {
           if (::unshare(CLONE_NEWNET) != 0) return false;
           const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
           ifreq request{};
           std::strcpy(request.ifr_name, "lo");
           request.ifr_flags = IFF_UP;
           check("set up loopback", ::ioctl(any.get(), SIOCSIFFLAGS, &request));
           work();
           return true;
         })
      .get();
}

std::optional<Socket> accepted(const Socket& listening, Running& program) {
  // Who connects does so before it ends.
  for (bool over = false;; over = has_ended(program.pid())) {
    pollfd state{listening.number(), POLLIN, 0};
    constexpr int tick = 3;
    if (::poll(&state, 1, tick) == 1) return listening.accept();
    if (over) return std::nullopt;
  }
}

Dialogue answer(const Socket& listening, Running& program, const std::vector<std::string>& answers) {
  Dialogue dialogue;
  program.finish_input();
  const auto connected = accepted(listening, program);
  if (!connected) return dialogue;
  const Socket& peer = *connected;
  for (const auto& text : answers) {
    char buffer[4096];
    const auto count = ::recv(peer.number(), buffer, sizeof buffer, 0);
    if (count <= 0) return dialogue;
    dialogue.heard.append(buffer, static_cast<std::size_t>(count));
    peer.send(text);
  }
  peer.finish();
  dialogue.rest = peer.receive_all();
  return dialogue;
}

std::string why_no_socket(int family, int type, int protocol) {
  if (Fd(::socket(family, type | SOCK_CLOEXEC, protocol))) return {};
  return last_error().message();
}

bool has_library(const char* name) {
  void* const library = ::dlopen(name, RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) return false;
  ::dlclose(library);
  return true;
}

std::string missing(Need need) {
  const auto no_network = [] {
    static const bool there = in_own_network([] {});
    return there ? std::string() : std::string("needs a network of its own");
  };
  switch (need) {
    case Need::nothing:
      return {};
    case Need::root:
      return is_root() ? "" : "needs root";
    case Need::network:
      return no_network();
    case Need::tunnel:
      if (::access("/dev/net/tun", R_OK | W_OK) != 0) return "needs /dev/net/tun";
      return no_network();
    case Need::queue: {
      const std::string name = "/sluice-probe-" + std::to_string(::getpid());
      const mqd_t queue = ::mq_open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600, nullptr);
      if (queue < 0) return "needs message queues: " + last_error().message();
      ::mq_close(queue);
      ::mq_unlink(name.c_str());
      return {};
    }
    case Need::editor:
      return has_library("libedit.so.2") ? "" : "needs libedit2";
    case Need::wrappers:
      return has_library("libwrap.so.0") ? "" : "needs libwrap0";
    case Need::six: {
      const Fd socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_in6 here{};
      here.sin6_family = AF_INET6;
      here.sin6_addr = in6addr_loopback;
      // A container may have the family and no address of it.
      if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0) return "";
      return "needs IPv6: " + last_error().message();
    }
  }
  return "nobody knows this need";
}

std::string name_of_test(std::string_view what, std::size_t index) {
  std::string name = "n" + std::to_string(index) + '_' + std::string(what);
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

}  // namespace sluice::test
