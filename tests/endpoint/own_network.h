#pragma once

#include <gtest/gtest.h>
#include <sched.h>

#include <cerrno>
#include <future>

#include "opened.h"

namespace sluice::testing {

/// Tests of network interfaces: each in a network of its own that goes with its thread. Needs root.
class OwnNetworkTest : public EndpointTest {
 protected:
  template <class Work>
  void in_own_network(Work work) {
    const int error = std::async(std::launch::async, [&] {
                        if (::unshare(CLONE_NEWNET) != 0) return errno;
                        work();
                        return 0;
                      }).get();
    if (error != 0) GTEST_SKIP() << "no network of its own: " << std::generic_category().message(error);
  }
  /// Reads messages until one ends so; others come to an interface by themselves.
  std::string read_until(Stream& from, const std::string& ending) {
    for (;;) {
      std::string message = read_once(from);
      if (message.ends_with(ending) || message.empty()) return message;
    }
  }
};

}  // namespace sluice::testing
