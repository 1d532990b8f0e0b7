#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>

#include "sluice/core/bytes.h"
#include "sockcat.h"

/// Many clients of one process.
namespace sluice::test {
namespace {

/// Talks to many at once, as one poll loop: each sends a text of its own, ends its input, and collects what
/// it gets.
class Crowd {
 public:
  Crowd(std::size_t count, std::size_t size) {
    for (std::size_t i = 0; i < count; ++i)
      members_.push_back({{}, std::to_string(i) + ' ' + sample(size + i % 7), 0, {}, false});
  }

  void connect(int port) {
    for (Member& one : members_) {
      Socket socket = Socket::to_tcp(port);
      ::fcntl(socket.number(), F_SETFL, O_NONBLOCK);
      one.socket = std::make_unique<Socket>(std::move(socket));
    }
  }

  /// Until all have got their end, or the deadline. All are connected before the first one speaks.
  void talk() {
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (std::chrono::steady_clock::now() < end) {
      std::vector<pollfd> waits;
      std::vector<Member*> whose;
      for (Member& one : members_) {
        if (one.ended) continue;
        const short writing = one.sent < one.text.size() ? POLLOUT : 0;
        waits.push_back({one.socket->number(), static_cast<short>(POLLIN | writing), 0});
        whose.push_back(&one);
      }
      if (waits.empty()) return;
      ::poll(waits.data(), waits.size(), 1000);
      for (std::size_t i = 0; i < waits.size(); ++i)
        if (waits[i].revents != 0) whose[i]->turn();
    }
  }

  std::size_t echoed() const {
    return static_cast<std::size_t>(std::count_if(members_.begin(), members_.end(),
                                                  [](const Member& one) { return one.got == one.text; }));
  }

 private:
  struct Member {
    std::unique_ptr<Socket> socket;
    std::string text;
    std::size_t sent = 0;
    std::string got;
    bool ended = false;

    void turn() {
      if (sent < text.size()) {
        const ssize_t count =
            ::send(socket->number(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0) sent += static_cast<std::size_t>(count);
        if (sent == text.size()) ::shutdown(socket->number(), SHUT_WR);
      }
      char buffer[4096];
      const ssize_t count = ::recv(socket->number(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (count > 0) got.append(buffer, static_cast<std::size_t>(count));
      if (count == 0 || (count < 0 && errno != EAGAIN)) ended = true;
    }
  };
  std::vector<Member> members_;
};

bool can_have(rlim_t descriptors) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < descriptors && limit.rlim_max >= descriptors) {
    limit.rlim_cur = descriptors;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur >= descriptors;
}

long children_of(pid_t pid) {
  const std::string id = std::to_string(pid);
  const std::string all = contents_of("/proc/" + id + "/task/" + id + "/children");
  return std::count(all.begin(), all.end(), ' ');
}

TEST(Many, ClientsAreServedByOneProcessEachExactly) {
  if (!can_have(1100)) GTEST_SKIP() << "needs 1100 descriptors";
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"});
  Crowd crowd(1000, 5000);
  crowd.connect(server.port());
  EXPECT_EQ(children_of(server->pid()), 0);
  crowd.talk();
  EXPECT_EQ(crowd.echoed(), 1000U);
  EXPECT_EQ(children_of(server->pid()), 0);
  if (!under_sanitizers()) {
    EXPECT_LT(status_figure(server->pid(), "VmHWM"), 200 << 10);
  }
  server->signal(SIGTERM);
  const Ended ended = server->wait();
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.err, "");
}

TEST(Many, ClientsPassThroughTwoProcesses) {
  if (!can_have(600)) GTEST_SKIP() << "needs 600 descriptors";
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork", "UPPER"});
  Serving forward({"TCP4-LISTEN:0,bind=127.0.0.1,fork", "TCP4:127.0.0.1:" + std::to_string(server.port())});
  std::vector<Socket> clients;
  for (int i = 0; i < 500; ++i) clients.push_back(Socket::to_tcp(forward.port()));
  for (const Socket& client : clients) client.send("labi");
  for (const Socket& client : clients) EXPECT_EQ(client.receive(4), "LABI");
  for (const Socket& client : clients) client.finish();
  for (const Socket& client : clients) EXPECT_EQ(client.receive_all(), "");
}

TEST(Many, SessionsLeaveNothingBehind) {
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork", "EXEC:cat"});
  const auto talk = [&] {
    const Socket client = Socket::to_tcp(server.port());
    client.send("x");
    client.finish();
    EXPECT_EQ(client.receive_all(), "x");
  };
  const std::string fds = "/proc/" + std::to_string(server->pid()) + "/fd";
  const auto open = [&] { return std::distance(std::filesystem::directory_iterator(fds), {}); };
  // The first one may leave what all later ones use, but not as much as one descriptor for every tenth.
  const auto idle = open();
  for (int i = 0; i < 100; ++i) talk();
  EXPECT_TRUE(eventually([&] { return open() < idle + 10 && children_of(server->pid()) == 0; }))
      << open() << " instead of " << idle;
}

/// A datagram socket of its own for each of many, so that a server sees as many peers.
class UdpCrowd {
 public:
  UdpCrowd(std::size_t count, int port) {
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.sin_port = htons(static_cast<std::uint16_t>(port));
    for (std::size_t i = 0; i < count; ++i) {
      Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      const timeval limit{deadline.count(), 0};
      ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
      EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&server), sizeof server), 0);
      members_.emplace_back(std::move(fd));
    }
  }

  const Socket& operator[](std::size_t number) const { return members_[number]; }

  /// Each asks once; at no time do more wait for their answers than the server's socket has room for. Returns
  /// how many got their own answer.
  std::size_t ask(const std::string& what) const {
    constexpr std::size_t at_once = 100;
    std::size_t right = 0;
    for (std::size_t first = 0; first < members_.size(); first += at_once) {
      const std::size_t end = std::min(first + at_once, members_.size());
      for (std::size_t i = first; i < end; ++i) members_[i].send(what + ' ' + std::to_string(i));
      for (std::size_t i = first; i < end; ++i) {
        char answer[64];
        const ssize_t count = ::recv(members_[i].number(), answer, sizeof answer, 0);
        const std::string wanted = upper_of(what) + ' ' + std::to_string(i);
        if (count >= 0 && std::string_view(answer, static_cast<std::size_t>(count)) == wanted) ++right;
      }
    }
    return right;
  }

 private:
  static std::string upper_of(std::string text) {
    for (char& c : text)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
  }
  std::vector<Socket> members_;
};

std::string line_with(Running& of, std::string_view what) {
  for (;;) {
    const auto line = of.line(2);
    if (!line || line->find(what) != line->npos) return line.value_or("no such line");
  }
}

TEST(ManyPeers, AreToldApartOnOneSocket) {
  constexpr std::size_t count = 10000;
  if (!can_have(count + 100)) GTEST_SKIP() << "needs " << count + 100 << " descriptors";
  Serving server({"UDP-LISTEN:0,bind=127.0.0.1,fork", "UPPER"});
  const long before = status_figure(server->pid(), "VmRSS");
  const UdpCrowd crowd(count, server.port());
  EXPECT_EQ(crowd.ask("first"), count);
  // All of them are still there: nobody becomes a peer a second time.
  EXPECT_EQ(crowd.ask("again"), count);
  server->signal(SIGUSR1);
  EXPECT_NE(line_with(server.process(), "statistics: sessions").find(": 10000 open, 10000 in all"),
            std::string::npos);
  if (!under_sanitizers()) {
    EXPECT_LT(status_figure(server->pid(), "VmRSS") - before, 8 * long{count}) << "kilobytes";
  }
  server->signal(SIGTERM);
  const Ended ended = server->wait();
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.err, "");
}

TEST(ManyPeers, OfOneDatagramEachGetTheirOwnAnswers) {
  constexpr std::size_t count = 1000;
  if (!can_have(count + 100)) GTEST_SKIP() << "needs " << count + 100 << " descriptors";
  Serving server({"UDP-RECVFROM:0,bind=127.0.0.1,fork", "UPPER"});
  const UdpCrowd crowd(count, server.port());
  EXPECT_EQ(crowd.ask("first"), count);
  EXPECT_EQ(crowd.ask("again"), count);
}

TEST(ManyPeers, ThanAreAllowedAreNotHeardUntilOthersHaveGone) {
  Serving server({"-T", "0.5", "UDP-LISTEN:0,bind=127.0.0.1,fork,max-children=2", "UPPER"});
  const UdpCrowd crowd(3, server.port());
  for (const std::size_t served : {0, 1}) {
    crowd[served].send("x");
    EXPECT_EQ(crowd[served].receive(1), "X");
  }
  crowd[2].send("a");
  EXPECT_NE(line_with(server.process(), "2 peers are being served").find("not heard"), std::string::npos);
  // Nothing tells a peer that it is heard but an answer.
  std::string answer;
  EXPECT_TRUE(eventually([&] {
    crowd[2].send("b");
    char byte = 0;
    if (::recv(crowd[2].number(), &byte, 1, MSG_DONTWAIT) > 0) answer = byte;
    return !answer.empty();
  }));
  EXPECT_EQ(answer, "B");
  server->signal(SIGTERM);
  const Ended ended = server->wait();
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.err.find("not heard"), ended.err.npos) << "a second time: " << ended.err;
}

/// A shell that lowers its hard limit and becomes the program.
std::vector<std::string> limited(int descriptors, std::vector<std::string> words) {
  words = sockcat(std::move(words));
  words.insert(words.begin(),
               {"/bin/sh", "-c", "ulimit -n " + std::to_string(descriptors) + "; exec \"$@\"", "sh"});
  return words;
}

TEST(Many, ClientsWaitWhileDescriptorsAreShort) {
  for (const std::string address : {"PIPE", "EXEC:cat"}) {
    Running server(limited(64, {"--ready-fd", "9", "TCP4-LISTEN:0,bind=127.0.0.1,fork", address}),
                   {.captured = {9}});
    const auto name = server.line(9);
    ASSERT_TRUE(name);
    const int port = std::stoi(name->substr(name->rfind(':') + 1));
    std::vector<Socket> clients;
    for (int i = 0; i < 60; ++i) {
      clients.push_back(Socket::to_tcp(port));
      clients.back().send("text");
    }
    // The first ones are being served; the last ones are in the backlog until others have gone.
    EXPECT_NE(server.line(2)->find("accepting pauses"), std::string::npos);
    for (Socket& client : clients) {
      EXPECT_EQ(client.receive(4), "text") << address;
      client.finish();
      EXPECT_EQ(client.receive_all(), "");
      client.close();
    }
    server.signal(SIGTERM);
    const Ended ended = server.wait();
    EXPECT_EQ(ended.status, 0);
    EXPECT_EQ(ended.err.find("Too many open files"), ended.err.npos) << ended.err;
  }
}

TEST(Many, LimitOfDescriptorsIsRaisedForUsAndNotForPrograms) {
  const Ended ended = run({"/bin/sh", "-c", "ulimit -S -n 77; exec \"$@\"", "sh", tool("sockcat"), "-u",
                           "SYSTEM:grep files /proc/$PPID/limits; ulimit -S -n", "-"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_TRUE(ended.out.ends_with("\n77\n")) << ended.out;
  EXPECT_EQ(ended.out.find(" 77 "), ended.out.npos) << ended.out;
}

long threads_of(pid_t pid) {
  return std::distance(std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task"), {});
}

TEST(Threads, AreMadeForSessionsThatGoOnAtOnce) {
  Serving server({"--threads", "3", "TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"});
  const auto talk = [](const Socket& client) {
    client.send("text");
    EXPECT_EQ(client.receive(4), "text");
  };
  const Socket first = Socket::to_tcp(server.port());
  talk(first);
  const long usual = threads_of(server->pid());
  std::vector<Socket> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(Socket::to_tcp(server.port()));
    talk(clients.back());
  }
  EXPECT_EQ(threads_of(server->pid()), usual + 2);
  for (const Socket& client : clients) {
    talk(client);
    client.finish();
    EXPECT_EQ(client.receive_all(), "");
  }
  talk(first);
}

TEST(Threads, AreNotMadeIfOneIsAskedFor) {
  Serving server({"--threads", "1", "TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"});
  const long usual = threads_of(server->pid());
  std::vector<Socket> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(Socket::to_tcp(server.port()));
    clients.back().send("x");
    EXPECT_EQ(clients.back().receive(1), "x");
  }
  EXPECT_EQ(threads_of(server->pid()), usual);
}

TEST(Threads, ShareOneLimitOfSessions) {
  Serving server({"--threads", "2", "TCP4-LISTEN:0,bind=127.0.0.1,fork,max-children=3", "PIPE"});
  std::vector<Socket> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(Socket::to_tcp(server.port()));
    clients.back().send("x");
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(clients[static_cast<std::size_t>(i)].receive(1), "x");
  // The fourth waits in the backlog until one of the others has gone.
  pollfd state{clients[3].number(), POLLIN, 0};
  EXPECT_EQ(::poll(&state, 1, 50), 0);
  clients[1].finish();
  EXPECT_EQ(clients[3].receive(1), "x");
}

TEST(Threads, AddUpWhatTheyMovedAndDrainTogether) {
  Serving server({"-dd", "--threads", "4", "--statistics", "TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"});
  std::vector<Socket> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(Socket::to_tcp(server.port()));
    clients.back().send("12345");
    EXPECT_EQ(clients.back().receive(5), "12345");
  }
  server->signal(SIGUSR1);
  EXPECT_TRUE(line_with(server.process(), "statistics: left to right").ends_with(": 40 bytes in 8 blocks"));
  EXPECT_TRUE(line_with(server.process(), "statistics: right to left").ends_with(": 40 bytes in 8 blocks"));
  EXPECT_NE(line_with(server.process(), "statistics: sessions").find(": 8 open, 8 in all; the oldest is "),
            std::string::npos);
  server->signal(SIGTERM);
  for (const Socket& client : clients) EXPECT_EQ(client.receive_all(), "");
  const Ended ended = server->wait();
  EXPECT_EQ(ended.status, 0);
  EXPECT_NE(ended.err.find("statistics: sessions: 0 open, 8 in all\n"), ended.err.npos) << ended.err;
}

}  // namespace
}  // namespace sluice::test
