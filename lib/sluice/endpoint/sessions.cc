#include "sluice/endpoint/sessions.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "sluice/core/standing_line.h"
#include "sluice/endpoint/descriptor_report.h"
#include "sluice/endpoint/own_loop.h"
#include "sluice/stream/decorators.h"
#include "sluice/stream/relay.h"

namespace sluice {

namespace {

Use use_of(Direction direction, bool left) {
  if (direction == Direction::both) return Use::both;
  return (direction == Direction::left_to_right) == left ? Use::reading : Use::writing;
}

void add(Flow& to, const Flow& one) {
  to.bytes += one.bytes;
  to.reads += one.reads;
  to.messages += one.messages;
  if (one.expected) to.expected = one.expected;
}

std::string pair(const Info& info) {
  const int in = info.in >= 0 ? info.in : info.out;
  const int out = info.out >= 0 ? info.out : info.in;
  return std::to_string(in) + ',' + std::to_string(out);
}

Clock::time_point last_of(const Session& session) { return std::max(session.there.last, session.back.last); }

std::string in_seconds(Duration duration) {
  const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count() / 100;
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + " s";
}

}  // namespace

void Totals::add(const Totals& other) {
  sluice::add(there, other.there);
  sluice::add(back, other.back);
  oldest = std::max(oldest, other.oldest);
  longest_silence = std::max(longest_silence, other.longest_silence);
}

std::vector<std::string> statistics_lines(const Totals& totals, const Tally& tally, bool as_socat) {
  if (as_socat) {
    const auto line = [](const char* name, const Flow& flow) {
      return std::string("STATISTICS: ") + name + ": " + std::to_string(std::max(flow.reads, flow.messages)) +
             " packets(s), " + std::to_string(flow.bytes) + " byte(s)";
    };
    return {line("left to right", totals.there), line("right to left", totals.back)};
  }
  const auto direction = [](const char* name, const Flow& flow) {
    std::string line = std::string("statistics: ") + name + ": " + std::to_string(flow.bytes) + " bytes in " +
                       std::to_string(flow.reads) + " blocks";
    if (flow.messages > 0) line += ", " + std::to_string(flow.messages) + " packets";
    return line;
  };
  std::string sessions = "statistics: sessions: " + std::to_string(tally.relaying) + " open, " +
                         std::to_string(tally.relayed) + " in all";
  if (tally.relaying > 0)
    sessions += "; the oldest is " + in_seconds(totals.oldest) + " old, the longest silence " +
                in_seconds(totals.longest_silence);
  return {direction("left to right", totals.there), direction("right to left", totals.back), sessions};
}

Sessions::Sessions(const BridgePlan& plan, Logger& log, Tally& tally, std::function<void()> ended)
    : plan_(plan),
      log_(log),
      child_log_(log, plan.children_shutup),
      tally_(tally),
      ended_(std::move(ended)),
      raw_left_(plan.raw_left),
      raw_right_(plan.raw_right),
      context_{loop_,
               log,
               plan.limits.as_socat,
               plan.preferred_family,
               plan.sloppy,
               plan.listening_family,
               plan.listens_on_both},
      child_context_(context_.with_log(child_log_)) {}

Sessions::~Sessions() = default;

std::unique_ptr<Endpoint> Sessions::make(bool left, const Context& context) const {
  const auto& maker = left ? plan_.left : plan_.right;
  return maker(use_of(plan_.limits.direction, left), context);
}

std::unique_ptr<Endpoint> Sessions::make(bool left) const { return make(left, context_); }

std::unique_ptr<Endpoint> Sessions::make_for(Session& session, bool left) const {
  auto endpoint = make(left, context_.with_log(session.log));
  // What would serve many itself may have more to say when the session is over.
  return endpoint->serves_many() ? make(left, child_context_) : std::move(endpoint);
}

Sessions::Place Sessions::begin(std::uint64_t id, bool alone) {
  Session& session = running_.emplace_back(loop_, alone ? log_ : child_log_, plan_.limits);
  session.id = id;
  session.alone = alone;
  // Lines of socat's are told apart by the numbers of its processes.
  if (!alone && !plan_.limits.as_socat) session.log.number(id);
  session.draining = draining_;
  session.names_wanted = plan_.starts_programs || raw_left_.is_of_session() || raw_right_.is_of_session();
  return std::prev(running_.end());
}

void Sessions::end(Place place) {
  add(past_.there, place->there);
  add(past_.back, place->back);
  if (place->relayed) --tally_.relaying;
  running_.erase(place);
  --tally_.open;
  ended_();
}

Task<> Sessions::keep(Endpoint& other, bool usual) {
  keeping_.emplace(loop_, log_, plan_.limits);
  kept_ = &other;
  co_await other.keep(*keeping_, usual);
}

Task<> Sessions::let_go() {
  if (!keeping_) co_return;
  keeping_->limits.cut = draining_;
  co_await kept_->let_go(keeping_->limits);
}

Task<> Sessions::join(Endpoint& left, Endpoint& right, Session& session) {
  auto one = co_await left.open(session);
  if (!one) co_return;
  std::unique_ptr<Stream> other;
  std::exception_ptr thrown;
  try {
    other = co_await open_or_hand_over(right, *one, session);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) {
    co_await dismiss(*one, session);
    std::rethrow_exception(thrown);
  }
  if (!other) co_return;
  DumpFiles raw = dumps_of(session);
  if (plan_.wait_before_transfer.count() > 0) co_await loop_.sleep(plan_.wait_before_transfer);
  co_await converse(std::move(one), std::move(other), session, std::move(raw));
}

void Sessions::serve(std::unique_ptr<Stream> peer, Place place, bool from_left) {
  loop_.start(serve_peer(std::move(peer), place, from_left));
}

void Sessions::serve(Arrival arrival, std::uint64_t id, bool from_left) {
  const Place place = begin(id, false);
  try {
    if (!adopting_) adopting_ = make(from_left);
    serve(adopting_->adopt(std::move(arrival), *place), place, from_left);
  } catch (const Failure& failure) {
    place->log.write_of_rush(Severity::error, failure.what(), failure.what(), failure.detail());
    --tally_.opening;
    end(place);
  }
}

Task<> Sessions::serve_peer(std::unique_ptr<Stream> peer, Place place, bool from_left) {
  std::unique_ptr<Stream> other;
  bool failed = false;
  DumpFiles raw;
  try {
    other = co_await open_other(peer, *place, from_left);
    if (other) raw = dumps_of(*place);
  } catch (const Failure& failure) {
    failed = true;
    place->log.write_of_rush(Severity::error, failure.what(), failure.what(), failure.detail());
  }
  if (failed) {
    if (other) co_await dismiss(*other, *place);
    other.reset();
    co_await dismiss(*peer, *place);
  }
  if (!place->relayed) --tally_.opening;
  // It was for the programs that were started by now.
  Environment().swap(place->environment);
  if (!other) co_return end(place);
  if (!from_left) std::swap(peer, other);
  if (plan_.wait_before_transfer.count() > 0) co_await loop_.sleep(plan_.wait_before_transfer);
  // A task of its own: this one need not be kept for as long as the relay takes.
  loop_.start(converse(std::move(peer), std::move(other), *place, std::move(raw)),
              [this, place] { end(place); });
}

/// By an endpoint of its own for each peer: a listener behind a listener is used up by one.
Task<std::unique_ptr<Stream>> Sessions::open_other(std::unique_ptr<Stream>& peer, Session& session,
                                                   bool from_left) {
  if (kept_ != nullptr) co_return co_await kept_->open(session);
  auto endpoint = make_for(session, !from_left);
  if (runs_apart(*endpoint, from_left)) {
    auto signals = endpoint->signals_passed_on();
    const auto begun = [this, &session] {
      session.relayed = true;
      --tally_.opening;
      ++tally_.relaying;
      ++tally_.relayed;
    };
    session.status =
        co_await run_apart(*plan_.restart, from_left, std::move(peer), std::move(signals), session, begun);
    co_return nullptr;
  }
  std::unique_ptr<Stream> other;
  std::exception_ptr thrown;
  try {
    if (from_left)
      other = co_await open_or_hand_over(*endpoint, *peer, session);
    else
      other = co_await endpoint->open(session);
  } catch (...) {
    thrown = std::current_exception();
  }
  // One that would serve many itself may still have a task at work.
  if (endpoint->serves_many()) {
    endpoint->stop();
    retired_.push_back(std::move(endpoint));
  }
  if (thrown) std::rethrow_exception(thrown);
  co_return other;
}

/// Whether one of the addresses changes whom its process is: then each session is a process.
bool Sessions::runs_apart(const Endpoint& other, bool from_left) {
  if (!runs_apart_) {
    runs_apart_ = other.changes_process(true) || make(from_left)->changes_process(false);
    if (*runs_apart_ && !plan_.restart)
      throw Failure("sessions that change whom their process is need processes of their own");
  }
  return *runs_apart_;
}

/// The right side's stream, or none where its program was given the left one's descriptors.
Task<std::unique_ptr<Stream>> Sessions::open_or_hand_over(Endpoint& right, Stream& left, Session& session) {
  if (!right.takes_over()) co_return co_await right.open(session);
  if (left.info().shared) {
    session.log.notice("all peers share a socket: relaying, in spite of nofork");
    co_return co_await right.open(session);
  }
  if (left.info().in < 0 && left.info().out < 0) {
    session.log.notice("there is no descriptor to hand over: relaying, in spite of nofork");
    co_return co_await right.open(session);
  }
  session.status = co_await right.take_over(left, session, session.alone);
  co_return nullptr;
}

Sessions::DumpFiles Sessions::dumps_of(const Session& session) {
  DumpFiles raw;
  if (raw_left_.is_of_session()) raw.own_left = raw_left_.of(session);
  if (raw_right_.is_of_session()) raw.own_right = raw_right_.of(session);
  return raw;
}

Task<> Sessions::converse(std::unique_ptr<Stream> left, std::unique_ptr<Stream> right, Session& session,
                          DumpFiles raw) {
  DumpFile& raw_left = raw.own_left ? *raw.own_left : raw_left_;
  DumpFile& raw_right = raw.own_right ? *raw.own_right : raw_right_;
  if (!raw_left.is_ready() || !raw_right.is_ready())
    return converse_once_dumped(std::move(left), std::move(right), session, std::move(raw));
  if (plan_.describes_descriptors) describe_descriptors(left->info(), right->info());
  if (session.log.enabled(Severity::notice))
    session.log.notice("starting data transfer loop with FDs [" + pair(left->info()) + "] and [" +
                       pair(right->info()) + ']');
  const Direction direction = plan_.limits.direction;
  if (const auto file =
          file_fed_by_itself(left->info(), right->info(), direction, dumps(raw_left, raw_right))) {
    session.log.error(*file + ": " + input_is_output().message());
    session.status = static_cast<int>(ExitStatus::failure);
    return close_both(std::move(left), std::move(right), session);
  }
  const int left_out = left->info().out;
  session.left_goes_to = right->info().out;
  if (direction != Direction::right_to_left) left = wary_of(std::move(left), session.left_goes_to);
  if (direction != Direction::left_to_right) right = wary_of(std::move(right), left_out);
  if (plan_.dump.text || plan_.dump.hexadecimal || raw_left.is_wanted() || raw_right.is_wanted())
    left = watched(std::move(left), session, raw_left, raw_right);
  if (plan_.progress) tell_progress(*left, *right, session);
  session.relayed = true;
  ++tally_.relaying;
  ++tally_.relayed;
  return relay(std::move(left), std::move(right), session);
}

/// Who is to read what flows has not come yet: nothing flows before.
Task<> Sessions::converse_once_dumped(std::unique_ptr<Stream> left, std::unique_ptr<Stream> right,
                                      Session& session, DumpFiles raw) {
  constexpr auto pause = std::chrono::milliseconds(10);
  for (DumpFile* one : {&raw_left_, &raw_right_}) {
    if (one->is_of_session()) continue;
    if (one->is_ready()) continue;
    session.log.notice("waiting for somebody to read " + one->path());
    // Nothing tells when somebody opens a FIFO (fifo(7)).
    while (!session.draining && !one->is_ready()) co_await session.changed.wait_until(Clock::now() + pause);
    if (one->is_ready()) continue;
    session.log.error("open " + one->path() + ": nobody reads this FIFO");
    session.status = static_cast<int>(ExitStatus::failure);
    co_await close_both(std::move(left), std::move(right), session);
    co_return;
  }
  co_await converse(std::move(left), std::move(right), session, std::move(raw));
}

Task<> Sessions::dismiss(Stream& peer, Session& session) {
  session.limits.cut = true;
  peer.break_off();
  peer.stop_reading();
  peer.stop_writing();
  co_await peer.close(session.limits);
}

/// What was opened for a session that cannot be.
Task<> Sessions::close_both(std::unique_ptr<Stream> left, std::unique_ptr<Stream> right, Session& session) {
  session.limits.cut = true;
  for (Stream* one : {left.get(), right.get()}) {
    one->stop_reading();
    one->stop_writing();
    co_await one->close(session.limits);
  }
}

Dumps Sessions::dumps(const DumpFile& raw_left, const DumpFile& raw_right) const {
  Dumps dumps{{raw_left.number()}, {raw_right.number()}};
  if (plan_.dump.text || plan_.dump.hexadecimal)
    for (auto* outs : {&dumps.of_left, &dumps.of_right}) outs->push_back(STDERR_FILENO);
  return dumps;
}

void Sessions::describe_descriptors(const Info& left, const Info& right) const {
  std::vector<int> numbers;
  for (const int number : {left.in, left.out, right.in, right.out})
    if (number >= 0 && std::find(numbers.begin(), numbers.end(), number) == numbers.end())
      numbers.push_back(number);
  const std::string report = descriptor_report(numbers);
  const StandingLine::Pause pause;
  // Who cannot be told is not worth the transfer.
  [[maybe_unused]] auto ignored = ::write(STDERR_FILENO, report.data(), report.size());
}

/// What those who show progress want to know of a session before it begins.
void Sessions::tell_progress(const Stream& left, const Stream& right, Session& session) {
  auto none = Clock::time_point();
  tally_.first_begun.compare_exchange_strong(none, Clock::now());
  // Sizes of several sessions would be those of some that are over and of others that have not come.
  if (session.alone) {
    session.there.expected = left.size_left();
    session.back.expected = right.size_left();
  }
  for (const Info& info : {left.info(), right.info()})
    for (const int descriptor : {info.in, info.out})
      if (StandingLine::shares_terminal(descriptor)) tally_.share_terminal = true;
}

/// -v, -x, -r and -R all look at the left stream: what is read from it flows to the right.
std::unique_ptr<Stream> Sessions::watched(std::unique_ptr<Stream> left, Session& session,
                                          const DumpFile& raw_left, const DumpFile& raw_right) {
  const std::size_t chunk = plan_.limits.chunk != 0 ? plan_.limits.chunk : kib(8);
  auto there = dumping('>', plan_.dump, raw_left, session, tally_.dump_failed);
  auto back = dumping('<', plan_.dump, raw_right, session, tally_.dump_failed);
  return tap(std::move(left), chunk, std::move(there), std::move(back));
}

void Sessions::drain() {
  draining_ = true;
  for (Session& session : running_) session.drain();
  if (keeping_) keeping_->drain();
}

bool Sessions::pass_on(int signal) const {
  bool passed = false;
  const auto pass_to = [&](const Session& session) {
    for (const auto& program : session.programs) {
      const auto& wanted = program->signals;
      if (program->ended || std::find(wanted.begin(), wanted.end(), signal) == wanted.end()) continue;
      log_.notice("passing signal " + std::to_string(signal) + " on to process " +
                  std::to_string(program->pid));
      passed = ::kill(program->pid, signal) == 0 || passed;
    }
  };
  for (const Session& session : running_) pass_to(session);
  if (keeping_) pass_to(*keeping_);
  return passed;
}

Totals Sessions::totals() const {
  Totals totals = past_;
  const auto now = Clock::now();
  for (const Session& session : running_)
    totals.add({session.there, session.back, now - session.begun, now - last_of(session)});
  return totals;
}

void Sessions::describe() const {
  const auto now = Clock::now();
  for (const Session& session : running_)
    log_.notice("statistics: session " + std::to_string(session.id) + ": " + in_seconds(now - session.begun) +
                " old, silent for " + in_seconds(now - last_of(session)) + ", " +
                std::to_string(session.there.bytes) + " bytes left to right, " +
                std::to_string(session.back.bytes) + " right to left");
}

}  // namespace sluice
