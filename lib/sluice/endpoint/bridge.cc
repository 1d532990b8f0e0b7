#include "sluice/endpoint/bridge.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <latch>
#include <set>
#include <thread>

#include "sluice/endpoint/ending_signals.h"
#include "sluice/endpoint/sessions.h"
#include "sluice/endpoint/spawn.h"
#include "sluice/stream/background.h"
#include "sluice/stream/progress.h"
#include "sluice/stream/signals.h"

namespace sluice {
namespace {

/// What is not to be used up by sessions: for names to be resolved, programs to be started, and the like.
constexpr std::size_t spare_descriptors = 16;
/// So many peers are taken in at once.
constexpr std::size_t most_at_once = 64;

/// How many descriptors this process has. Trying how many more can be had would take them from other threads.
std::optional<std::size_t> count_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  if (!folder) return std::nullopt;
  std::size_t entries = 0;
  while (::readdir(folder.get()) != nullptr) ++entries;
  // Beside them are `.`, `..` and the folder's own.
  return entries - 3;
}

bool is_shortage(const Failure& failure) {
  return failure.code() == std::errc::too_many_files_open ||
         failure.code() == std::errc::too_many_files_open_in_system ||
         failure.code() == std::errc::no_buffer_space || failure.code() == std::errc::not_enough_memory;
}

/// An event of one loop that any thread may notify.
class Bell {
 public:
  explicit Bell(Loop& loop) : mailbox_(loop.mailbox()), rung_(loop) {}
  void ring() {
    // Those that come before the loop has heard of the first one are one with it.
    if (on_its_way_.exchange(true)) return;
    mailbox_->put([this] {
      on_its_way_ = false;
      rung_.notify();
    });
  }
  Event& rung() { return rung_; }

 private:
  std::shared_ptr<Mailbox> mailbox_;
  Event rung_;
  std::atomic<bool> on_its_way_ = false;
};

/// A thread with a loop of sessions.
class Worker {
 public:
  using Failed = std::function<void(std::exception_ptr)>;

  Worker(const BridgePlan& plan, Logger& log, Tally& tally, std::function<void()> ended, Failed failed)
      : sessions_(plan, log, tally,
                  [this, ended = std::move(ended)] {
                    --load_;
                    ended();
                  }),
        mailbox_(sessions_.loop().mailbox()),
        never_(sessions_.loop()) {
    sessions_.loop().start(stay());
    std::latch begun(1);
    thread_ = quiet_thread([this, &begun, failed = std::move(failed)] {
      // umask and working directory of an address (ProcessSection) are this thread's own.
      ::unshare(CLONE_FS);
      begun.count_down();
      try {
        sessions_.loop().run();
      } catch (...) {
        failed(std::current_exception());
      }
    });
    begun.wait();
  }
  ~Worker() {
    mailbox_->put([this] { sessions_.loop().stop(); });
    thread_.join();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Sessions that were given to it and have not ended.
  std::size_t load() const { return load_; }

  void serve(Arrival arrival, std::uint64_t id, bool from_left) {
    ++load_;
    mailbox_->put([this, arrival = std::move(arrival), id, from_left]() mutable {
      sessions_.serve(std::move(arrival), id, from_left);
    });
  }
  void drain() {
    mailbox_->put([this] { sessions_.drain(); });
  }
  void pass_on(int signal) {
    mailbox_->put([this, signal] { sessions_.pass_on(signal); });
  }
  /// Awaited on another loop. `described`: each session is logged too.
  auto totals(Loop& asking, bool described) {
    struct Awaiter {
      Worker& worker;
      bool described;
      std::shared_ptr<Mailbox> back;
      Totals totals = {};

      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> task) {
        worker.mailbox_->put([this, task] {
          if (described) worker.sessions_.describe();
          totals = worker.sessions_.totals();
          back->put([task] { task.resume(); });
        });
      }
      Totals await_resume() { return totals; }
    };
    return Awaiter{*this, described, asking.mailbox()};
  }

 private:
  /// Keeps the loop running while it has no session.
  Task<> stay() { co_await never_.wait(); }

  std::atomic<std::size_t> load_ = 0;
  Sessions sessions_;
  std::shared_ptr<Mailbox> mailbox_;
  Event never_;
  std::thread thread_;
};

class Bridge {
 public:
  Bridge(const BridgePlan& plan, Logger& log)
      : plan_(plan),
        limits_(plan.limits),
        log_(log),
        sessions_(plan_, log, tally_, [this] { ended_.rung().notify(); }),
        loop_(sessions_.loop()),
        ended_(loop_),
        readiness_(plan.ready_fd, plan.ready_file),
        left_(sessions_.make(true)),
        right_(sessions_.make(false)),
        passed_on_(signals_passed_on()),
        signals_(loop_, signals_heard(plan.ending_signals, passed_on_, reopens_log())) {
    workers_.reserve(plan.threads);
    raise_descriptor_limit();
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    descriptors_ = limit.rlim_cur;
  }

  int run() {
    loop_.start(watch_signals());
    loop_.start(main());
    if (plan_.progress) {
      meter_.emplace(plan_.progress->program);
      loop_.start(show_progress());
    }
    loop_.run();
    // Others may still run if this was cut short: what they had moved when they were asked last.
    if (meter_) meter_->end(figures(sessions_.totals(), tally_.relayed));
    log_.tell_of_rushes();
    const std::string status = std::to_string(status_);
    log_.notice(limits_.as_socat && status_ != 0 ? "exit(" + status + ')' : "exiting with status " + status);
    return status_;
  }

 private:
  Task<> main() {
    try {
      if (plan_.wait_before_opening.count() > 0) co_await loop_.sleep(plan_.wait_before_opening);
      if (plan_.lock_file) co_await lock();
      co_await serve();
    } catch (const Failure& failure) {
      fail(failure);
    }
    while (tally_.open > 0 && !(gave_up_ && tally_.relaying == 0)) co_await ended_.rung().wait();
    co_await sessions_.let_go();
    if (plan_.progress) co_await ask_workers(false);
    if (plan_.statistics) co_await log_statistics();
    if (status_ == 0 && tally_.dump_failed) status_ = static_cast<int>(ExitStatus::failure);
    loop_.stop();
  }

  Task<> lock() {
    const auto& [path, waits] = *plan_.lock_file;
    if (waits)
      co_await wait_for_lock_file(lock_file_, path, loop_);
    else if (!lock_file_.take(path))
      throw Failure("could not obtain lock \"" + path + '"');
  }

  void fail(const Failure& failure) {
    if (ending_ && failure.status() != ExitStatus::usage) return;
    log_.write(Severity::error, failure.what(), failure.detail());
    // socat knows one failure only, and takes a client that never came for none.
    status_ = !limits_.as_socat                           ? static_cast<int>(failure.status())
              : failure.status() == ExitStatus::timed_out ? 0
                                                          : 1;
  }

  Task<> serve() {
    const bool left_serves = left_->serves_many();
    Endpoint* acceptor = left_serves ? left_.get() : right_->serves_many() ? right_.get() : nullptr;
    Endpoint* const other = left_serves ? right_.get() : left_.get();
    const bool stays_open = acceptor == right_.get() && left_->stays_open();
    if (acceptor != nullptr && !stays_open && plan_.restart)
      sessions_apart_ = acceptor->changes_process(false) || other->changes_process(true);
    // socat opens its first address before it waits for clients of the second, who share it.
    const bool usually_once = limits_.as_socat && !left_serves;
    const bool keeps =
        stays_open || (acceptor != nullptr && !sessions_apart_ && other->opens_once(usually_once));
    // Connections that are made again and again would share it, each getting a part of what it says.
    one_at_a_time_ = stays_open && !right_->hands_over();
    if (sessions_apart_) keep_executable(*plan_.restart);
    if (keeps) co_await sessions_.keep(*other, usually_once);
    if (ending_) co_return;
    co_await prepare(acceptor, keeps ? other : nullptr);
    prepared_ = true;
    if (ending_) co_return;
    log_.started();
    if (acceptor == nullptr) {
      ++tally_.open;
      loop_.start(one_session());
      co_return;
    }
    descriptors_of_a_session_ = left_->descriptors() + right_->descriptors();
    if (acceptor->hands_over() && !keeps)
      co_await spread_sessions(*acceptor, left_serves);
    else
      co_await many_sessions(*acceptor, left_serves);
  }

  /// What can be bound is bound before anything is waited for, and its names are told.
  Task<> prepare(Endpoint* acceptor, const Endpoint* kept) {
    std::vector<std::string> names;
    for (Endpoint* one : {left_.get(), right_.get()}) {
      if (acceptor != nullptr && one != acceptor && one != kept) continue;
      // socat opens its second address when the first one is open.
      if (limits_.as_socat && acceptor == nullptr && one == right_.get() && !one->serves_many()) continue;
      // Nor is it opened by whom the process will not be any more.
      if (acceptor == nullptr && one == right_.get() && left_->changes_process(false) &&
          !left_->serves_many())
        continue;
      // One that is kept is open by now.
      if (one != kept) co_await one->prepare();
      for (auto& name : one->names()) names.push_back(std::move(name));
    }
    // A session that cannot be had is better told of now than each time.
    if (sessions_apart_) {
      const Restart& restart = *plan_.restart;
      const Address& listening = acceptor == left_.get() ? restart.left.reading : restart.right.reading;
      if (listening.find("chroot-early") != nullptr) check_executable(*plan_.restart, listening);
    }
    readiness_.report(names);
  }

  Task<> one_session() {
    const auto place = sessions_.begin(1, true);
    try {
      co_await sessions_.join(*left_, *right_, *place);
    } catch (const Failure& failure) {
      fail(failure);
    }
    if (status_ == 0) status_ = place->status;
    sessions_.end(place);
  }

  /// Of an address whose peers are opened on this loop.
  Task<> many_sessions(Endpoint& acceptor, bool left_serves) {
    for (std::uint64_t id = 1; co_await room_for_sessions(acceptor) > 0; ++id) {
      ++tally_.open;
      const auto place = sessions_.begin(id, false);
      std::unique_ptr<Stream> peer;
      std::exception_ptr thrown;
      try {
        peer = co_await acceptor.open(*place);
      } catch (...) {
        thrown = std::current_exception();
      }
      if (!peer) {
        sessions_.end(place);
        if (thrown) std::rethrow_exception(thrown);
        co_return;
      }
      ++tally_.opening;
      place->begun = place->there.last = place->back.last = Clock::now();
      sessions_.serve(std::move(peer), place, left_serves);
    }
  }

  /// Of an address whose peers may be served by any thread.
  Task<> spread_sessions(Endpoint& acceptor, bool left_serves) {
    std::uint64_t id = 0;
    while (const std::size_t room = co_await room_for_sessions(acceptor)) {
      std::vector<Arrival> arrivals;
      bool is_short = false;
      try {
        arrivals = co_await acceptor.accept(std::min(room, most_at_once));
      } catch (const Failure& failure) {
        is_short = is_shortage(failure);
        if (!is_short) throw;
      }
      if (is_short) {
        co_await pause_accepting();
        continue;
      }
      if (arrivals.empty()) co_return;
      for (Arrival& arrival : arrivals) {
        ++tally_.open;
        ++tally_.opening;
        if (Worker* worker = least_busy_worker())
          worker->serve(std::move(arrival), ++id, left_serves);
        else
          sessions_.serve(std::move(arrival), ++id, left_serves);
      }
    }
  }

  /// The thread that has least to do, or none if that is this one. Threads are made when there is a second
  /// session for them to serve.
  Worker* least_busy_worker() {
    std::size_t others = 0;
    Worker* best = nullptr;
    for (const auto& worker : workers_) {
      others += worker->load();
      if (best == nullptr || worker->load() < best->load()) best = worker.get();
    }
    // The session that is to be served is one of those that are open.
    const std::size_t here = tally_.open - 1 - std::min<std::size_t>(others, tally_.open - 1);
    if (here == 0) return nullptr;
    if ((best == nullptr || best->load() > 0) && workers_.size() + 1 < plan_.threads) {
      workers_.push_back(std::make_unique<Worker>(
          plan_, log_, tally_, [this] { ended_.ring(); },
          [this](std::exception_ptr thrown) {
            loop_.mailbox()->put([thrown] { std::rethrow_exception(thrown); });
          }));
      if (ending_) workers_.back()->drain();
      return workers_.back().get();
    }
    return best != nullptr && best->load() < here ? best : nullptr;
  }

  /// Waits until there is room for a session, and says for how many there is; none if this process is ending.
  /// A session that is let in can be carried through.
  Task<std::size_t> room_for_sessions(Endpoint& acceptor) {
    const auto most = one_at_a_time_ ? std::optional<std::size_t>(1) : acceptor.most_peers();
    while (!ending_) {
      const std::size_t open = tally_.open;
      if (most && open >= *most) {
        co_await ended_.rung().wait();
        continue;
      }
      const std::size_t allowed = most ? *most - open : most_at_once;
      const std::size_t room = std::min(allowed, affordable_sessions(open));
      if (room > 0) {
        if (std::exchange(told_to_pause_, false)) log_.notice("accepting goes on");
        co_return room;
      }
      co_await pause_accepting();
    }
    co_return 0;
  }

  /// For how many more sessions there are descriptors. What the open ones use is known by count, unless they
  /// come to use nearly all: then it is looked at what there is.
  std::size_t affordable_sessions(std::size_t open) {
    if (descriptors_of_a_session_ == 0) return most_at_once;
    const std::size_t used = (open + 1) * descriptors_of_a_session_ + spare_descriptors;
    if (used + spare_descriptors < descriptors_)
      return std::max<std::size_t>((descriptors_ - used) / descriptors_of_a_session_, 1);
    const auto counted = count_descriptors();
    // Those that are being opened have not taken theirs yet.
    const std::size_t wanted = descriptors_of_a_session_ * (tally_.opening + 1) + spare_descriptors;
    return counted && *counted + wanted <= descriptors_ ? 1 : 0;
  }

  /// Until a session ends, or for a second. Pauses that follow each other closely are one rush, and told
  /// once.
  Task<> pause_accepting() {
    loop_.pipes().clear();
    constexpr auto calm = std::chrono::seconds(10);
    const auto now = Clock::now();
    if (!paused_ || now - *paused_ > calm) {
      told_to_pause_ = true;
      log_.warning("accepting pauses: " + std::to_string(tally_.open) + " sessions use up the descriptors");
    }
    paused_ = now;
    co_await ended_.rung().wait_until(Clock::now() + std::chrono::seconds(1));
  }

  Task<> watch_signals() {
    for (;;) {
      const int number = co_await signals_.next();
      if (number == SIGUSR1)
        co_await log_statistics();
      else if (passed_on_.contains(number))
        pass_on(number);
      else if (number == SIGHUP && reopens_log())
        reopen_log();
      else
        end_on(number);
    }
  }

  std::set<int> signals_passed_on() const {
    std::set<int> all;
    for (const auto* one : {left_.get(), right_.get()})
      for (const int number : one->signals_passed_on()) all.insert(number);
    return all;
  }

  /// To the programs of all sessions. Where there is none, and where more may come, it is for us as well.
  void pass_on(int number) {
    const bool passed = sessions_.pass_on(number);
    for (const auto& worker : workers_) worker->pass_on(number);
    if (!passed || left_->serves_many() || right_->serves_many()) end_on(number);
  }

  /// What SIGHUP asks of who writes a log file; socat ends.
  bool reopens_log() const { return log_.settings().to == LogSettings::To::file && !limits_.as_socat; }

  void reopen_log() {
    try {
      log_.reopen();
      log_.notice("reopened the log file");
    } catch (const Failure& failure) {
      log_.error(std::string(failure.what()) + "; going on with the old log file");
    }
  }

  void end_on(int number) {
    // timeout(1) sends its signal to the process and then to its group: that is one.
    constexpr auto one_signal = std::chrono::milliseconds(100);
    const auto now = Clock::now();
    if (ending_ && now - first_signal_ < one_signal) return;
    const bool again = std::exchange(ending_, true);
    if (!again) first_signal_ = now;
    if (again) {
      status_ = 128 + number;
      return loop_.stop();
    }
    const EndingSignal signal = ending_signal(number);
    log_.write(limits_.as_socat ? signal.for_socat : signal.severity,
               "exiting on signal " + std::to_string(number));
    const bool serves = left_->serves_until_told() || right_->serves_until_told();
    if (!serves || limits_.as_socat || signal.is_failure) status_ = 128 + number;
    left_->stop();
    right_->stop();
    if (limits_.as_socat) return loop_.stop();
    sessions_.drain();
    for (const auto& worker : workers_) worker->drain();
    ended_.rung().notify();
    loop_.start(give_up_opening());
  }

  /// Who still waits for a peer when the others have had their time waits in vain.
  Task<> give_up_opening() {
    co_await loop_.sleep(limits_.grace);
    gave_up_ = true;
    ended_.rung().notify();
    // A lock, or a name that cannot be had yet, may be waited for without end.
    if (!prepared_) loop_.stop();
  }

  /// What the sessions of the other threads have moved.
  Task<Totals> ask_workers(bool described) {
    Totals totals;
    // More of them may be made meanwhile: room for all is reserved.
    for (const auto& worker : workers_) {
      const Totals of_worker = co_await worker->totals(loop_, described);
      totals.add(of_worker);
    }
    elsewhere_ = totals;
    co_return totals;
  }

  Task<> show_progress() {
    for (;;) {
      co_await loop_.sleep(ProgressMeter::interval);
      co_await ask_workers(false);
      if (tally_.share_terminal) meter_->only_at_end();
      meter_->show(figures(sessions_.totals(), tally_.relaying));
    }
  }

  /// What there is to be shown when the sessions of this thread have moved so much.
  ProgressFigures figures(Totals totals, std::uint64_t sessions) const {
    totals.add(elsewhere_);
    const BridgeProgress& progress = *plan_.progress;
    const bool both = limits_.direction == Direction::both;
    const bool backwards = limits_.direction == Direction::right_to_left;
    Flow& first = backwards ? totals.back : totals.there;
    if (progress.bytes != nullptr) {
      first.bytes = *progress.bytes;
      first.expected = progress.total;
    }
    ProgressFigures figures;
    figures.bytes = first.bytes;
    if (both) figures.back = totals.back.bytes;
    // Of two sizes neither is that of the whole.
    const bool one_size = !both || !totals.there.expected || !totals.back.expected;
    const Flow& sized = both && !first.expected ? totals.back : first;
    if (one_size && sized.expected) {
      figures.done = sized.bytes;
      figures.total = *sized.expected;
    }
    if (progress.lines != nullptr) figures.lines = *progress.lines;
    if (left_->serves_many() || right_->serves_many()) figures.sessions = sessions;
    const Clock::time_point begun = tally_.first_begun;
    if (begun != Clock::time_point()) figures.elapsed = Clock::now() - begun;
    return figures;
  }

  Task<> log_statistics() {
    sessions_.describe();
    Totals totals = sessions_.totals();
    const Totals others = co_await ask_workers(true);
    totals.add(others);
    log_.tell_of_rushes();
    for (const std::string& line : statistics_lines(totals, tally_, limits_.as_socat))
      log_.tell(Severity::info, line);
  }

  BridgePlan plan_;
  Limits limits_;
  Logger& log_;
  Tally tally_;
  Sessions sessions_;
  Loop& loop_;
  Bell ended_;
  Readiness readiness_;
  LockFile lock_file_;
  std::unique_ptr<Endpoint> left_;
  std::unique_ptr<Endpoint> right_;
  std::set<int> passed_on_;  ///< signals that are for the programs
  Signals signals_;
  std::size_t descriptors_ = 0;
  std::size_t descriptors_of_a_session_ = 1;
  std::optional<Clock::time_point> paused_;  ///< accepting, the last time
  bool told_to_pause_ = false;
  bool one_at_a_time_ = false;
  bool ending_ = false;
  Clock::time_point first_signal_;  ///< when the first one came that ends the run
  bool sessions_apart_ = false;     ///< each is a process of its own
  bool gave_up_ = false;
  bool prepared_ = false;  ///< what can be bound is
  int status_ = 0;
  std::optional<ProgressMeter> meter_;
  Totals elsewhere_;  ///< what other threads' sessions had moved when they were asked last
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace

unsigned processors() {
  cpu_set_t mine;
  return ::sched_getaffinity(0, sizeof mine, &mine) == 0 ? static_cast<unsigned>(CPU_COUNT(&mine)) : 1;
}

int bridge(const BridgePlan& plan, Logger& log) {
  // A broken pipe is an outcome of a write, not the end of the process.
  ::signal(SIGPIPE, SIG_IGN);
  // So is a file that may not become larger.
  ::signal(SIGXFSZ, SIG_IGN);
  // Who asks for statistics cannot know that there are none yet, or no more.
  ::signal(SIGUSR1, SIG_IGN);
  std::optional<Bridge> one(std::in_place, plan, log);
  const int status = one->run();
  // Paths and settings of terminals are put right first: a signal that comes now has to wait for that.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  one.reset();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return status;
}

}  // namespace sluice
