#include "sluice/endpoint/process_stream.h"

#include <signal.h>
#include <sys/wait.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sluice {
namespace {

namespace asio = boost::asio;
namespace process = boost::process::v2;

class ProcessStream final : public Stream {
 public:
  ProcessStream(std::unique_ptr<Stream> inner, process::process child, const Session& session)
      : inner_(std::move(inner)),
        child_(std::move(child)),
        session_(session),
        loop_(session.loop),
        log_(session.log),
        pid_(child_.id()),
        gone_(loop_),
        ended_(loop_) {
    run(reap());
  }
  ~ProcessStream() override {
    // Boost would kill a child that still runs, and wait for it: that is for close to decide.
    if (!exited_) child_.detach();
  }

  Task<End> read_some(Batch& into) override { return inner_->read_some(into); }
  Task<End> write_some(Batch& from) override { return inner_->write_some(from); }
  Task<End> finish() override { return inner_->finish(); }
  Task<> discard_input() override { return inner_->discard_input(); }
  void stop_reading() override { inner_->stop_reading(); }
  void stop_writing() override {
    stopped_ = true;
    inner_->stop_writing();
    gone_.notify();
  }
  Raw raw() override { return inner_->raw(); }
  const Info& info() const override { return inner_->info(); }
  // How we ended it is not its own word: why we did counts.
  int exit_status() const override { return ended_by_us_ ? 0 : status_; }
  bool reports_status() const override { return true; }

  // Its descriptors may live on in grandchildren, so the process itself is watched too.
  Task<> closed() override {
    run(watch_descriptor());
    while (!stopped_ && !exited_ && !descriptor_gone_) co_await gone_.wait();
  }

  Task<> close(const Limits& limits) override {
    inner_->stop_writing();
    Limits quick = limits;
    quick.linger = std::chrono::seconds(0);
    co_await inner_->close(limits.cut ? quick : limits);
    const auto patience = limits.linger_or_default();
    // A program that has let go of us and goes on is waited for, unless we are asked to end.
    while (!limits.cut && !exited_ && !session_.draining)
      co_await ended_.wait_until(Clock::now() + std::chrono::milliseconds(100));
    if (!exited_) {
      for (const int signal : {SIGTERM, SIGKILL}) {
        if (co_await exits_within(patience)) break;
        log_.info("ending process " + std::to_string(pid_) + " by signal " + std::to_string(signal));
        ended_by_us_ = true;
        ::kill(pid_, signal);
      }
    }
    while (running_ > 0) co_await ended_.wait();
  }

 private:
  void run(Task<> task) {
    ++running_;
    loop_.start(std::move(task), [this] {
      --running_;
      ended_.notify();
    });
  }

  Task<bool> exits_within(Duration limit) {
    const auto deadline = Clock::now() + limit;
    while (!exited_)
      if (!co_await ended_.wait_until(deadline)) break;
    co_return exited_;
  }

  Task<> reap() {
    const auto [error, code] = co_await child_.async_wait(asio::as_tuple(asio::use_awaitable));
    exited_ = true;
    if (!error) {
      const int raw = child_.native_exit_code();
      status_ = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
    }
    if (status_ > 128 && !ended_by_us_)
      log_.warning("process " + std::to_string(pid_) + " was ended by signal " +
                   std::to_string(status_ - 128));
    else if (status_ != 0)
      log_.info("process " + std::to_string(pid_) + " exited with status " + std::to_string(status_));
    gone_.notify();
  }

  Task<> watch_descriptor() {
    co_await inner_->closed();
    descriptor_gone_ = true;
    gone_.notify();
  }

  std::unique_ptr<Stream> inner_;
  process::process child_;
  const Session& session_;
  Loop& loop_;
  Logger& log_;
  pid_t pid_;
  Event gone_;
  Event ended_;
  int running_ = 0;
  int status_ = 0;
  bool exited_ = false;
  bool ended_by_us_ = false;
  bool stopped_ = false;
  bool descriptor_gone_ = false;
};

}  // namespace

std::unique_ptr<Stream> process_stream(std::unique_ptr<Stream> inner, process::process child,
                                       const Session& session) {
  return std::make_unique<ProcessStream>(std::move(inner), std::move(child), session);
}

}  // namespace sluice
