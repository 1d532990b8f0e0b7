#include "sluice/endpoint/privileges/apart.h"

#include <signal.h>
#include <unistd.h>

#include "sluice/endpoint/process_stream.h"
#include "sluice/endpoint/spawn.h"
#include "sluice/stream/fd_stream.h"

namespace sluice {
namespace {

/// The peer that was accepted or connected to, as an address: its descriptor, with what the options of the
/// address that it came by still have to do.
std::string address_of(int number, const Address& came_by) {
  Address address;
  address.keyword = find_keyword("FD");
  address.parameters.push_back({std::to_string(number)});
  for (const Option& option : came_by.options) {
    // What concerns sockets has been applied by now, and what is for the process before that as well; locks
    // are held here.
    const bool of_stream = option.row->groups == Group::fd && option.row->effect.kind == Effect::code;
    const bool is_lock = option.row->name == "lockfile" || option.row->name == "waitlock";
    const bool of_data = option.row->groups == Group::appl && !is_lock;
    if (takes_effect_late(option) || of_stream || of_data) address.options.push_back(option);
  }
  // Programs of the session are not to inherit the peer itself.
  if (address.find("cloexec") == nullptr) address.options.push_back({find_option("cloexec"), true});
  return to_text(address);
}

Plan plan_for(const Restart& restart, bool from_left, int number) {
  Plan plan;
  plan.program = "/proc/self/exe";
  plan.arguments = restart.words;
  const Specification& acceptor = from_left ? restart.left : restart.right;
  const std::string peer = address_of(number, acceptor.reading);
  plan.arguments.push_back(from_left ? peer : to_text(restart.left));
  plan.arguments.push_back(from_left ? to_text(restart.right) : peer);
  // Who debugs has waited once.
  for (char** one = environ; *one != nullptr; ++one)
    if (!std::string_view(*one).starts_with("SOCAT_MAIN_WAIT=")) plan.environment.emplace_back(*one);
  plan.moves.emplace_back(number, number);
  return plan;
}

}  // namespace

Task<int> run_apart(const Restart& restart, bool from_left, Stream& peer, Session& session) {
  const Specification& acceptor = from_left ? restart.left : restart.right;
  const Info& info = peer.info();
  // A connection is all there is to be handed over; what we know beside it (a cipher's state, which of
  // several peers of a socket this is) would stay here.
  const bool is_whole = info.in >= 0 && info.in == info.out && !info.shared &&
                        !overlap(acceptor.reading.keyword->groups, Group::openssl);
  if (!is_whole)
    throw Failure(std::string(acceptor.reading.written()) +
                  ": its peers cannot be given to processes of their own, as chroot, setgid, setsid, setuid "
                  "and su of either address ask for");
  const Plan plan = plan_for(restart, from_left, info.in);
  auto started = spawn(plan);
  session.log.notice("forked off child process " + std::to_string(started.process.id()));
  const auto program = std::make_shared<Program>(Program{started.process.id()});
  const auto child = process_stream(std::make_unique<FdStream>(FdStream::Parts{}), std::move(started),
                                    session, AtEnd::wait, program);
  while (!program->ended && !session.draining) co_await session.loop.sleep(std::chrono::milliseconds(50));
  // It drains as we do, and ends its own programs before that is over.
  if (!program->ended) ::kill(program->pid, SIGTERM);
  Limits patient = session.limits;
  patient.linger = 4 * session.limits.linger_or_default();
  co_await child->close(patient);
  co_return child->exit_status();
}

}  // namespace sluice
