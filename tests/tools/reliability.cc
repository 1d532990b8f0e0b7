#include "reliability.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <sstream>

#include "sluice/core/bytes.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t largest_piece = kib(256);

/// Eight bytes of a text (SplitMix64).
std::uint64_t word_at(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t word = (seed << 32) + index * 0x9e3779b97f4a7c15;
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  return word ^ (word >> 31);
}

/// Waits for readiness, until `deadline` after the last time anything moved.
bool ready(int fd, short events) {
  pollfd state{fd, events, 0};
  return ::poll(&state, 1, static_cast<int>(milliseconds(deadline).count())) > 0;
}

void do_not_block(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

std::string stat_field(pid_t pid, int number) {
  const std::string text = contents_of("/proc/" + std::to_string(pid) + "/stat");
  // The program's name, in parentheses, may hold spaces.
  const auto behind_name = text.rfind(')');
  if (behind_name == text.npos) return {};
  std::istringstream fields(text.substr(behind_name + 1));
  std::string field;
  for (int i = 3; i < number; ++i) fields >> field;
  fields >> field;
  return field;
}

void talk(Side& left, Side& right, std::size_t size, const Pieces& writes, const Pieces& reads,
          std::size_t position, bool to_the_end) {
  const auto send = [=](Side& side, const Text& text) {
    return beside([=, &side, &text] {
      const Moved sent = write_text(side.writing.get(), text, size, writes, position);
      if (to_the_end) side.finish();
      return sent;
    });
  };
  const auto receive = [=](const Side& side, const Text& text) {
    return beside([=, &side, &text] {
      return read_text(side.reading.get(), text, reads, position, to_the_end ? endless : size);
    });
  };
  auto at_right = receive(right, there), at_left = receive(left, back);
  auto from_left = send(left, there), from_right = send(right, back);
  EXPECT_EQ(from_left.get(), (Moved{size}));
  EXPECT_EQ(from_right.get(), (Moved{size}));
  EXPECT_EQ(at_right.get(), (Moved{size}));
  EXPECT_EQ(at_left.get(), (Moved{size}));
}

}  // namespace

std::uint64_t chance() {
  return static_cast<std::uint64_t>(testing::UnitTest::GetInstance()->random_seed()) + 1;
}

void Text::copy(std::size_t position, std::span<char> into) const {
  while (!into.empty()) {
    const std::uint64_t word = word_at(seed_, position / 8);
    const std::size_t skipped = position % 8;
    const std::size_t count = std::min(8 - skipped, into.size());
    std::memcpy(into.data(), reinterpret_cast<const char*>(&word) + skipped, count);
    into = into.subspan(count);
    position += count;
  }
}

std::string Text::part(std::size_t position, std::size_t count) const {
  std::string bytes(count, '\0');
  copy(position, bytes);
  return bytes;
}

bool Text::continues(std::size_t position, std::string_view bytes) const {
  static thread_local std::string expected(largest_piece, '\0');
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), expected.size());
    copy(position, std::span(expected).first(count));
    if (std::memcmp(expected.data(), bytes.data(), count) != 0) return false;
    bytes.remove_prefix(count);
    position += count;
  }
  return true;
}

Pieces pieces_of(std::size_t size) {
  return [size] { return size; };
}

Pieces random_pieces(std::uint64_t seed, std::size_t most) {
  return [engine = std::mt19937_64(seed), most]() mutable {
    const std::size_t limit = std::size_t{1} << engine() % 19;
    return std::min(most, 1 + static_cast<std::size_t>(engine() % limit));
  };
}

void PrintTo(const Moved& moved, std::ostream* to) {
  *to << moved.count << " bytes, then " << (moved.error == 0 ? "the end" : std::strerror(moved.error));
}

Moved write_text(int fd, const Text& text, std::size_t count, const Pieces& pieces, std::size_t position) {
  do_not_block(fd);
  std::string piece;
  Moved moved;
  while (moved.count < count) {
    piece.resize(std::min({pieces(), count - moved.count, largest_piece}));
    text.copy(position + moved.count, piece);
    for (std::string_view rest = piece; !rest.empty();) {
      const ssize_t part = ::write(fd, rest.data(), rest.size());
      if (part > 0) {
        rest.remove_prefix(static_cast<std::size_t>(part));
        moved.count += static_cast<std::size_t>(part);
      } else if (errno == EAGAIN) {
        if (!ready(fd, POLLOUT)) return {moved.count, ETIME};
      } else if (errno != EINTR) {
        return {moved.count, errno};
      }
    }
  }
  return moved;
}

Moved read_text(int fd, const Text& text, const Pieces& pieces, std::size_t position, std::size_t most) {
  do_not_block(fd);
  std::string piece(largest_piece, '\0');
  Moved moved;
  while (moved.count < most) {
    const ssize_t part = ::read(
        fd, piece.data(), std::min({std::max(pieces(), std::size_t{1}), most - moved.count, piece.size()}));
    if (part == 0) return moved;
    if (part > 0) {
      const auto size = static_cast<std::size_t>(part);
      if (!text.continues(position + moved.count, std::string_view(piece).substr(0, size)))
        return {moved.count, EILSEQ};
      moved.count += size;
    } else if (errno == EAGAIN) {
      if (!ready(fd, POLLIN)) return {moved.count, ETIME};
    } else if (errno != EINTR) {
      return {moved.count, errno};
    }
  }
  return moved;
}

Moved fill_with(int fd, const Text& text, std::size_t position) {
  do_not_block(fd);
  // Buffers grow while they are filled: full is what stays full for a moment.
  constexpr int moment = 200;
  std::string piece(kib(64), '\0');
  Moved moved;
  for (;;) {
    text.copy(position + moved.count, piece);
    const ssize_t part = ::write(fd, piece.data(), piece.size());
    if (part > 0) {
      moved.count += static_cast<std::size_t>(part);
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) return {moved.count, errno};
    pollfd state{fd, POLLOUT, 0};
    if (::poll(&state, 1, moment) == 0) return moved;
  }
}

void Side::finish() {
  // A pipe ends when it is closed; shutdown(2) does nothing to it.
  ::shutdown(writing.get(), SHUT_WR);
  writing.reset();
}

void Side::reset() {
  const linger at_once{1, 0};
  ::setsockopt(reading.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void Side::close() {
  reading.reset();
  writing.reset();
}

bool Side::all_arrived() const {
  return eventually([this] {
    int waiting = 0;
    return ::ioctl(writing.get(), SIOCOUTQ, &waiting) == 0 && waiting == 0;
  });
}

Side side_of(const Socket& socket) {
  Side side;
  side.reading = Fd(check("duplicate", ::fcntl(socket.number(), F_DUPFD_CLOEXEC, 0)));
  side.writing = Fd(check("duplicate", ::fcntl(socket.number(), F_DUPFD_CLOEXEC, 0)));
  return side;
}

std::string name_of(Way way) { return way == Way::tcp ? "Tcp" : way == Way::af_unix ? "Unix" : "Pipes"; }

Channel::Channel(Way way, std::vector<std::string> words, RunOptions options) {
  if (way == Way::pipes) {
    Pipe to_left = make_pipe(), from_left = make_pipe(), to_right = make_pipe(), from_right = make_pipe();
    options.descriptors.insert({{0, to_left.reading.get()},
                                {1, from_left.writing.get()},
                                {5, to_right.reading.get()},
                                {6, from_right.writing.get()}});
    words.insert(words.end(), {"-", "FD:5!!FD:6"});
    running_ = std::make_unique<Running>(sockcat(std::move(words)), std::move(options));
    process_ = running_.get();
    left = {std::move(from_left.reading), std::move(to_left.writing)};
    right = {std::move(from_right.reading), std::move(to_right.writing)};
    return;
  }
  const std::string front = directory_.path() + "/front", behind = directory_.path() + "/behind";
  const bool tcp = way == Way::tcp;
  const Socket origin = tcp ? Socket::listening_tcp() : Socket::listening_unix(behind);
  words.push_back(tcp ? "TCP4-LISTEN:0,bind=127.0.0.1" : "UNIX-LISTEN:" + front);
  words.push_back(tcp ? "TCP4:127.0.0.1:" + std::to_string(origin.port()) : "UNIX-CONNECT:" + behind);
  serving_ = std::make_unique<Serving>(std::move(words), std::move(options));
  process_ = &serving_->process();
  left = side_of(tcp ? Socket::to_tcp(serving_->port()) : Socket::to_unix(front));
  right = side_of(origin.accept());
}

void converse(Side& left, Side& right, std::size_t size, const Pieces& writes, const Pieces& reads,
              std::size_t position) {
  talk(left, right, size, writes, reads, position, true);
}

void carry(Side& left, Side& right, std::size_t size, const Pieces& writes, const Pieces& reads,
           std::size_t position) {
  talk(left, right, size, writes, reads, position, false);
}

void exchange(const Side& left, const Side& right, std::size_t count, std::size_t position) {
  const Pieces whole = pieces_of(count);
  EXPECT_EQ(write_text(left.writing.get(), there, count, whole, position), (Moved{count}));
  EXPECT_EQ(read_text(right.reading.get(), there, whole, position, count), (Moved{count}));
  EXPECT_EQ(write_text(right.writing.get(), back, count, whole, position), (Moved{count}));
  EXPECT_EQ(read_text(left.reading.get(), back, whole, position, count), (Moved{count}));
}

void expect_good_end(Running& process) {
  const Ended ended = process.wait();
  EXPECT_EQ(ended.status, 0) << testing::PrintToString(ended);
  EXPECT_EQ(ended.err, "");
}

std::size_t some(std::size_t count) { return under_sanitizers() ? count / 4 : count; }

void PrintTo(const Descriptors& descriptors, std::ostream* to) {
  *to << descriptors.sockets << " sockets, " << descriptors.pipes << " pipes, " << descriptors.others
      << " others";
}

Descriptors descriptors_of(pid_t pid) {
  Descriptors found;
  std::error_code gone;
  for (const auto& one : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", gone)) {
    const std::string what = std::filesystem::read_symlink(one.path(), gone).string();
    if (gone) continue;
    ++(what.starts_with("socket:") ? found.sockets : what.starts_with("pipe:") ? found.pipes : found.others);
  }
  return found;
}

std::vector<pid_t> threads_of(pid_t pid) {
  std::vector<pid_t> threads;
  std::error_code gone;
  for (const auto& one : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone))
    threads.push_back(std::stoi(one.path().filename().string()));
  return threads;
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  // A child belongs to the thread that started it.
  for (const pid_t thread : threads_of(pid)) {
    std::istringstream all(
        contents_of("/proc/" + std::to_string(pid) + "/task/" + std::to_string(thread) + "/children"));
    for (pid_t child; all >> child;) children.push_back(child);
  }
  return children;
}

long memory_of(pid_t pid) {
  const std::string text = contents_of("/proc/" + std::to_string(pid) + "/smaps_rollup");
  const auto place = text.find("\nPss:");
  return place == text.npos ? -1 : std::atol(text.c_str() + place + 5);
}

long ticks_of(pid_t pid) {
  return std::atol(stat_field(pid, 14).c_str()) + std::atol(stat_field(pid, 15).c_str());
}

bool is_all(pid_t pid, char state) {
  const auto threads = threads_of(pid);
  return !threads.empty() && std::all_of(threads.begin(), threads.end(), [state](pid_t thread) {
    return (stat_field(thread, 3) + '?').front() == state;
  });
}

void stop(pid_t pid) {
  check("stop a process", ::kill(pid, SIGSTOP));
  EXPECT_TRUE(eventually([pid] { return is_all(pid, 'T'); }));
}

void go_on(pid_t pid) { check("continue a process", ::kill(pid, SIGCONT)); }

bool can_have_descriptors(std::size_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < count) {
    limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, std::min<rlim_t>(count, limit.rlim_max));
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur >= count;
}

}  // namespace sluice::test
