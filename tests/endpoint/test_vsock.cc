#include <gtest/gtest.h>
#include <linux/vm_sockets.h>
#include <sys/socket.h>

#include <string>

#include "opened.h"

namespace sluice {
namespace {

class Vsock : public testing::EndpointTest {
 protected:
  static bool exists() { return static_cast<bool>(Fd(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0))); }
  /// Whether this machine can talk with itself (vsock_loopback).
  static bool talks_with_itself() {
    const Fd probe(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const SocketName any = SocketName::vsock(VMADDR_CID_LOCAL, VMADDR_PORT_ANY);
    if (!probe || ::bind(probe.get(), any.data(), any.size()) != 0 || ::listen(probe.get(), 1) != 0)
      return false;
    const SocketName name = SocketName::of_socket(probe.get());
    const Fd client(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(client.get(), name.data(), name.size()) == 0;
  }
};

TEST_F(Vsock, ListensWhereItIsToldTo) {
  if (!exists()) GTEST_SKIP() << "this kernel has no AF_VSOCK";
  const auto listener = endpoint("VSOCK-LISTEN:4294967295");
  run(loop_, listener->prepare());
  const std::string name = listener->names().at(0);
  ASSERT_TRUE(name.starts_with("vsock 4294967295:")) << name;
  const std::string port = name.substr(name.rfind(':') + 1);
  EXPECT_NE(port, "4294967295") << "the kernel chooses one";
  const auto second = endpoint("VSOCK-LISTEN:" + port);
  try {
    run(loop_, second->prepare());
    FAIL();
  } catch (const Failure& refused) {
    EXPECT_EQ(refused.what(),
              "VSOCK-LISTEN:" + port + ": bind 4294967295:" + port + ": Address already in use");
  }
}

TEST_F(Vsock, ConnectsOnThisMachine) {
  if (!talks_with_itself()) GTEST_SKIP() << "this kernel has no loopback of AF_VSOCK";
  auto [server, client] = meet("VSOCK-LISTEN:43210,bind=1", "VSOCK-CONNECT:1:43210,bind=1");
  write(*client, "hello");
  finish(*client);
  EXPECT_EQ(read(*server), "hello");
}

TEST_F(Vsock, WhatTheKernelRefusesIsItsError) {
  if (talks_with_itself()) GTEST_SKIP() << "this kernel has a loopback of AF_VSOCK";
  const std::string text = failure("VSOCK-CONNECT:1:43210,connect-timeout=10");
  if (!exists())
    EXPECT_NE(text.find("create a socket: "), std::string::npos) << text;
  else
    EXPECT_TRUE(text.starts_with("connect to 1:43210: ")) << text;
  EXPECT_EQ(text.find("connect to 1:43210: timed out"), std::string::npos) << "the kernel told nothing";
}

TEST_F(Vsock, BadAddressesFailBeforeAnythingIsOpened) {
  for (const auto* address :
       {"VSOCK-LISTEN:x", "VSOCK-LISTEN:-1", "VSOCK-LISTEN:4294967296", "VSOCK-CONNECT:host:1",
        "VSOCK-CONNECT:1:", "VSOCK-CONNECT:1:1,bind=x", "VSOCK-LISTEN:1,bind=1:y"})
    EXPECT_THROW(endpoint(address), AddressError) << address;
}

}  // namespace
}  // namespace sluice
