#include "sluice/endpoint/process_stream.h"

#include <signal.h>
#include <sys/wait.h>

#include "sluice/core/exit_status.h"
#include "sluice/stream/descriptor.h"

namespace sluice {
namespace {

namespace process = boost::process::v2;

/// A child, and what is known of its end. Its reaper holds on to it, so that a program that is left running
/// is reaped when it ends after its stream.
struct Child {
  Child(process::process started, const Session& session, std::shared_ptr<Program> known)
      : loop(session.loop),
        handle(std::move(started)),
        log(session.log, 0),
        program(std::move(known)),
        as_socat(session.limits.as_socat) {}
  ~Child() {
    // Boost would kill a child that still runs, and wait for it: that is for close to decide.
    if (!program->ended) handle.detach();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Loop& loop;
  process::process handle;
  Logger log;
  std::shared_ptr<Program> program;
  bool as_socat;
  int status = 0;
};

Task<> reap(std::shared_ptr<Child> child, Fd ending) {
  // Readable once the program has ended.
  Descriptor end(child->loop, std::move(ending));
  co_await end.wait(Descriptor::readable);
  boost::system::error_code error;
  Program& program = *child->program;
  program.ended = true;
  child->handle.wait(error);
  int signal = 0;
  if (!error) {
    const int raw = child->handle.native_exit_code();
    child->status = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
    signal = WIFSIGNALED(raw) ? WTERMSIG(raw) : 0;
  }
  const std::string pid = std::to_string(program.pid);
  const Severity severity = child->as_socat && !program.ended_by_us ? Severity::warning : Severity::info;
  if (signal != 0 && !child->as_socat && !program.ended_by_us)
    child->log.warning("process " + pid + " was ended by signal " + std::to_string(signal));
  else if (signal != 0)
    child->log.write(severity, "waitpid(): child " + pid + " exited on signal " + std::to_string(signal));
  else if (child->status != 0)
    child->log.write(severity,
                     "waitpid(): child " + pid + " exited with status " + std::to_string(child->status));
  program.changed.notify();
}

class ProcessStream final : public Stream {
 public:
  ProcessStream(std::unique_ptr<Stream> inner, Spawned child, const Session& session, AtEnd at_end,
                std::shared_ptr<Program> program)
      : inner_(std::move(inner)),
        child_(std::make_shared<Child>(std::move(child.process), session, std::move(program))),
        program_(*child_->program),
        session_(session),
        at_end_(at_end),
        info_(inner_->info()) {
    // Its descriptors may live on in grandchildren, so the process itself is watched too.
    info_.traits.reading_tells_closed = false;
    // A program may go on after it has let go of its descriptors.
    info_.traits.is_connection = false;
    session.loop.start(reap(child_, std::move(child.ended)));
  }

  Task<End> read_some(Batch& into) override { return inner_->read_some(into); }
  Task<End> write_some(Batch& from) override { return inner_->write_some(from); }
  Task<End> finish() override {
    const End end = co_await inner_->finish();
    // A terminal learns by then whether it reads lines.
    info_.traits.can_finish = inner_->info().traits.can_finish;
    co_return end;
  }
  Task<> discard_input() override { return inner_->discard_input(); }
  void stop_reading() override { inner_->stop_reading(); }
  void stop_writing() override {
    stopped_ = true;
    inner_->stop_writing();
    program_.changed.notify();
  }
  Raw raw() override { return inner_->raw(); }
  Awaited awaited() override { return inner_->awaited(); }
  const Info& info() const override { return info_; }
  // How we ended it is not its own word: why we did counts.
  int exit_status() const override {
    if (!program_.ended_by_us) return child_->status;
    return program_.overdue ? static_cast<int>(ExitStatus::timed_out) : 0;
  }
  bool reports_status() const override { return true; }

  Task<> closed() override {
    watching_ = true;
    session_.loop.start(watch_descriptor(), [this] {
      watching_ = false;
      program_.changed.notify();
    });
    while (!stopped_ && !program_.ended && watching_) co_await program_.changed.wait();
  }

  /// Before it sees the end of its input, which it could take for all of it.
  void break_off() override { broken_off_ = true; }

  Task<> close(const Limits& limits) override {
    if (broken_off_ && at_end_ != AtEnd::leave_running && !program_.ended) end_by_signal(program_, SIGTERM);
    inner_->stop_writing();
    Limits quick = limits;
    quick.linger = std::chrono::seconds(0);
    co_await inner_->close(limits.cut ? quick : limits);
    while (watching_) co_await program_.changed.wait();
    if (at_end_ == AtEnd::leave_running || program_.ended) co_return;
    // A program that has let go of us and goes on is waited for, unless nothing it does matters any more, or
    // its terminal has hung up because it could not be told of the end.
    if (!limits.cut && !program_.ended_by_us)
      if (co_await ends_by_itself(program_, session_, limits)) co_return;
    if (program_.overdue) child_->log.notice("inactivity timeout triggered");
    co_await end_child(limits.grace);
  }

 private:
  Task<> end_child(Duration patience) {
    for (const int signal : {SIGTERM, SIGKILL}) {
      if (co_await ends_within(program_, patience)) co_return;
      child_->log.info("ending process " + std::to_string(program_.pid) + " by signal " +
                       std::to_string(signal));
      end_by_signal(program_, signal);
    }
    while (!program_.ended) co_await program_.changed.wait();
  }

  Task<> watch_descriptor() { co_await inner_->closed(); }

  std::unique_ptr<Stream> inner_;
  std::shared_ptr<Child> child_;
  Program& program_;
  const Session& session_;
  AtEnd at_end_;
  Info info_;
  bool watching_ = false;
  bool broken_off_ = false;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<Stream> process_stream(std::unique_ptr<Stream> inner, Spawned child, const Session& session,
                                       AtEnd at_end, std::shared_ptr<Program> program) {
  return std::make_unique<ProcessStream>(std::move(inner), std::move(child), session, at_end,
                                         std::move(program));
}

}  // namespace sluice
