#include "sluice/endpoint/bridge.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <list>

#include <boost/asio/signal_set.hpp>

#include "sluice/endpoint/spawn.h"
#include "sluice/stream/completion.h"
#include "sluice/stream/decorators.h"
#include "sluice/stream/relay.h"

namespace sluice {
namespace {

namespace asio = boost::asio;

/// What a session may come to need: two sockets, two pipes.
constexpr std::size_t descriptors_of_a_session = 8;

/// A session and what drives it.
struct Running {
  Running(Loop& loop, Logger& log, const Limits& limits) : session(loop, log, limits), changed(loop) {}
  Session session;
  Event changed;
};

Use use_of(Direction direction, bool left) {
  if (direction == Direction::both) return Use::both;
  return (direction == Direction::left_to_right) == left ? Use::reading : Use::writing;
}

auto next_signal(asio::signal_set& signals) {
  return completion<boost::system::error_code, int>(
      [&signals](auto handler) { signals.async_wait(std::move(handler)); });
}

/// Whether so many more descriptors can be had now.
bool has_free_descriptors(std::size_t count) {
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null) return false;
  std::vector<Fd> held;
  while (held.size() + 1 < count) {
    Fd one(::fcntl(null.get(), F_DUPFD_CLOEXEC, 0));
    if (!one) return false;
    held.push_back(std::move(one));
  }
  return true;
}

class Bridge {
 public:
  Bridge(const BridgePlan& plan, Logger& log)
      : plan_(plan),
        limits_(plan.limits),
        log_(log),
        context_{loop_, log, plan.limits.as_socat, plan.preferred_family, plan.sloppy},
        readiness_(plan.ready_fd, plan.ready_file),
        left_(make(true)),
        right_(make(false)),
        signals_(loop_.context(), SIGTERM, SIGINT),
        statistics_signal_(loop_.context(), SIGUSR1),
        ended_(loop_) {
    raw_left_ = open_raw(plan.raw_left);
    raw_right_ = open_raw(plan.raw_right);
    raise_descriptor_limit();
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    descriptors_ = limit.rlim_cur;
  }

  int run() {
    loop_.start(watch_signals());
    loop_.start(watch_statistics());
    loop_.start(main());
    loop_.run();
    log_.notice("exiting with status " + std::to_string(status_));
    return status_;
  }

 private:
  std::unique_ptr<Endpoint> make(bool left) {
    return (left ? plan_.left : plan_.right)(use_of(plan_.limits.direction, left), context_);
  }

  static Fd open_raw(const std::optional<std::string>& path) {
    if (!path) return Fd();
    return Fd(check("open " + *path, ::open(path->c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0664)));
  }

  Task<> main() {
    try {
      co_await serve();
    } catch (const Failure& failure) {
      if (!ending_ || failure.status() == ExitStatus::usage) {
        log_.write(Severity::error, failure.what(), failure.detail());
        status_ = status_of(failure);
      }
    }
    while (!running_.empty()) co_await ended_.wait();
    if (plan_.statistics) log_statistics();
    loop_.stop();
  }

  int status_of(const Failure& failure) const {
    // socat knows one failure only, and takes a client that never came for none.
    if (!limits_.as_socat) return static_cast<int>(failure.status());
    return failure.status() == ExitStatus::timed_out ? 0 : 1;
  }

  Task<> serve() {
    const bool left_serves = left_->serves_many();
    Endpoint* acceptor = left_serves ? left_.get() : right_->serves_many() ? right_.get() : nullptr;
    co_await prepare(acceptor);
    log_.started();
    if (acceptor == nullptr) co_return co_await one_session();
    co_await many_sessions(*acceptor, left_serves);
  }

  /// What can be bound is bound before anything is waited for, and its names are told.
  Task<> prepare(Endpoint* acceptor) {
    std::vector<std::string> names;
    for (Endpoint* one : {left_.get(), right_.get()}) {
      if (acceptor != nullptr && one != acceptor) continue;
      // socat opens its second address when the first one is open.
      if (limits_.as_socat && acceptor == nullptr && one == right_.get()) continue;
      co_await one->prepare();
      for (auto& name : one->names()) names.push_back(std::move(name));
    }
    readiness_.report(names);
  }

  std::list<std::shared_ptr<Running>>::iterator begin_session(bool alone) {
    auto running = std::make_shared<Running>(loop_, log_, limits_);
    running->session.id = ++count_;
    running->session.alone = alone;
    running->session.draining = ending_;
    running_.push_back(std::move(running));
    return std::prev(running_.end());
  }

  void end_session(std::list<std::shared_ptr<Running>>::iterator place) {
    const Session& session = (*place)->session;
    total_there_.bytes += session.there.bytes;
    total_there_.reads += session.there.reads;
    total_back_.bytes += session.back.bytes;
    total_back_.reads += session.back.reads;
    running_.erase(place);
    ended_.notify();
  }

  Task<> one_session() {
    const auto place = begin_session(true);
    const auto running = *place;
    Session& session = running->session;
    std::exception_ptr thrown;
    try {
      auto left = co_await left_->open(session);
      std::unique_ptr<Stream> right;
      if (left) right = co_await open_or_hand_over(*right_, *left, session, true);
      if (left && right) co_await converse(std::move(left), std::move(right), *running);
    } catch (...) {
      thrown = std::current_exception();
    }
    if (status_ == 0) status_ = session.status;
    end_session(place);
    if (thrown) std::rethrow_exception(thrown);
  }

  /// The right side's stream, or none where its program was given the left one's descriptors.
  Task<std::unique_ptr<Stream>> open_or_hand_over(Endpoint& right, Stream& left, Session& session,
                                                  bool alone) {
    if (!right.takes_over()) co_return co_await right.open(session);
    session.status = co_await right.take_over(left, session, alone);
    co_return nullptr;
  }

  Task<> many_sessions(Endpoint& acceptor, bool left_serves) {
    const auto most = acceptor.most_peers();
    while (!ending_) {
      while (most && running_.size() >= *most && !ending_) co_await ended_.wait();
      co_await wait_for_descriptors();
      const auto place = begin_session(false);
      const auto running = *place;
      std::unique_ptr<Stream> peer;
      std::exception_ptr thrown;
      try {
        peer = co_await acceptor.open(running->session);
      } catch (...) {
        thrown = std::current_exception();
      }
      if (!peer) {
        end_session(place);
        if (thrown) std::rethrow_exception(thrown);
        co_return;
      }
      running->session.there.last = running->session.back.last = Clock::now();
      ++opening_;
      loop_.start(serve_peer(std::move(peer), running, left_serves), [this, place] { end_session(place); });
    }
  }

  /// A session that is let in can be carried through: accepting pauses while descriptors are short.
  Task<> wait_for_descriptors() {
    bool told = false;
    for (;;) {
      const std::size_t used = (running_.size() + 4) * descriptors_of_a_session;
      if (used < descriptors_ || has_free_descriptors(descriptors_of_a_session * (opening_ + 1))) break;
      if (!told)
        log_.warning("accepting pauses: " + std::to_string(running_.size()) +
                     " sessions use up the descriptors");
      told = true;
      if (ending_) co_return;
      co_await ended_.wait_until(Clock::now() + std::chrono::seconds(1));
    }
    if (told) log_.notice("accepting goes on");
  }

  Task<> serve_peer(std::unique_ptr<Stream> peer, std::shared_ptr<Running> running, bool left_serves) {
    Session& session = running->session;
    bool opening = true;
    std::unique_ptr<Endpoint> endpoint;
    try {
      // Its own endpoint for each peer: a listener behind a listener is used up by one.
      endpoint = make(!left_serves);
      std::unique_ptr<Stream> other;
      if (left_serves)
        other = co_await open_or_hand_over(*endpoint, *peer, session, false);
      else
        other = co_await endpoint->open(session);
      --opening_;
      opening = false;
      if (other && left_serves)
        co_await converse(std::move(peer), std::move(other), *running);
      else if (other)
        co_await converse(std::move(other), std::move(peer), *running);
    } catch (const Failure& failure) {
      if (opening) --opening_;
      log_.write(Severity::error, failure.what(), failure.detail());
    }
    // One that would serve many itself may still have a task at work.
    if (endpoint && endpoint->serves_many()) {
      endpoint->stop();
      retired_.push_back(std::move(endpoint));
    }
  }

  Task<> converse(std::unique_ptr<Stream> left, std::unique_ptr<Stream> right, Running& running) {
    Session& session = running.session;
    const Info& a = left->info();
    const Info& b = right->info();
    if (log_.enabled(Severity::notice))
      log_.notice("starting data transfer loop with FDs [" + pair(a) + "] and [" + pair(b) + ']');
    if (plan_.dump.text || plan_.dump.hexadecimal || raw_left_ || raw_right_) left = watched(std::move(left));
    ++relaying_;
    ++relayed_;
    co_await relay(*left, *right, session, running.changed);
    --relaying_;
  }

  static std::string pair(const Info& info) {
    const int in = info.in >= 0 ? info.in : info.out;
    const int out = info.out >= 0 ? info.out : info.in;
    return std::to_string(in) + ',' + std::to_string(out);
  }

  /// -v, -x, -r and -R all look at the left stream: what is read from it flows to the right.
  std::unique_ptr<Stream> watched(std::unique_ptr<Stream> left) {
    const std::size_t chunk = limits_.chunk != 0 ? limits_.chunk : kib(8);
    return tap(std::move(left), chunk, watcher('>', raw_left_), watcher('<', raw_right_));
  }

  Tap watcher(char mark, const Fd& raw) {
    const bool shown = plan_.dump.text || plan_.dump.hexadecimal;
    return [dump = Dump(mark, plan_.dump), shown, raw = raw.get()](ConstBytes bytes) mutable {
      // A dump that cannot be written is not worth the transfer.
      if (shown) {
        const std::string block = dump.block(bytes);
        [[maybe_unused]] auto ignored = ::write(STDERR_FILENO, block.data(), block.size());
      }
      if (raw >= 0) [[maybe_unused]]
        auto ignored = ::write(raw, bytes.data(), bytes.size());
    };
  }

  Task<> watch_signals() {
    const auto [error, first] = co_await next_signal(signals_);
    if (error) co_return;
    ending_ = true;
    log_.write(limits_.as_socat ? Severity::warning : Severity::notice,
               "exiting on signal " + std::to_string(first));
    const bool listens = left_->serves_many() || right_->serves_many();
    if (!listens || limits_.as_socat) status_ = 128 + first;
    left_->stop();
    right_->stop();
    if (limits_.as_socat) co_return loop_.stop();
    for (const auto& running : running_) {
      running->session.draining = true;
      running->changed.notify();
    }
    ended_.notify();
    loop_.start(give_up_opening());
    const auto [stopped, second] = co_await next_signal(signals_);
    if (stopped) co_return;
    status_ = 128 + second;
    loop_.stop();
  }

  /// Who still waits for a peer when the others have had their time waits in vain.
  Task<> give_up_opening() {
    co_await loop_.sleep(limits_.linger_or_default());
    if (relaying_ == 0) loop_.stop();
  }

  Task<> watch_statistics() {
    for (;;) {
      const auto [error, number] = co_await next_signal(statistics_signal_);
      if (error) co_return;
      log_statistics();
    }
  }

  void log_statistics() {
    Flow there = total_there_, back = total_back_;
    for (const auto& running : running_) {
      there.bytes += running->session.there.bytes;
      there.reads += running->session.there.reads;
      back.bytes += running->session.back.bytes;
      back.reads += running->session.back.reads;
    }
    const auto line = [](const char* name, const Flow& flow) {
      return std::string("statistics: ") + name + ": " + std::to_string(flow.bytes) + " bytes in " +
             std::to_string(flow.reads) + " blocks";
    };
    // Asked for, so it is told at any level.
    log_.write(Severity::fatal, line("left to right", there));
    log_.write(Severity::fatal, line("right to left", back));
    log_.write(Severity::fatal, "statistics: sessions: " + std::to_string(relaying_) + " open, " +
                                    std::to_string(relayed_) + " in all");
  }

  const BridgePlan& plan_;
  Limits limits_;
  Logger& log_;
  Loop loop_;
  Context context_;
  Readiness readiness_;
  std::unique_ptr<Endpoint> left_;
  std::unique_ptr<Endpoint> right_;
  asio::signal_set signals_;
  asio::signal_set statistics_signal_;
  Event ended_;
  Fd raw_left_;
  Fd raw_right_;
  std::list<std::shared_ptr<Running>> running_;
  std::vector<std::unique_ptr<Endpoint>> retired_;
  std::uint64_t count_ = 0;
  std::size_t opening_ = 0;
  std::size_t relaying_ = 0;
  std::size_t relayed_ = 0;
  std::size_t descriptors_ = 0;
  Flow total_there_;
  Flow total_back_;
  bool ending_ = false;
  int status_ = 0;
};

}  // namespace

int bridge(const BridgePlan& plan, Logger& log) {
  // A broken pipe is an outcome of a write, not the end of the process.
  ::signal(SIGPIPE, SIG_IGN);
  return Bridge(plan, log).run();
}

}  // namespace sluice
