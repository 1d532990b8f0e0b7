#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <thread>

#include "opened.h"
#include "sluice/core/socket_name.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

/// A name server that knows every name to be 127.0.0.9, and no address of IPv6.
class NameServer {
 public:
  NameServer() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in loopback{};
    loopback.sin_family = AF_INET;
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&loopback), sizeof loopback), 0);
    name_ = SocketName::of_socket(socket_.get());
    thread_ = std::thread([this] { serve(); });
  }
  ~NameServer() {
    const Fd waker(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ::sendto(waker.get(), "", 0, 0, name_.data(), name_.size());
    thread_.join();
  }

  std::string option() const { return "res-nsaddr=" + name_.host_and_port(); }
  std::string port() const { return name_.service(); }
  int questions() const { return questions_; }
  bool recursion_was_desired() const { return recursion_; }

 private:
  void serve() {
    unsigned char message[512];
    for (;;) {
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      const auto count =
          ::recvfrom(socket_.get(), message, sizeof message, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (count < 17) return;
      ++questions_;
      recursion_ = (message[2] & 1) != 0;
      // RFC 1035: the header, the question as it came, one record that points back to its name.
      std::size_t end = 12;
      while (message[end] != 0) end += message[end] + 1U;
      const bool for_ip4 = message[end + 2] == 1;
      end += 5;
      message[2] = 0x81;
      message[3] = 0x80;
      const unsigned char counts[8] = {
          0, 1, 0, for_ip4 ? static_cast<unsigned char>(1) : static_cast<unsigned char>(0), 0, 0, 0, 0};
      std::memcpy(message + 4, counts, sizeof counts);
      constexpr unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 9};
      if (for_ip4) std::memcpy(message + end, record, sizeof record);
      ::sendto(socket_.get(), message, end + (for_ip4 ? sizeof record : 0), 0,
               reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  Fd socket_;
  SocketName name_;
  std::atomic<int> questions_ = 0;
  std::atomic<bool> recursion_ = false;
  std::thread thread_;
};

class Resolve : public testing::EndpointTest {
 protected:
  std::vector<std::string> names(const std::string& text, int family = AF_UNSPEC) {
    const Address address = parse_address(text);
    const auto found = run(loop_, resolve(address, address.parameters[0], address.parameters[1],
                                          {family, SOCK_STREAM, 0}, context_));
    std::vector<std::string> texts;
    for (const SocketName& name : found) texts.push_back(name.host_and_port());
    return texts;
  }
};

using Names = std::vector<std::string>;

TEST_F(Resolve, AsksTheNameServerThatItIsTold) {
  const NameServer server;
  EXPECT_EQ(names("TCP:sluice.example.org:80," + server.option()), Names{"127.0.0.9:80"});
  EXPECT_GT(server.questions(), 0);
  EXPECT_TRUE(server.recursion_was_desired());
  EXPECT_EQ(names("TCP:sluice.example.org:80,res-recurse=0," + server.option()), Names{"127.0.0.9:80"});
  EXPECT_FALSE(server.recursion_was_desired());
}

TEST_F(Resolve, FindsTheNameServerByItsName) {
  for (const char* host : {"localhost", "[localhost]", "127.0.0.1", "[127.0.0.1]", "ns.localhost"}) {
    const NameServer server;
    EXPECT_EQ(names("TCP:sluice.example.org:80,res-nsaddr=" + std::string(host) + ':' + server.port()),
              Names{"127.0.0.9:80"})
        << host;
    EXPECT_GT(server.questions(), 0) << host;
  }
  try {
    names("TCP:sluice.example.org:80,res-nsaddr=no..name");
    ADD_FAILURE();
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("option \"res-nsaddr\": resolve no..name: "),
              std::string::npos)
        << failure.what();
  }
}

TEST_F(Resolve, AsksAtOnceForMappedAddresses) {
  const NameServer server;
  EXPECT_EQ(names("TCP:sluice.example.org:80,ai-v4mapped," + server.option(), AF_INET6),
            Names{"127.0.0.9:80"});
  EXPECT_THROW(names("TCP:sluice.example.org:80," + server.option(), AF_INET6), Failure);
}

TEST_F(Resolve, NeverAsksForLocalhostAndTheNamesBelowIt) {
  for (const char* host : {"localhost", "LOCALHOST", "LocalHost.", "a.localhost", "a.b.LocalHost",
                           "a.localhost.", "localhost.localhost"}) {
    SCOPED_TRACE(host);
    const NameServer server;
    const std::string address = "TCP:" + std::string(host) + ":80," + server.option();
    const Names found = names(address);
    EXPECT_FALSE(found.empty());
    for (const std::string& name : found) EXPECT_TRUE(name == "127.0.0.1:80" || name == "[::1]:80") << name;
    EXPECT_EQ(names(address, AF_INET), Names{"127.0.0.1:80"});
    EXPECT_EQ(server.questions(), 0);
  }
}

TEST_F(Resolve, AsksForNamesThatOnlyResembleLocalhost) {
  for (const char* host : {"localhost.localdomain.example", "notlocalhost.example", "localhost.example.",
                           "xlocalhost.", "localhost.org"}) {
    SCOPED_TRACE(host);
    const NameServer server;
    EXPECT_EQ(names("TCP:" + std::string(host) + ":80," + server.option()), Names{"127.0.0.9:80"});
    EXPECT_GT(server.questions(), 0);
  }
}

// No hosts file has this name, so it is what getaddrinfo(3) makes of no host.
constexpr const char* below = "TCP:name.of.sluice.tests.localhost:80";

TEST_F(Resolve, FindsLocalhostInBothFamilies) {
  auto both = names(below);
  std::sort(both.begin(), both.end());
  EXPECT_EQ(both, (Names{"127.0.0.1:80", "[::1]:80"}));
  EXPECT_EQ(names(below, AF_INET), Names{"127.0.0.1:80"});
  EXPECT_EQ(names(below, AF_INET6), Names{"[::1]:80"});
}

TEST_F(Resolve, PutsThePreferredFamilyOfLocalhostFirst) {
  context_.preferred_family = AF_INET;
  EXPECT_EQ(names(below), (Names{"127.0.0.1:80", "[::1]:80"}));
  context_.preferred_family = AF_INET6;
  EXPECT_EQ(names(below), (Names{"[::1]:80", "127.0.0.1:80"}));
}

TEST_F(Resolve, FindsNoWildcardForLocalhost) {
  EXPECT_EQ(names(std::string(below) + ",ai-passive", AF_INET), Names{"127.0.0.1:80"});
  EXPECT_EQ(names(std::string(below) + ",ai-v4mapped", AF_INET6), Names{"[::1]:80"});
}

TEST_F(Resolve, RefusesNameServersThatAreNone) {
  for (const char* option :
       {"res-nsaddr=''", "res-nsaddr=:53", "res-nsaddr=127.0.0.1:99999", "res-nsaddr=127.0.0.1:nosuchservice",
        "res-nsaddr=[::1]:53", "res-nsaddr=::1", "res-nsaddr=[127.0.0.1"})
    EXPECT_THROW(names("TCP:sluice.example.org:80," + std::string(option)), AddressError) << option;
}

TEST_F(Resolve, KnowsNumbersWhateverIsPreferred) {
  context_.preferred_family = AF_INET6;
  EXPECT_EQ(names("TCP:127.0.0.1:80"), Names{"127.0.0.1:80"});
  EXPECT_EQ(names("TCP:[::1]:80"), Names{"[::1]:80"});
  EXPECT_THROW(names("TCP:[::1]:80", AF_INET), Failure);
}

}  // namespace
}  // namespace sluice
