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
    const bool of_stream = (option.row->groups == Group::fd && option.row->effect.kind == Effect::code) ||
                           option.row->name == "null-eof";
    const bool is_lock = option.row->name == "lockfile" || option.row->name == "waitlock";
    const bool of_data = option.row->groups == Group::appl && !is_lock;
    if (takes_effect_late(option) || of_stream || of_data) address.options.push_back(option);
  }
  // Programs of the session are not to inherit the peer itself.
  if (address.find("cloexec") == nullptr) address.options.push_back({find_option("cloexec"), true});
  return to_text(address);
}

bool is_variable(std::string_view text, std::string_view name) {
  return text.starts_with(name) && text.substr(name.size()).starts_with('=');
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
    if (!is_variable(*one, "SOCAT_MAIN_WAIT") && !is_variable(*one, shutup_variable))
      plan.environment.emplace_back(*one);
  if (restart.shutup > 0)
    plan.environment.push_back(std::string(shutup_variable) + '=' + std::to_string(restart.shutup));
  plan.moves.emplace_back(number, number);
  return plan;
}

/// It drains as we do, and ends its own programs before that is over.
Task<> drain_with(Session& session, std::shared_ptr<Program> program) {
  while (!program->ended && !session.draining) co_await session.changed.wait();
  if (!program->ended) ::kill(program->pid, SIGTERM);
}

}  // namespace

Task<int> run_apart(const Restart& restart, bool from_left, std::unique_ptr<Stream> peer,
                    std::vector<int> signals, Session& session) {
  const Specification& acceptor = from_left ? restart.left : restart.right;
  const Info info = peer->info();
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
  // Closing it is theirs from now on.
  peer.reset();
  session.log.notice("forked off child process " + std::to_string(started.process.id()));
  const auto program = std::make_shared<Program>(Program{started.process.id(), std::move(signals)});
  session.programs.push_back(program);
  const auto child = process_stream(std::make_unique<FdStream>(FdStream::Parts{}), std::move(started),
                                    session, AtEnd::wait, program);
  Event watched(session.loop);
  session.loop.start(drain_with(session, program), [&watched] { watched.notify(); });
  Limits patient = session.limits;
  patient.linger = 4 * session.limits.linger_or_default();
  // How long it may be silent it knows itself.
  patient.idle.reset();
  co_await child->close(patient);
  session.changed.notify();
  co_await watched.wait();
  co_return child->exit_status();
}

}  // namespace sluice
