#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "own_network.h"

namespace sluice {
namespace {

class Tun : public testing::OwnNetworkTest {
 protected:
  void SetUp() override {
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "no /dev/net/tun for us";
  }
  static sockaddr_in place(const char* address, int port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(static_cast<std::uint16_t>(port));
    EXPECT_EQ(::inet_pton(AF_INET, address, &name.sin_addr), 1);
    return name;
  }
};

TEST_F(Tun, IsTheWireOfAnInterface) {
  in_own_network([&] {
    auto wire = open("TUN:10.8.0.1/24,iff-up,iff-no-pi,tun-name=wire");
    EXPECT_EQ(wire->info().traits.shape, Shape::messages);
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const sockaddr_in local = place("10.8.0.1", 4000), far = place("10.8.0.2", 5000);
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local), 0);
    ASSERT_EQ(::sendto(socket.get(), "hello", 5, 0, reinterpret_cast<const sockaddr*>(&far), sizeof far), 5);
    std::string packet = read_until(*wire, "hello");
    ASSERT_EQ(packet.size(), 20 + 8 + 5U);
    EXPECT_EQ(packet.substr(16, 4), std::string("\x0a\x08\x00\x02", 4))
        << "an IP header without more before it";
    // Source and destination change places, of addresses and of ports, which leaves the checksums as they
    // are.
    std::swap_ranges(packet.begin() + 12, packet.begin() + 16, packet.begin() + 16);
    std::swap_ranges(packet.begin() + 20, packet.begin() + 22, packet.begin() + 22);
    write(*wire, packet);
    char answer[16];
    const timeval limit{30, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(::recv(socket.get(), answer, sizeof answer, 0), 5);
  });
}

TEST_F(Tun, CarriesFramesOrPacketsAsItsTypeSays) {
  in_own_network([&] {
    auto wire = open("TUN,tun-type=tap,iff-up,iff-no-pi,tun-name=wire");
    auto interface = open("INTERFACE:wire");
    const std::string frame = std::string(12, '\xff') + "\x88\xb5 a frame that is long enough for Ethernet";
    write(*interface, frame);
    EXPECT_EQ(read_until(*wire, "Ethernet"), frame);
    write(*wire, frame);
    EXPECT_EQ(read_until(*interface, "Ethernet"), frame);
    auto with_information = open("TUN,tun-type=tap,iff-up,tun-name=other");
    auto other = open("INTERFACE:other");
    write(*other, frame);
    EXPECT_EQ(read_until(*with_information, "Ethernet"), std::string("\0\0\x88\xb5", 4) + frame);
  });
}

TEST_F(Tun, IsReportedByItsName) {
  in_own_network([&] {
    const auto named = endpoint("TUN:10.8.0.1/30,tun-name=wire");
    run(loop_, named->prepare());
    EXPECT_EQ(named->names().at(0), "tun wire");
    const auto nameless = endpoint("TUN");
    run(loop_, nameless->prepare());
    EXPECT_EQ(nameless->names().at(0), "tun tun0");
    ifreq request{};
    std::strcpy(request.ifr_name, "wire");
    const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::ioctl(any.get(), SIOCGIFNETMASK, &request), 0);
    sockaddr_in mask{};
    std::memcpy(&mask, &request.ifr_netmask, sizeof mask);
    EXPECT_EQ(ntohl(mask.sin_addr.s_addr), 0xfffffffcU);
    EXPECT_EQ(failure("TUN,tun-name=wire"), "TUN,tun-name=wire: make a tunnel: Device or resource busy");
  });
}

TEST_F(Tun, BadAddressesFailBeforeAnythingIsOpened) {
  for (const auto* address : {"TUN:10.8.0.1", "TUN:10.8.0.1/33", "TUN:10.8.0.1/", "TUN:10.8.0/24",
                              "TUN:host/24", "TUN:10.8.0.1/24,tun-type=bridge"})
    EXPECT_THROW(endpoint(address), AddressError) << address;
  EXPECT_EQ(failure("TUN,tun-device=/nowhere/tun"),
            "TUN,tun-device=/nowhere/tun: open /nowhere/tun: No such file or directory");
}

}  // namespace
}  // namespace sluice
