#include "sluice/endpoint/connector.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "../stream/on_loop.h"
#include "opened.h"
#include "sluice/address/address.h"

namespace sluice {
namespace {

/// A listening socket on a loopback address: of IPv4, or ::1.
class Server {
 public:
  explicit Server(const char* host) : fd_(::socket(family(host), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto address = numeric_host(host, AF_UNSPEC)->with_port(0);
    if (::bind(fd_.get(), address.data(), address.size()) != 0 || ::listen(fd_.get(), 16) != 0) fd_.reset();
  }
  explicit operator bool() const { return static_cast<bool>(fd_); }
  SocketName name() const { return SocketName::of_socket(fd_.get()); }
  /// From now on who connects gets no answer: its backlog is full.
  void fall_silent() {
    ::listen(fd_.get(), 0);
    for (int i = 0; i < 3; ++i) {
      held_.emplace_back(::socket(name().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      ::connect(held_.back().get(), name().data(), name().size());
    }
  }

 private:
  static int family(const std::string& host) { return host.find(':') == host.npos ? AF_INET : AF_INET6; }
  Fd fd_;
  std::vector<Fd> held_;
};

class ConnectorTest : public testing::EndpointTest {
 protected:
  /// Opens a connection to one of some names; to which, or why to none.
  std::string connect(const std::vector<SocketName>& names, const std::string& options = "") {
    const auto address = parse_specification("TCP:name:1" + options).reading;
    Connector::Plan plan;
    plan.kind = {AF_UNSPEC, SOCK_STREAM, 0};
    plan.find = [names]() -> Task<std::vector<SocketName>> { co_return names; };
    plan.bind = [](int, SocketKind) -> Task<> { co_return; };
    Connector connector(address, context_, plan);
    try {
      auto stream = testing::run(loop_, connector.open(session_));
      const std::string peer = SocketName::of_peer(stream->info().in).host_and_port();
      close(*stream);
      return peer;
    } catch (const Failure& failure) {
      return failure.what();
    }
  }
};

TEST_F(ConnectorTest, TriesTheNextNameBesideOneThatDoesNotAnswer) {
  Server silent("127.0.0.1"), good("127.0.0.2"), other("127.0.0.3");
  silent.fall_silent();
  // An attempt that nobody answers takes the kernel two minutes.
  const auto begin = Clock::now();
  EXPECT_EQ(connect({silent.name(), good.name(), other.name()}), good.name().host_and_port());
  EXPECT_GE(Clock::now() - begin, std::chrono::milliseconds(250)) << "the first one has a head start";
  good.fall_silent();
  EXPECT_EQ(connect({silent.name(), good.name(), other.name()}), other.name().host_and_port());
}

TEST_F(ConnectorTest, TriesTheNextNameAtOnceWhenOneIsRefused) {
  const Server good("127.0.0.2");
  const SocketName refused = Server("127.0.0.1").name();
  EXPECT_EQ(connect({refused, good.name()}), good.name().host_and_port());
  EXPECT_EQ(connect({good.name(), refused}), good.name().host_and_port());
  EXPECT_EQ(connect({refused, refused}), "connect to " + refused.host_and_port() + ": Connection refused");
}

TEST_F(ConnectorTest, TriesIpVersionsInTurn) {
  Server six("::1"), silent("127.0.0.1"), also_silent("127.0.0.2");
  if (!six) GTEST_SKIP() << "no IPv6 here";
  silent.fall_silent();
  also_silent.fall_silent();
  const auto begin = Clock::now();
  EXPECT_EQ(connect({silent.name(), also_silent.name(), six.name()}), six.name().host_and_port());
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(60));
}

TEST_F(ConnectorTest, TriesOneAfterTheOtherFromAPortOfItsOwn) {
  Server silent("127.0.0.1");
  const Server good("127.0.0.2");
  silent.fall_silent();
  EXPECT_EQ(connect({silent.name(), good.name()}, ",sourceport=0,connect-timeout=0.3"),
            good.name().host_and_port());
}

}  // namespace
}  // namespace sluice
