#pragma once

#include <time.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/core/fd.h"

namespace sluice::bench {

/// What stands behind a sub-command's name.
using Words = std::span<char* const>;

/// Sub-commands; traffic.cc lists what each takes. They return when their traffic is over and throw Failure
/// when it went wrong.
void send(Words words);
void receive(Words words);
void read_file(Words words);
void serve_echo(Words words);
void serve_datagram_echo(Words words);
void ping_pong(Words words);
void connect_rate(Words words);
void datagrams(Words words);
void idle(Words words);
void run(Words words);
void start_up(Words words);
void start_rate(Words words);

constexpr std::int64_t nanoseconds_per_ms = 1'000'000;

/// Nanoseconds of the clock that all processes share, so that one's start and another's end can be
/// subtracted.
inline std::int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// Prints `name=value ...` as a line on standard error: standard output may carry the traffic.
void report(std::initializer_list<std::pair<std::string_view, std::int64_t>> figures);

/// A decimal number of at least 1. Throws UsageError.
std::int64_t number_of(std::string_view word);

/// The sample below which that share of all lie. Sorts them; there must be one.
std::int64_t quantile(std::vector<std::int64_t>& samples, double share);

/// Sockets on 127.0.0.1, or AF_UNIX ones: `tcp:PORT`, `udp:PORT`, `unix:PATH`. Listening takes port 0, too.
Fd connect_to(const std::string& address);
Fd listen_on(const std::string& address);
/// Reports `port=N`, or `port=0` for AF_UNIX: who reads it knows that clients may come.
void report_ready(const Fd& listener);

}  // namespace sluice::bench
