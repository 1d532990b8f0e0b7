#pragma once

#include <sys/types.h>

#include <functional>
#include <utility>
#include <vector>

#include "sluice/stream/loop.h"

namespace sluice {

struct Limits;
struct Session;

/// A program that a session has started, and which signals of ours are passed on to it.
struct Program {
  Program(Loop& loop, pid_t number, std::vector<int> passed_on)
      : pid(number), signals(std::move(passed_on)), changed(loop) {}

  pid_t pid;
  std::vector<int> signals;
  bool ended = false;        ///< its number may be another process's by now
  bool ended_by_us = false;  ///< by a signal or a hang-up of ours: its exit status is not its own word
  bool overdue = false;      ///< it was still running after the session's idle limit
  Event changed;             ///< it ended, or its session drains
};

/// Sends a signal to a program that has not ended, and to its process group if it leads one. Marks it as
/// ended by us.
void end_by_signal(Program& program, int signal);

/// Waits until a program has ended by itself; gives up when its session drains or after the limits' idle
/// time. Returns whether it has ended. One task waits at a time.
Task<bool> ends_by_itself(Program& program, const Session& session, const Limits& limits);
/// The same; also gives up once `may_go_on`, asked at each notification of `changed`, says no.
Task<bool> ends_by_itself(Program& program, const Session& session, const Limits& limits,
                          std::function<bool()> may_go_on);

/// Waits until a program has ended, but no longer than `limit`. Returns whether it has ended.
Task<bool> ends_within(Program& program, Duration limit);

}  // namespace sluice
