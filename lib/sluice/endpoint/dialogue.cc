#include "sluice/endpoint/dialogue.h"

#include <sys/socket.h>

#include <array>

namespace sluice {
namespace {

void tell(Dialogue& dialogue, Logger& log) {
  for (const auto& [severity, text] : dialogue.take_notes()) {
    if (severity == Severity::warning)
      log.warning(text);
    else if (severity == Severity::notice)
      log.notice(text);
    else
      log.info(text);
  }
}

[[noreturn]] void fail(const Attempt& attempt) {
  throw Failure("talk with the proxy", std::error_code(attempt.error, std::generic_category()));
}

Task<> wait(Descriptor& socket, Descriptor::Readiness readiness, Clock::time_point deadline) {
  const bool ready = co_await socket.wait_until(readiness, deadline);
  if (!ready && Clock::now() >= deadline)
    throw Failure("the proxy did not answer in time", ExitStatus::timed_out);
}

Task<> send_all(Descriptor& socket, std::string bytes, Clock::time_point deadline) {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const auto sent =
        uninterrupted([&] { return ::send(socket.number(), rest.data(), rest.size(), MSG_NOSIGNAL); });
    if (sent.count >= 0)
      rest.remove_prefix(static_cast<std::size_t>(sent.count));
    else if (sent.would_block())
      co_await wait(socket, Descriptor::writable, deadline);
    else
      fail(sent);
  }
}

}  // namespace

Task<> have_dialogue(Descriptor& socket, Dialogue& dialogue, Logger& log, Clock::time_point deadline) {
  std::array<char, 4096> buffer;
  for (;;) {
    std::string output = dialogue.take_output();
    tell(dialogue, log);
    co_await send_all(socket, std::move(output), deadline);
    if (dialogue.over()) co_return;
    // What is behind the dialogue must stay in the socket, so it is looked at first.
    const auto seen =
        uninterrupted([&] { return ::recv(socket.number(), buffer.data(), buffer.size(), MSG_PEEK); });
    if (seen.would_block()) {
      co_await wait(socket, Descriptor::readable, deadline);
      continue;
    }
    if (seen.count < 0) fail(seen);
    if (seen.count == 0) throw Failure("the proxy closed the connection before it had answered");
    const std::size_t taken = dialogue.feed({buffer.data(), static_cast<std::size_t>(seen.count)});
    uninterrupted([&] { return ::recv(socket.number(), buffer.data(), taken, 0); });
    tell(dialogue, log);
  }
}

}  // namespace sluice
