#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "reliability.h"
#include "sluice/core/bytes.h"

/// Many sessions that come and go, in good order and not: they do not touch each other and leave nothing
/// behind.
namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

std::string tcp_address(int port) { return "TCP4:127.0.0.1:" + std::to_string(port); }

/// How a session of the test goes on, and away.
enum class Kind {
  whole,     ///< sends its text, ends, and gets all of it back
  reset,     ///< is reset in the middle
  closed,    ///< closes in the middle, with answers unread
  finished,  ///< ends its input in the middle, and closes before the answer is over
  silent     ///< never says a word, and is reset
};

/// One client of an echo: it sends a text of its own in pieces, and reads it back in pieces.
class Client {
 public:
  Client(std::uint64_t seed, Kind kind, std::size_t size, Socket socket)
      : text_(seed), kind_(kind), size_(size), engine_(seed), socket_(std::move(socket)) {
    ::fcntl(socket_.number(), F_SETFL, O_NONBLOCK);
    if (kind_ != Kind::whole) turning_point_ = engine_() % (size_ + 1);
  }

  Kind kind() const { return kind_; }
  bool over() const { return over_; }
  /// Whether all came back, and then the end.
  bool exact() const { return exact_; }

  /// One that has nothing to say asks to write nevertheless, so that it gets its turn to end.
  pollfd wish() const {
    return {socket_.number(), static_cast<short>(POLLIN | (finished_ ? 0 : POLLOUT)), 0};
  }

  void turn() {
    write_a_piece();
    if (!over_) read_a_piece();
    if (!over_ && kind_ != Kind::whole && sent_ >= turning_point_ && received_ >= turning_point_ / 2) leave();
  }

 private:
  void write_a_piece() {
    if (finished_) return;
    const std::size_t most = kind_ == Kind::whole ? size_ : turning_point_;
    const std::size_t count = std::min<std::size_t>(1 + engine_() % kib(16), most - sent_);
    if (count > 0) {
      const std::string piece = text_.part(sent_, count);
      const ssize_t part = ::send(socket_.number(), piece.data(), count, MSG_NOSIGNAL);
      if (part > 0) sent_ += static_cast<std::size_t>(part);
      if (part < 0 && errno != EAGAIN) over_ = true;
    }
    if (kind_ != Kind::whole || sent_ < size_) return;
    ::shutdown(socket_.number(), SHUT_WR);
    finished_ = true;
  }

  void read_a_piece() {
    char piece[kib(16)];
    const ssize_t part = ::recv(socket_.number(), piece, 1 + engine_() % sizeof piece, 0);
    if (part < 0 && errno == EAGAIN) return;
    if (part <= 0) {
      exact_ = part == 0 && received_ == size_;
      over_ = true;
      return;
    }
    const auto count = static_cast<std::size_t>(part);
    if (!text_.continues(received_, {piece, count})) over_ = true;
    received_ += count;
  }

  void leave() {
    if (kind_ == Kind::finished && !finished_) {
      ::shutdown(socket_.number(), SHUT_WR);
      finished_ = true;
    }
    if (kind_ == Kind::reset || kind_ == Kind::silent)
      socket_.reset();
    else
      socket_.close();
    over_ = true;
  }

  Text text_;
  Kind kind_;
  std::size_t size_;
  std::mt19937_64 engine_;
  Socket socket_;
  std::size_t sent_ = 0, received_ = 0, turning_point_ = 0;
  bool finished_ = false, over_ = false, exact_ = false;
};

/// Drives clients until all are over, or the deadline.
void drive(std::vector<std::unique_ptr<Client>>& clients) {
  const auto end = steady_clock::now() + deadline;
  std::vector<pollfd> wishes;
  std::vector<Client*> whose;
  while (steady_clock::now() < end) {
    wishes.clear();
    whose.clear();
    for (const auto& one : clients) {
      if (one->over()) continue;
      wishes.push_back(one->wish());
      whose.push_back(one.get());
    }
    if (wishes.empty()) return;
    ::poll(wishes.data(), wishes.size(), 1000);
    for (std::size_t i = 0; i < wishes.size(); ++i)
      if (wishes[i].revents != 0) whose[i]->turn();
  }
}

/// More than this machine may have processors: sessions of one thread and of another end side by side.
constexpr std::size_t threads = 4;

/// The words of a server that spreads its sessions over so many threads.
std::vector<std::string> on_threads(const std::string& listener, const std::string& to) {
  return {"--threads", std::to_string(threads), listener, to};
}

/// What a process has at one time.
struct Belongings {
  Descriptors descriptors;
  std::size_t children;
};

Belongings belongings_of(pid_t pid) { return {descriptors_of(pid), children_of(pid).size()}; }

/// Each thread has a loop, made for its first session and kept: with an epoll, a bell, and a pool of pipes.
/// One more event loop waits for all programs (Boost.Process).
void expect_nothing_left(pid_t pid, const Belongings& before) {
  constexpr std::size_t pipes_of_a_thread = std::size_t{2} * 16, others_of_a_thread = 2,
                        others_for_programs = 3;
  EXPECT_TRUE(eventually([&] {
    const auto& [now, children] = belongings_of(pid);
    return now.sockets <= before.descriptors.sockets &&
           now.pipes <= before.descriptors.pipes + threads * pipes_of_a_thread &&
           now.others <= before.descriptors.others + threads * others_of_a_thread + others_for_programs &&
           children == before.children;
  })) << testing::PrintToString(descriptors_of(pid))
      << " instead of " << testing::PrintToString(before.descriptors) << ", and " << children_of(pid).size()
      << " children";
  EXPECT_LE(threads_of(pid).size(), threads);
}

/// A file for what servers log, which must not fill a pipe that nobody reads. Sessions that are cut say so,
/// and say nothing else.
class Log {
 public:
  Log()
      : path_(directory_.file("log")),
        file_(check("open a log", ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC))) {}
  RunOptions options() const { return {.descriptors = {{2, file_.get()}}}; }
  void expect_resets_only() const {
    std::istringstream lines(contents_of(path_));
    for (std::string line; std::getline(lines, line);) {
      // Of a rush the first is told, and how many more.
      if (line.ends_with(" more)")) line.erase(line.rfind(" ("));
      EXPECT_TRUE(line.ends_with("Connection reset by peer") || line.ends_with("Broken pipe")) << line;
    }
  }
  /// How often something was said, or counted as said again: `WORDS (5 more)`.
  std::size_t told(std::string_view words) const {
    std::istringstream lines(contents_of(path_));
    std::size_t sum = 0;
    for (std::string line; std::getline(lines, line);) {
      EXPECT_NE(line.find(words), line.npos) << line;
      sum += line.ends_with(" more)") ? std::stoul(line.substr(line.rfind('(') + 1)) : 1;
    }
    return sum;
  }
  std::size_t count(std::string_view words) const {
    std::istringstream lines(contents_of(path_));
    std::size_t found = 0;
    for (std::string line; std::getline(lines, line);) found += line.find(words) != line.npos;
    return found;
  }

 private:
  TemporaryDirectory directory_;
  std::string path_;
  Fd file_;
};

/// Half of the sessions go away at random moments, in one of the ways above; the other half does not notice.
TEST(Churn, SessionsThatAreKilledLeaveTheOthersExact) {
  const std::size_t half = under_sanitizers() ? 200 : 1000;
  if (!can_have_descriptors(2 * half + 100)) GTEST_SKIP() << "needs " << 2 * half + 100 << " descriptors";
  SCOPED_TRACE("seed " + std::to_string(chance()));
  const Log log;
  Serving echo(on_threads("TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"), log.options());
  Serving bridge(on_threads("TCP4-LISTEN:0,bind=127.0.0.1,fork", tcp_address(echo.port())), log.options());
  const Belongings before_echo = belongings_of(echo->pid()), before_bridge = belongings_of(bridge->pid());
  std::mt19937_64 engine(chance());
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < 2 * half; ++i) {
    const Kind kind = i % 2 == 0 ? Kind::whole : static_cast<Kind>(1 + engine() % 4);
    const std::size_t size = kind == Kind::silent ? 0 : 1 + engine() % kib(256);
    clients.push_back(
        std::make_unique<Client>(chance() * 100'000 + i, kind, size, Socket::to_tcp(bridge.port())));
  }
  drive(clients);
  for (const pid_t pid : {echo->pid(), bridge->pid()}) EXPECT_EQ(threads_of(pid).size(), threads);
  std::size_t exact = 0;
  for (const auto& one : clients) exact += one->kind() == Kind::whole && one->exact();
  EXPECT_EQ(exact, half);
  clients.clear();
  expect_nothing_left(bridge->pid(), before_bridge);
  expect_nothing_left(echo->pid(), before_echo);
  log.expect_resets_only();
}

/// Serves more clients than it has descriptors for: all are served in the end.
void serve_too_many(const std::string& address, const Log& log) {
  RunOptions options = log.options();
  options.captured = {9};
  std::vector<std::string> words = {"/bin/sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"};
  for (const auto& word : sockcat({"--ready-fd", "9", "TCP4-LISTEN:0,bind=127.0.0.1,fork", address}))
    words.push_back(word);
  Running server(words, options);
  const std::string name = server.line(9).value();
  const int port = std::stoi(name.substr(name.rfind(':') + 1));
  std::vector<std::unique_ptr<Client>> clients;
  for (std::uint64_t i = 0; i < 200; ++i)
    clients.push_back(
        std::make_unique<Client>(chance() * 1000 + i, Kind::whole, kib(20), Socket::to_tcp(port)));
  drive(clients);
  EXPECT_TRUE(std::all_of(clients.begin(), clients.end(), [](const auto& one) { return one->exact(); }));
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait().status, 0);
}

TEST(Churn, ClientsThatAreTooManyAreAllServedInTheEnd) {
  for (const std::string address : {"PIPE", "EXEC:cat", "EXEC:cat,pipes"}) {
    SCOPED_TRACE(address + ", seed " + std::to_string(chance()));
    const Log log;
    serve_too_many(address, log);
    // A rush is one event, however often a descriptor becomes free and is taken again in it; and that it
    // pauses is all that there is to say.
    EXPECT_EQ(log.count("accepting pauses"), 1U);
    EXPECT_EQ(log.count(""), 1U);
  }
}

/// Of many clients, one of several threads has more than it is told of at once. All of them were spoken for
/// while it was stopped: none was silent.
TEST(Churn, TimeItWasStoppedForIsNoSilenceOfManyClients) {
  constexpr std::size_t count = 400;
  if (!can_have_descriptors(count + 100)) GTEST_SKIP() << "needs " << count + 100 << " descriptors";
  for (const std::string thread_count : {"1", "4"}) {
    const Log log;
    Serving server({"-T", "2", "--threads", thread_count, "TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"},
                   log.options());
    std::vector<Socket> clients;
    for (std::size_t i = 0; i < count; ++i) {
      clients.push_back(Socket::to_tcp(server.port()));
      clients.back().send("before");
      EXPECT_EQ(clients.back().receive(6), "before");
    }
    stop(server->pid());
    for (const Socket& one : clients) one.send("after");
    std::this_thread::sleep_for(milliseconds(2200));
    go_on(server->pid());
    std::size_t heard = 0;
    for (const Socket& one : clients) heard += one.receive(5) == "after";
    EXPECT_EQ(heard, count) << "on " << thread_count;
  }
}

/// The same of one whose other side has just ended: the loop hears of that end first, then of so many others
/// that what was said to it comes in a later turn.
TEST(Churn, TimeItWasStoppedForIsNoSilenceOfAHalfEndedSession) {
  constexpr std::size_t others = 400;
  if (!can_have_descriptors(2 * others + 100)) GTEST_SKIP() << "needs " << 2 * others + 100 << " descriptors";
  const Log log;
  const Socket origin = Socket::listening_tcp(1000);
  Serving bridge(
      {"-T", "2", "--threads", "1", "TCP4-LISTEN:0,bind=127.0.0.1,fork", tcp_address(origin.port())},
      log.options());
  std::vector<Side> lefts, rights;
  for (std::size_t i = 0; i <= others; ++i) {
    lefts.push_back(side_of(Socket::to_tcp(bridge.port())));
    rights.push_back(side_of(origin.accept()));
    exchange(lefts[i], rights[i], 5);
  }
  stop(bridge->pid());
  rights[0].finish();
  for (std::size_t i = 1; i <= others; ++i) EXPECT_EQ(::write(lefts[i].writing.get(), "x", 1), 1);
  EXPECT_EQ(write_text(lefts[0].writing.get(), there, 5, pieces_of(5), 5), (Moved{5}));
  std::this_thread::sleep_for(milliseconds(2200));
  go_on(bridge->pid());
  EXPECT_EQ(read_text(rights[0].reading.get(), there, pieces_of(5), 5, 5), (Moved{5}));
}

/// Programs get the descriptors that are meant for them, however many others are open.
TEST(Programs, SeeNoDescriptorOfOtherSessions) {
  for (const std::string options : {"", ",pipes", ",stderr", ",setsid"}) {
    const Log log;
    Serving server(
        on_threads("TCP4-LISTEN:0,bind=127.0.0.1,fork", "SYSTEM:ls /proc/self/fd; exec cat" + options),
        log.options());
    std::vector<Socket> clients;
    for (int i = 0; i < 40; ++i) {
      clients.push_back(Socket::to_tcp(server.port()));
      // 3 is the folder that ls itself has open.
      EXPECT_EQ(clients.back().receive(8), "0\n1\n2\n3\n") << options;
    }
    for (const Socket& one : clients) {
      one.send("still here");
      one.finish();
      EXPECT_EQ(one.receive_all(), "still here");
    }
  }
}

TEST(Programs, AreHeardOnceAndReapedInTurn) {
  const TemporaryDirectory directory;
  const Log log;
  RunOptions options = log.options();
  options.directory = directory.path();
  options.environment = {"TMPDIR=" + directory.path()};
  Serving server({"-d", "TCP4-LISTEN:0,bind=127.0.0.1,fork", "SYSTEM:echo once; echo aside >&2"}, options);
  const Belongings before = belongings_of(server->pid());
  constexpr int count = 100;
  for (int i = 0; i < count; ++i) {
    const Socket client = Socket::to_tcp(server.port());
    client.finish();
    EXPECT_EQ(client.receive_all(), "once\n");
  }
  expect_nothing_left(server->pid(), before);
  server->signal(SIGTERM);
  const Ended ended = server->wait();
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(log.count("aside"), std::size_t{count});
  EXPECT_EQ(log.count(""), std::size_t{count});
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(Programs, ThatCannotBeStartedAreToldOfAndCounted) {
  const Log log;
  Serving server(on_threads("TCP4-LISTEN:0,bind=127.0.0.1,fork", "EXEC:/nonexistent/program"), log.options());
  const Belongings before = belongings_of(server->pid());
  constexpr int count = 50;
  for (int i = 0; i < count; ++i) EXPECT_EQ(Socket::to_tcp(server.port()).receive_all(), "");
  expect_nothing_left(server->pid(), before);
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait().out, "");
  EXPECT_EQ(log.told("No such file or directory"), std::size_t{count});
  EXPECT_LT(log.count(""), std::size_t{count});
}

TEST(Programs, EndWhenTheirClientVanishes) {
  for (const std::string program :
       {"EXEC:cat", "EXEC:yes", "EXEC:yes,pipes", "SYSTEM:while \\:; do echo x; sleep 0.02; done"}) {
    for (const bool by_reset : {true, false}) {
      SCOPED_TRACE(program);
      const Log log;
      Serving server(on_threads("TCP4-LISTEN:0,bind=127.0.0.1,fork", program), log.options());
      const Belongings before = belongings_of(server->pid());
      std::vector<Socket> clients;
      clients.reserve(10);
      for (int i = 0; i < 10; ++i) clients.push_back(Socket::to_tcp(server.port()));
      EXPECT_TRUE(eventually([&] { return children_of(server->pid()).size() == clients.size(); }));
      for (Socket& one : clients) by_reset ? one.reset() : one.close();
      expect_nothing_left(server->pid(), before);
    }
  }
}

/// A program that neither reads nor writes cannot notice that its client has gone; -T does.
TEST(Programs, EndAfterTheLimitOfInactivityWhenTheirClientVanishes) {
  for (const bool by_reset : {false, true}) {
    const Log log;
    Serving server({"-T", "0.3", "TCP4-LISTEN:0,bind=127.0.0.1,fork", "EXEC:sleep 1000"}, log.options());
    const Belongings before = belongings_of(server->pid());
    Socket client = Socket::to_tcp(server.port());
    EXPECT_TRUE(eventually([&] { return children_of(server->pid()).size() == 1; }));
    by_reset ? client.reset() : client.close();
    expect_nothing_left(server->pid(), before);
  }
}

/// How long the soak takes: SLUICE_SOAK_SECONDS, else a minute, or less where memory is not looked at.
seconds soak_time() {
  const char* asked = std::getenv("SLUICE_SOAK_SECONDS");
  return seconds(asked != nullptr ? std::max(1, std::atoi(asked)) : under_sanitizers() ? 20 : 60);
}

constexpr long most_growth = 1024;  ///< kB

/// Clients of random kinds come and go at servers of several kinds for a while. Then all is as it was.
TEST(Soak, LeavesDescriptorsMemoryAndChildrenAsTheyWere) {
  SCOPED_TRACE("seed " + std::to_string(chance()));
  const TemporaryDirectory directory;
  const Log log;
  const auto unix_server = [&](const std::string& name, const std::string& to) {
    return std::make_unique<Serving>(on_threads("UNIX-LISTEN:" + directory.path() + '/' + name + ",fork", to),
                                     log.options());
  };
  const auto tcp_server = [&](const std::string& to) {
    return std::make_unique<Serving>(on_threads("TCP4-LISTEN:0,bind=127.0.0.1,fork", to), log.options());
  };
  std::vector<std::unique_ptr<Serving>> servers;
  servers.push_back(tcp_server("PIPE"));
  servers.push_back(tcp_server(tcp_address(servers[0]->port())));
  servers.push_back(unix_server("cat", "EXEC:cat"));
  servers.push_back(unix_server("behind", "UNIX-CONNECT:" + directory.path() + "/cat"));
  servers.push_back(tcp_server("SYSTEM:cat,pipes"));
  const auto connect = [&](std::size_t which) {
    switch (which) {
      case 2:
        return Socket::to_unix(directory.path() + "/cat");
      case 3:
        return Socket::to_unix(directory.path() + "/behind");
      default:
        return Socket::to_tcp(servers[which]->port());
    }
  };
  std::vector<Belongings> before;
  before.reserve(servers.size());
  for (const auto& one : servers) before.push_back(belongings_of((*one)->pid()));

  std::mt19937_64 engine(chance());
  std::uint64_t seed = chance() << 20;
  std::size_t whole = 0, exact = 0;
  const auto new_client = [&] {
    const auto kind = static_cast<Kind>(engine() % 5);
    // Less than an echo and its sockets hold: more has a test of its own (Gone in
    // test_sockcat_reliability.cc).
    const std::size_t size = kind == Kind::silent ? 0 : engine() % (engine() % 8 == 0 ? kib(48) : kib(4));
    return std::make_unique<Client>(++seed, kind, size, connect(engine() % servers.size()));
  };
  const auto count = [&](const Client& one) {
    whole += one.kind() == Kind::whole;
    exact += one.exact();
  };
  // Up to sixteen at a time; one each four milliseconds leaves the machine to other tests as well.
  constexpr milliseconds pace(4);
  const auto churn_for = [&](seconds time) {
    std::vector<std::unique_ptr<Client>> clients;
    const auto begin = steady_clock::now(), end = begin + time;
    for (auto now = begin, next = begin; now < end; now = steady_clock::now()) {
      for (; next <= now; next += pace)
        if (clients.size() < 16) clients.push_back(new_client());
      std::vector<pollfd> wishes;
      wishes.reserve(clients.size());
      for (const auto& one : clients) wishes.push_back(one->wish());
      ::poll(wishes.data(), wishes.size(), static_cast<int>(pace.count()));
      for (std::size_t i = 0; i < wishes.size(); ++i)
        if (wishes[i].revents != 0) clients[i]->turn();
      std::erase_if(clients, [&](const auto& one) {
        if (one->over()) count(*one);
        return one->over();
      });
    }
    drive(clients);
    for (const auto& one : clients) count(*one);
    clients.clear();
    for (std::size_t i = 0; i < servers.size(); ++i) expect_nothing_left((*servers[i])->pid(), before[i]);
  };
  const auto memory = [&] {
    std::vector<long> all;
    all.reserve(servers.size());
    for (const auto& one : servers) all.push_back(memory_of((*one)->pid()));
    return all;
  };

  churn_for(soak_time() / 4);
  auto warm = memory();
  churn_for(soak_time() - soak_time() / 4);
  auto late = memory();
  const auto grew = [&] {
    for (std::size_t i = 0; i < servers.size(); ++i)
      if (late[i] - warm[i] >= most_growth) return true;
    return false;
  };
  // A burst takes memory that is kept for the next one; what leaks goes on to grow.
  constexpr int more_looks = 3;
  for (int look = 0; look < more_looks && !under_sanitizers() && grew(); ++look) {
    warm = late;
    churn_for(soak_time() / 2);
    late = memory();
  }
  EXPECT_EQ(exact, whole);
  EXPECT_GT(whole, 10U);
  RecordProperty("sessions", std::to_string(seed - (chance() << 20)));
  if (!under_sanitizers()) {
    for (std::size_t i = 0; i < servers.size(); ++i)
      EXPECT_LT(late[i] - warm[i], most_growth)
          << "server " << i << ": " << warm[i] << " kB, then " << late[i];
  }
  for (const auto& one : servers) {
    (*one)->signal(SIGTERM);
    EXPECT_EQ((*one)->wait().status, 0);
  }
}

}  // namespace
}  // namespace sluice::test
