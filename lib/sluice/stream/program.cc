#include "sluice/stream/program.h"

#include <signal.h>
#include <unistd.h>

#include "sluice/stream/session.h"

namespace sluice {

void end_by_signal(Program& program, int signal) {
  if (program.ended) return;
  program.ended_by_us = true;
  const bool leads_group = ::getpgid(program.pid) == program.pid;
  ::kill(leads_group ? -program.pid : program.pid, signal);
}

Task<bool> ends_by_itself(Program& program, const Session& session, const Limits& limits) {
  return ends_by_itself(program, session, limits, [] { return true; });
}

Task<bool> ends_by_itself(Program& program, const Session& session, const Limits& limits,
                          std::function<bool()> may_go_on) {
  const auto deadline = limits.idle ? Clock::now() + *limits.idle : Clock::time_point::max();
  while (!program.ended && !session.draining && may_go_on())
    if (!co_await program.changed.wait_until(deadline)) {
      program.overdue = !program.ended;
      break;
    }
  co_return program.ended;
}

Task<bool> ends_within(Program& program, Duration limit) {
  const auto deadline = Clock::now() + limit;
  while (!program.ended)
    if (!co_await program.changed.wait_until(deadline)) break;
  co_return program.ended;
}

}  // namespace sluice
