#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "sluice/core/socket_name.h"
#include "traffic.h"

namespace sluice::bench {
namespace {

void exchange(int fd, std::vector<char>& message) {
  check("write", ::write(fd, message.data(), message.size()));
  for (std::size_t got = 0; got < message.size();) {
    const ssize_t count = check("read", ::read(fd, message.data() + got, message.size() - got));
    if (count == 0) throw Failure("the connection ended");
    got += static_cast<std::size_t>(count);
  }
}

/// Clients that each connect, exchange a byte and close, again and again.
class ConnectRate {
 public:
  ConnectRate(SocketName target, std::size_t clients)
      : target_(target),
        epoll_(check("create an epoll", ::epoll_create1(EPOLL_CLOEXEC))),
        clients_(clients) {}

  void run(std::int64_t until) {
    for (std::size_t client = 0; client < clients_.size(); ++client) begin(client);
    std::array<epoll_event, 64> events;
    while (now() < until) {
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 100);
      for (int number = 0; number < count; ++number) go_on(events[static_cast<std::size_t>(number)]);
    }
  }
  std::int64_t done() const { return done_; }
  std::int64_t failed() const { return failed_; }

 private:
  struct Client {
    Fd fd;
    bool asked = false;
  };

  void begin(std::size_t number) {
    Client& client = clients_[number];
    client.asked = false;
    client.fd.reset(
        check("create a socket", ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)));
    // A closed connection keeps its client's port for a minute: many source addresses have ports enough.
    const int on = 1;
    check("choose the port late",
          ::setsockopt(client.fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on));
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(sources_++ % 200));
    check("bind", ::bind(client.fd.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source));
    if (::connect(client.fd.get(), target_.data(), target_.size()) != 0 && errno != EINPROGRESS)
      check("connect", -1);
    epoll_event wanted{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u64 = number}};
    check("watch a socket", ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.fd.get(), &wanted));
  }

  void go_on(const epoll_event& event) {
    const std::size_t number = event.data.u64;
    Client& client = clients_[number];
    char byte = 'x';
    if (!client.asked && (event.events & EPOLLOUT) != 0) {
      if (::write(client.fd.get(), &byte, 1) != 1) return end(number, failed_);
      client.asked = true;
    }
    if ((event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) return;
    const ssize_t count = ::read(client.fd.get(), &byte, 1);
    if (count < 0 && errno == EAGAIN) return;
    end(number, count == 1 ? done_ : failed_);
  }

  void end(std::size_t number, std::int64_t& counter) {
    ++counter;
    clients_[number].fd.reset();
    begin(number);
  }

  SocketName target_;
  Fd epoll_;
  std::vector<Client> clients_;
  std::int64_t sources_ = 0;
  std::int64_t done_ = 0;
  std::int64_t failed_ = 0;
};

/// A window of datagrams on their way to an echo and back. Each begins with its number.
class DatagramWindow {
 public:
  DatagramWindow(Fd socket, std::size_t size, std::int64_t window)
      : socket_(std::move(socket)), size_(size), window_(window), sending_(size), receiving_(size) {}

  /// The way is open once one datagram has made it, however often it takes.
  void open() {
    for (int attempt = 0; attempt < 50 && received_ == 0; ++attempt) {
      send(1);
      receive(100);
      give_up();
    }
    if (received_ == 0) throw Failure("no datagram came back");
    sent_ = received_ = lost_ = 0;
  }

  void run(std::int64_t until) {
    while (now() < until) {
      send(window_ - on_their_way_);
      if (!receive(patience_ms)) give_up();
    }
    while (on_their_way_ > 0 && receive(patience_ms)) {
    }
    give_up();
  }

  std::int64_t sent() const { return sent_; }
  std::int64_t received() const { return received_; }
  std::int64_t lost() const { return lost_; }

 private:
  static constexpr std::size_t most = 64;
  static constexpr int patience_ms = 200;

  struct Messages {
    explicit Messages(std::size_t size) : bytes(most * size) {
      for (std::size_t number = 0; number < most; ++number) {
        parts[number] = {bytes.data() + number * size, size};
        headers[number].msg_hdr.msg_iov = &parts[number];
        headers[number].msg_hdr.msg_iovlen = 1;
      }
    }
    Messages(const Messages&) = delete;
    Messages& operator=(const Messages&) = delete;
    std::vector<char> bytes;
    std::array<iovec, most> parts{};
    std::array<mmsghdr, most> headers{};
  };

  void send(std::int64_t count) {
    while (count > 0) {
      const auto part = static_cast<std::size_t>(std::min<std::int64_t>(count, most));
      for (std::size_t ahead = 0; ahead < part; ++ahead) {
        const std::int64_t number = next_ + static_cast<std::int64_t>(ahead);
        std::memcpy(sending_.bytes.data() + ahead * size_, &number, sizeof number);
      }
      const int done = ::sendmmsg(socket_.get(), sending_.headers.data(), static_cast<unsigned>(part), 0);
      // Somebody on the way may have refused an earlier one (ECONNREFUSED): that one counts as lost.
      if (done <= 0) return;
      next_ += done;
      sent_ += done;
      on_their_way_ += done;
      count -= done;
    }
  }

  /// Takes what has come, waiting for the first; false if nothing came.
  bool receive(int wait_ms) {
    pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, wait_ms) <= 0) return false;
    const int count = ::recvmmsg(socket_.get(), receiving_.headers.data(), most, MSG_DONTWAIT, nullptr);
    for (int index = 0; index < count; ++index) {
      std::int64_t number = 0;
      std::memcpy(&number, receiving_.bytes.data() + static_cast<std::size_t>(index) * size_, sizeof number);
      // One that was given up and comes all the same was late, not lost.
      --(number >= given_up_ ? on_their_way_ : lost_);
      ++received_;
    }
    return true;
  }

  void give_up() {
    lost_ += std::exchange(on_their_way_, 0);
    given_up_ = next_;
  }

  Fd socket_;
  std::size_t size_;
  std::int64_t window_;
  Messages sending_;
  Messages receiving_;
  std::int64_t next_ = 0;
  std::int64_t given_up_ = 0;
  std::int64_t on_their_way_ = 0;
  std::int64_t sent_ = 0;
  std::int64_t received_ = 0;
  std::int64_t lost_ = 0;
};

}  // namespace

void ping_pong(Words words) {
  const Fd socket = connect_to(words[0]);
  std::vector<char> message(static_cast<std::size_t>(number_of(words[1])), 'x');
  const std::int64_t start = now(), until = start + number_of(words[2]) * nanoseconds_per_ms;
  std::vector<std::int64_t> samples;
  samples.reserve(1 << 20);
  for (std::int64_t before = start; before < until;) {
    exchange(socket.get(), message);
    const std::int64_t after = now();
    samples.push_back(after - before);
    before = after;
  }
  report({{"count", static_cast<std::int64_t>(samples.size())},
          {"median", quantile(samples, 0.5)},
          {"p99", quantile(samples, 0.99)}});
}

void connect_rate(Words words) {
  // One connection by itself: it says what is wrong if nothing works, and whom to connect to.
  const Fd first = connect_to(words[0]);
  std::vector<char> byte(1, 'x');
  exchange(first.get(), byte);
  ConnectRate clients(SocketName::of_peer(first.get()), static_cast<std::size_t>(number_of(words[1])));
  const std::int64_t start = now();
  clients.run(start + number_of(words[2]) * nanoseconds_per_ms);
  report({{"count", clients.done()}, {"failed", clients.failed()}, {"elapsed", now() - start}});
}

void datagrams(Words words) {
  const auto size = static_cast<std::size_t>(number_of(words[1]));
  if (size < sizeof(std::int64_t)) throw UsageError("a datagram needs 8 bytes for its number");
  DatagramWindow window(connect_to(words[0]), size, number_of(words[2]));
  window.open();
  const std::int64_t start = now(), duration = number_of(words[3]) * nanoseconds_per_ms;
  window.run(start + duration);
  report({{"sent", window.sent()},
          {"received", window.received()},
          {"lost", window.lost()},
          {"elapsed", duration}});
}

void idle(Words words) {
  std::vector<Fd> clients(static_cast<std::size_t>(number_of(words[1])));
  std::vector<char> byte(1, 'x');
  for (Fd& client : clients) {
    client = connect_to(words[0]);
    exchange(client.get(), byte);
  }
  report({{"clients", static_cast<std::int64_t>(clients.size())}});
  while (::read(0, byte.data(), 1) > 0) {
  }
}

}  // namespace sluice::bench
