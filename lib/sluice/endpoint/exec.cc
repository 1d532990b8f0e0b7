#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "sluice/core/standing_line.h"
#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/command_line.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/process_stream.h"
#include "sluice/endpoint/socket.h"
#include "sluice/endpoint/spawn.h"
#include "sluice/stream/fd_stream.h"
#include "sluice/stream/message_stream.h"

namespace sluice {
namespace {

/// The environment that started programs see: ours, and what the session knows of its peer.
std::vector<std::string> environment_for(const Session& session) {
  std::vector<std::string> all;
  for (char** one = environ; *one != nullptr; ++one)
    if (!std::string_view(*one).starts_with("SOCAT_")) all.emplace_back(*one);
  for (const auto& [name, value] : session.environment) all.push_back(name + '=' + value);
  const auto pid = std::to_string(::getpid());
  all.emplace_back("SOCAT_VERSION=" SLUICE_VERSION);
  all.push_back("SOCAT_PID=" + pid);
  all.push_back("SOCAT_PPID=" + pid);
  return all;
}

/// Both ends of what joins a child to us: two pipes or a socket pair.
struct Joint {
  Fd in, out;              ///< ours; `out` is empty for a socket, which is both
  Fd child_in, child_out;  ///< the child's; `child_out` is empty for a socket
};

class Exec final : public Endpoint {
 public:
  Exec(const Address& address, Use use, const Context& context)
      : address_(address),
        use_(use),
        context_(context),
        kind_(with_options(address, {AF_UNIX, SOCK_STREAM, 0})) {
    if (!is_shell()) {
      words_ = split_command_line(command());
      if (words_.empty()) throw AddressError(address_, address_.parameters[0].place, "a command is missing");
    }
  }

  Task<std::unique_ptr<Stream>> open(Session& session) override {
    Plan plan = plan_for(session);
    Joint joint = join();
    const int in = joint.child_in.get();
    const int out = joint.child_out ? joint.child_out.get() : in;
    if (use_ != Use::reading) plan.moves.emplace_back(in, number("fdin", STDIN_FILENO));
    if (use_ != Use::writing) plan.moves.emplace_back(out, number("fdout", STDOUT_FILENO));
    if (address_.flag("stderr")) plan.moves.emplace_back(out, STDERR_FILENO);
    context_.log.notice("forking off child, using " +
                        std::string(address_.flag("pipes") ? "pipes" : "socket") + " for " + purpose());
    auto child = spawn(plan);
    context_.log.notice("forked off child process " + std::to_string(child.process.id()));
    co_return process_stream(stream_of(std::move(joint)), std::move(child), session,
                             address_.flag("end-close") ? AtEnd::leave_running : AtEnd::wait);
  }

  /// Its socket or pipes, and what its end is waited for with; while it starts, the child's ends as well.
  std::size_t descriptors() const override { return 6; }

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
    if (whole_process) {
      const StandingLine::Pause pause;
      become(plan);
    }
    auto child = process_stream(nothing(), spawn(plan), session);
    co_await child->close(session.limits);
    co_return child->exit_status();
  }

 private:
  const std::string& command() const { return address_.parameters[0].text; }
  bool is_shell() const { return address_.keyword->name == "SYSTEM"; }
  int number(const char* option, int usual) const {
    return static_cast<int>(address_.integer(option).value_or(usual));
  }
  std::string purpose() const {
    return use_ == Use::both ? "reading and writing" : use_ == Use::reading ? "reading" : "writing";
  }

  Plan plan_for(const Session& session) const {
    Plan plan;
    plan.environment = environment_for(session);
    plan.directory = address_.text("chdir");
    if (const auto mask = address_.integer("umask")) plan.umask = static_cast<mode_t>(*mask);
    plan.new_session = address_.flag("setsid");
    if (const auto group = address_.integer("setpgid")) plan.process_group = static_cast<int>(*group);
    if (is_shell()) {
      plan.program = "/bin/sh";
      plan.arguments = {"sh", "-c", command()};
      return plan;
    }
    const auto path = address_.text("path");
    if (path) {
      std::erase_if(plan.environment, [](const std::string& one) { return one.starts_with("PATH="); });
      plan.environment.push_back("PATH=" + *path);
    }
    plan.program = find_program(words_[0], path ? path->c_str() : std::getenv("PATH"));
    plan.arguments = words_;
    // The part behind the last slash is the program's name, as a shell's login convention has it with `dash`.
    plan.arguments[0] = words_[0].substr(words_[0].rfind('/') + 1);
    if (address_.flag("dash")) plan.arguments[0].insert(0, 1, '-');
    return plan;
  }

  Joint join() const {
    Joint joint;
    int ends[2];
    if (!address_.flag("pipes")) {
      check("create a socket pair",
            ::socketpair(kind_.family, kind_.type | SOCK_CLOEXEC, kind_.protocol, ends));
      joint.in.reset(ends[0]);
      joint.child_in.reset(ends[1]);
      ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
      apply(address_, {Phase::pastsocket}, ends[0], context_);
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

  std::unique_ptr<Stream> stream_of(Joint joint) {
    if (!address_.flag("pipes"))
      return stream_of_socket(address_, context_,
                              std::make_unique<Descriptor>(context_.loop, std::move(joint.in)), kind_.type);
    FdStream::Parts parts;
    for (const Fd* one : {&joint.in, &joint.out})
      if (*one) apply(address_, {Phase::fd, Phase::late}, one->get(), context_);
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
