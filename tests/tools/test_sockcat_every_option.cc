#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <linux/if_packet.h>
#include <mqueue.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <regex.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "observing.h"
#include "sluice/address/address.h"
#include "sluice/core/socket_name.h"

/// Every option of the language does something: the real program is run with it and without it, and something
/// is seen with it that is not seen without. Options whose effect is data (socket options by number, settings
/// of terminals, attributes of files) are walked by their kind; each of the others has a row in the table.
namespace sluice::test {
namespace {

using namespace std::string_literals;

/// One run of a row's observation, with its option or without.
class Look {
 public:
  Look(const std::string& option, bool with_option) : with(with_option) {
    places['d'] = folder_.path();
    places['o'] = option.empty() ? "" : ',' + option;
    places['i'] = helper("show-identity");
    places['s'] = helper("socket-options");
    places['u'] = std::to_string(::getpid());
    folder_.file("f", "0123456789");
    std::filesystem::create_directory(path("sub"));
    folder_.file("sub/g", "inside");
  }

  std::string path(const std::string& name) const { return folder_.path() + '/' + name; }
  std::string file(const std::string& name, const std::string& content, mode_t mode = 0644) const {
    const std::string made = folder_.file(name, content);
    ::chmod(made.c_str(), mode);
    return made;
  }
  const std::string& folder() const { return folder_.path(); }

  /// The words of a command line, its places filled in: %o the option, %d the folder, and what was given.
  std::vector<std::string> words(std::vector<std::string> all) const {
    for (auto& word : all) word = filled(std::move(word), places);
    return all;
  }
  Ended run(std::vector<std::string> all, RunOptions options = {}) const {
    return run_sockcat(words(std::move(all)), std::move(options));
  }
  std::vector<std::string> command(std::vector<std::string> all) const {
    return sockcat(words(std::move(all)));
  }

  const bool with;
  std::map<char, std::string> places;

 private:
  TemporaryDirectory folder_;
};

using Observe = std::function<std::string(Look&)>;

struct Row {
  const char* name;    ///< of the option, canonical
  const char* option;  ///< as it stands in the address, behind %o's comma
  const char* seen;  ///< what is found with it and not without (regex(7)); behind a `!`, the other way round
  Observe observe;
  Need need = Need::nothing;
  const char* without = "";  ///< what stands there instead, where something has to
};

/// What comes of a command line that ends by itself.
Observe line(std::vector<std::string> words, std::string input = {}) {
  return [=](Look& look) {
    const std::string text = described(look.run(words, {.input = input}));
    return text + files_in(look.folder());
  };
}

/// The names of what a server has bound.
Observe bound(std::vector<std::string> words) {
  return [=](Look& look) {
    Serving server(look.words(words));
    return server.names().at(0);
  };
}

/// The program's own view of its socket, as a client of a listener of ours.
Observe socket_of_client(std::string address) {
  return [=](Look& look) {
    const Socket listening = Socket::listening_tcp();
    look.places['p'] = std::to_string(listening.port());
    Running client(look.command({address, "EXEC:%s,nofork"}));
    return listening.accept().receive_all();
  };
}
Observe socket_of_server(std::string address) {
  return [=](Look& look) {
    Serving server(look.words({address, "EXEC:%s,nofork"}));
    return Socket::to_tcp(server.port()).receive_all();
  };
}

/// What a proxy hears, what it hears behind its answers, and what the client makes of them.
Observe through_proxy(std::string address, std::vector<std::string> answers) {
  return [=](Look& look) {
    look.file("secret", "user:word\n");
    const Socket listening = Socket::listening_tcp();
    look.places['p'] = std::to_string(listening.port());
    Running client(look.command({"-", address}));
    const Dialogue dialogue = answer(listening, client, answers);
    return "heard=<" + dialogue.heard + ">\n" + described(client.wait());
  };
}
const std::vector<std::string> http_answer = {"HTTP/1.0 200 OK\r\n\r\nhello"};
const std::vector<std::string> socks4_answer = {"\0\x5a\0\0\0\0\0\0hello"s};
const std::vector<std::string> socks5_answer = {"\5\2"s, "\1\0"s, "\5\0\0\1\x7f\0\0\1\0\x50hello"s};

/// A socket of ours that the program inherits as descriptor 7, and what became of it.
Observe inherited(int family, int type, std::function<std::string(int)> shown) {
  return [=](Look& look) {
    const Fd fd(check("create a socket", ::socket(family, type | SOCK_CLOEXEC, 0)));
    const Ended ended = look.run({"-u", "TEXT:", "FD:7%o"}, {.descriptors = {{7, fd.get()}}});
    return ended.err + shown(fd.get());
  };
}
/// One of a pair, to whose other end the program writes `x`.
Observe one_of_a_pair(int type, std::function<std::string(int mine, int peer)> shown) {
  return [=](Look& look) {
    int ends[2];
    check("create a pair", ::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends));
    const Fd mine(ends[0]), peer(ends[1]);
    const Ended ended = look.run({"-u", "TEXT:x", "FD:7%o"}, {.descriptors = {{7, mine.get()}}});
    return ended.err + shown(mine.get(), peer.get());
  };
}

std::string value_of(int fd, int level, int option) {
  int value[2] = {-1, -1};
  socklen_t size = sizeof value;
  if (::getsockopt(fd, level, option, value, &size) != 0) return last_error().message();
  return std::to_string(value[0]) + (size == sizeof value ? ' ' + std::to_string(value[1]) : "");
}

std::string owner_of(int fd) { return "owner=" + std::to_string(::fcntl(fd, F_GETOWN)); }
std::string status_flags(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  return ((flags & O_NONBLOCK) != 0 ? "nonblocking"s : "") + ((flags & O_ASYNC) != 0 ? "asynchronous" : "");
}
/// Whether the peer was told of the end, and whether the socket can still be sent on.
std::string ending_seen(int mine, int peer) {
  char buffer[16];
  std::string text;
  for (int i = 0; i < 2; ++i) {
    const auto count = ::recv(peer, buffer, sizeof buffer, MSG_DONTWAIT);
    text += count > 0 ? "data " : count == 0 ? "empty " : "nothing ";
  }
  return text + (::send(mine, "m", 1, MSG_NOSIGNAL) == 1 ? "usable" : "shut");
}

/// The flags that a file was opened with.
Observe open_with(std::string address, int flag) {
  return [=](Look& look) {
    Running program(look.command({"-d", "-d", "-u", address, "STALL"}));
    std::string told;
    if (!begins(program, &told)) return told;
    const int flags = flags_of_open(program.pid(), look.path("f"));
    return flags < 0 ? "not open"s : (flags & flag) == flag ? "set"s : "clear"s;
  };
}

/// Whom a program that is started sees itself to be. `%i` is copied to where everybody may run it.
Observe identity(std::string address, std::string before = {}) {
  return [=](Look& look) {
    std::filesystem::create_directory(look.path("root"));
    for (const auto* name : {"root/show", "show"})
      std::filesystem::copy_file(helper("show-identity"), look.path(name));
    if (!before.empty()) look.file("root/marker", before);
    // Leaks are looked for by a tracer, which may not look at who has become somebody else.
    return described(look.run({"-u", address, "-"}, {.environment = {"ASAN_OPTIONS=detect_leaks=0"}}));
  };
}

/// What a client of a server hears when it has sent a byte; what it does not hear is waited for a moment.
Observe first_answer(std::vector<std::string> words, bool expected_with) {
  return [=](Look& look) {
    look.file("deny", "ALL: ALL\n");
    look.file("allow", "ALL: ALL\n");
    look.file("friends", "friends: ALL\n");
    look.file("sub/hosts.deny", "ALL: ALL\n");
    look.file("sub/hosts.allow", "");
    look.file("nobody", "");
    Serving server(look.words(words));
    const Socket client = Socket::to_tcp(server.port());
    client.send_until_broken("x");
    return readable(client.number(), look.with == expected_with) ? "heard=<" + client.receive(1) + '>'
                                                                 : "heard=<>"s;
  };
}

/// What a lock of ours on the same file would meet, and what the program does if we hold it first.
std::string locks_seen(Look& look, bool record) {
  const std::string path = look.path("f");
  const auto try_lock = [&](int fd, bool write) {
    if (!record) return ::flock(fd, (write ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0;
    struct flock lock {};
    lock.l_type = static_cast<short>(write ? F_WRLCK : F_RDLCK);
    return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
  };
  const auto open_file = [&] { return Fd(check("open", ::open(path.c_str(), O_RDWR | O_CLOEXEC))); };
  std::string text;
  {
    Running holder(look.command({"-d", "-d", "OPEN:%d/f%o", "STALL"}));
    begins(holder);
    for (const bool write : {false, true}) {
      const Fd other = open_file();
      text += write ? " write=" : "read=";
      text += try_lock(other.get(), write) ? "yes" : "no";
    }
  }
  const Fd other = open_file();
  // Released by the kernel a moment after its holder was killed.
  eventually([&] { return try_lock(other.get(), true); });
  Running late(look.command({"OPEN:%d/f%o", "TEXT:x"}));
  const std::string option = look.places['o'];
  const bool waits = option.find("lkw") != option.npos || (!record && !option.ends_with("-nb"));
  const bool ended = ends(late, !look.with || !waits);
  return text + " then=" + (ended ? std::to_string(late.wait().status) : "waits");
}
Observe record_lock() {
  return [](Look& look) { return locks_seen(look, true); };
}
Observe file_lock() {
  return [](Look& look) { return locks_seen(look, false); };
}

/// A name server on loopback, over UDP and TCP. It knows names that begin with `yes` to be 127.0.0.1, and
/// with `six` to be ::1; it notes each question: `udp A yes.test rd`.
class NameServer {
 public:
  enum class Manner { usual, silent, cutting };

  explicit NameServer(Manner manner = Manner::usual) : manner_(manner) {
    // Some port may be taken on one of the two.
    for (int i = 0; i < 50 && !bind_both(); ++i) {
    }
    thread_ = std::thread([this] { serve(); });
  }
  ~NameServer() {
    stopping_ = true;
    thread_.join();
  }

  std::string option() const { return "res-nsaddr=127.0.0.1:" + std::to_string(port_); }
  std::string noted() const {
    const std::lock_guard lock(mutex_);
    return noted_;
  }
  int count(std::string_view what) const {
    const std::string all = noted();
    int count = 0;
    for (std::size_t at = 0; (at = all.find(what, at)) != all.npos; at += what.size()) ++count;
    return count;
  }

 private:
  bool bind_both() {
    udp_.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    tcp_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(udp_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) return false;
    port_ = SocketName::of_socket(udp_.get()).port();
    name.sin_port = htons(static_cast<std::uint16_t>(port_));
    return ::bind(tcp_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0 &&
           ::listen(tcp_.get(), 8) == 0;
  }
  void note(const std::string& text) {
    const std::lock_guard lock(mutex_);
    noted_ += text + '\n';
  }

  void serve() {
    std::vector<Fd> connections;
    while (!stopping_) {
      std::vector<pollfd> states = {{udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}};
      for (const Fd& one : connections) states.push_back({one.get(), POLLIN, 0});
      constexpr int tick = 10;
      if (::poll(states.data(), states.size(), tick) <= 0) continue;
      for (std::size_t i = states.size(); i-- > 2;)
        if (states[i].revents != 0 && !serve_connection(connections[i - 2].get()))
          connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(i - 2));
      if (states[1].revents != 0) {
        note("connection");
        connections.emplace_back(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      }
      if (states[0].revents == 0) continue;
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      std::string message(512, '\0');
      const auto count = ::recvfrom(udp_.get(), message.data(), message.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &size);
      if (count < 17) continue;
      message.resize(static_cast<std::size_t>(count));
      const std::string reply = reply_to(message, "udp");
      if (manner_ != Manner::silent)
        ::sendto(udp_.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }
  /// Messages over TCP have their length before them (RFC 1035, 4.2.2).
  bool serve_connection(int fd) {
    unsigned char length[2];
    if (::recv(fd, length, 2, MSG_WAITALL) != 2) return false;
    std::string message(static_cast<std::size_t>(length[0] << 8 | length[1]), '\0');
    if (::recv(fd, message.data(), message.size(), MSG_WAITALL) != static_cast<ssize_t>(message.size()))
      return false;
    const std::string reply = reply_to(message, "tcp");
    const std::string all{static_cast<char>(reply.size() >> 8), static_cast<char>(reply.size() & 0xff)};
    return ::send(fd, (all + reply).data(), all.size() + reply.size(), MSG_NOSIGNAL) > 0;
  }
  /// RFC 1035: the header, the question as it came, one record that points back to its name.
  std::string reply_to(const std::string& question, const std::string& way) {
    std::string name;
    std::size_t end = 12;
    while (end < question.size() && question[end] != 0) {
      const auto length = static_cast<std::size_t>(question[end]);
      name += (name.empty() ? "" : ".") + question.substr(end + 1, length);
      end += length + 1;
    }
    const bool four = question.at(end + 2) == 1;
    note(way + (four ? " A " : " AAAA ") + name + ((question[2] & 1) != 0 ? " rd" : ""));
    std::string reply = question.substr(0, end + 5);
    const bool cut = manner_ == Manner::cutting && way == "udp";
    const bool known = name.starts_with(four ? "yes" : "six") || name.starts_with("both");
    const bool exists = known || name.starts_with("yes") || name.starts_with("six");
    reply[2] = static_cast<char>(cut ? 0x83 : 0x81);
    reply[3] = static_cast<char>(exists ? 0x80 : 0x83);
    const char counts[] = {0, 1, 0, static_cast<char>(known ? 1 : 0), 0, 0, 0, 0};
    reply.replace(4, 8, counts, 8);
    if (known && four) reply += "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1"s;
    if (known && !four) reply += "\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\x10"s + std::string(15, '\0') + '\1';
    return reply;
  }

  Manner manner_;
  Fd udp_, tcp_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::string noted_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

/// What comes of a connection to a name, and what the name server was asked. %n is its option.
Observe asking(std::string address, NameServer::Manner manner = NameServer::Manner::usual) {
  return [=](Look& look) {
    const NameServer server(manner);
    const Socket listening = Socket::listening_tcp();
    look.places['p'] = std::to_string(listening.port());
    look.places['n'] = server.option();
    Running client(look.command({"-u", address, "-"}),
                   {.environment = {"LOCALDOMAIN=a.invalid b.invalid", "RES_OPTIONS=timeout:1 attempts:1"}});
    if (const auto peer = accepted(listening, client)) peer->send("hello");
    return described(client.wait()) + server.noted();
  };
}

/// A user who sits at a terminal that reads lines and echoes.
class User {
 public:
  User() : terminal_(make_terminal()) {
    termios cooked{};
    ::tcgetattr(terminal_.slave.get(), &cooked);
    cooked.c_iflag |= ICRNL;
    cooked.c_oflag |= OPOST | ONLCR;
    cooked.c_lflag |= ICANON | ECHO | ISIG | IEXTEN;
    ::tcsetattr(terminal_.slave.get(), TCSANOW, &cooked);
  }
  RunOptions options() const {
    return {.descriptors = {{0, terminal_.slave.get()}, {1, terminal_.slave.get()}},
            .environment = {"TERM=dumb"}};
  }
  void type(std::string_view text) const {
    if (::write(terminal_.master.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      throw Failure("type", last_error());
  }
  /// Waits until it is shown, behind what was waited for before.
  void sees(std::string_view text) {
    std::size_t place = 0;
    while ((place = screen_.find(text, seen_)) == std::string::npos) {
      char buffer[4096];
      if (!readable(terminal_.master.get(), true)) throw Failure(std::string(text) + " is not shown");
      const ssize_t count = ::read(terminal_.master.get(), buffer, sizeof buffer);
      if (count <= 0) throw Failure(std::string(text) + " is not shown, but " + screen_);
      screen_.append(buffer, static_cast<std::size_t>(count));
    }
    seen_ = place + text.size();
  }
  const std::string& screen() const { return screen_; }

 private:
  Terminal terminal_;
  std::string screen_;
  std::size_t seen_ = 0;
};

/// Whether a terminal ends when its only user has gone.
std::string without_its_user(Look& look, const std::string& terminal, bool expected_to_end) {
  Serving server(look.words({terminal, "EXEC:cat"}));
  {
    const Fd slave(::open(server.names().at(0).substr(4).c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    check("write", ::write(slave.get(), "x", 1));
    readable(slave.get(), true);
  }
  return ends(server.process(), expected_to_end) ? "ended" : "goes on";
}

/// What is shown of a line that is typed behind a prompt, and drawn once more (^L); then the history.
std::string typed(Look& look) {
  look.file("history", "of yore\n");
  look.file("dialogue", "printf 'Password: '; read word; echo \"<$word>\"; read word");
  User user;
  Running program(look.command({"READLINE%o", "EXEC:sh %d/dialogue"}), user.options());
  user.sees("Password: ");
  // A hidden line is not edited.
  const bool hidden = look.places['o'].find("noecho") != std::string::npos;
  user.type(hidden ? "secret\r" : "secret\x0c\r");
  user.sees("<secret>");
  user.type("\r");
  program.wait();
  return user.screen() + files_in(look.folder());
}

/// The interface loopback in a network of its own, while an address has it open.
std::string interface_while(Look& look, const std::string& address, const char* interface,
                            const std::function<std::string(int fd, ifreq&)>& shown) {
  std::string text = "no network";
  in_own_network([&] {
    Running program(look.command({"-d", "-d", address, "STALL"}));
    if (!begins(program, &text)) return;
    const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strcpy(request.ifr_name, interface);
    text = shown(any.get(), request);
  });
  return text;
}
Observe interface_flags(int flag) {
  return [=](Look& look) {
    return interface_while(look, "TUN,tun-name=wire%o", "wire", [&](int fd, ifreq& request) {
      check("ask for flags", ::ioctl(fd, SIOCGIFFLAGS, &request));
      return (request.ifr_flags & flag) != 0 ? "set"s : "clear"s;
    });
  };
}

/// A frame with a VLAN tag, from nobody to nobody, of a type for experiments, sent on loopback.
std::string frames_seen(Look& look) {
  std::string text = "no network";
  in_own_network([&] {
    const std::string frame = std::string(12, '\0') + "\x81\x00\x20\x07\x88\xb5 hello"s;
    Running program(look.command({"-d", "-d", "-u", "INTERFACE:lo%o", "-"}));
    begins(program);
    const Fd sender(check("packet socket", ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)));
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = static_cast<int>(::if_nametoindex("lo"));
    check("send a frame",
          ::sendto(sender.get(), frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to));
    // It is seen as it is received: without its tag, unless that is put back.
    const std::string got = program.bytes(frame.size() - 4);
    text = got.substr(12, 2) == "\x81\x00"s ? "tagged" : "plain";
  });
  return text;
}

/// Whether there is packet information before a packet.
std::string packet_seen(Look& look) {
  std::string text = "no network";
  in_own_network([&] {
    Running program(look.command({"-d", "-d", "-u", "TUN:10.8.0.1/24,iff-up%o", "-"}));
    begins(program);
    const Fd sender(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(5000);
    ::inet_pton(AF_INET, "10.8.0.2", &to.sin_addr);
    check("send", ::sendto(sender.get(), "hello", 5, 0, reinterpret_cast<sockaddr*>(&to), sizeof to));
    std::string got;
    while (!got.ends_with("hello")) {
      const std::string byte = program.bytes(1);
      if (byte.empty()) break;
      got += byte;
    }
    // 28 bytes of headers; `flags, type` before them.
    const bool told = got.size() >= 37 && got.substr(got.size() - 37, 4) == "\0\0\x08\0"s;
    text = told ? "told" : "plain";
  });
  return text;
}

/// A queue of the test's own, by its name %q.
class Queue {
 public:
  explicit Queue(Look& look) : name_("/sluice-option-" + std::to_string(::getpid())) {
    ::mq_unlink(name_.c_str());
    look.places['q'] = name_;
  }
  ~Queue() { ::mq_unlink(name_.c_str()); }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  mq_attr attributes() const {
    mq_attr attributes{};
    const mqd_t queue = ::mq_open(name_.c_str(), O_RDONLY | O_CLOEXEC);
    ::mq_getattr(queue, &attributes);
    ::mq_close(queue);
    return attributes;
  }

 private:
  std::string name_;
};
Observe queue_made(std::function<std::string(const mq_attr&)> shown) {
  return [=](Look& look) {
    const Queue queue(look);
    const Ended ended = look.run({"-u", "TEXT:a", "POSIXMQ-SEND:%q%o"});
    return ended.err + shown(queue.attributes());
  };
}

/// What a program in a session with one datagram sees in its environment.
Observe told_of_datagram(std::string keyword) {
  return [=](Look& look) {
    const bool six = keyword.find('6') != keyword.npos;
    const std::string host = six ? "[::1]" : "127.0.0.1";
    Serving server(look.words({"-d", "-d", keyword + ":0,bind=" + host + "%o", "SYSTEM:'env >&2'"}));
    const std::string address =
        keyword.substr(0, 4) + "-SENDTO:" + host + ':' + std::to_string(server.port());
    look.run({"-u", "TEXT:x", address});
    return server->wait().err;
  };
}

/// Whether a group is one that a socket hears, and of how many senders (ip(7), IP_MSFILTER).
std::string membership(int fd) {
  alignas(ip_msfilter) char space[IP_MSFILTER_SIZE(4)] = {};
  auto& filter = reinterpret_cast<ip_msfilter&>(space);
  ::inet_pton(AF_INET, "239.77.1.1", &filter.imsf_multiaddr);
  ::inet_pton(AF_INET, "127.0.0.1", &filter.imsf_interface);
  filter.imsf_numsrc = 4;
  socklen_t size = sizeof space;
  if (::getsockopt(fd, IPPROTO_IP, IP_MSFILTER, &filter, &size) != 0) return "no member";
  return "member with " + std::to_string(filter.imsf_numsrc);
}
std::string membership6(int fd) {
  alignas(group_filter) char space[GROUP_FILTER_SIZE(4)] = {};
  auto& filter = reinterpret_cast<group_filter&>(space);
  auto& group = reinterpret_cast<sockaddr_in6&>(filter.gf_group);
  group.sin6_family = AF_INET6;
  ::inet_pton(AF_INET6, "ff05::77:1", &group.sin6_addr);
  filter.gf_interface = ::if_nametoindex("lo");
  filter.gf_numsrc = 4;
  socklen_t size = sizeof space;
  if (::getsockopt(fd, IPPROTO_IPV6, MCAST_MSFILTER, &filter, &size) != 0) return "no member";
  return "member with " + std::to_string(filter.gf_numsrc);
}

/// A socket that listens with a full queue, so that nobody is connected any more.
Socket full_listener(std::optional<Socket>& filling) {
  Socket listening = Socket::listening_tcp(0);
  filling.emplace(Socket::to_tcp(listening.port()));
  return listening;
}

/// What a program that a signal is passed on to says.
Observe passed_on(int number) {
  return [=](Look& look) {
    look.file("script", "trap 'echo got it; exit 3' HUP INT QUIT; echo ready; read x");
    Running program(look.command({"-", "EXEC:sh %d/script%o"}), {.more_input = true});
    program.line();
    program.signal(number);
    return program.line().value_or("nothing more");
  };
}

std::string text_of_lines(Running& program, const std::string& searched, int most) {
  int count = 0;
  while (count < most) {
    const auto one = program.line(2);
    if (!one) break;
    if (one->find(searched) != one->npos) ++count;
  }
  return "lines=" + std::to_string(count);
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      // Of files.
      {"append", "append", "file f .*<0123456789NEW>", line({"-u", "-", "OPEN:%d/f%o"}, "NEW")},
      {"o-creat", "creat", "file new .*<NEW>", line({"-u", "-", "OPEN:%d/new%o"}, "NEW")},
      {"o-excl", "excl", "File exists", line({"-u", "-", "OPEN:%d/f,creat%o"}, "NEW")},
      {"o-trunc", "trunc", "file f .*<NEW>", line({"-u", "-", "OPEN:%d/f%o"}, "NEW")},
      {"o-rdonly", "rdonly", "status=1", line({"-u", "-", "OPEN:%d/f%o"}, "NEW")},
      {"o-wronly", "wronly", "status=1", line({"-u", "OPEN:%d/f%o", "-"})},
      {"o-rdwr", "rdwr", "^set", open_with("OPEN:%d/f%o", O_RDWR)},
      {"o-direct", "o-direct", "^set|open .*Invalid argument", open_with("OPEN:%d/f%o", O_DIRECT)},
      {"o-dsync", "dsync", "^set", open_with("OPEN:%d/f%o", O_DSYNC)},
      {"o-rsync", "rsync", "^set", open_with("OPEN:%d/f%o", O_RSYNC)},
      {"o-sync", "sync", "^set", open_with("OPEN:%d/f%o", O_SYNC)},
      {"o-noatime", "noatime", "^set", open_with("OPEN:%d/f%o", O_NOATIME)},
      {"o-directory", "o-directory", "Not a directory", line({"-u", "OPEN:%d/f%o", "-"})},
      {"o-nofollow", "o-nofollow", "Too many levels of symbolic links",
       [](Look& look) {
         std::filesystem::create_symlink(look.path("f"), look.path("link"));
         return described(look.run({"-u", "OPEN:%d/link%o", "-"}));
       }},
      {"o-nonblock", "nonblock", "^ended",
       [](Look& look) {
         ::mkfifo(look.path("fifo").c_str(), 0600);
         Running writer(look.command({"-u", "TEXT:x", "OPEN:%d/fifo,wronly%o"}));
         return ends(writer, look.with) ? "ended" : "waits for a reader";
       }},
      {"async", "async", "asynchronous", inherited(AF_INET, SOCK_DGRAM, status_flags)},
      {"lseek32-set", "lseek32-set=7", "out=<789>", line({"-u", "OPEN:%d/f%o", "-"})},
      {"lseek64-set", "lseek64-set=7", "out=<789>", line({"-u", "OPEN:%d/f%o", "-"})},
      {"lseek32-cur", "lseek32-cur=2", "out=<6789>", line({"-u", "OPEN:%d/f,seek=4%o", "-"})},
      {"lseek64-cur", "lseek64-cur=2", "out=<6789>", line({"-u", "OPEN:%d/f,seek=4%o", "-"})},
      {"lseek32-end", "lseek32-end=-2", "out=<89>", line({"-u", "OPEN:%d/f%o", "-"})},
      {"lseek64-end", "lseek64-end=-2", "out=<89>", line({"-u", "OPEN:%d/f%o", "-"})},
      {"ftruncate32", "ftruncate32=5", "file f .*<NEW34>", line({"-u", "-", "OPEN:%d/f%o"}, "NEW")},
      {"ftruncate64", "ftruncate64=5", "file f .*<NEW34>", line({"-u", "-", "OPEN:%d/f%o"}, "NEW")},
      {"perm", "perm=604", "file new 0604", line({"-u", "-", "CREATE:%d/new%o"})},
      {"perm-early", "perm-early=604", "file new 0604", line({"-u", "-", "CREATE:%d/new%o"})},
      {"perm-late", "perm-late=604", "file f 0604", line({"-u", "-", "OPEN:%d/f%o"})},
      {"user", "user=65534", "file new .* 65534/", line({"-u", "-", "CREATE:%d/new%o"}), Need::root},
      {"user-early", "user-early=65534", "file f .* 65534/", line({"-u", "-", "OPEN:%d/f%o"}), Need::root},
      {"user-late", "user-late=65534", "file new .* 65534/", line({"-u", "-", "CREATE:%d/new%o"}), Need::root},
      {"group", "group=12", "file new .* [0-9]+/12 ", line({"-u", "-", "CREATE:%d/new%o"}), Need::root},
      {"group-early", "group-early=12", "file f .* [0-9]+/12 ", line({"-u", "-", "OPEN:%d/f%o"}), Need::root},
      {"group-late", "group-late=12", "file new .* [0-9]+/12 ", line({"-u", "-", "CREATE:%d/new%o"}),
       Need::root},
      {"umask", "umask=077", "file new 0600", line({"-u", "-", "CREATE:%d/new%o"})},
      {"chdir", "chdir=%d/sub", "out=<inside>", line({"-u", "OPEN:g%o", "-"})},
      {"unlink", "unlink", "file f .*<NEW>", line({"-u", "-", "OPEN:%d/f,creat,excl%o"}, "NEW")},
      {"unlink-early", "unlink-early", "file f .*<NEW>", line({"-u", "-", "OPEN:%d/f,creat,excl%o"}, "NEW")},
      {"unlink-late", "unlink-late", "!file f ", line({"-u", "-", "OPEN:%d/f%o"}, "NEW")},
      {"unlink-close", "unlink-close", "!file f ", line({"-u", "-", "OPEN:%d/f%o"}, "NEW")},
      {"f-setlk-rd", "f-setlk-rd", "read=yes write=no then=1", record_lock()},
      {"f-setlk-wr", "f-setlk-wr", "read=no write=no then=1", record_lock()},
      {"f-setlkw-rd", "f-setlkw-rd", "read=yes write=no then=waits", record_lock()},
      {"f-setlkw-wr", "f-setlkw-wr", "read=no write=no then=waits", record_lock()},
      {"flock-ex", "flock-ex", "read=no write=no then=waits", file_lock()},
      {"flock-ex-nb", "flock-ex-nb", "read=no write=no then=1", file_lock()},
      {"flock-sh", "flock-sh", "read=yes write=no then=waits", file_lock()},
      {"flock-sh-nb", "flock-sh-nb", "read=yes write=no then=1", file_lock()},
      {"lockfile", "lockfile=%d/f", "status=1.*file f", line({"-u", "TEXT:x%o", "-"})},
      {"waitlock", "waitlock=%d/f", "^waits, then 0",
       [](Look& look) {
         Running program(look.command({"-u", "TEXT:x%o", "-"}));
         const bool ended = ends(program, !look.with);
         std::filesystem::remove(look.path("f"));
         return (ended ? "ended "s : "waits, then "s) + std::to_string(program.wait().status);
       }},
      {"f-setpipe-sz", "f-setpipe-sz=16384", "size=16384",
       [](Look& look) {
         const Pipe pipe = make_pipe();
         look.run({"-u", "TEXT:x", "FD:7%o"}, {.descriptors = {{7, pipe.writing.get()}}});
         return "size=" + std::to_string(::fcntl(pipe.reading.get(), F_GETPIPE_SZ));
       }},
      // Of every stream.
      {"cr", "cr", "out=<a\rb\r>", line({"-u", "-", "STDOUT%o"}, "a\nb\n")},
      {"crnl", "crnl", "out=<a\r\nb\r\n>", line({"-u", "-", "STDOUT%o"}, "a\nb\n")},
      {"escape", "escape=27", "out=<ab>", line({"-u", "-%o", "-"}, "ab\x1b!")},
      {"readbytes", "readbytes=3", "out=<012>", line({"-u", "OPEN:%d/f%o", "-"})},
      {"ignoreeof", "ignoreeof", "^more",
       [](Look& look) {
         Running tail(look.command({"-u", "OPEN:%d/f%o", "-"}));
         tail.bytes(10);
         ends(tail, !look.with);
         const Fd file(::open(look.path("f").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
         check("append", ::write(file.get(), "more", 4));
         return tail.bytes(4);
       }},
      {"ascii", "ascii", "^out=<STRAßE", line({"-", "UPPER%o"}, "straße")},
      {"locale", "locale=tr_TR.UTF-8", "^out=<İ", line({"-", "UPPER%o"}, "i")},
      {"sharp-s", "sharp-s=ẞ", "^out=<ẞ", line({"-", "UPPER%o"}, "ß")},
      {"exit-on", "exit-on=left", "^ended",
       [](Look& look) {
         const Socket listening = Socket::listening_unix(look.path("s"));
         Running program(look.command({"TEXT:x%o", "UNIX-CONNECT:%d/s"}));
         const Socket peer = listening.accept();
         return ends(program, look.with) ? "ended" : "waits for the other side";
       }},
      {"reset", "reset", "^reset",
       [](Look& look) {
         const Socket listening = Socket::listening_tcp();
         Running program(look.command({"-u", "TEXT:x", "TCP4:127.0.0.1:" + std::to_string(listening.port()) + "%o"}));
         const Socket peer = listening.accept();
         return peer.was_reset() ? "reset" : "an end";
       }},
      {"null-eof", "null-eof", "out=<one>",
       [](Look& look) {
         int ends[2];
         check("create a pair", ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
         const Fd mine(ends[0]);
         {
           const Socket peer((Fd(ends[1])));
           peer.send("one");
           ::send(peer.number(), "", 0, MSG_NOSIGNAL);
           peer.send("two");
         }
         return described(look.run({"-u", "FD:7%o", "-"}, {.descriptors = {{7, mine.get()}}}));
       }},
      {"shut-none", "shut-none", "^data nothing usable", one_of_a_pair(SOCK_STREAM, ending_seen)},
      {"shut-close", "shut-close", "^data nothing usable", one_of_a_pair(SOCK_STREAM, ending_seen)},
      {"end-close", "end-close", "^data nothing usable", one_of_a_pair(SOCK_STREAM, ending_seen)},
      {"shut-down", "shut-down", "^data empty shut", one_of_a_pair(SOCK_STREAM, ending_seen), Need::nothing,
       "shut-none"},
      {"shut-null", "shut-null", "^data empty usable", one_of_a_pair(SOCK_SEQPACKET, ending_seen)},
      {"cool-write", "cool-write", "^out=<>\nerr=<>\nstatus=0",
       [](Look& look) {
         const Socket listening = Socket::listening_unix(look.path("s"));
         Running program(look.command({"-u", "/dev/zero", "UNIX-CONNECT:%d/s%o"}));
         Socket peer = listening.accept();
         peer.receive(1);
         peer.close();
         return described(program.wait());
       }},
      {"cloexec", "cloexec=0", "socket:",
       [](Look& look) {
         Serving server(look.words({"UNIX-LISTEN:%d/s%o", "SYSTEM:ls -l /proc/self/fd,pipes"}));
         return Socket::to_unix(look.path("s")).receive_all();
       }},
      {"ioctl-void", "ioctl-void=0x540c", "exclusive",
       [](Look& look) {
         const Terminal terminal = make_terminal();
         look.run({"-u", "TEXT:", "FD:7%o"}, {.descriptors = {{7, terminal.slave.get()}}});
         int exclusive = 0;
         check("TIOCGEXCL", ::ioctl(terminal.slave.get(), TIOCGEXCL, &exclusive));
         return exclusive != 0 ? "exclusive" : "shared";
       }},
      {"ioctl-int", "ioctl-int=0x540b:0", "waiting=0",
       [](Look& look) {
         const Terminal terminal = make_terminal();
         check("type", ::write(terminal.master.get(), "typed", 5));
         look.run({"-u", "TEXT:", "FD:7%o"}, {.descriptors = {{7, terminal.slave.get()}}});
         int waiting = 0;
         check("FIONREAD", ::ioctl(terminal.slave.get(), FIONREAD, &waiting));
         return "waiting=" + std::to_string(waiting);
       }},
      {"ioctl-intp", "ioctl-intp=0x5421:1", "nonblocking", inherited(AF_INET, SOCK_DGRAM, status_flags)},
      {"ioctl-bin", "ioctl-bin=0x5421:x01000000", "nonblocking", inherited(AF_INET, SOCK_DGRAM, status_flags)},
      // A number whose first byte is that of the text.
      {"ioctl-string", "ioctl-string=0x5421:yes", "nonblocking", inherited(AF_INET, SOCK_DGRAM, status_flags)},
      // Of sockets.
      {"fiosetown", "fiosetown=%u", "owner=[1-9]", inherited(AF_INET, SOCK_DGRAM, owner_of)},
      {"siocspgrp", "siocspgrp=%u", "owner=[1-9]", inherited(AF_INET, SOCK_DGRAM, owner_of)},
      {"setsockopt", "setsockopt=1:9:x01000000", "keepalive=1\n", socket_of_client("TCP4:127.0.0.1:%p%o")},
      {"setsockopt-bin", "setsockopt-bin=1:9:i1", "keepalive=1\n", socket_of_client("TCP4:127.0.0.1:%p%o")},
      {"setsockopt-int", "setsockopt-int=1:9:1", "keepalive=1\n", socket_of_client("TCP4:127.0.0.1:%p%o")},
      {"setsockopt-connected", "setsockopt-connected=1:9:i1", "keepalive=1\n",
       socket_of_client("TCP4:127.0.0.1:%p%o")},
      {"setsockopt-socket", "setsockopt-socket=1:9:i1", "keepalive=1\n",
       socket_of_client("TCP4:127.0.0.1:%p%o")},
      {"setsockopt-listen", "setsockopt-listen=1:9:i1", "keepalive=1\n",
       socket_of_server("TCP4-LISTEN:0,bind=127.0.0.1%o")},
      {"setsockopt-string", "setsockopt-string=6:13:reno", "congestion=reno\n",
       socket_of_client("TCP4:127.0.0.1:%p%o")},
      {"so-reuseaddr", "so-reuseaddr=0", "reuseaddr=0\n", socket_of_server("TCP4-LISTEN:0,bind=127.0.0.1%o")},
      {"so-reuseport", "so-reuseport", "reuseport=1\n", socket_of_server("TCP4-LISTEN:0,bind=127.0.0.1%o")},
      {"ip-transparent", "ip-transparent", "transparent=1\n", socket_of_client("TCP4:127.0.0.1:%p%o"),
       Need::root},
      {"so-linger", "linger=3", "^1 3",
       inherited(AF_INET, SOCK_STREAM, [](int fd) { return value_of(fd, SOL_SOCKET, SO_LINGER); })},
      {"so-rcvtimeo", "rcvtimeo=2", "^seconds 2",
       inherited(AF_INET, SOCK_STREAM,
                 [](int fd) {
                   timeval time{};
                   socklen_t size = sizeof time;
                   ::getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, &size);
                   return "seconds " + std::to_string(time.tv_sec);
                 })},
      {"so-sndtimeo", "sndtimeo=2", "^seconds 2",
       inherited(AF_INET, SOCK_STREAM,
                 [](int fd) {
                   timeval time{};
                   socklen_t size = sizeof time;
                   ::getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, &size);
                   return "seconds " + std::to_string(time.tv_sec);
                 })},
      {"so-bindtodevice", "so-bindtodevice=lo", "^device=lo|Operation not permitted",
       inherited(AF_INET, SOCK_STREAM,
                 [](int fd) {
                   char name[IFNAMSIZ] = "";
                   socklen_t size = sizeof name;
                   ::getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &size);
                   return "device="s + name;
                 })},
      // The kernel lets nobody set it.
      {"so-peercred", "so-peercred=1:2:3", "option \"so-peercred\": Protocol not available\n",
       inherited(AF_UNIX, SOCK_STREAM, [](int) { return ""s; })},
      {"ip-options", "ip-options=x01010101", "^4 bytes",
       inherited(AF_INET, SOCK_DGRAM,
                 [](int fd) {
                   char data[40];
                   socklen_t size = sizeof data;
                   ::getsockopt(fd, IPPROTO_IP, IP_OPTIONS, data, &size);
                   return std::to_string(size) + " bytes";
                 })},
      {"ip-multicast-if", "ip-multicast-if=127.0.0.1", "^127.0.0.1",
       inherited(AF_INET, SOCK_DGRAM,
                 [](int fd) {
                   in_addr address{};
                   socklen_t size = sizeof address;
                   ::getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &address, &size);
                   char text[INET_ADDRSTRLEN] = "";
                   return std::string(::inet_ntop(AF_INET, &address, text, sizeof text));
                 })},
      {"ip-add-membership", "ip-add-membership=239.77.1.1:127.0.0.1", "^member with 0",
       inherited(AF_INET, SOCK_DGRAM, membership)},
      {"ip-add-source-membership", "ip-add-source-membership=239.77.1.1:127.0.0.1:127.0.0.2", "^member with 1",
       inherited(AF_INET, SOCK_DGRAM, membership)},
      {"ipv6-join-group", "ipv6-join-group=[ff05::77:1]:lo", "^member with 0",
       inherited(AF_INET6, SOCK_DGRAM, membership6), Need::six},
      {"ipv6-join-source-group", "ipv6-join-source-group=[ff05::77:1]:lo:[::2]", "^member with 1",
       inherited(AF_INET6, SOCK_DGRAM, membership6), Need::six},
      {"ipv6-v6only", "ipv6only", "refused",
       [](Look& look) {
         Serving server(look.words({"TCP6-LISTEN:0,ipv6only=0%o", "PIPE"}));
         try {
           Socket::to_tcp(server.port());
           return "connected"s;
         } catch (const Failure& failure) {
           return std::string(failure.what()).find("refused") != std::string::npos ? "refused"s
                                                                                    : "another failure"s;
         }
       },
       Need::six},
      {"so-protocol", "so-protocol=77", "Protocol not supported", line({"-u", "TEXT:x", "UNIX-CONNECT:%d/s%o"})},
      {"so-type", "so-type=5", "^type=5\n",
       [](Look& look) {
         const Socket listening =
             Socket::listening_unix(look.path("s"), look.with ? SOCK_SEQPACKET : SOCK_STREAM);
         Running client(look.command({"UNIX-CONNECT:%d/s%o", "EXEC:%s,nofork"}));
         return listening.accept().receive(10000);
       }},
      {"protocol-family", "pf=ip4", "^tcp 0.0.0.0:", bound({"TCP-LISTEN:0%o", "PIPE"}), Need::six},
      {"bind", "bind=127.0.0.2", "^tcp 127.0.0.2:", bound({"TCP4-LISTEN:0%o", "PIPE"})},
      {"bind", "bind=%d/client", "unix .*/client",
       [](Look& look) {
         const Socket listening = Socket::listening_unix(look.path("s"));
         Running client(look.command({"-", "UNIX-CONNECT:%d/s%o"}), {.more_input = true});
         return "unix " + SocketName::of_peer(listening.accept().number()).log_text();
       }},
      {"sourceport", "sourceport=%f", "^from the port",
       [](Look& look) {
         look.places['f'] = std::to_string(Socket::listening_tcp().port());
         const Socket listening = Socket::listening_tcp();
         look.places['p'] = std::to_string(listening.port());
         Running client(look.command({"-", "TCP4:127.0.0.1:%p%o"}), {.more_input = true});
         const int port = SocketName::of_peer(listening.accept().number()).port();
         return std::to_string(port) == look.places['f'] ? "from the port" : "from another port";
       }},
      {"lowport", "lowport", "^low",
       [](Look& look) {
         const Socket listening = Socket::listening_tcp();
         look.places['p'] = std::to_string(listening.port());
         Running client(look.command({"-", "TCP4:127.0.0.1:%p%o"}), {.more_input = true});
         const int port = SocketName::of_peer(listening.accept().number()).port();
         return port >= 640 && port <= 1023 ? "low" : "high";
       },
       Need::root},
      {"backlog", "backlog=2", "^3 wait",
       [](Look& look) {
         Serving server(look.words({"UNIX-LISTEN:%d/s,fork,max-children=1%o", "PIPE"}));
         const Socket first = Socket::to_unix(look.path("s"));
         first.send("x");
         first.receive(1);
         const SocketName name = SocketName::unix_path(look.path("s"));
         std::vector<Fd> waiting;
         do waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
         while (waiting.size() < 100 && ::connect(waiting.back().get(), name.data(), name.size()) == 0);
         return std::to_string(waiting.size() - 1) + " wait";
       }},
      {"accept-timeout", "accept-timeout=0.02", "^status=124",
       [](Look& look) {
         Serving server(look.words({"UNIX-LISTEN:%d/s%o", "PIPE"}));
         return ends(server.process(), look.with) ? "status=" + std::to_string(server->wait().status)
                                                  : "waits"s;
       }},
      {"connect-timeout", "connect-timeout=0.02", "^status=124",
       [](Look& look) {
         std::optional<Socket> filling;
         const Socket listening = full_listener(filling);
         look.places['p'] = std::to_string(listening.port());
         Running client(look.command({"-", "TCP4:127.0.0.1:%p%o"}), {.more_input = true});
         return ends(client, look.with) ? "status=" + std::to_string(client.wait().status) : "waits"s;
       }},
      {"retry", "retry=3", "^lines=3",
       [](Look& look) {
         Running client(look.command({"-d", "-d", "-u", "TEXT:x", "UNIX-CONNECT:%d/s,interval=0.001%o"}));
         return text_of_lines(client, "trying again", 100);
       }},
      {"forever", "forever", "^lines=9",
       [](Look& look) {
         Running client(look.command({"-d", "-d", "-u", "TEXT:x", "UNIX-CONNECT:%d/s,interval=0.001%o"}));
         return text_of_lines(client, "trying again", 9);
       }},
      {"interval", "interval=0.001", "^ended",
       [](Look& look) {
         Running client(look.command({"-u", "TEXT:x", "UNIX-CONNECT:%d/s,retry=2%o"}));
         return ends(client, look.with) ? "ended" : "waits for its second attempt";
       }},
      {"fork", "fork", "^heard=<x>",
       [](Look& look) {
         Serving server(look.words({"UNIX-LISTEN:%d/s%o", "PIPE"}));
         const Socket first = Socket::to_unix(look.path("s"));
         first.send("x");
         first.receive(1);
         try {
           const Socket second = Socket::to_unix(look.path("s"));
           second.send_until_broken("x");
           return "heard=<" + second.receive(1) + '>';
         } catch (const Failure& failure) {
           return std::string(failure.what());
         }
       }},
      {"max-children", "max-children=1", "^waits",
       [](Look& look) {
         Serving server(look.words({"UNIX-LISTEN:%d/s,fork%o", "PIPE"}));
         const Socket first = Socket::to_unix(look.path("s"));
         first.send("x");
         first.receive(1);
         const Socket second = Socket::to_unix(look.path("s"));
         second.send("x");
         return readable(second.number(), !look.with) ? "is served" : "waits";
       }},
      {"max-queued", "max-queued=100", "datagrams are dropped: 100 bytes wait",
       [](Look& look) {
         Serving server(look.words({"UNIX-RECVFROM:%d/s,fork%o", "SYSTEM:cat"}));
         look.run({"-u", "SYSTEM:'head -c 200 /dev/zero'", "UNIX-SENDTO:%d/s"});
         look.run({"-u", "TEXT:x", "UNIX-SENDTO:%d/s,bind=%d/b"});
         server->signal(SIGTERM);
         return server->wait().err;
       }},
      {"children-shutup", "children-shutup=1", " I session 1: starting data transfer loop",
       [](Look& look) {
         Serving server(look.words({"-d", "-d", "-d", "UNIX-LISTEN:%d/s,fork%o", "TEXT:x"}));
         {
           const Socket client = Socket::to_unix(look.path("s"));
           client.finish();
           client.receive_all();
         }
         server->signal(SIGTERM);
         return server->wait().err;
       }},
      {"range", "range=127.0.0.2/32", "^heard=<>",
       first_answer({"TCP4-LISTEN:0,bind=127.0.0.1,fork%o", "PIPE"}, true)},
      {"tcpwrap-etc", "tcpwrap-etc=%d/sub", "^heard=<>",
       first_answer({"TCP4-LISTEN:0,bind=127.0.0.1,fork%o", "PIPE"}, true), Need::wrappers},
      {"tcpwrap-hosts-deny-table", "tcpwrap-hosts-deny-table=%d/deny", "^heard=<>",
       first_answer({"TCP4-LISTEN:0,bind=127.0.0.1,fork,tcpwrap-hosts-allow-table=%d/nobody%o", "PIPE"}, true),
       Need::wrappers},
      {"tcpwrap-hosts-allow-table", "tcpwrap-hosts-allow-table=%d/allow", "^heard=<x>",
       first_answer({"TCP4-LISTEN:0,bind=127.0.0.1,fork,tcpwrap-hosts-deny-table=%d/deny%o", "PIPE"}, true),
       Need::wrappers},
      {"tcpwrappers", "tcpwrappers=friends", "^heard=<x>",
       first_answer({"TCP4-LISTEN:0,bind=127.0.0.1,fork,tcpwrap-hosts-deny-table=%d/deny,"
                     "tcpwrap-hosts-allow-table=%d/friends%o",
                     "PIPE"},
                    true),
       Need::wrappers},
      {"udp-ignore-peerport", "udp-ignore-peerport", "^oth",
       [](Look& look) {
         const auto loopback = [] {
           Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
           sockaddr_in name{};
           name.sin_family = AF_INET;
           name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
           check("bind", ::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name));
           return Socket(std::move(fd));
         };
         const Socket far = loopback(), other = loopback();
         look.places['p'] = std::to_string(far.port());
         Running program(look.command({"-", "UDP4-DATAGRAM:127.0.0.1:%p,bind=127.0.0.1:0,sourceport=%p%o"}),
                         {.more_input = true});
         program.write("x");
         char byte = 0;
         sockaddr_in name{};
         socklen_t size = sizeof name;
         check("receive", ::recvfrom(far.number(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&name), &size));
         const auto* const to = reinterpret_cast<sockaddr*>(&name);
         check("send", ::sendto(other.number(), "oth", 3, 0, to, size));
         check("send", ::sendto(far.number(), "far", 3, 0, to, size));
         return program.bytes(3);
       }},
      {"unix-bind-tempname", "unix-bind-tempname=%d/tXXXXXX", "unix .*/t",
       [](Look& look) {
         const Socket listening = Socket::listening_unix(look.path("s"));
         Running client(look.command({"-", "UNIX-CONNECT:%d/s%o"}), {.more_input = true});
         return "unix " + SocketName::of_peer(listening.accept().number()).log_text();
       }},
      {"unix-tightsocklen", "unix-tightsocklen=0", "refused",
       [](Look& look) {
         look.places['a'] = "sluice-tight-" + std::to_string(::getpid());
         Serving server(look.words({"ABSTRACT-LISTEN:%a%o", "PIPE"}));
         try {
           Socket::to_unix('@' + look.places['a']);
           return "connected"s;
         } catch (const Failure& failure) {
           return std::string(failure.what()).find("refused") != std::string::npos ? "refused"s
                                                                                    : "another failure"s;
         }
       }},
      // What programs are told of packets.
      {"so-timestamp", "so-timestamp", "SOCAT_TIMESTAMP=", told_of_datagram("UDP4-RECVFROM")},
      {"ip-pktinfo", "ip-pktinfo", "SOCAT_IP_LOCADDR=", told_of_datagram("UDP4-RECVFROM")},
      {"ip-recvttl", "ip-recvttl", "SOCAT_IP_TTL=", told_of_datagram("UDP4-RECVFROM")},
      {"ip-recvtos", "ip-recvtos", "SOCAT_IP_TOS=", told_of_datagram("UDP4-RECVFROM")},
      {"ipv6-recvpktinfo", "ipv6-recvpktinfo", "SOCAT_IPV6_DSTADDR=", told_of_datagram("UDP6-RECVFROM"),
       Need::six},
      {"ipv6-recvhoplimit", "ipv6-recvhoplimit", "SOCAT_IPV6_HOPLIMIT=", told_of_datagram("UDP6-RECVFROM"),
       Need::six},
      {"ipv6-recvtclass", "ipv6-recvtclass", "SOCAT_IPV6_TCLASS=", told_of_datagram("UDP6-RECVFROM"),
       Need::six},
      // Of names.
      {"res-nsaddr", "%n", "out=<hello>", asking("TCP4:yes.invalid:%p%o")},
      {"res-recurse", "res-recurse=0", "udp A yes.invalid\n", asking("TCP4:yes.invalid:%p,%n%o")},
      {"res-usevc", "res-usevc", "tcp A yes.invalid", asking("TCP4:yes.invalid:%p,%n%o")},
      {"res-igntc", "res-igntc", "!connection", asking("TCP4:yes.invalid:%p,%n%o", NameServer::Manner::cutting)},
      {"res-stayopen", "res-stayopen", "!connection.*connection",
       asking("TCP4:no:%p,res-usevc,%n%o")},
      {"res-defnames", "res-defnames=0", "! A yes.a.invalid", asking("TCP4:yes:%p,%n%o")},
      {"res-dnsrch", "res-dnsrch=0", "! A no.way.a.invalid", asking("TCP4:no.way:%p,%n%o")},
      {"res-retrans", "res-retrans=1", "^2 questions",
       [](Look& look) {
         const NameServer server(NameServer::Manner::silent);
         look.places['n'] = server.option();
         Running client(look.command({"-u", "TCP4:yes.invalid.:9,%n,res-retry=2%o", "-"}));
         constexpr auto most = std::chrono::milliseconds(1300);
         const auto end = std::chrono::steady_clock::now() + (look.with ? deadline : most);
         while (server.count(" A ") < 2 && std::chrono::steady_clock::now() < end)
           std::this_thread::sleep_for(std::chrono::milliseconds(5));
         return std::to_string(server.count(" A ")) + " questions";
       }},
      {"res-retry", "res-retry=1", "^1 questions",
       [](Look& look) {
         const NameServer server(NameServer::Manner::silent);
         look.places['n'] = server.option();
         look.run({"-u", "TCP4:yes.invalid.:9,%n,res-retrans=1%o", "-"});
         return std::to_string(server.count(" A ")) + " questions";
       }},
      {"ai-v4mapped", "ai-v4mapped", "out=<hello>", asking("TCP6:yes.invalid:%p,%n%o")},
      {"ai-all", "ai-all", "out=<hello>", asking("TCP6:both.invalid:%p,ai-v4mapped,%n%o")},
      {"ai-addrconfig", "ai-addrconfig", "! AAAA ",
       [](Look& look) {
         std::string text = "AAAA is what is asked without a network";
         in_own_network([&] {
           const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
           ifreq request{};
           std::strcpy(request.ifr_name, "lo:1");
           auto& address = reinterpret_cast<sockaddr_in&>(request.ifr_addr);
           address.sin_family = AF_INET;
           ::inet_pton(AF_INET, "10.9.9.9", &address.sin_addr);
           check("set an address", ::ioctl(any.get(), SIOCSIFADDR, &request));
           text = asking("TCP:yes.invalid:%p,%n%o")(look);
         });
         return text;
       },
       Need::network},
      // Of proxies.
      {"proxyport", "proxyport=%p", "heard=<CONNECT h:80 ", through_proxy("PROXY:127.0.0.1:h:80%o", http_answer)},
      {"http-version", "http-version=1.1", "heard=<CONNECT h:80 HTTP/1.1\r\n.*out=<hello>",
       through_proxy("PROXY:127.0.0.1:h:80,proxyport=%p%o", http_answer)},
      {"proxy-authorization", "proxyauth=user:word", "Basic dXNlcjp3b3Jk\r\n.*out=<hello>",
       through_proxy("PROXY:127.0.0.1:h:80,proxyport=%p%o", http_answer)},
      {"proxy-authorization-file", "proxy-authorization-file=%d/secret", "Basic dXNlcjp3b3Jk\r\n.*out=<hello>",
       through_proxy("PROXY:127.0.0.1:h:80,proxyport=%p%o", http_answer)},
      {"proxy-resolve", "resolve", "heard=<CONNECT 127.0.0.1:80 .*out=<hello>",
       through_proxy("PROXY:127.0.0.1:localhost:80,proxyport=%p%o", http_answer)},
      {"ignorecr", "ignorecr", "out=<hello>",
       through_proxy("PROXY:127.0.0.1:h:80,proxyport=%p%o", {"HTTP/1.0 200 OK\n\nhello"})},
      {"socksport", "socksport=%p", "out=<hello>", through_proxy("SOCKS4:127.0.0.1:127.0.0.1:80%o", socks4_answer)},
      {"socksuser", "socksuser=somebody", "somebody.*out=<hello>",
       through_proxy("SOCKS4:127.0.0.1:127.0.0.1:80,socksport=%p%o", socks4_answer)},
      {"sockspass", "sockspass=secret", "secret.*out=<hello>",
       through_proxy("SOCKS5-CONNECT:127.0.0.1:%p:127.0.0.1:80,socksuser=me%o", socks5_answer)},
      // Of programs.
      {"pipes", "pipes", "out=<pipe:", line({"-", "SYSTEM:readlink /proc/self/fd/0%o"})},
      {"pty", "pty", "out=</dev/pts/", line({"-", "EXEC:tty%o"})},
      {"ptmx", "ptmx", "out=</dev/pts/", line({"-", "EXEC:tty%o"})},
      {"openpty", "openpty", "out=</dev/pts/", line({"-", "EXEC:tty%o"})},
      {"tiocsctty", "ctty", "out=<yes", line({"-u", "SYSTEM:'echo yes >/dev/tty',pty,setsid,opost=0%o", "-"})},
      {"stderr", "stderr", "out=<to err", line({"-u", "SYSTEM:'echo to err >&2'%o", "-"})},
      {"fdin", "fdin=5", "out=<x>", line({"-", "SYSTEM:'cat <&5'%o"}, "x")},
      {"fdout", "fdout=6", "out=<x", line({"-u", "SYSTEM:'echo x >&6'%o", "-"})},
      {"dash", "dash", "out=<-cat", line({"-u", "EXEC:/bin/cat /proc/self/cmdline%o", "-"})},
      {"path", "path=%d/sub", "out=<mine",
       [](Look& look) {
         look.file("sub/special", "#!/bin/sh\necho mine\n", 0755);
         return described(look.run({"-u", "EXEC:special%o", "-"}));
       }},
      {"shell", "shell=%d/special", "out=<mine",
       [](Look& look) {
         look.file("special", "#!/bin/sh\necho mine\n", 0755);
         return described(look.run({"-u", "SHELL:echo another%o", "-"}));
       }},
      {"nofork", "nofork", "^itself",
       [](Look& look) {
         Running program(look.command({"-", "EXEC:'sh -c \"echo $$\"'%o"}));
         return program.line().value_or("") == std::to_string(program.pid()) ? "itself" : "another";
       }},
      {"setsid", "setsid", " session", identity("EXEC:%d/show%o")},
      {"setpgid", "setpgid=0", " leader", identity("EXEC:%d/show%o")},
      {"sighup", "sighup", "got it", passed_on(SIGHUP)},
      {"sigint", "sigint", "got it", passed_on(SIGINT)},
      {"sigquit", "sigquit", "got it", passed_on(SIGQUIT)},
      {"chroot", "chroot=%d/root", "folder=/\n", identity("EXEC:/show%o"), Need::root},
      {"chroot-early", "chroot-early=%d/root", "folder=/\n", identity("EXEC:/show%o"), Need::root},
      {"setuid", "setuid=65534", "user=65534/65534 group=0/0", identity("EXEC:%d/show%o"), Need::root},
      {"setuid-early", "setuid-early=65534", "user=65534/65534 group=0/0", identity("EXEC:%d/show%o"), Need::root},
      {"setgid", "setgid=65534", "user=0/0 group=65534/65534", identity("EXEC:%d/show%o"), Need::root},
      {"setgid-early", "setgid-early=65534", "user=0/0 group=65534/65534", identity("EXEC:%d/show%o"), Need::root},
      {"substuser", "su=65534", "user=65534/65534 group=65534/65534", identity("EXEC:%d/show%o"), Need::root},
      {"substuser-early", "su-e=65534", "user=65534/65534 group=65534/65534", identity("EXEC:%d/show%o"),
       Need::root},
      // Before any change of root, in which nobody has that number.
      {"substuser-delayed", "su-d=65534", "user=65534/65534 group=65534/65534",
       identity("EXEC:/show,chroot=%d/root%o"), Need::root},
      {"netns", "netns=%n", "^theirs",
       [](Look& look) {
         Running other({"unshare", "-n", "sh", "-c", "echo ready; exec cat"}, {.more_input = true});
         other.line();
         look.places['n'] = "/proc/" + std::to_string(other.pid()) + "/ns/net";
         const std::string theirs = std::filesystem::read_symlink(look.places['n']).string() + '\n';
         const Ended ended = look.run({"-u", "SYSTEM:'readlink /proc/self/ns/net'%o", "-"});
         return ended.out == theirs ? "theirs"s : described(ended);
       },
       Need::network},
      // Of terminals.
      {"symbolic-link", "link=%d/link", "^/dev/pts/",
       [](Look& look) {
         Serving server(look.words({"PTY%o", "STALL"}));
         std::error_code ignored;
         return std::filesystem::read_symlink(look.path("link"), ignored).string();
       }},
      {"pty-wait-slave", "wait-slave", "^waits",
       [](Look& look) {
         Serving server(look.words({"PTY%o", "SYSTEM:'echo begun >&2; cat'"}));
         if (!look.with) return server->line(2).value_or("nothing");
         if (ends(server.process(), false)) return "ended"s;
         // It begins as soon as somebody opens the slave.
         const Fd slave(::open(server.names().at(0).substr(4).c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
         return "waits, then " + server->line(2).value_or("nothing");
       }},
      {"pty-end-on-close", "end-on-close", "^ended",
       [](Look& look) { return without_its_user(look, "PTY,raw,echo=0%o", look.with); }},
      {"pty-interval", "pty-interval=0.001", "^often",
       [](Look& look) {
         // It looks only where the kernel cannot tell.
         Serving server(look.words({"PTY,wait-slave%o", "STALL"}), {.environment = {"SLUICE_DENY=inotify"}});
         constexpr int often = 40;
         const auto switches = [&] { return status_figure(server->pid(), "voluntary_ctxt_switches"); };
         const long before = switches();
         const auto many = [&] { return switches() - before >= often; };
         if (look.with) return eventually(many) ? "often" : "seldom";
         ends(server.process(), false);
         ends(server.process(), false);
         return many() ? "often" : "seldom";
       }},
      {"sitout-eio", "sitout-eio=60", "^goes on",
       [](Look& look) { return without_its_user(look, "PTY,raw,echo=0,end-on-close%o", !look.with); }},
      // Of what is typed.
      {"noecho", "noecho=^Password:", "!secret.*secret", typed, Need::editor},
      {"prompt", "prompt='say> '", "say> ", typed, Need::editor},
      {"noprompt", "noprompt", "Password: secret\\s+secret", typed, Need::editor},
      {"history-file", "history-file=%d/history", "file history .*<of yore\nsecret\n", typed, Need::editor},
      // Of message queues.
      {"posixmq-maxmsg", "posixmq-maxmsg=2", "^2 messages",
       queue_made([](const mq_attr& made) { return std::to_string(made.mq_maxmsg) + " messages"; }), Need::queue},
      {"posixmq-msgsize", "posixmq-msgsize=5", "^5 bytes",
       queue_made([](const mq_attr& made) { return std::to_string(made.mq_msgsize) + " bytes"; }), Need::queue},
      {"posixmq-priority", "posixmq-priority=9", "out=<second>",
       [](Look& look) {
         const Queue queue(look);
         look.run({"-u", "TEXT:first", "POSIXMQ-SEND:%q"});
         look.run({"-u", "TEXT:second", "POSIXMQ-SEND:%q%o"});
         return described(look.run({"-u", "POSIXMQ-RECEIVE:%q", "-"}));
       },
       Need::queue},
      {"posixmq-flush", "posixmq-flush", "out=<second>",
       [](Look& look) {
         const Queue queue(look);
         look.run({"-u", "TEXT:first", "POSIXMQ-SEND:%q"});
         look.run({"-u", "TEXT:second", "POSIXMQ-SEND:%q%o"});
         return described(look.run({"-u", "POSIXMQ-RECEIVE:%q", "-"}));
       },
       Need::queue},
      // Of interfaces.
      {"interface-mtu", "interface-mtu=1400", "^mtu=1400",
       [](Look& look) {
         return interface_while(look, "INTERFACE:lo%o", "lo", [](int fd, ifreq& request) {
           check("ask for the MTU", ::ioctl(fd, SIOCGIFMTU, &request));
           return "mtu=" + std::to_string(request.ifr_mtu);
         });
       },
       Need::network},
      {"retrieve-vlan", "retrieve-vlan", "^tagged", frames_seen, Need::network},
      {"tun-name", "tun-name=wire", "^wire is there",
       [](Look& look) {
         return interface_while(look, "TUN%o", "wire", [](int fd, ifreq& request) {
           return ::ioctl(fd, SIOCGIFINDEX, &request) == 0 ? "wire is there"s : "it has another name"s;
         });
       },
       Need::tunnel},
      {"tun-type", "tun-type=tap", "^Ethernet",
       [](Look& look) {
         return interface_while(look, "TUN,tun-name=wire%o", "wire", [](int fd, ifreq& request) {
           check("ask for the address", ::ioctl(fd, SIOCGIFHWADDR, &request));
           constexpr int ethernet = 1;
           return request.ifr_hwaddr.sa_family == ethernet ? "Ethernet"s : "no addresses"s;
         });
       },
       Need::tunnel},
      {"tun-device", "tun-device=%d/tun", "open .*/tun: No such file or directory",
       [](Look& look) {
         return interface_while(look, "TUN%o", "tun0", [](int, ifreq&) { return "made"s; });
       },
       Need::tunnel},
      {"iff-no-pi", "iff-no-pi", "^plain", packet_seen, Need::tunnel},
      {"iff-up", "iff-up", "^set", interface_flags(IFF_UP), Need::tunnel},
      {"iff-debug", "iff-debug", "^set", interface_flags(IFF_DEBUG), Need::tunnel},
      {"iff-notrailers", "iff-notrailers", "^set", interface_flags(IFF_NOTRAILERS), Need::tunnel},
      {"iff-noarp", "iff-noarp=0", "^clear", interface_flags(IFF_NOARP), Need::tunnel},
      {"iff-multicast", "iff-multicast=0", "^clear", interface_flags(IFF_MULTICAST), Need::tunnel},
      {"iff-allmulti", "iff-allmulti", "^set", interface_flags(IFF_ALLMULTI), Need::tunnel},
      {"iff-promisc", "iff-promisc", "^set", interface_flags(IFF_PROMISC), Need::tunnel},
      {"iff-portsel", "iff-portsel", "^set", interface_flags(IFF_PORTSEL), Need::tunnel},
      {"iff-automedia", "iff-automedia", "^set", interface_flags(IFF_AUTOMEDIA), Need::tunnel},
  };
  return all;
}

/// Options that are passed on, and that whoever they are passed to takes no notice of: nothing can be seen of
/// them, so a line with them does what it does without them.
struct Unnoticed {
  const char *name, *why;
  std::vector<std::string> words;
};
const std::vector<Unnoticed>& unnoticed() {
  static const std::vector<Unnoticed> all = {
      {"res-debug",
       "the C library prints nothing since it was built without",
       {"-u", "TCP4:yes.invalid:%p,%n%o", "-"}},
      {"ai-passive",
       "it is for those that name no host, and every address names one",
       {"-u", "TCP4:yes.invalid:%p,%n%o", "-"}},
      {"o-largefile", "every file is opened so", {"-u", "OPEN:%d/f%o", "-"}},
      {"o-noctty", "no terminal is opened without", {"-u", "OPEN:%d/f%o", "-"}},
      {"iff-broadcast", "the kernel lets nobody change it (dev_change_flags)", {}},
      {"iff-loopback", "the kernel lets nobody change it", {}},
      {"iff-master", "the kernel lets nobody change it", {}},
      {"iff-slave", "the kernel lets nobody change it", {}},
      {"iff-pointopoint", "the kernel lets nobody change it", {}},
      {"iff-running", "the kernel lets nobody change it", {}},
  };
  return all;
}

void PrintTo(const Row& row, std::ostream* to) { *to << row.option; }

bool is_seen(std::string_view what, std::string text) {
  // Nothing matches a zero.
  std::replace(text.begin(), text.end(), '\0', '0');
  const bool wanted = !what.starts_with('!');
  if (!wanted) what.remove_prefix(1);
  regex_t pattern;
  if (::regcomp(&pattern, std::string(what).c_str(), REG_EXTENDED | REG_NOSUB) != 0)
    throw Failure("bad pattern " + std::string(what));
  const bool found = ::regexec(&pattern, text.c_str(), 0, nullptr, 0) == 0;
  ::regfree(&pattern);
  return found == wanted;
}

class EveryOption : public testing::TestWithParam<Row> {};

TEST_P(EveryOption, IsSeenWhereItStandsAndNowhereElse) {
  const Row& row = GetParam();
  if (const std::string why = missing(row.need); !why.empty()) GTEST_SKIP() << row.name << ' ' << why;
  Look with(row.option, true), without(row.without, false);
  const std::string text = row.observe(with), other = row.observe(without);
  EXPECT_TRUE(is_seen(row.seen, text)) << "with " << row.option << " there is\n" << text;
  EXPECT_FALSE(is_seen(row.seen, other)) << "without " << row.option << " there is too\n" << other;
}

INSTANTIATE_TEST_SUITE_P(Rows, EveryOption, testing::ValuesIn(rows()),
                         [](const auto& one) { return name_of_test(one.param.name, one.index); });

TEST(UnnoticedOptions, ChangeNothing) {
  for (const Unnoticed& one : unnoticed()) {
    const Observe observe = [&](Look& look) {
      if (one.words.empty())
        return interface_while(look, "TUN,tun-name=wire%o", "wire", [](int fd, ifreq& request) {
          check("ask for flags", ::ioctl(fd, SIOCGIFFLAGS, &request));
          return std::to_string(request.ifr_flags);
        });
      if (one.words[1].find("%n") != std::string::npos) return asking(one.words[1])(look);
      return line(one.words)(look);
    };
    if (one.words.empty() && !missing(Need::tunnel).empty()) continue;
    Look with(one.name, true), without("", false);
    const std::string seen = observe(with);
    EXPECT_EQ(seen, observe(without)) << one.name << " is noticed, though " << one.why;
    EXPECT_EQ(seen.find("option"), std::string::npos) << seen;
  }
}

/// Its reads and buffers have to be as the device wants them.
TEST(DirectReading, LosesNothing) {
  const TemporaryDirectory folder;
  const std::string text = sample(100'000), path = folder.file("large", text);
  const Ended ended = run_sockcat({"-u", "OPEN:" + path + ",o-direct", "-"});
  if (ended.err.find("open " + path + ": Invalid argument") != std::string::npos)
    GTEST_SKIP() << "files of this folder cannot be read so";
  EXPECT_EQ(ended, (Ended{.out = text, .status = 0}));
}

/// Sockets that options of the groups are for, the most usual first.
struct Kind {
  Group group;
  int family, type, protocol;
};
Kind kind_for(const OptionRow& row) {
  constexpr Kind kinds[] = {
      {Group::tcp, AF_INET, SOCK_STREAM, 0},
      {Group::udplite, AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE},
      {Group::dccp, AF_INET, SOCK_DCCP, IPPROTO_DCCP},
      {Group::sctp, AF_INET, SOCK_STREAM, IPPROTO_SCTP},
      {Group::udp, AF_INET, SOCK_DGRAM, 0},
      {Group::ip4, AF_INET, SOCK_DGRAM, 0},
      {Group::ip6, AF_INET6, SOCK_DGRAM, 0},
  };
  if (row.name == "so-passcred" || row.name == "so-acceptconn")
    return {Group::unix_, AF_UNIX, SOCK_STREAM, 0};
  if (row.effect.level == IPPROTO_IPV6) return kinds[6];
  for (const Kind& kind : kinds)
    if (overlap(row.groups, kind.group) && row.groups != Group::socket) return kind;
  return kinds[4];
}

/// A value that a socket option takes, and what the kernel shows then, where that is not 1 and 1.
struct Sample {
  int value, shown;
};
Sample sample_for(std::string_view name) {
  static const std::map<std::string_view, Sample> special = {
      // The kernel doubles.
      {"so-rcvbuf", {20000, 40000}},
      {"so-rcvbuf-late", {20000, 40000}},
      {"so-sndbuf", {20000, 40000}},
      {"so-sndbuf-late", {20000, 40000}},
      // It is so, or next to it, from the beginning.
      {"so-rcvlowat", {5, 5}},
      {"ip-multicast-loop", {0, 0}},
      {"ip-multicast-ttl", {9, 9}},
      {"ip-mtu-discover", {2, 2}},
      {"ipv6-mtu-discover", {2, 2}},
      {"ipv6-multicast-loop", {0, 0}},
      {"tcp-syncnt", {3, 3}},
      {"tcp-quickack", {0, 0}},
      // Few values are taken.
      {"so-priority", {3, 3}},
      {"ip-tos", {16, 16}},
      {"ip-ttl", {7, 7}},
      {"ipv6-unicast-hops", {11, 11}},
      {"ipv6-tclass", {12, 12}},
      {"tcp-keepidle", {70, 70}},
      {"tcp-keepintvl", {8, 8}},
      {"tcp-keepcnt", {4, 4}},
      {"tcp-linger2", {20, 20}},
      {"tcp-window-clamp", {30000, 30000}},
      {"tcp-maxseg", {600, 600}},
      {"tcp-maxseg-late", {600, 600}},
      {"udplite-send-cscov", {20, 20}},
      {"udplite-recv-cscov", {20, 20}},
  };
  const auto found = special.find(name);
  return found != special.end() ? found->second : Sample{1, 1};
}

bool is_number(ValueType type) {
  return type == ValueType::integer || type == ValueType::boolean || type == ValueType::byte ||
         type == ValueType::integer_or_nothing;
}
/// Those that a socket has which is there already.
bool is_of_a_socket_that_is_there(const OptionRow& row) {
  return row.phase == Phase::pastsocket || row.phase == Phase::connected || row.phase == Phase::fd ||
         row.phase == Phase::late;
}

std::optional<int> number_shown(int fd, const Effect& effect) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(fd, effect.level, effect.number, &value, &size) != 0) return std::nullopt;
  return size == 1 ? value & 0xff : value;
}

/// What is walked by its kind, each option by the program itself.
bool is_walked_as_socket_option(const OptionRow& row) {
  return row.effect.kind == Effect::socket_option && is_number(row.type);
}

TEST(SocketOptionsOfEveryNumber, AreReadBackOrRefusedAsByAPlainCall) {
  std::map<std::string, int> counts;
  for (const OptionRow& row : option_rows()) {
    if (!is_walked_as_socket_option(row) || !is_of_a_socket_that_is_there(row)) continue;
    const std::string name(row.name);
    const Kind kind = kind_for(row);
    if (!why_no_socket(kind.family, kind.type, kind.protocol).empty()) {
      ++counts["not of this kernel"];
      continue;
    }
    const auto new_socket = [&] {
      return Fd(::socket(kind.family, kind.type | SOCK_CLOEXEC, kind.protocol));
    };
    const auto [value, shown] = sample_for(name);
    const Fd plain = new_socket(), fd = new_socket();
    const auto before = number_shown(plain.get(), row.effect);
    const bool taken =
        ::setsockopt(plain.get(), row.effect.level, row.effect.number, &value, sizeof value) == 0;
    const std::string why = last_error().message();
    const std::string address = "FD:7," + name + '=' + std::to_string(value);
    const Ended ended = run_sockcat({"-u", "TEXT:", address}, {.descriptors = {{7, fd.get()}}});
    if (!taken) {
      EXPECT_EQ(ended.err, "sockcat: " + address + ": option \"" + name + "\": " + why + '\n');
      ++counts["refused by the kernel"];
      continue;
    }
    EXPECT_EQ(ended.status, 0) << ended.err;
    const auto after = number_shown(fd.get(), row.effect);
    if (!after || number_shown(plain.get(), row.effect) == before) {
      // The kernel takes it and tells nobody.
      EXPECT_EQ(after, before) << name;
      RecordProperty("forgotten by the kernel: " + name, 1);
      ++counts["forgotten by the kernel"];
      continue;
    }
    EXPECT_EQ(after, shown) << address;
    EXPECT_NE(after, before) << name << " is so without the option";
    ++counts["read back"];
  }
  EXPECT_GT(counts["read back"], 45);
  EXPECT_LE(counts["forgotten by the kernel"], 4);
  for (const auto& [what, count] : counts) RecordProperty(what, count);
}

/// As the kernel has them, with speeds that are numbers (ioctl_tty(2), TCGETS2).
struct Settings {
  tcflag_t words[4];
  cc_t line;
  cc_t characters[19];
  speed_t input_speed, output_speed;
};
constexpr unsigned long get_settings = _IOR('T', 0x2a, Settings);
constexpr unsigned long set_settings = _IOW('T', 0x2b, Settings);
constexpr tcflag_t other_speed = 0010000;  // BOTHER

Settings settings_of(int fd) {
  Settings settings{};
  check("TCGETS2", ::ioctl(fd, get_settings, &settings));
  return settings;
}
/// What is shown of them; a speed is its number however it was set.
std::string shown(const Settings& settings) {
  std::string text;
  for (const int word : {0, 1, 2, 3})
    text +=
        std::to_string(settings.words[word] & (word == 2 ? ~static_cast<tcflag_t>(CBAUD | CIBAUD) : ~0U)) +
        ' ';
  for (const cc_t one : settings.characters) text += std::to_string(one) + ',';
  return text + ' ' + std::to_string(settings.input_speed) + '/' + std::to_string(settings.output_speed);
}

void set_speed(Settings& settings, int which, speed_t baud) {
  const auto speed = static_cast<Effect::Speed>(which);
  settings.words[2] &= ~static_cast<tcflag_t>(CBAUD | CIBAUD);
  settings.words[2] |= (baud == 0 ? 0 : other_speed) | other_speed << 16;
  if (speed != Effect::Speed::output) settings.input_speed = baud;
  if (speed != Effect::Speed::input) settings.output_speed = baud;
}

/// One use of an option, and what it makes of settings.
struct Change {
  std::string option;
  std::function<void(Settings&)> before;  ///< so that there is something to change
  std::function<void(Settings&)> change;
};

/// By its kind; nothing for options of other kinds.
std::vector<Change> changes_of(const OptionRow& row) {
  const Effect effect = row.effect;
  const std::string name(row.name);
  const auto bits = static_cast<tcflag_t>(effect.number);
  const auto value = static_cast<tcflag_t>(effect.bits);
  const auto replace = [=](tcflag_t by) {
    return [=](Settings& all) {
      tcflag_t& word = all.words[effect.level];
      word = (word & ~bits) | (by & bits);
    };
  };
  const auto mode = [=](auto change) { return std::vector<Change>{{name, [](Settings&) {}, change}}; };
  switch (effect.kind) {
    case Effect::terminal_flag:
      return {{name, replace(0), replace(bits)}, {name + "=0", replace(bits), replace(0)}};
    case Effect::terminal_value:
      return {{name, replace(~value), replace(value)}};
    case Effect::terminal_number: {
      const tcflag_t lowest = bits & (~bits + 1);
      return {{name + "=1", replace(lowest * 2), replace(lowest)}};
    }
    case Effect::terminal_set_flags:
      return {{name + "=3:" + std::to_string(NOFLSH),
               [](Settings& all) { all.words[3] &= ~static_cast<tcflag_t>(NOFLSH); },
               [](Settings& all) { all.words[3] |= NOFLSH; }}};
    case Effect::terminal_speed: {
      const int baud = effect.number != 0 || name == "b0" ? effect.number : 4800;
      return {{name + (row.type == ValueType::constant ? "" : "=4800"),
               [](Settings& all) { set_speed(all, static_cast<int>(Effect::Speed::both), 12345); },
               [=](Settings& all) { set_speed(all, effect.level, static_cast<speed_t>(baud)); }}};
    }
    case Effect::control_character:
      return {{name + "=7", [](Settings&) {}, [=](Settings& all) { all.characters[bits] = 7; }}};
    case Effect::terminal_mode:
      switch (static_cast<Effect::Mode>(effect.number)) {
        case Effect::Mode::cfmakeraw:
          return mode([](Settings& all) {
            all.words[0] &=
                ~static_cast<tcflag_t>(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
            all.words[1] &= ~static_cast<tcflag_t>(OPOST);
            all.words[3] &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
          });
        default:
          return mode([](Settings&) {});
      }
    default:
      return {};
  }
}

TEST(SettingsOfTerminals, AreThoseThatAPlainCallMakes) {
  // A pseudo terminal has eight bits without parity, and is read from, whatever it is told (pty(7)).
  const std::set<std::string_view> fixed = {"cread", "cs5", "cs6", "cs7", "cs8", "csize", "parenb"};
  std::map<std::string, int> counts;
  // The settings that terminals begin with.
  const Terminal raw = make_terminal();
  Settings usual = settings_of(raw.slave.get());
  usual.words[0] |= ICRNL | IXON;
  usual.words[1] |= OPOST | ONLCR;
  usual.words[3] |= ICANON | ECHO | ISIG | IEXTEN;
  for (const OptionRow& row : option_rows())
    for (const Change& one : changes_of(row)) {
      const Terminal plain = make_terminal(), terminal = make_terminal();
      Settings wanted = usual;
      one.before(wanted);
      for (const auto* each : {&plain, &terminal})
        check("TCSETS2", ::ioctl(each->slave.get(), set_settings, &wanted));
      const std::string before = shown(settings_of(plain.slave.get()));
      one.change(wanted);
      check("TCSETS2", ::ioctl(plain.slave.get(), set_settings, &wanted));
      const std::string expected = shown(settings_of(plain.slave.get()));
      Running program(sockcat({"-d", "-d", "-u", "STALL", "FD:7," + one.option}),
                      {.descriptors = {{7, terminal.slave.get()}}});
      std::string told;
      if (!begins(program, &told)) {
        ADD_FAILURE() << told;
        continue;
      }
      const std::string after = shown(settings_of(terminal.slave.get()));
      if (row.effect.kind == Effect::terminal_mode && row.name != "termios-cfmakeraw") {
        ++counts["mode"];
        continue;
      }
      EXPECT_EQ(after, expected) << one.option;
      if (fixed.contains(row.name))
        ++counts["fixed by the kernel"];
      else
        EXPECT_NE(expected, before) << one.option << " changes nothing";
      ++counts["read back"];
    }
  EXPECT_GT(counts["read back"], 150);
  for (const auto& [what, count] : counts) RecordProperty(what, count);
}

TEST(ModesOfTerminals, AreWhatTheirNamesSay) {
  struct {
    const char* options;
    tcflag_t set, clear;  ///< of the local words
  } constexpr cases[] = {
      {"raw", ECHO, ICANON | ISIG},
      {"rawer", 0, ICANON | ISIG | ECHO},
      {"rawer,sane", ICANON | ISIG | ECHO, NOFLSH},
  };
  for (const auto& [options, set, clear] : cases) {
    const Terminal terminal = make_terminal();
    Settings usual = settings_of(terminal.slave.get());
    usual.words[3] |= ICANON | ECHO | ISIG;
    check("TCSETS2", ::ioctl(terminal.slave.get(), set_settings, &usual));
    Running program(sockcat({"-d", "-d", "-u", "STALL", "FD:7,"s + options}),
                    {.descriptors = {{7, terminal.slave.get()}}});
    ASSERT_TRUE(begins(program)) << options;
    const tcflag_t local = settings_of(terminal.slave.get()).words[3];
    EXPECT_EQ(local & (set | clear), set) << options;
  }
  const Terminal terminal = make_terminal();
  Running program(sockcat({"-d", "-d", "-u", "STALL", "FD:7,tiocswinsz=132:43"}),
                  {.descriptors = {{7, terminal.slave.get()}}});
  ASSERT_TRUE(begins(program));
  winsize size{};
  ASSERT_EQ(::ioctl(terminal.slave.get(), TIOCGWINSZ, &size), 0);
  EXPECT_EQ(size.ws_col, 132);
  EXPECT_EQ(size.ws_row, 43);
}

TEST(AttributesOfFiles, AreReadBackOrRefusedAsByAPlainCall) {
  std::map<std::string, int> counts;
  for (const OptionRow& row : option_rows()) {
    if (row.effect.kind != Effect::file_attribute) continue;
    const TemporaryDirectory folder;
    const auto file = [&](const char* name) {
      return Fd(check("open", ::open(folder.file(name).c_str(), O_RDWR | O_CLOEXEC)));
    };
    const Fd plain = file("plain"), ours = file("ours");
    int before = 0;
    const bool known = ::ioctl(plain.get(), FS_IOC_GETFLAGS, &before) == 0;
    const int wanted = before | row.effect.number;
    const bool taken = known && ::ioctl(plain.get(), FS_IOC_SETFLAGS, &wanted) == 0;
    const std::string why = last_error().message();
    int expected = 0, after = 0;
    if (taken) check("FS_IOC_GETFLAGS", ::ioctl(plain.get(), FS_IOC_GETFLAGS, &expected));
    const std::string address = "OPEN:" + folder.path() + "/ours," + std::string(row.name);
    const Ended ended = run_sockcat({"-u", "TEXT:", address});
    if (taken) check("FS_IOC_GETFLAGS", ::ioctl(ours.get(), FS_IOC_GETFLAGS, &after));
    // So that the folder can go.
    for (const Fd* one : {&plain, &ours}) ::ioctl(one->get(), FS_IOC_SETFLAGS, &before);
    if (!taken) {
      EXPECT_EQ(ended.err,
                "sockcat: " + address + ": option \"" + std::string(row.name) + "\": " + why + '\n');
      ++counts["refused by the kernel"];
      continue;
    }
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_EQ(after, expected) << row.name;
    if (expected == before)
      ++counts["forgotten by the kernel"];
    else
      ++counts["read back"];
  }
  for (const auto& [what, count] : counts) RecordProperty(what, count);
}

TEST(OptionsOfTls, AreRefused) {
  int refused = 0;
  for (const OptionRow& row : option_rows()) {
    if (row.effect.kind != Effect::not_yet) continue;
    const std::string value = row.type == ValueType::integer ? "=1" : row.type == ValueType::text ? "=x" : "";
    const Ended ended = run_sockcat({"-", "OPENSSL:h:1," + std::string(row.name) + value});
    EXPECT_EQ(ended.status, 2) << row.name;
    EXPECT_NE(ended.err.find("not supported yet"), std::string::npos) << ended.err;
    ++refused;
  }
  EXPECT_EQ(refused, 17);
}

/// How an option is looked at in this file: by its kind, by a row, or not at all.
std::string looked_at_by(const OptionRow& row) {
  const auto named = [&](const auto& one) { return one.name == row.name; };
  if (std::any_of(rows().begin(), rows().end(), named)) return "a row";
  if (std::any_of(unnoticed().begin(), unnoticed().end(), named)) return "unnoticed";
  if (row.effect.kind == Effect::not_yet) return "refused";
  if (row.effect.kind == Effect::file_attribute) return "its kind, of attributes";
  if (row.effect.kind == Effect::window_size || row.effect.kind == Effect::terminal_mode ||
      !changes_of(row).empty())
    return "its kind, of terminals";
  if (is_walked_as_socket_option(row) && is_of_a_socket_that_is_there(row)) return "its kind, of sockets";
  return {};
}

TEST(TheTable, HasARowForEveryOptionThatIsNotWalkedByItsKind) {
  std::map<std::string, int> counts;
  for (const OptionRow& row : option_rows()) {
    const std::string way = looked_at_by(row);
    EXPECT_NE(way, "") << row.name << " is looked at by nothing here: it needs a row";
    ++counts[way];
    ++counts["effect kind " + std::to_string(row.effect.kind) + ", " + way];
  }
  for (const auto& [what, count] : counts) RecordProperty(what, count);
  for (const Row& row : rows()) {
    const OptionRow* const option = find_option(row.name);
    ASSERT_NE(option, nullptr) << row.name;
    EXPECT_EQ(option->name, row.name) << "the canonical name is " << option->name;
    const std::string text = row.option;
    if (text.starts_with('%')) continue;
    EXPECT_EQ(find_option(text.substr(0, text.find('='))), option) << text << " is another option";
  }
}

}  // namespace
}  // namespace sluice::test
