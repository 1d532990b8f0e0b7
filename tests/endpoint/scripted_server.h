#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <future>
#include <string>
#include <utility>
#include <vector>

#include "sluice/core/fd.h"
#include "sluice/core/socket_name.h"

namespace sluice::testing {

/// A server on loopback for one client: waits for as many bytes as it expects, answers, and so on, then
/// closes.
class ScriptedServer {
 public:
  struct Turn {
    std::string expected;
    std::string answer;
  };

  enum class Ends { closes, resets, waits_for_the_client };

  explicit ScriptedServer(std::vector<Turn> turns, Ends end = Ends::closes) {
    Fd listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listening.get(), reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
    EXPECT_EQ(::listen(listening.get(), 1), 0);
    port_ = SocketName::of_socket(listening.get()).port();
    served_ = std::async(std::launch::async, [listening = std::move(listening), turns = std::move(turns),
                                              end] { serve(listening, turns, end); });
  }

  std::string port() const { return std::to_string(port_); }

 private:
  static void serve(const Fd& listening, const std::vector<Turn>& turns, Ends end) {
    const timeval limit{10, 0};
    ::setsockopt(listening.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const Fd client(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    for (const Turn& turn : turns) {
      std::string got(turn.expected.size(), '\0');
      if (!got.empty())
        got.resize(static_cast<std::size_t>(
            std::max<ssize_t>(0, ::recv(client.get(), got.data(), got.size(), MSG_WAITALL))));
      EXPECT_EQ(got, turn.expected);
      ::send(client.get(), turn.answer.data(), turn.answer.size(), MSG_NOSIGNAL);
    }
    char more = 0;
    if (end == Ends::waits_for_the_client) {
      EXPECT_EQ(::recv(client.get(), &more, 1, 0), 0);
    }
    const linger now{1, 0};
    if (end == Ends::resets) ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

  std::uint16_t port_ = 0;
  std::future<void> served_;
};

}  // namespace sluice::testing
