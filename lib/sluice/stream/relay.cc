#include "sluice/stream/relay.h"

#include <algorithm>
#include <string>

#include "sluice/core/exit_status.h"
#include "sluice/core/failure.h"
#include "sluice/stream/pump.h"

namespace sluice {
namespace {

constexpr auto never = Clock::time_point::max();

/// One direction of a relay.
struct Way {
  Way(Stream& source, Stream& target, Flow& figures, bool wanted)
      : from(source), to(target), flow(figures), used(wanted && source.info().readable) {}

  Stream& from;
  Stream& to;
  Flow& flow;
  /// By the direction that was asked for, and by its source: what has no input is one way, and says nothing
  /// about an end.
  bool used;
  bool ended = false;
};

class Relay {
 public:
  Relay(Stream& left, Stream& right, Session& session)
      : left_(left),
        right_(right),
        session_(session),
        there_(left, right, session.there, session.limits.direction != Direction::right_to_left),
        back_(right, left, session.back, session.limits.direction != Direction::left_to_right) {}

  void begin() {
    session_.there.last = session_.back.last = Clock::now();
    start(there_);
    start(back_);
  }

  bool over() {
    deadline_ = never;
    if (gone_) return over_because("a peer has gone");
    if (there_.ended && back_.ended) return over_because("both sides have ended");
    const Limits& limits = session_.limits;
    const auto last = std::max(there_.flow.last, back_.flow.last);
    if (session_.draining) {
      if (drain_since_ == never) drain_since_ = Clock::now();
      if (nothing_to_drain() || passed(drain_since_ + limits.grace))
        return over_because("it was asked to end");
    }
    if (limits.idle && !lingers() && passed(last + *limits.idle)) {
      session_.log.notice("inactivity timeout triggered");
      timed_out_ = !limits.as_socat && !limits.forgets;
      return over_because("nothing came for " + seconds(*limits.idle) + " s");
    }
    // One way only: nothing else has ended that could make it matter less.
    if (!there_.used || !back_.used) return false;
    if (!there_.ended && !back_.ended) return false;
    return there_.ended ? rest_is_over(there_, back_, last) : rest_is_over(back_, there_, last);
  }

  /// When `over` must be asked again, though nothing happens.
  Clock::time_point deadline() const { return deadline_; }

  /// Reading stops; what was read is still delivered, for as long as the session's grace.
  Task<> stop() {
    stopping_ = true;
    session_.limits.cut = gone_ || !(there_.ended && back_.ended);
    stop_reading(there_);
    stop_reading(back_);
    const auto deadline = Clock::now() + session_.limits.grace;
    while (!(there_.ended && back_.ended))
      if (!co_await session_.changed.wait_until(deadline)) break;
    left_.stop_writing();
    right_.stop_writing();
    while (running_ > 0) co_await session_.changed.wait();
  }

  /// Who has sent what is lost learns that it is: its connection does not come to a good end.
  void break_off_losers() {
    for (const Way* way : {&there_, &back_}) {
      const bool lost = failed(way->flow.target) || way->flow.target == End::abandoned;
      if (way->used && lost && !is_cool(*way) && !way->from.reports_status()) way->from.break_off();
    }
  }

  /// For who serves many: a line for each session.
  void tell_end() const {
    if (session_.alone || session_.limits.as_socat) return;
    session_.log.notice([&] {
      std::string peers;
      for (const auto& [side, stream] : {std::pair{"left", &left_}, {"right", &right_}})
        if (const std::string& peer = stream->info().peer; !peer.empty())
          peers += (peers.empty() ? " (" : ", ") + std::string(side) + ' ' + peer;
      if (!peers.empty()) peers += ')';
      return "ended" + peers + " after " + seconds(Clock::now() - session_.begun) + " s, " +
             std::to_string(there_.flow.bytes) + " bytes left to right, " + std::to_string(back_.flow.bytes) +
             " right to left: " + why_;
    });
  }

  void settle_status() {
    const auto set = [&](int status) {
      if (session_.status == 0) session_.status = status;
    };
    const auto settle_by_programs = [&] {
      settle_exit_statuses([&](int status) {
        // socat has one status for whatever a program ended with.
        set(session_.limits.as_socat && status != 0 ? static_cast<int>(ExitStatus::failure) : status);
      });
    };
    // How a program ends of which we have closed the connection, since its client has gone, is a consequence.
    if (!gone_) settle_by_programs();
    if (timed_out_) set(static_cast<int>(ExitStatus::timed_out));
    for (const Way* way : {&there_, &back_})
      if (way->used) report(*way, set);
    if (gone_) settle_by_programs();
  }

 private:
  void start(Way& way) {
    const Way& other = other_than(way);
    if (!way.used) {
      way.ended = true;
      // Nobody listens to the target's own words, but they must not fill its buffers or cause a reset.
      if (other.used) run_task(way.from.discard_input());
      return;
    }
    ++running_;
    session_.loop.start(pump(way.from, way.to, way.flow, session_), [this, &way] { ended(way); });
    if (!(other.used && way.to.info().traits.reading_tells_closed)) run_task(watch(way));
  }

  Way& other_than(const Way& way) { return &way == &there_ ? back_ : there_; }

  void run_task(Task<> task) {
    ++running_;
    session_.loop.start(without_failing(std::move(task)), [this] { task_ended(); });
  }
  /// What only looks on or tidies up is no reason to end a session, least of all the others.
  Task<> without_failing(Task<> task) {
    try {
      co_await task;
    } catch (const Failure& failure) {
      session_.log.warning(failure.what());
    }
  }
  void task_ended() {
    --running_;
    session_.changed.notify();
  }

  void ended(Way& way) {
    Way& other = other_than(way);
    way.ended = true;
    // Silence is counted from here on: the source may have been silent for long before its end.
    way.flow.last = Clock::now();
    if (has_gone(way.from, way, other) || has_gone(way.to, other, way)) gone_ = true;
    // As long as it was read from, its end would have shown there.
    if (!stopping_ && !other.ended && other.used && other.to.info().traits.reading_tells_closed)
      run_task(watch(other));
    if (!stopping_ && !other.ended && other.used && failed(way.flow.target) &&
        way.to.info().traits.reading_tells_closed)
      run_task(drop_rest(way));
    if (way.flow.source.kind == End::finished && session_.log.enabled(Severity::notice))
      session_.log.notice(std::string("socket ") + (&way == &there_ ? '1' : '2') + " (fd " +
                          std::to_string(way.from.info().in) + ") is at EOF");
    if (session_.log.enabled(Severity::info))
      session_.log.info("transferred " + std::to_string(way.flow.bytes) + " bytes from " +
                        std::to_string(way.from.info().in) + " to " + std::to_string(way.to.info().out));
    task_ended();
  }

  /// An idle direction notices that its target has gone.
  Task<> watch(Way& way) {
    // One that never had an output has not gone: what comes for it is read, and lost with an error.
    if (!way.to.info().writable) co_return;
    co_await way.to.closed();
    // What is on its way finds that out by itself, and says that it is lost.
    while (!way.flow.waiting && !way.ended && !stopping_)
      co_await session_.loop.sleep(std::chrono::milliseconds(1));
    if (way.ended || stopping_) co_return;
    // Nothing was on its way, so nothing is lost: no failure.
    stop_reading(way);
  }

  /// Also where nothing is read because the target has no room.
  static void stop_reading(Way& way) {
    way.flow.stopping = true;
    way.from.stop_reading();
    if (Descriptor* const out = way.to.awaited().out) out->wake(Descriptor::writable);
  }

  /// Nobody hears what the source still says, but that must not hold up what still flows to it. It comes to
  /// an end, since a target that has gone altogether says nothing more either.
  Task<> drop_rest(Way& way) {
    co_await way.to.closed();
    if (!stopping_) co_await way.from.discard_input();
  }

  /// Whether a peer is not there any more, in neither direction: it has reset its connection, or it takes
  /// nothing more after its input is over.
  static bool has_gone(const Stream& one, const Way& from_it, const Way& to_it) {
    if (!one.info().traits.is_connection) return false;
    const auto read = from_it.flow.source.kind;
    if (from_it.ended && (read == End::reset || read == End::timed_out)) return true;
    return to_it.ended && failed(to_it.flow.target) && from_it.used && from_it.ended;
  }

  /// A source without an end goes on as long as it likes: nothing of it can be awaited.
  bool nothing_to_drain() const {
    if (there_.used && back_.used) return false;
    const Way& only = there_.used ? there_ : back_;
    return !only.from.info().traits.input_ends;
  }

  /// Whether nothing tells that the other direction will end.
  static bool is_endless(const Way& ended, const Way& rest) {
    return !rest.from.info().traits.input_ends || !rest.to.info().writable ||
           !ended.to.info().traits.can_finish;
  }

  /// Whether -t says how long the other direction may be silent; then nothing else does.
  bool lingers_after(const Way& ended, const Way& rest) const {
    const Limits& limits = session_.limits;
    if (limits.exit_on != ExitOn::end_rule) return false;
    return limits.linger || limits.as_socat || is_endless(ended, rest);
  }
  bool lingers() const {
    if (!there_.used || !back_.used || there_.ended == back_.ended) return false;
    return there_.ended ? lingers_after(there_, back_) : lingers_after(back_, there_);
  }

  bool rest_is_over(const Way& ended, const Way& rest, Clock::time_point last) {
    const Limits& limits = session_.limits;
    switch (limits.exit_on) {
      case ExitOn::first_eof:
        return over_because("one side has ended");
      case ExitOn::both:
        return false;
      case ExitOn::left:
        return &ended.from == &left_ && over_because("the left side has ended");
      case ExitOn::right:
        return &ended.from == &right_ && over_because("the right side has ended");
      case ExitOn::end_rule:
        break;
    }
    if (!lingers_after(ended, rest)) return false;
    const bool endless = is_endless(ended, rest);
    if (!passed(last + limits.linger_or_default())) return false;
    if (endless && !limits.as_socat && rest.from.info().traits.shape == Shape::messages &&
        ended.flow.bytes > 0 && rest.flow.messages == 0)
      session_.log.warning("no answer came within " + seconds(limits.linger_or_default()) +
                           " s of the end of input (-t allows more)");
    // It is the end that -t asks for, unless an answer was to be expected and none came.
    if (!endless && !limits.as_socat && ended.flow.bytes > 0 && rest.flow.bytes == 0) {
      session_.log.warning("no answer came within " + seconds(limits.linger_or_default()) +
                           " s of the end of input (-t)");
      timed_out_ = true;
    }
    return over_because(std::string("one side has ended, and nothing came from the other for ") +
                        seconds(limits.linger_or_default()) + " s");
  }

  bool over_because(std::string why) {
    why_ = std::move(why);
    return true;
  }

  bool passed(Clock::time_point when) {
    if (session_.loop.time() >= when) return true;
    deadline_ = std::min(deadline_, when);
    return false;
  }

  /// To the millisecond.
  static std::string seconds(Duration duration) {
    const auto whole = std::chrono::round<std::chrono::milliseconds>(duration);
    std::string text = std::to_string(std::chrono::duration<double>(whole).count());
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
  }

  template <class Set>
  void settle_exit_statuses(Set set) {
    for (const Stream* one : {&left_, &right_}) {
      const int status = one->exit_status();
      if (status == 126 || status == 127) set(status);
    }
    for (const Stream* one : {&left_, &right_}) set(one->exit_status());
  }

  template <class Set>
  void report(const Way& way, Set set) {
    // What was on its way to a peer that has gone is known to be lost by that.
    if (way.flow.target == End::abandoned && !gone_) {
      session_.log.error("what was read could not be delivered in time");
      set(static_cast<int>(ExitStatus::failure));
    }
    // A program that leaves input unread resets its socket as it ends: its exit status says what that means.
    if (failed(way.flow.source) && !way.from.reports_status()) {
      tell(Severity::error, way.from, "read: " + way.flow.source.why.message());
      set(status_of(way.flow.source));
    }
    if (failed(way.flow.target) && !way.to.reports_status()) {
      const bool cool = is_cool(way);
      tell(cool ? Severity::notice : Severity::error, way.to,
           "write: " + (way.to.info().writable ? way.flow.target.why.message()
                                               : std::string(way.to.info().no_output)));
      if (!cool) set(status_of(way.flow.target));
    }
  }

  /// Whether its target may be gone when it is written to (cool-write).
  bool is_cool(const Way& way) const {
    return (&way.to == &left_ ? session_.limits.cool_left : session_.limits.cool_right) &&
           (way.flow.target.why == std::errc::broken_pipe || way.flow.target.kind == End::reset);
  }

  void tell(Severity severity, const Stream& of, const std::string& what) {
    const std::string& peer = of.info().peer;
    if (session_.limits.as_socat)
      return session_.log.write_of_rush(severity, what, peer.empty() ? what : peer + ": " + what);
    const std::string side = &of == &left_ ? "left" : "right";
    session_.log.write_of_rush(severity, side + ": " + what,
                               side + (peer.empty() ? "" : " (" + peer + ')') + ": " + what);
  }

  static bool failed(const End& end) {
    return end.kind == End::broken || end.kind == End::reset || end.kind == End::timed_out;
  }
  static int status_of(const End& end) {
    return static_cast<int>(end.kind == End::timed_out ? ExitStatus::timed_out : ExitStatus::failure);
  }

  Stream& left_;
  Stream& right_;
  Session& session_;
  Way there_;
  Way back_;
  int running_ = 0;
  Clock::time_point deadline_ = never;
  Clock::time_point drain_since_ = never;
  bool timed_out_ = false;
  bool stopping_ = false;
  std::string why_;    ///< it is over
  bool gone_ = false;  ///< a peer has: nothing that the other side does matters any more
};

}  // namespace

Task<> relay(std::unique_ptr<Stream> left, std::unique_ptr<Stream> right, Session& session) {
  Relay both(*left, *right, session);
  both.begin();
  while (!both.over()) co_await session.changed.wait_until(both.deadline());
  co_await both.stop();
  both.break_off_losers();
  co_await left->close(session.limits);
  co_await right->close(session.limits);
  both.settle_status();
  both.tell_end();
}

}  // namespace sluice
