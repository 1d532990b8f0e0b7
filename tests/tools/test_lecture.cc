#include <gtest/gtest.h>

#include <array>
#include <string>

#include "run.h"
#include "sockcat.h"

/// The lecture's programs: its pipeline, its UDP and TCP servers in upper case answering plain Python clients
/// that are written as on its slides, and our client talking to plain Python servers.
namespace sluice::test {
namespace {

/// `s.sendto(...)`, `s.recvfrom(4096)`: argv is family, host, port or path, and what to say.
constexpr const char* udp_client = R"(
import socket, sys, os
family, host, port, text = sys.argv[1:5]
s = socket.socket(getattr(socket, family), socket.SOCK_DGRAM)
s.settimeout(30)
if family == 'AF_UNIX':
    s.bind(host + '.client')
    to = host
else:
    to = (host, int(port))
s.sendto(text.encode(), to)
data, address = s.recvfrom(4096)
print(data.decode())
)";

constexpr const char* tcp_client = R"(
import socket, sys
family, host, port, text = sys.argv[1:5]
s = socket.socket(getattr(socket, family), socket.SOCK_STREAM)
s.settimeout(30)
s.connect(host if family == 'AF_UNIX' else (host, int(port)))
s.send(text.encode())
print(s.recv(4096).decode())
s.close()
)";

/// The slides' servers; they say their port first and serve one client.
constexpr const char* udp_server = R"(
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', 0))
print(s.getsockname()[1], flush=True)
data, address = s.recvfrom(4096)
s.sendto(data.upper(), address)
)";

constexpr const char* tcp_server = R"(
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.bind(('127.0.0.1', 0))
s.listen(1)
print(s.getsockname()[1], flush=True)
c, address = s.accept()
c.send(c.recv(4096).upper())
c.close()
)";

std::string python(const char* program, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"python3", "-c", program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const Ended ended = run(words);
  EXPECT_EQ(ended.err, "");
  return ended.out;
}

/// A filter's --serve, ready.
class Served {
 public:
  Served(const std::string& filter, const std::string& address)
      : process_({tool(filter), "--ready-fd", "5", "--serve", address}, {.captured = {5}}) {
    name_ = process_.line(5).value_or("(none)");
  }
  const std::string& name() const { return name_; }
  std::string port() const { return name_.substr(name_.rfind(':') + 1); }
  int end() {
    process_.signal(SIGTERM);
    return process_.wait().status;
  }

 private:
  Running process_;
  std::string name_;
};

TEST(Lecture, CountsInterfacesInItsPipeline) {
  // Interfaces are folders here as well, so that the test needs no further program.
  const auto counted = run({"sh", "-c", "ls -1 /sys/class/net | " + tool("count-lines")});
  const auto expected = run({"sh", "-c", "ls -1 /sys/class/net | wc -l"});
  EXPECT_EQ(counted.out, expected.out);
  EXPECT_EQ(counted.status, 0);
}

TEST(Lecture, ServersInUpperCaseAnswerPlainClients) {
  const TemporaryDirectory folder;
  const std::string path = folder.path() + "/s";
  struct Case {
    const char* program;
    std::string address, family, host;
  };
  const Case cases[] = {
      {udp_client, "UDP-RECVFROM:0", "AF_INET", "127.0.0.1"},
      {udp_client, "UDP-RECVFROM:0", "AF_INET6", "::1"},
      {udp_client, "UDP-RECVFROM:0,bind=127.0.0.1", "AF_INET", "127.0.0.1"},
      {udp_client, "UDP-LISTEN:0", "AF_INET", "127.0.0.1"},
      {udp_client, "UNIX-RECVFROM:" + path, "AF_UNIX", path},
      {tcp_client, "TCP-LISTEN:0", "AF_INET", "127.0.0.1"},
      {tcp_client, "TCP-LISTEN:0", "AF_INET6", "::1"},
      {tcp_client, "TCP-LISTEN:0,bind=127.0.0.1", "AF_INET", "127.0.0.1"},
      {tcp_client, "UNIX-LISTEN:" + path, "AF_UNIX", path},
  };
  for (const auto& one : cases) {
    Served upper("upper", one.address);
    for (const auto& [said, answer] : {std::pair("labi", "LABI\n"), std::pair("Labdien 2", "LABDIEN 2\n")}) {
      EXPECT_EQ(python(one.program, {one.family, one.host, upper.port(), said}), answer) << one.address;
      std::remove((path + ".client").c_str());
    }
    EXPECT_EQ(upper.end(), 0) << one.address;
  }
}

TEST(Lecture, ServersAreSockcatsToo) {
  for (const auto& [program, address] :
       {std::pair(udp_client, "UDP-RECVFROM:0,fork"), std::pair(udp_client, "UDP-LISTEN:0,fork"),
        std::pair(tcp_client, "TCP-LISTEN:0,fork")}) {
    Serving server({address, "UPPER"});
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(python(program, {"AF_INET", "127.0.0.1", std::to_string(server.port()), "labi"}), "LABI\n")
          << address;
    server->signal(SIGTERM);
    EXPECT_EQ(server->wait().status, 0) << address;
  }
}

TEST(Lecture, ClientTalksToPlainServers) {
  struct Case {
    const char* program;
    std::string address;
  };
  for (const auto& one : {Case{udp_server, "UDP:127.0.0.1:"}, Case{udp_server, "UDP-SENDTO:127.0.0.1:"},
                          Case{tcp_server, "TCP:127.0.0.1:"}}) {
    Running server({"python3", "-c", one.program});
    const auto port = server.line();
    ASSERT_TRUE(port);
    const Ended client = run_sockcat({"-", one.address + *port}, {.input = "labi"});
    EXPECT_EQ(client.out, "LABI") << one.address;
    EXPECT_EQ(client.status, 0) << one.address << client.err;
    EXPECT_EQ(server.wait().status, 0);
  }
}

TEST(Lecture, SecondServerOnATakenNameIsToldWhoHoldsIt) {
  const TemporaryDirectory folder;
  struct Case {
    std::string first, second;
  };
  for (const auto& one :
       {Case{"TCP4-LISTEN:0", "TCP4-LISTEN:%"}, Case{"TCP-LISTEN:0", "TCP-LISTEN:%"},
        Case{"UDP-RECVFROM:0", "UDP-RECVFROM:%"},
        Case{"UNIX-LISTEN:" + folder.path() + "/s", "UNIX-LISTEN:" + folder.path() + "/s"}}) {
    Served first("upper", one.first);
    std::string address = one.second;
    if (const auto at = address.find('%'); at != address.npos) address.replace(at, 1, first.port());
    const Ended second = run({tool("upper"), "--serve", address});
    EXPECT_EQ(second.status, 1) << address;
    EXPECT_NE(second.err.find("Address already in use (held by upper, process "), std::string::npos)
        << second.err;
    EXPECT_EQ(second.err.find('\n'), second.err.size() - 1) << "one line";
    EXPECT_EQ(first.end(), 0);
  }
}

TEST(Lecture, CountLinesTellsEachClientItsCount) {
  Served counter("count-lines", "TCP-LISTEN:0");
  for (const auto& [text, count] :
       {std::pair("a\nb\n", "2\n"), std::pair("", "0\n"), std::pair("no end", "0\n")}) {
    const Ended client = run_sockcat({"-", "TCP:127.0.0.1:" + counter.port()}, {.input = text});
    EXPECT_EQ(client.out, count);
  }
  EXPECT_EQ(counter.end(), 0);
}

}  // namespace
}  // namespace sluice::test
