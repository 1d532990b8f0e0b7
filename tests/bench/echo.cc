#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>

#include "sluice/core/bytes.h"
#include "traffic.h"

namespace sluice::bench {
namespace {

constexpr std::size_t most_events = 256;

/// Answers what there is; false at the client's end.
bool answer(int client) {
  std::array<char, kib(4)> buffer;
  const ssize_t count = ::read(client, buffer.data(), buffer.size());
  // The messages are small and the client waits for each: a socket's buffer always has room for them.
  return count > 0 && ::write(client, buffer.data(), static_cast<std::size_t>(count)) == count;
}

void watch(const Fd& epoll, int fd) {
  epoll_event wanted{.events = EPOLLIN, .data = {.fd = fd}};
  check("watch a socket", ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &wanted));
}

}  // namespace

void serve_echo(Words words) {
  const Fd listener = listen_on(words[0]);
  check("make the listener non-blocking", ::fcntl(listener.get(), F_SETFL, O_NONBLOCK));
  const Fd epoll(check("create an epoll", ::epoll_create1(EPOLL_CLOEXEC)));
  watch(epoll, listener.get());
  report_ready(listener);

  std::array<epoll_event, most_events> events;
  for (;;) {
    const int count = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int number = 0; number < count; ++number) {
      const int fd = events[static_cast<std::size_t>(number)].data.fd;
      if (fd != listener.get()) {
        if (!answer(fd)) ::close(fd);
        continue;
      }
      for (int client; (client = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) watch(epoll, client);
    }
  }
}

void serve_datagram_echo(Words words) {
  constexpr std::size_t most = 64;
  const Fd socket = listen_on(words[0]);
  report_ready(socket);

  std::vector<std::array<char, kib(2)>> buffers(most);
  std::array<sockaddr_storage, most> names;
  std::array<iovec, most> parts;
  std::array<mmsghdr, most> messages{};
  for (;;) {
    for (std::size_t number = 0; number < most; ++number) {
      parts[number] = {buffers[number].data(), buffers[number].size()};
      msghdr& header = messages[number].msg_hdr;
      header.msg_name = &names[number];
      header.msg_namelen = sizeof names[number];
      header.msg_iov = &parts[number];
      header.msg_iovlen = 1;
    }
    const int count = ::recvmmsg(socket.get(), messages.data(), most, MSG_WAITFORONE, nullptr);
    for (int number = 0; number < count; ++number)
      parts[static_cast<std::size_t>(number)].iov_len = messages[static_cast<std::size_t>(number)].msg_len;
    // A failed answer (a client that has gone) is a lost packet, which the client counts.
    for (int done = 0; done < count;) {
      const int sent = ::sendmmsg(socket.get(), &messages[static_cast<std::size_t>(done)],
                                  static_cast<unsigned>(count - done), 0);
      done += sent > 0 ? sent : 1;
    }
  }
}

}  // namespace sluice::bench
