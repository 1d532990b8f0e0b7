#include "sluice/endpoint/privileges/apart.h"

#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <unistd.h>

#include <bit>

#include "sluice/endpoint/process_stream.h"
#include "sluice/endpoint/spawn.h"
#include "sluice/stream/descriptor.h"
#include "sluice/stream/fd_stream.h"

namespace sluice {
namespace {

/// Users and groups are those that their names meant here: in another root they may mean others, or none.
void by_number(Address& address) {
  for (Option& option : address.options)
    if (option.row->type == ValueType::user || option.row->type == ValueType::group)
      option.text = std::to_string(std::get<std::int64_t>(option.value));
}

std::string text_of(Specification specification) {
  by_number(specification.reading);
  if (specification.writing) by_number(*specification.writing);
  return to_text(specification);
}

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
                           option.row->name == "null-eof" || option.row->name == "reset";
    const bool is_lock = option.row->name == "lockfile" || option.row->name == "waitlock";
    const bool of_data = option.row->groups == Group::appl && !is_lock;
    if (takes_effect_late(option) || of_stream || of_data) address.options.push_back(option);
    // Where the session begins is not where the address's paths do.
    if (option.row->name == "chroot") address.options.back().text = absolute_root(came_by, option);
  }
  by_number(address);
  // Programs of the session are not to inherit the peer itself.
  if (address.find("cloexec") == nullptr) address.options.push_back({find_option("cloexec"), true});
  return to_text(address);
}

constexpr const char* own_path = "/proc/self/exe";

/// The program that loads this one (elf(5), PT_INTERP); empty if it needs none.
std::string loader() {
  std::string path;
  const auto look = [](dl_phdr_info* info, std::size_t, void* found) {
    for (int i = 0; i < info->dlpi_phnum; ++i)
      if (info->dlpi_phdr[i].p_type == PT_INTERP)
        *static_cast<std::string*>(found) =
            std::bit_cast<const char*>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    // The first one is the program itself.
    return 1;
  };
  ::dl_iterate_phdr(look, &path);
  return path;
}

/// Starts this program for nothing, and returns what it complains of; empty if it can be started.
std::string complaint_of_start(const Restart& restart) {
  int ends[2];
  check("create a pipe", ::pipe2(ends, O_CLOEXEC));
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  Plan plan;
  plan.program = own_path;
  plan.executable = restart.executable->get();
  plan.arguments = {restart.words.front(), "-V"};
  plan.moves = {{writing.get(), STDOUT_FILENO}, {writing.get(), STDERR_FILENO}};
  auto started = spawn(plan);
  writing.reset();
  std::string said;
  char buffer[4096];
  for (ssize_t count = 1; count > 0;) {
    count = uninterrupted([&] { return ::read(reading.get(), buffer, sizeof buffer); }).count;
    if (count > 0) said.append(buffer, static_cast<std::size_t>(count));
  }
  boost::system::error_code ignored;
  if (started.process.wait(ignored) == 0) return {};
  // The loader's complaint begins with the name of what it was to load.
  said = said.substr(0, said.find('\n'));
  const std::string name = restart.words.front() + ": ";
  return said.starts_with(name) ? said.substr(name.size()) : said.empty() ? "it fails there" : said;
}

bool is_variable(std::string_view text, std::string_view name) {
  return text.starts_with(name) && text.substr(name.size()).starts_with('=');
}

Plan plan_for(const Restart& restart, bool from_left, int number) {
  Plan plan;
  plan.program = own_path;
  if (restart.executable) plan.executable = restart.executable->get();
  plan.arguments = restart.words;
  const Specification& acceptor = from_left ? restart.left : restart.right;
  const std::string peer = address_of(number, acceptor.reading);
  plan.arguments.push_back(from_left ? peer : text_of(restart.left));
  plan.arguments.push_back(from_left ? text_of(restart.right) : peer);
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

void keep_executable(Restart& restart) {
  restart.executable = std::make_shared<const Fd>(
      check(std::string("open ") + own_path, ::open(own_path, O_PATH | O_CLOEXEC)));
}

void check_executable(const Restart& restart, const Address& gone_by) {
  std::string complaint;
  try {
    complaint = complaint_of_start(restart);
  } catch (const Failure& failure) {
    // The program is there, so that it is its loader that is not.
    complaint =
        failure.code() == std::errc::no_such_file_or_directory ? "there is no " + loader() : failure.what();
  }
  if (complaint.empty()) return;
  throw Failure(std::string(gone_by.written()) +
                ": its sessions are processes of their own, which cannot be "
                "started in the root that chroot-early gives them: " +
                complaint);
}

Task<int> run_apart(const Restart& restart, bool from_left, std::unique_ptr<Stream> peer,
                    std::vector<int> signals, Session& session, const std::function<void()>& begun) {
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
  begun();
  session.log.notice("forked off child process " + std::to_string(started.process.id()));
  const auto program = std::make_shared<Program>(session.loop, started.process.id(), std::move(signals));
  session.programs.push_back(program);
  const auto child = process_stream(std::make_unique<FdStream>(FdStream::Parts{}), std::move(started),
                                    session, AtEnd::wait, program);
  Event watched(session.loop);
  session.loop.start(drain_with(session, program), [&watched] { watched.notify(); });
  Limits patient = session.limits;
  patient.grace = 4 * session.limits.grace;
  // How long it may be silent it knows itself.
  patient.idle.reset();
  co_await child->close(patient);
  session.changed.notify();
  co_await watched.wait();
  co_return child->exit_status();
}

}  // namespace sluice
