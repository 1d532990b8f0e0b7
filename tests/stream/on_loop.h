#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "sluice/stream/fd_stream.h"
#include "sluice/stream/loop.h"

namespace sluice::testing {

/// Runs one task on a loop to its end; others that were started go on meanwhile.
template <class Result>
Result run(Loop& loop, Task<Result> task) {
  std::optional<Result> result;
  const auto keep = [](Task<Result> inner, std::optional<Result>& into, Loop& on) -> Task<> {
    into.emplace(co_await std::move(inner));
    on.stop();
  };
  loop.start(keep(std::move(task), result, loop));
  loop.run();
  return std::move(*result);
}

inline void run(Loop& loop, Task<> task) {
  const auto keep = [](Task<> inner, Loop& on) -> Task<> {
    co_await std::move(inner);
    on.stop();
  };
  loop.start(keep(std::move(task), loop));
  loop.run();
}

/// Two ends of a socket pair, both non-blocking.
inline std::pair<Fd, Fd> socket_pair(int type = SOCK_STREAM) {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

/// Two ends of a TCP connection, both non-blocking.
inline std::pair<Fd, Fd> tcp_pair() {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  auto* const address = reinterpret_cast<sockaddr*>(&name);
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::bind(listener.get(), address, size), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(::getsockname(listener.get(), address, &size), 0);
  Fd one(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(one.get(), address, size), 0);
  EXPECT_EQ(::fcntl(one.get(), F_SETFL, O_NONBLOCK), 0);
  Fd other(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  return {std::move(one), std::move(other)};
}

/// Reading and writing end, both non-blocking.
inline std::pair<Fd, Fd> pipe_ends() {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

inline std::unique_ptr<FdStream> socket_stream(Loop& loop, Fd fd) {
  FdStream::Parts parts;
  parts.in = std::make_unique<Descriptor>(loop, std::move(fd));
  parts.both = true;
  parts.socket = true;
  parts.finish = FinishBy::shutting_down;
  return std::make_unique<FdStream>(std::move(parts));
}

inline std::unique_ptr<FdStream> pipe_stream(Loop& loop, Fd in, Fd out) {
  FdStream::Parts parts;
  if (in) parts.in = std::make_unique<Descriptor>(loop, std::move(in));
  if (out) parts.out = std::make_unique<Descriptor>(loop, std::move(out));
  return std::make_unique<FdStream>(std::move(parts));
}

/// Everything until the end, and the end.
inline Task<std::pair<std::string, End>> read_all(Stream& from) {
  std::string text;
  Batch batch = Batch::of_bytes(kib(64));
  for (;;) {
    const End end = co_await from.read_some(batch);
    text += as_text(batch.data());
    batch.clear();
    if (end.kind != End::open) co_return std::pair(text, end);
  }
}

inline Task<End> write_text(Stream& to, std::string text) {
  Batch batch = Batch::of_bytes(text.size());
  text.copy(batch.room().data(), text.size());
  batch.added(text.size());
  co_return co_await write_all(to, batch);
}

/// Text in which every position can be told from its neighbours.
inline std::string sample_text(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

}  // namespace sluice::testing
