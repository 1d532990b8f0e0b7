#include "sockcat.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "sluice/core/socket_name.h"

namespace sluice::test {
namespace {

constexpr int ready = 9;

std::vector<std::string> with_readiness(std::vector<std::string> words) {
  words.insert(words.begin(), {"--ready-fd", std::to_string(ready)});
  return sockcat(std::move(words));
}

RunOptions with_readiness(RunOptions options) {
  options.captured.push_back(ready);
  return options;
}

SocketName ip_name(const char* host, int port) {
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(static_cast<std::uint16_t>(port));
  if (::inet_pton(AF_INET6, host, &six.sin6_addr) == 1)
    return {reinterpret_cast<const sockaddr*>(&six), sizeof six};
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET, host, &four.sin_addr);
  return {reinterpret_cast<const sockaddr*>(&four), sizeof four};
}

SocketName unix_name(const std::string& path) {
  return path.starts_with('@') ? SocketName::unix_abstract(path.substr(1)) : SocketName::unix_path(path);
}

Fd new_socket(int family, int type) {
  return Fd(check("create a socket", ::socket(family, type | SOCK_CLOEXEC, 0)));
}

}  // namespace

std::vector<std::string> sockcat(std::vector<std::string> words) {
  words.insert(words.begin(), tool("sockcat"));
  return words;
}

Ended run_sockcat(std::vector<std::string> words, RunOptions options) {
  return run(sockcat(std::move(words)), std::move(options));
}

Serving::Serving(std::vector<std::string> words, RunOptions options)
    : process_(with_readiness(std::move(words)), with_readiness(std::move(options))) {
  while (auto line = process_.line(ready)) names_.push_back(*line);
  if (!names_.empty()) return;
  const Ended ended = process_.wait();
  throw Failure("sockcat was not ready: " + testing::PrintToString(ended));
}

int Serving::port() const { return std::stoi(names_.front().substr(names_.front().rfind(':') + 1)); }

Socket::Socket(Fd fd) : fd_(std::move(fd)) {
  const timeval limit{deadline.count(), 0};
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
    ::setsockopt(fd_.get(), SOL_SOCKET, option, &limit, sizeof limit);
}

Socket Socket::to_tcp(int port, const char* host) {
  const SocketName name = ip_name(host, port);
  Socket socket(new_socket(name.family(), SOCK_STREAM));
  check("connect", ::connect(socket.number(), name.data(), name.size()));
  return socket;
}

Socket Socket::to_unix(const std::string& path, int type) {
  const SocketName name = unix_name(path);
  Socket socket(new_socket(AF_UNIX, type == 0 ? SOCK_STREAM : type));
  check("connect", ::connect(socket.number(), name.data(), name.size()));
  return socket;
}

Socket Socket::listening_tcp(int backlog) {
  Socket socket(new_socket(AF_INET, SOCK_STREAM));
  const SocketName name = ip_name("127.0.0.1", 0);
  check("bind", ::bind(socket.number(), name.data(), name.size()));
  check("listen", ::listen(socket.number(), backlog));
  return socket;
}

Socket Socket::listening_unix(const std::string& path, int type) {
  Socket socket(new_socket(AF_UNIX, type == 0 ? SOCK_STREAM : type));
  const SocketName name = unix_name(path);
  check("bind", ::bind(socket.number(), name.data(), name.size()));
  check("listen", ::listen(socket.number(), 16));
  return socket;
}

int Socket::port() const { return SocketName::of_socket(number()).port(); }

Socket Socket::accept() const {
  return Socket(Fd(check("accept", ::accept4(number(), nullptr, nullptr, SOCK_CLOEXEC))));
}

void Socket::send(std::string_view bytes) const {
  while (!bytes.empty())
    bytes.remove_prefix(
        static_cast<std::size_t>(check("send", ::send(number(), bytes.data(), bytes.size(), MSG_NOSIGNAL))));
}

std::size_t Socket::send_until_broken(std::string_view bytes) const {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count = ::send(number(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0) break;
    sent += static_cast<std::size_t>(count);
  }
  return sent;
}

std::size_t Socket::fill() const {
  // Buffers grow while they are filled: full is what stays full for a moment.
  constexpr int moment = 100;
  const std::string chunk(1 << 16, 'f');
  std::size_t sum = 0;
  for (;;) {
    const ssize_t count = ::send(number(), chunk.data(), chunk.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) sum += static_cast<std::size_t>(count);
    if (count > 0) continue;
    pollfd state{number(), POLLOUT, 0};
    if (::poll(&state, 1, moment) == 0 || (state.revents & (POLLERR | POLLHUP)) != 0) return sum;
  }
}

std::string Socket::receive(std::size_t count) const {
  std::string text(count, '\0');
  std::size_t done = 0;
  while (done < count) {
    const ssize_t part = ::recv(number(), text.data() + done, count - done, 0);
    if (part < 0 && errno == EAGAIN) throw Failure("nothing came within the deadline");
    if (part <= 0) break;
    done += static_cast<std::size_t>(part);
  }
  text.resize(done);
  return text;
}

std::string Socket::receive_all() const {
  std::string text;
  for (;;) {
    const std::string part = receive(1 << 16);
    text += part;
    if (part.size() < 1 << 16) return text;
  }
}

bool Socket::was_reset() const {
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::recv(number(), buffer, sizeof buffer, 0);
    if (count == 0) return false;
    if (count < 0) return errno == ECONNRESET;
  }
}

void Socket::finish() const { check("shut down", ::shutdown(number(), SHUT_WR)); }

void Socket::reset() {
  const linger at_once{1, 0};
  ::setsockopt(number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd_.reset();
}

Terminal make_terminal() {
  Terminal terminal;
  terminal.master = Fd(check("open a terminal", ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)));
  check("grant a terminal", ::grantpt(terminal.master.get()));
  check("unlock a terminal", ::unlockpt(terminal.master.get()));
  char name[64];
  ::ptsname_r(terminal.master.get(), name, sizeof name);
  terminal.path = name;
  terminal.slave = Fd(check("open a terminal", ::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)));
  termios settings{};
  ::tcgetattr(terminal.slave.get(), &settings);
  ::cfmakeraw(&settings);
  ::tcsetattr(terminal.slave.get(), TCSANOW, &settings);
  return terminal;
}

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_root() { return ::geteuid() == 0; }

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

long status_figure(pid_t pid, std::string_view name) {
  const std::string text = contents_of("/proc/" + std::to_string(pid) + "/status");
  const auto place = text.find('\n' + std::string(name) + ':');
  return place == text.npos ? -1 : std::atol(text.c_str() + place + name.size() + 2);
}

}  // namespace sluice::test
