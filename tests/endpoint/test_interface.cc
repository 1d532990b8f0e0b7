#include "sluice/endpoint/interface.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "own_network.h"

namespace sluice {
namespace {

using namespace std::string_literals;

class Interface : public testing::OwnNetworkTest {
 protected:
  static ifreq ask(const char* name, unsigned long request) {
    const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq asked{};
    std::string(name).copy(asked.ifr_name, sizeof asked.ifr_name - 1);
    EXPECT_EQ(::ioctl(any.get(), request, &asked), 0);
    return asked;
  }
};

/// From nobody to nobody, of a type for experiments (IEEE 802, 0x88b5).
const std::string addresses(12, '\0');
const std::string plain = addresses + "\x88\xb5 hello";
const std::string tagged = addresses + "\x81\x00\x20\x07\x88\xb5 hello"s;

TEST_F(Interface, SendsAndReceivesFrames) {
  in_own_network([&] {
    auto one = open("INTERFACE:lo,iff-up");
    auto two = open("IF:lo");
    EXPECT_EQ(one->info().traits.shape, Shape::messages);
    EXPECT_FALSE(one->info().traits.input_ends);
    write(*one, plain);
    EXPECT_EQ(read_until(*two, "hello"), plain);
    const std::string large = addresses + "\x88\xb5" + std::string(65536, 'x');
    write(*one, large);
    EXPECT_EQ(read_until(*two, "xxx").size(), large.size()) << "larger than a message usually is";
  });
}

TEST_F(Interface, PutsTagsBackThatTheKernelTookOut) {
  in_own_network([&] {
    auto sender = open("INTERFACE:lo,iff-up", Use::writing);
    auto with_tags = open("INTERFACE:lo,retrieve-vlan", Use::reading);
    write(*sender, tagged);
    EXPECT_EQ(read_until(*with_tags, "hello"), tagged);
    write(*sender, plain);
    EXPECT_EQ(read_until(*with_tags, "hello"), plain);
  });
}

TEST_F(Interface, HearsNothingThatThisHostSends) {
  if (::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "no /dev/net/tun for us";
  in_own_network([&] {
    auto wire = open("TUN,tun-type=tap,iff-up,iff-no-pi,tun-name=wire");
    for (const char* options : {"", ",retrieve-vlan"}) {
      auto interface = open("INTERFACE:wire"s + options);
      auto other = open("INTERFACE:wire", Use::writing);
      for (const auto& sender : {other.get(), interface.get()}) {
        write(*sender, plain);
        EXPECT_EQ(read_until(*wire, "hello"), plain);
      }
      write(*wire, addresses + "\x88\xb5 from outside");
      EXPECT_EQ(read_once(*interface), addresses + "\x88\xb5 from outside") << options;
    }
  });
}

TEST_F(Interface, OfTheLoopIsHeardOnce) {
  in_own_network([&] {
    auto one = open("INTERFACE:lo,iff-up");
    for (const char* text : {"first hello", "second hello"}) {
      const std::string frame = addresses + "\x88\xb5 " + text;
      write(*one, frame);
      EXPECT_EQ(read_until(*one, "hello"), frame);
    }
  });
}

TEST_F(Interface, IsGivenFlagsAndMtu) {
  in_own_network([&] {
    EXPECT_EQ(ask("lo", SIOCGIFFLAGS).ifr_flags & IFF_UP, 0);
    open("INTERFACE:lo,iff-up,iff-promisc,interface-mtu=1400");
    EXPECT_NE(ask("lo", SIOCGIFFLAGS).ifr_flags & IFF_UP, 0);
    EXPECT_NE(ask("lo", SIOCGIFFLAGS).ifr_flags & IFF_PROMISC, 0);
    EXPECT_EQ(ask("lo", SIOCGIFMTU).ifr_mtu, 1400);
    open("INTERFACE:lo,iff-promisc=0,iff-up=0");
    EXPECT_EQ(ask("lo", SIOCGIFFLAGS).ifr_flags & (IFF_UP | IFF_PROMISC), 0);
    const std::string text = failure("INTERFACE:lo,interface-mtu=4000000000");
    EXPECT_EQ(text, "INTERFACE:lo,interface-mtu=4000000000: option \"interface-mtu\": Invalid argument");
  });
}

TEST_F(Interface, FailsClearly) {
  in_own_network([&] {
    EXPECT_EQ(failure("INTERFACE:none"), "INTERFACE:none: interface none: No such device");
    EXPECT_EQ(failure("INTERFACE:abcdefghijklmnop"),
              "INTERFACE:abcdefghijklmnop: \"abcdefghijklmnop\" is no name of an interface (1 to 15 bytes)");
  });
}

}  // namespace
}  // namespace sluice
