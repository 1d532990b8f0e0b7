#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <queue>
#include <random>
#include <thread>

#include "reliability.h"
#include "sluice/core/bytes.h"
#include "sluice/core/socket_name.h"

/// Over a bad network everything arrives that can, and what cannot is told. The network is a wire between two
/// private ones that loses, delays, repeats and damages packets; it needs root, and nothing of the machine's.
namespace sluice::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// A network of its own, with one address on its end of a wire (tun).
class Network {
 public:
  /// Throws where it may not be made.
  explicit Network(const std::string& address) {
    beside([&] {
      check("leave the network", ::unshare(CLONE_NEWNET));
      name_space_ = Fd(check("open a namespace", ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)));
      wire_ = Fd(check("open /dev/net/tun", ::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)));
      ifreq wire{};
      std::string("wire").copy(wire.ifr_name, IFNAMSIZ - 1);
      wire.ifr_flags = IFF_TUN | IFF_NO_PI;
      check("lay a wire", ::ioctl(wire_.get(), TUNSETIFF, &wire));
      for (const std::vector<std::string>& words : {std::vector<std::string>{"ip", "link", "set", "lo", "up"},
                                                    {"ip", "address", "add", address + "/24", "dev", "wire"},
                                                    {"ip", "link", "set", "wire", "up"}})
        if (const Ended ended = run(words); ended.status != 0) throw Failure("ip: " + ended.err);
    }).get();
  }

  const Fd& wire() const { return wire_; }

  /// Does something in this network; what it starts stays there.
  template <class Work>
  auto inside(Work work) const {
    return beside([&] {
             check("enter a network", ::setns(name_space_.get(), CLONE_NEWNET));
             return work();
           })
        .get();
  }

 private:
  Fd name_space_;
  Fd wire_;
};

/// What becomes of packets: of each thousand so many, and how long they take. The longest waits let others
/// overtake.
struct Weather {
  const char* name = "Fair";
  int lost = 0, repeated = 0, damaged = 0;
  milliseconds delay{0}, at_most{0};
};

/// Carries packets between two networks until it goes.
class Wire {
 public:
  Wire(const Network& left, const Network& right, const Weather& weather)
      : ends_{left.wire().get(), right.wire().get()}, weather_(weather), thread_([this] { carry_all(); }) {}
  ~Wire() {
    over_ = true;
    thread_.join();
  }
  void cut() { cut_ = true; }
  void mend() { cut_ = false; }

 private:
  struct Packet {
    steady_clock::time_point due;
    std::size_t end;
    std::string bytes;
    bool operator<(const Packet& other) const { return due > other.due; }
  };

  bool happens(int of_a_thousand) { return static_cast<int>(engine_() % 1000) < of_a_thousand; }

  void carry_all() {
    while (!over_) {
      pollfd both[] = {{ends_[0], POLLIN, 0}, {ends_[1], POLLIN, 0}};
      // A millisecond is what the delays are counted in.
      ::poll(both, 2, 1);
      for (const std::size_t end : {0, 1}) receive(end);
      for (; !flying_.empty() && flying_.top().due <= steady_clock::now(); flying_.pop()) {
        const Packet& packet = flying_.top();
        // What the system there has no room for is one more loss.
        [[maybe_unused]] auto ignored = ::write(ends_[packet.end], packet.bytes.data(), packet.bytes.size());
      }
    }
  }

  void receive(std::size_t end) {
    std::string bytes(kib(64), '\0');
    for (;;) {
      const ssize_t count = ::read(ends_[end], bytes.data(), bytes.size());
      if (count <= 0) return;
      if (cut_ || happens(weather_.lost)) continue;
      const std::size_t size = static_cast<std::size_t>(count);
      for (int times = happens(weather_.repeated) ? 2 : 1; times > 0; --times) {
        const auto spread = weather_.at_most - weather_.delay;
        const auto delay =
            weather_.delay + microseconds(spread.count() == 0 ? 0 : engine_() % (1000 * spread.count()));
        Packet packet{steady_clock::now() + delay, 1 - end, bytes.substr(0, size)};
        if (happens(weather_.damaged))
          packet.bytes[engine_() % size] ^= static_cast<char>(1 << engine_() % 8);
        flying_.push(std::move(packet));
      }
    }
  }

  const int ends_[2];
  const Weather weather_;
  std::mt19937_64 engine_{chance()};
  std::priority_queue<Packet> flying_;
  std::atomic<bool> over_{false}, cut_{false};
  std::thread thread_;
};

/// Two sockcats, one in each network: client (UNIX) = sockcat = wire = sockcat = server (UNIX).
class BadNetwork : public testing::Test {
 protected:
  void SetUp() override {
    try {
      near_.emplace("10.77.0.1");
      far_.emplace("10.77.0.2");
    } catch (const std::exception& failure) {
      GTEST_SKIP() << "no private networks here (root has them, with /dev/net/tun): " << failure.what();
    }
  }

  void join(const Weather& weather, const std::vector<std::string>& words = {}) {
    wire_ = std::make_unique<Wire>(*near_, *far_, weather);
    const std::string front = directory_.path() + "/front", behind = directory_.path() + "/behind";
    const Socket origin = Socket::listening_unix(behind);
    far_sockcat_ = far_->inside([&] {
      return std::make_unique<Serving>(
          with(words, {"TCP4-LISTEN:0,bind=10.77.0.2", "UNIX-CONNECT:" + behind}));
    });
    near_sockcat_ = near_->inside([&] {
      const std::string far = "TCP4:10.77.0.2:" + std::to_string(far_sockcat_->port());
      return std::make_unique<Serving>(with(words, {"UNIX-LISTEN:" + front, far}));
    });
    left_ = side_of(Socket::to_unix(front));
    right_ = side_of(origin.accept());
  }

  static std::vector<std::string> with(std::vector<std::string> words, const std::vector<std::string>& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  TemporaryDirectory directory_;
  std::optional<Network> near_, far_;
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<Serving> near_sockcat_, far_sockcat_;
  Side left_, right_;
};

class BadWeather : public BadNetwork, public testing::WithParamInterface<Weather> {};

TEST_P(BadWeather, LosesNothing) {
  const std::size_t size = some(mib(1));
  join(GetParam());
  converse(left_, right_, size, random_pieces(chance(), kib(64)), random_pieces(chance() + 1, kib(64)));
  expect_good_end(near_sockcat_->process());
  expect_good_end(far_sockcat_->process());
}

Socket bound_datagrams(const std::string& path) {
  Socket socket(Fd(check("create a socket", ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0))));
  const SocketName name = SocketName::unix_path(path);
  check("bind", ::bind(socket.number(), name.data(), name.size()));
  return socket;
}

/// Datagrams may get lost and overtake each other, but none is cut, changed or made of two.
TEST_P(BadWeather, LeavesDatagramsWhole) {
  wire_ = std::make_unique<Wire>(*near_, *far_, GetParam());
  const std::string front = directory_.path() + "/front", behind = directory_.path() + "/behind";
  const Socket receiver = bound_datagrams(behind);
  auto far = far_->inside([&] {
    return std::make_unique<Serving>(
        std::vector<std::string>{"-u", "UDP4-RECV:0,bind=10.77.0.2", "UNIX-SENDTO:" + behind});
  });
  auto near = near_->inside([&] {
    return std::make_unique<Serving>(std::vector<std::string>{
        "-u", "UNIX-RECV:" + front, "UDP4-SENDTO:10.77.0.2:" + std::to_string(far->port())});
  });
  const Socket sender = Socket::to_unix(front, SOCK_DGRAM);
  // Each begins with its number, and is a text of that number then; some are larger than a packet.
  std::string got(kib(64), '\0');
  std::size_t arrived = 0;
  for (std::uint64_t number = 0; arrived < 200 && number < 20'000; ++number) {
    const std::size_t size = 8 + number * 37 % 4000;
    std::string datagram(reinterpret_cast<const char*>(&number), 8);
    datagram += Text(number).part(0, size - 8);
    sender.send(datagram);
    pollfd state{receiver.number(), POLLIN, 0};
    while (::poll(&state, 1, 1) > 0) {
      const ssize_t count = ::recv(receiver.number(), got.data(), got.size(), MSG_DONTWAIT);
      ASSERT_GE(count, 8);
      std::uint64_t which = 0;
      got.copy(reinterpret_cast<char*>(&which), 8);
      EXPECT_EQ(static_cast<std::size_t>(count), 8 + which * 37 % 4000);
      EXPECT_TRUE(
          Text(which).continues(0, std::string_view(got).substr(8, static_cast<std::size_t>(count) - 8)));
      ++arrived;
    }
  }
  EXPECT_GE(arrived, 200U);
}

INSTANTIATE_TEST_SUITE_P(Network, BadWeather,
                         testing::ValuesIn(std::vector<Weather>{
                             {"Fair"},
                             {"Delays", 0, 0, 0, milliseconds(10), milliseconds(10)},
                             {"Disorder", 0, 0, 0, milliseconds(1), milliseconds(8)},
                             {"Loss", 20, 0, 0, milliseconds(1), milliseconds(2)},
                             {"Damage", 0, 0, 20, milliseconds(1), milliseconds(2)},
                             {"Storm", 20, 20, 10, milliseconds(1), milliseconds(5)},
                         }),
                         [](const auto& one) { return std::string(one.param.name); });

/// A wire that is cut for a while and mended.
TEST_F(BadNetwork, AnInterruptionLosesNothing) {
  const std::size_t size = some(mib(8));
  join({});
  std::atomic<bool> half{false};
  auto interruption = beside([&] {
    eventually([&] { return half.load(); });
    wire_->cut();
    std::this_thread::sleep_for(milliseconds(400));
    wire_->mend();
  });
  const Pieces reads = [&half, count = 0]() mutable {
    if (++count == 100) half = true;
    return kib(16);
  };
  converse(left_, right_, size, pieces_of(kib(64)), reads);
  interruption.get();
  expect_good_end(near_sockcat_->process());
  expect_good_end(far_sockcat_->process());
}

/// One that stays cut is silence: -T ends both sides, and both say so.
TEST_F(BadNetwork, ACutEndsByTheLimitOfInactivity) {
  join({}, {"-T", "1"});
  exchange(left_, right_, 1000);
  wire_->cut();
  EXPECT_EQ(write_text(left_.writing.get(), there, kib(64), pieces_of(kib(64)), 1000), (Moved{kib(64)}));
  EXPECT_EQ((*near_sockcat_)->wait().status, 124);
  EXPECT_EQ((*far_sockcat_)->wait().status, 124);
}

}  // namespace
}  // namespace sluice::test
