#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>

#include "sluice/core/bytes.h"
#include "sluice/core/page_buffer.h"
#include "traffic.h"

namespace sluice::bench {
namespace {

constexpr std::size_t chunk = kib(256);

/// Reads to the end and returns how much there was.
std::int64_t drain(int fd) {
  const PageBuffer buffer(chunk);  // the quickest to read into
  const Bytes room = buffer.bytes();
  std::int64_t bytes = 0;
  while (const ssize_t count = check("read", ::read(fd, room.data(), room.size()))) bytes += count;
  return bytes;
}

}  // namespace

void send(Words words) {
  const std::string address = words[0];
  const std::int64_t bytes = number_of(words[1]);
  const bool piped = address == "-";
  Fd to = piped ? Fd(1) : connect_to(address);

  // Lines, so that what reads text has something to do.
  std::vector<char> buffer(chunk, 'x');
  for (std::size_t place = 63; place < buffer.size(); place += 64) buffer[place] = '\n';
  const std::int64_t start = now();
  for (std::int64_t left = bytes; left > 0;) {
    const auto part = static_cast<std::size_t>(std::min<std::int64_t>(left, chunk));
    left -= check("write", ::write(to.get(), buffer.data(), part));
  }
  if (!piped) {
    check("finish " + address, ::shutdown(to.get(), SHUT_WR));
    drain(to.get());
  }
  to.reset();
  report({{"start", start}, {"end", now()}, {"bytes", bytes}});
}

void receive(Words words) {
  const std::string address = words[0];
  Fd from(0);
  if (address != "-") {
    const Fd listener = listen_on(address);
    report_ready(listener);
    from.reset(check("accept", ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }
  const std::int64_t start = now();
  const std::int64_t bytes = drain(from.get());
  report({{"start", start}, {"end", now()}, {"bytes", bytes}});
}

void read_file(Words words) {
  const Fd from(check(std::string("open ") + words[0], ::open(words[0], O_RDONLY | O_CLOEXEC)));
  drain(from.get());
}

}  // namespace sluice::bench
