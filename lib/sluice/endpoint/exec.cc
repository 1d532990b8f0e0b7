#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "sluice/core/standing_line.h"
#include "sluice/core/visible.h"
#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/command_line.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/passed_descriptors.h"
#include "sluice/endpoint/process_stream.h"
#include "sluice/endpoint/pty.h"
#include "sluice/endpoint/socket.h"
#include "sluice/endpoint/spawn.h"
#include "sluice/stream/fd_stream.h"
#include "sluice/stream/message_stream.h"

namespace sluice {
namespace {

/// What another program of our kind told us, being started by it.
bool is_of_another_session(std::string_view variable, const std::string& prefix) {
  return variable.starts_with("SOCAT_") || variable.starts_with(prefix + '_');
}

/// The environment that started programs see: ours, and what the session knows of its peer.
std::vector<std::string> environment_for(const Session& session) {
  const std::string& prefix = session.log.settings().variables;
  std::vector<std::string> all;
  for (char** one = environ; *one != nullptr; ++one)
    if (!is_of_another_session(*one, prefix) && !tells_of_passed_descriptors(*one)) all.emplace_back(*one);
  const auto tell = [&](std::string_view name, const std::string& value) {
    all.push_back(prefix + '_' + std::string(name) + '=' + value);
  };
  // A peer chooses its name, and programs show it.
  for (const auto& [name, value] : session.environment) tell(name, visible(value));
  const auto pid = std::to_string(::getpid());
  tell("VERSION", session.limits.as_socat ? "1.8.0.0" : SLUICE_VERSION);
  if (session.alone) tell("PID", pid);
  tell("PPID", pid);
  return all;
}

/// Both ends of what joins a child to us: two pipes, a socket pair, or a pseudo terminal.
struct Joint {
  Fd in, out;                              ///< ours; `out` is empty for what is both
  Fd child_in, child_out;                  ///< the child's; `child_out` is empty for what is both
  std::shared_ptr<SlaveWatch> watch = {};  ///< of a pseudo terminal
  std::shared_ptr<void> companion = {};
};

class Exec final : public Endpoint {
 public:
  Exec(const Address& address, Use use, const Context& context)
      : address_(address),
        use_(use),
        context_(context),
        kind_(with_options(address, {AF_UNIX, SOCK_STREAM, 0})) {
    if (use == Use::reading) refuse_number("fdin", "the program is only read from");
    if (use == Use::writing) refuse_number("fdout", "the program is only written to");
    if (!is_shell() && !address.parameters.empty()) {
      words_ = split_command_line(command());
      if (words_.empty()) throw AddressError(address_, address_.parameters[0].place, "a command is missing");
    }
  }

  Task<std::unique_ptr<Stream>> open(Session& session) override {
    Plan plan = plan_for(session);
    Joint joint = join();
    const int in = joint.child_in.get();
    const int out = joint.child_out ? joint.child_out.get() : in;
    const int fdin = number("fdin", STDIN_FILENO);
    const int fdout = number("fdout", STDOUT_FILENO);
    if (use_ != Use::reading) plan.moves.emplace_back(in, fdin);
    if (use_ != Use::writing) plan.moves.emplace_back(out, fdout);
    if (address_.flag("stderr")) plan.moves.emplace_back(out, STDERR_FILENO);
    if (is_on_pty() && address_.flag("tiocsctty")) plan.terminal = use_ == Use::reading ? fdout : fdin;
    context_.log.notice("forking off child, using " + std::string(means()) + " for " + purpose());
    auto child = co_await spawn(plan, session);
    context_.log.notice("forked off child process " + std::to_string(child.process.id()));
    auto program = note_program(session, child);
    auto stream = stream_of(std::move(joint), program, session);
    co_return process_stream(std::move(stream), std::move(child), session,
                             address_.flag("end-close") ? AtEnd::leave_running : AtEnd::wait,
                             std::move(program));
  }

  /// Its socket or pipes, and what its end is waited for with; while it starts, the child's ends as well.
  std::size_t descriptors() const override { return 6; }

  std::vector<int> signals_passed_on() const override {
    std::vector<int> numbers;
    for (const auto& [option, number] :
         {std::pair{"sighup", SIGHUP}, {"sigint", SIGINT}, {"sigquit", SIGQUIT}})
      if (address_.flag(option)) numbers.push_back(number);
    return numbers;
  }

  bool takes_over() const override { return address_.flag("nofork"); }

  Task<int> take_over(Stream& partner, Session& session, bool whole_process) override {
    Plan plan = plan_for(session);
    for (const int fd : {partner.info().in, partner.info().out}) {
      // A program expects descriptors that wait for it.
      const int flags = ::fcntl(fd, F_GETFL);
      if (flags >= 0 && fd > STDERR_FILENO) ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    }
    // One direction only: the other of the program's own descriptors is the one that we were started with.
    if (partner.info().in >= 0) plan.moves.emplace_back(partner.info().in, number("fdin", STDIN_FILENO));
    if (partner.info().out >= 0) plan.moves.emplace_back(partner.info().out, number("fdout", STDOUT_FILENO));
    if (address_.flag("stderr") && partner.info().out >= 0)
      plan.moves.emplace_back(partner.info().out, STDERR_FILENO);
    // A shell's parent is us: `kill $PPID` in a command must not hit who has started us.
    if (whole_process && !is_shell()) {
      const StandingLine::Pause pause;
      become(plan);
    }
    auto started = co_await spawn(plan, session);
    auto program = note_program(session, started);
    auto child = process_stream(nothing(), std::move(started), session, AtEnd::wait, std::move(program));
    co_await child->close(session.limits);
    co_return child->exit_status();
  }

 private:
  /// Of a direction that is not used.
  void refuse_number(std::string_view name, const std::string& why) const {
    if (const Option* option = address_.find(name))
      throw AddressError(address_, option->place, "option " + std::string(name) + " is useless: " + why);
  }

  const std::string& command() const { return address_.parameters[0].text; }
  bool is_shell() const { return address_.keyword->name != "EXEC"; }
  bool is_on_pty() const { return address_.flag("pty") || address_.flag("ptmx") || address_.flag("openpty"); }
  std::string_view means() const { return is_on_pty() ? "pty" : address_.flag("pipes") ? "pipes" : "socket"; }
  int number(const char* option, int usual) const {
    return static_cast<int>(address_.integer(option).value_or(usual));
  }
  std::shared_ptr<Program> note_program(Session& session, const Spawned& child) const {
    auto program = std::make_shared<Program>(session.loop, child.process.id(), signals_passed_on());
    session.programs.push_back(program);
    return program;
  }
  std::string purpose() const {
    return use_ == Use::both ? "reading and writing" : use_ == Use::reading ? "reading" : "writing";
  }

  Plan plan_for(const Session& session) const {
    Plan plan;
    plan.environment = environment_for(session);
    // Of many sessions, this program alone can stand for its own: who ends it must not end the others.
    if (!session.alone) plan.number_variable = session.log.settings().variables + "_PID";
    plan.directory = address_.text("chdir");
    if (const auto mask = address_.integer("umask")) plan.umask = static_cast<mode_t>(*mask);
    plan.asked_by = address_.written();
    plan.identity = identity_of(address_);
    for (const std::string& one : plan.identity.environment) set(plan.environment, one);
    const auto path = address_.text("path");
    if (path) set(plan.environment, "PATH=" + *path);
    if (is_shell()) {
      plan.program = shell();
      plan.arguments = {plan.program};
      if (!address_.parameters.empty()) {
        plan.arguments.emplace_back("-c");
        plan.arguments.push_back(command());
      }
    } else {
      plan.program = find_program(words_[0], path ? path->c_str() : std::getenv("PATH"), plan.identity.root);
      plan.arguments = words_;
    }
    // The part behind the last slash is the program's name, as a shell's login convention has it with `dash`.
    std::string& name = plan.arguments[0];
    name.erase(0, name.rfind('/') + 1);
    if (address_.flag("dash")) name.insert(0, 1, '-');
    return plan;
  }

  /// SYSTEM always means the system's shell; SHELL the one of its option, or the user's own.
  std::string shell() const {
    if (address_.keyword->name == "SYSTEM") return "/bin/sh";
    if (const auto wanted = address_.text("shell")) return *wanted;
    const char* own = std::getenv("SHELL");
    return own != nullptr && *own != '\0' ? own : "/bin/sh";
  }

  static void set(std::vector<std::string>& environment, const std::string& variable) {
    const auto name = std::string_view(variable).substr(0, variable.find('=') + 1);
    std::erase_if(environment, [&](const std::string& one) { return one.starts_with(name); });
    environment.push_back(variable);
  }

  Joint join() const {
    Joint joint;
    int ends[2];
    if (is_on_pty()) {
      Pty pty = open_pty(address_, context_);
      apply(address_, socket_phases, pty.slave.get(), context_);
      if (address_.duration("sitout-eio")) joint.watch = watch_slave(address_, pty, context_);
      joint.in = std::move(pty.master);
      joint.child_in = std::move(pty.slave);
      joint.companion = std::move(pty.link);
      return joint;
    }
    if (!address_.flag("pipes")) {
      check("create a socket pair",
            ::socketpair(kind_.family, kind_.type | SOCK_CLOEXEC, kind_.protocol, ends));
      joint.in.reset(ends[0]);
      joint.child_in.reset(ends[1]);
      ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
      apply(address_, {Phase::pastsocket, Phase::prebind, Phase::prelisten}, ends[0], context_);
      return joint;
    }
    if (use_ != Use::writing) {
      check("create a pipe", ::pipe2(ends, O_CLOEXEC));
      joint.in.reset(ends[0]);
      joint.child_out.reset(ends[1]);
      ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    }
    if (use_ != Use::reading) {
      check("create a pipe", ::pipe2(ends, O_CLOEXEC));
      joint.out.reset(ends[1]);
      joint.child_in.reset(ends[0]);
      ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
    }
    return joint;
  }

  std::unique_ptr<Stream> stream_of(Joint joint, std::shared_ptr<Program> program, const Session& session) {
    // The program's own are the only ones from now on.
    joint.child_in.reset();
    joint.child_out.reset();
    if (is_on_pty()) {
      PtyUser user{.session = session, .program = std::move(program), .watch = std::move(joint.watch)};
      user.companion = std::move(joint.companion);
      return pty_stream(address_, context_, std::move(joint.in), std::move(user));
    }
    if (!address_.flag("pipes"))
      return stream_of_socket(address_, context_,
                              std::make_unique<Descriptor>(context_.loop, std::move(joint.in)), kind_.type);
    FdStream::Parts parts;
    for (const Fd* one : {&joint.in, &joint.out})
      if (*one) {
        apply(address_, socket_phases, one->get(), context_);
        apply(address_, {Phase::fd, Phase::late}, one->get(), context_);
      }
    if (joint.in) parts.in = std::make_unique<Descriptor>(context_.loop, std::move(joint.in));
    if (joint.out) parts.out = std::make_unique<Descriptor>(context_.loop, std::move(joint.out));
    parts.finish = finish_by(address_, FinishBy::closing);
    parts.answers = true;
    parts.traits = {Shape::bytes, true, parts.finish != FinishBy::nothing};
    return std::make_unique<FdStream>(std::move(parts));
  }

  static std::unique_ptr<Stream> nothing() { return std::make_unique<FdStream>(FdStream::Parts{}); }

  Address address_;
  Use use_;
  Context context_;
  SocketKind kind_;
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Endpoint> make_exec(const Address& address, Use use, const Context& context) {
  return std::make_unique<Exec>(address, use, context);
}

}  // namespace sluice
