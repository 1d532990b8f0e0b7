#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <linux/vm_sockets.h>
#include <mqueue.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

#include "observing.h"
#include "sluice/address/address.h"

/// Every keyword of the language is opened by the real program, and something goes through what it opened: to
/// another one, to a peer of ours, or back. What this kernel has not is its own refusal; what is not built
/// says so.
namespace sluice::test {
namespace {

using namespace std::string_literals;

/// Where an exchange takes place: %d its folder, %q a message queue, %a an abstract name, and what is added.
class Place {
 public:
  Place() {
    const std::string own = std::to_string(::getpid());
    places['d'] = folder.path();
    places['q'] = "/sluice-keyword-" + own;
    places['a'] = "sluice-keyword-" + own;
    folder.file("f", "0123456789");
  }
  ~Place() { ::mq_unlink(places['q'].c_str()); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  std::vector<std::string> words(std::vector<std::string> all) const {
    for (auto& word : all) word = filled(std::move(word), places);
    return all;
  }
  Ended run(std::vector<std::string> all, RunOptions options = {}) const {
    return run_sockcat(words(std::move(all)), std::move(options));
  }

  /// Where a server can be reached: %p is its port, %x its port as data, in the order of the network.
  void reaches(const Serving& serving) {
    const std::string name = serving.names().at(0);
    const std::string port = name.substr(name.rfind(':') + 1);
    places['p'] = port;
    char hex[8];
    std::snprintf(hex, sizeof hex, "x%04x", static_cast<unsigned>(std::atoi(port.c_str()) & 0xffff));
    places['x'] = hex;
  }

  TemporaryDirectory folder;
  std::map<char, std::string> places;
};

using Exchange = std::function<std::string(Place&)>;

/// A kind of sockets that a kernel may lack.
struct Kind {
  int family = 0, type = 0, protocol = 0;
};

struct Row {
  std::vector<std::string> keywords;
  Exchange exchange;
  std::string outcome;  ///< of the exchange
  Need need = Need::nothing;
  Kind kind = {};                           ///< where the kernel may have none of that,
  std::vector<std::string> addresses = {};  ///< these are what it refuses
};

/// What is printed, or how it failed.
std::string outcome_of(const Ended& ended) { return ended.status == 0 ? ended.out : described(ended); }

/// A line that ends by itself.
Exchange line(std::vector<std::string> words, std::string input = "x") {
  return [=](Place& place) { return outcome_of(place.run(words, {.input = input})); };
}

/// A server that answers in upper case, and a client.
Exchange answered(std::string server, std::string client) {
  return [=](Place& place) {
    Serving serving(place.words({server, "UPPER"}));
    place.reaches(serving);
    return outcome_of(place.run({"-t60", "-", client}, {.input = "x"}));
  };
}
/// A receiver, whose output shows what a sender has sent; nothing comes back.
Exchange received(std::string receiver, std::string sender) {
  return [=](Place& place) {
    Serving serving(place.words({"-u", receiver, "-"}));
    place.reaches(serving);
    const Ended ended = place.run({"-u", "-", sender}, {.input = "x"});
    return ended.status == 0 ? serving->bytes(1) : described(ended);
  };
}
/// The same in a network of its own, with two addresses of IPv6.
Exchange apart(Exchange exchange) {
  return [=](Place& place) {
    std::string text = "no network";
    in_own_network([&] {
      const Fd any(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      struct {
        in6_addr address;
        std::uint32_t bits;
        int interface;
      } request{};  // in6_ifreq of linux/ipv6.h, which glibc's headers keep out
      ::inet_pton(AF_INET6, "fd00::9", &request.address);
      request.bits = 128;
      request.interface = static_cast<int>(::if_nametoindex("lo"));
      if (any) check("set an address", ::ioctl(any.get(), SIOCSIFADDR, &request));
      // The kernel looks whether somebody else has it, for a moment.
      sockaddr_in6 name{};
      name.sin6_family = AF_INET6;
      name.sin6_addr = request.address;
      if (any)
        eventually([&] { return ::bind(any.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0; });
      text = exchange(place);
    });
    return text;
  };
}

/// Through a proxy: what it hears, and what comes from it.
Exchange through(std::string address, std::vector<std::string> answers) {
  return [=](Place& place) {
    const Socket listening = Socket::listening_tcp();
    place.places['p'] = std::to_string(listening.port());
    Running client(sockcat(place.words({"-", address})), {.input = "ping"});
    const Dialogue dialogue = answer(listening, client, answers);
    return dialogue.rest + ' ' + outcome_of(client.wait());
  };
}

void add_streams(std::vector<Row>& rows) {
  struct Family {
    std::string name;
    bool six;
    Kind kind;
  };
  std::vector<Family> families;
  for (const auto& [name, type, protocol] : {std::tuple{"TCP", SOCK_STREAM, 0},
                                             {"SCTP", SOCK_STREAM, IPPROTO_SCTP},
                                             {"DCCP", SOCK_DCCP, IPPROTO_DCCP}})
    for (const std::string version : {"", "4", "6"})
      families.push_back(
          {name + version, version == "6", {version == "6" ? AF_INET6 : AF_INET, type, protocol}});
  for (const auto& [name, six, kind] : families) {
    const std::string host = six ? "[::1]" : "127.0.0.1";
    const std::string listen = name + "-LISTEN", connect = name + "-CONNECT";
    const std::string server = listen + ":0,bind=" + host, client = connect + ':' + host + ":%p";
    rows.push_back({{listen, connect},
                    answered(server, client),
                    "X",
                    six ? Need::six : Need::nothing,
                    kind,
                    {server, connect + ':' + host + ":1"}});
  }
}

void add_datagrams(std::vector<Row>& rows) {
  for (const std::string protocol : {"UDP", "UDPLITE"})
    for (const std::string version : {"", "4", "6"}) {
      const bool six = version == "6";
      const std::string name = protocol + version, host = six ? "[::1]" : "127.0.0.1";
      const std::string here = ":0,bind=" + host, there = ':' + host + ":%p";
      const Kind kind = {six ? AF_INET6 : AF_INET, SOCK_DGRAM, protocol == "UDP" ? 0 : IPPROTO_UDPLITE};
      const Need need = six ? Need::six : Need::nothing;
      const auto add = [&](const std::string& server, const std::string& client, bool answers) {
        const std::string first = name + server, second = name + client;
        rows.push_back({{first, second},
                        answers ? answered(first + here, second + there + ",readbytes=1")
                                : received(first + here, second + there),
                        answers ? "X" : "x",
                        need,
                        kind,
                        {first + here, second + ':' + host + ":1"}});
      };
      add("-LISTEN", "-CONNECT", true);
      add("-RECVFROM", "-SENDTO", true);
      add("-RECV", "-DATAGRAM", false);
    }
}

void add_raw(std::vector<Row>& rows) {
  for (const std::string name : {"IP", "IP4", "IP6"}) {
    const bool six = name == "IP6";
    // On loopback a socket hears what it sends itself: both sides have addresses of their own.
    const std::string there = six ? "[::1]" : "127.0.0.8", here = six ? "[fd00::9]" : "127.0.0.9";
    rows.push_back({{name + "-RECVFROM", name + "-SENDTO"},
                    apart(answered(name + "-RECVFROM:254,bind=" + there,
                                   name + "-SENDTO:" + there + ":254,bind=" + here + ",readbytes=1")),
                    "X",
                    Need::network});
    rows.push_back({{name + "-RECV", name + "-DATAGRAM"},
                    apart(received(name + "-RECV:254,bind=" + there, name + "-DATAGRAM:" + there + ":254")),
                    "x",
                    Need::network});
  }
}

void add_local(std::vector<Row>& rows) {
  for (const std::string name : {"UNIX", "ABSTRACT"}) {
    const std::string place = name == "UNIX" ? ":%d/s" : ":%a",
                      own = name == "UNIX" ? ",bind=%d/c" : ",bind=%ac";
    rows.push_back({{name + "-LISTEN", name + "-CONNECT"},
                    answered(name + "-LISTEN" + place, name + "-CONNECT" + place),
                    "X"});
    rows.push_back({{name + "-RECVFROM", name + "-SENDTO"},
                    answered(name + "-RECVFROM" + place, name + "-SENDTO" + place + own + ",readbytes=1"),
                    "X"});
    rows.push_back({{name + "-RECV", name + "-CLIENT"},
                    received(name + "-RECV" + place, name + "-CLIENT" + place),
                    "x"});
  }
  // 2: AF_INET; 6 and 17: TCP and UDP; behind the family are port and address.
  const std::string here = ":x0000x7f000001x0000000000000000", there = ":%xx7f000001x0000000000000000";
  rows.push_back({{"SOCKET-LISTEN", "SOCKET-CONNECT"},
                  answered("SOCKET-LISTEN:2:6" + here, "SOCKET-CONNECT:2:6" + there),
                  "X"});
  rows.push_back({{"SOCKET-RECVFROM", "SOCKET-SENDTO"},
                  answered("SOCKET-RECVFROM:2:2:17" + here, "SOCKET-SENDTO:2:2:17" + there + ",readbytes=1"),
                  "X"});
  rows.push_back({{"SOCKET-RECV", "SOCKET-DATAGRAM"},
                  received("SOCKET-RECV:2:2:17" + here, "SOCKET-DATAGRAM:2:2:17" + there),
                  "x"});
}

void add_queues(std::vector<Row>& rows) {
  const auto sent = [](std::string writer, std::string reader) -> Exchange {
    return [=](Place& place) {
      const Ended ended = place.run({"-u", "-", writer}, {.input = "x"});
      if (ended.status != 0) return described(ended);
      return outcome_of(place.run({"-u", reader, "-"}));
    };
  };
  rows.push_back(
      {{"POSIXMQ-SEND", "POSIXMQ-RECEIVE"}, sent("POSIXMQ-SEND:%q", "POSIXMQ-RECEIVE:%q"), "x", Need::queue});
  rows.push_back({{"POSIXMQ-WRITE", "POSIXMQ-READ"},
                  sent("POSIXMQ-WRITE:%q", "POSIXMQ-READ:%q,readbytes=1"),
                  "x",
                  Need::queue});
  rows.push_back({{"POSIXMQ-BIDIRECTIONAL"},
                  line({"-t60", "-", "POSIXMQ-BIDIRECTIONAL:%q,readbytes=1"}),
                  "x",
                  Need::queue});
}

void add_proxies(std::vector<Row>& rows) {
  const std::string granted4 = "\0\x5a\0\0\0\0\0\0"s, granted5 = "\5\0\0\1\x7f\0\0\1\0\x50"s;
  rows.push_back({{"PROXY"},
                  through("PROXY:127.0.0.1:h:80,proxyport=%p", {"HTTP/1.0 200 OK\r\n\r\npong"}),
                  "ping pong"});
  rows.push_back(
      {{"SOCKS4"}, through("SOCKS4:127.0.0.1:127.0.0.1:80,socksport=%p", {granted4 + "pong"}), "ping pong"});
  rows.push_back(
      {{"SOCKS4A"}, through("SOCKS4A:127.0.0.1:h:80,socksport=%p", {granted4 + "pong"}), "ping pong"});
  rows.push_back({{"SOCKS5-CONNECT"},
                  through("SOCKS5-CONNECT:127.0.0.1:%p:h:80", {"\5\0"s, granted5 + "pong"}),
                  "ping pong"});
  // Two replies: it listens, and somebody has come.
  rows.push_back({{"SOCKS5-LISTEN"},
                  through("SOCKS5-LISTEN:127.0.0.1:%p:127.0.0.1:80", {"\5\0"s, granted5 + granted5 + "pong"}),
                  "ping pong"});
}

void add_files_and_programs(std::vector<Row>& rows) {
  const auto add = [&](const char* keyword, Exchange exchange, std::string outcome) {
    rows.push_back({{keyword}, std::move(exchange), std::move(outcome)});
  };
  add("OPEN", line({"-u", "OPEN:%d/f", "-"}), "0123456789");
  add("GOPEN", line({"-u", "GOPEN:%d/f", "-"}), "0123456789");
  add(
      "CREATE",
      [](Place& place) {
        const Ended ended = place.run({"-u", "-", "CREATE:%d/f"}, {.input = "x"});
        return ended.err + contents_of(place.folder.path() + "/f");
      },
      "x");
  add("PIPE", line({"-", "PIPE"}), "x");
  add("SOCKETPAIR", line({"-", "SOCKETPAIR"}), "x");
  add("EXEC", line({"-", "EXEC:tr a-z A-Z"}), "X");
  add("SYSTEM", line({"-", "SYSTEM:tr a-z A-Z"}), "X");
  add("SHELL", line({"-", "SHELL:tr a-z A-Z,shell=/bin/sh"}), "X");
  add("UPPER", line({"-", "UPPER"}), "X");
  add("COUNT-LINES", line({"-", "COUNT-LINES"}, "x\ny\n"), "2\n");
  add("TEXT", line({"-u", "TEXT:x", "-"}), "x");
  add("STDIO", line({"STDIO", "UPPER"}), "X");
  add("STDIN", line({"-u", "STDIN", "FD:1"}), "x");
  add("STDOUT", line({"-u", "FD:0", "STDOUT"}), "x");
  add(
      "STDERR",
      [](Place& place) {
        return place.run({"-u", "-", "STDERR"}, {.input = "x"}).err;
      },
      "x");
  // It takes nothing, so whoever writes to it is still there when the time is up.
  add(
      "STALL",
      [](Place& place) {
        return described(place.run({"-T", "0.02", "-", "STALL"}, {.input = "x"}));
      },
      "out=<>\nerr=<>\nstatus=124\n");
  add("READLINE", line({"READLINE", "UPPER"}), "X");
  add(
      "FD",
      [](Place& place) {
        int ends[2];
        check("create a pair", ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
        const Fd mine(ends[0]);
        const Socket peer((Fd(ends[1])));
        peer.send("x");
        peer.finish();
        const Ended ended = place.run({"FD:7", "UPPER"}, {.descriptors = {{7, mine.get()}}});
        return ended.err + peer.receive(1);
      },
      "X");
  add(
      "ACCEPT-FD",
      [](Place& place) {
        const Socket listening = Socket::listening_tcp();
        Running server(sockcat(place.words({"ACCEPT-FD:3", "UPPER"})),
                       {.descriptors = {{3, listening.number()}}});
        const Socket client = Socket::to_tcp(listening.port());
        client.send("x");
        client.finish();
        return client.receive_all();
      },
      "X");
  add(
      "PTY",
      [](Place& place) {
        Serving server(place.words({"PTY,raw,echo=0", "UPPER"}));
        const Fd slave(::open(server.names().at(0).substr(4).c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
        char byte = 'x';
        check("write", ::write(slave.get(), &byte, 1));
        if (!readable(slave.get(), true)) return "nothing"s;
        check("read", ::read(slave.get(), &byte, 1));
        return std::string(1, byte);
      },
      "X");
}

/// A packet for the far end of a tunnel comes out of it; a frame that is put on loopback is seen there.
std::string packet_of_tunnel(Place& place) {
  std::string got;
  in_own_network([&] {
    Running program(sockcat(place.words({"-d", "-d", "-u", "TUN:10.8.0.1/24,iff-up,iff-no-pi", "-"})));
    begins(program);
    const Fd sender(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(5000);
    ::inet_pton(AF_INET, "10.8.0.2", &to.sin_addr);
    check("send", ::sendto(sender.get(), "hello", 5, 0, reinterpret_cast<sockaddr*>(&to), sizeof to));
    while (!got.ends_with("hello")) {
      const std::string byte = program.bytes(1);
      if (byte.empty()) break;
      got += byte;
    }
  });
  return got.substr(got.size() - std::min<std::size_t>(got.size(), 5));
}
std::string frame_of_interface(Place& place) {
  const std::string frame = std::string(12, '\0') + "\x88\xb5 hello"s;
  std::string got;
  in_own_network([&] {
    Running program(sockcat(place.words({"-d", "-d", "-u", "INTERFACE:lo", "-"})));
    begins(program);
    // As it is sent.
    const Ended ended = place.run({"-u", "-", "INTERFACE:lo"}, {.input = frame});
    got = ended.err + program.bytes(frame.size());
  });
  return got == frame ? "the frame" : got;
}

/// What is refused on every kernel, and not built.
Exchange refused_tls(std::string address) {
  return [=](Place& place) {
    const Ended ended = place.run({"-", address});
    return std::to_string(ended.status) +
           (ended.err.find("is not supported yet") != std::string::npos ? " not supported yet" : ended.err);
  };
}

/// VSOCK reaches only as far as the kernel has a transport: over loopback, if that module is there.
std::string vsock(Place& place) {
  const Fd listening(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Fd connecting(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_vm name{};
  name.svm_family = AF_VSOCK;
  name.svm_cid = VMADDR_CID_ANY;
  name.svm_port = VMADDR_PORT_ANY;
  socklen_t size = sizeof name;
  check("bind", ::bind(listening.get(), reinterpret_cast<sockaddr*>(&name), size));
  check("listen", ::listen(listening.get(), 1));
  check("getsockname", ::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&name), &size));
  name.svm_cid = VMADDR_CID_LOCAL;
  // Without a transport it is waited for in vain.
  const timeval moment{0, 100'000};
  ::setsockopt(connecting.get(), AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &moment, sizeof moment);
  if (::connect(connecting.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0)
    return answered("VSOCK-LISTEN:4294967295", "VSOCK-CONNECT:1:%p")(place);
  const std::string why = last_error().message();
  const Serving server(place.words({"VSOCK-LISTEN:4294967295", "UPPER"}));
  const Ended ended = place.run({"-", "VSOCK-CONNECT:1:1"});
  return ended.status != 0 && ended.err == "sockcat: connect to 1:1: " + why + '\n' ? "X" : described(ended);
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = [] {
    std::vector<Row> rows;
    add_streams(rows);
    add_datagrams(rows);
    add_raw(rows);
    add_local(rows);
    add_queues(rows);
    add_proxies(rows);
    add_files_and_programs(rows);
    rows.push_back({{"TUN"}, packet_of_tunnel, "hello", Need::tunnel});
    rows.push_back({{"INTERFACE"}, frame_of_interface, "the frame", Need::network});
    rows.push_back({{"VSOCK-LISTEN", "VSOCK-CONNECT"},
                    vsock,
                    "X",
                    Need::nothing,
                    {AF_VSOCK, SOCK_STREAM, 0},
                    {"VSOCK-LISTEN:4294967295", "VSOCK-CONNECT:1:1"}});
    for (const std::string client : {"OPENSSL", "OPENSSL-DTLS-CLIENT"})
      rows.push_back({{client}, refused_tls(client + ":127.0.0.1:1"), "2 not supported yet"});
    for (const std::string server : {"OPENSSL-LISTEN", "OPENSSL-DTLS-SERVER"})
      rows.push_back({{server}, refused_tls(server + ":0"), "2 not supported yet"});
    return rows;
  }();
  return all;
}

void PrintTo(const Row& row, std::ostream* to) { *to << row.keywords.front(); }

class EveryKeyword : public testing::TestWithParam<Row> {};

TEST_P(EveryKeyword, LetsSomethingThrough) {
  const Row& row = GetParam();
  if (const std::string why = missing(row.need); !why.empty()) GTEST_SKIP() << why;
  Place place;
  const std::string lacking =
      row.addresses.empty() ? "" : why_no_socket(row.kind.family, row.kind.type, row.kind.protocol);
  if (lacking.empty()) {
    EXPECT_EQ(row.exchange(place), row.outcome);
    return;
  }
  for (const auto& address : row.addresses) {
    const Ended ended = place.run({"-", address});
    EXPECT_EQ(ended.err, "sockcat: " + address + ": create a socket: " + lacking + '\n');
    EXPECT_EQ(ended.status, 1) << address;
  }
  RecordProperty("refused by the kernel", lacking);
}

INSTANTIATE_TEST_SUITE_P(Rows, EveryKeyword, testing::ValuesIn(rows()),
                         [](const auto& one) { return name_of_test(one.param.keywords.front(), one.index); });

TEST(TheTable, HasARowForEveryKeyword) {
  int looked_at = 0;
  for (const KeywordRow& row : keyword_rows()) {
    const bool found = std::any_of(rows().begin(), rows().end(), [&](const Row& one) {
      return std::find(one.keywords.begin(), one.keywords.end(), row.name) != one.keywords.end();
    });
    EXPECT_TRUE(found) << row.name << " is opened by nothing here: it needs a row";
    if (found) ++looked_at;
  }
  for (const Row& row : rows())
    for (const auto& keyword : row.keywords) EXPECT_NE(find_keyword(keyword), nullptr) << keyword;
  RecordProperty("keywords", looked_at);
}

}  // namespace
}  // namespace sluice::test
