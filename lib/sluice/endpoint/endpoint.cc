#include "sluice/endpoint/endpoint.h"

#include <sys/ioctl.h>

#include <array>
#include <limits>

#include "sluice/core/lock_file.h"
#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/kept_stream.h"
#include "sluice/endpoint/privileges/own_process.h"
#include "sluice/stream/decorators.h"
#include "sluice/stream/filtered.h"
#include "sluice/text/line_ends.h"

namespace sluice {
namespace {

/// Tries again as retry=, forever and interval= ask for.
class Retries {
 public:
  Retries(const Address& address, const Context& context)
      : context_(context),
        left_(address.flag("forever") ? std::numeric_limits<std::int64_t>::max()
                                      : address.integer("retry").value_or(0)),
        interval_(address.duration("interval").value_or(std::chrono::seconds(1))) {}

  template <class Result, class Try>
  Task<Result> run(Try attempt, const bool& stopped) {
    for (auto left = left_;; --left) {
      try {
        co_return co_await attempt();
      } catch (const Failure& failure) {
        if (left <= 0 || stopped || failure.status() == ExitStatus::usage) throw;
        context_.log.notice(std::string(failure.what()) + ", trying again");
      }
      co_await context_.loop.sleep(interval_);
    }
  }

 private:
  const Context& context_;
  std::int64_t left_;
  Duration interval_;
};

/// One address: the endpoint of its family, and around what it opens the options that fit any stream.
class Decorated final : public Endpoint {
 public:
  Decorated(Address address, std::unique_ptr<Endpoint> inner, const Context& context)
      : address_(std::move(address)),
        context_(context),
        retries_(address_, context_),
        own_process_(address_, context_.log),
        inner_(std::move(inner)) {}

  Task<> prepare() override {
    own_process_.change_early();
    co_await take_lock_files();
    co_await retries_.run<bool>([this] { return prepared(); }, stopped_);
  }
  std::vector<std::string> names() const override { return inner_->names(); }
  bool serves_many() const override { return inner_->serves_many(); }
  bool serves_until_told() const override { return inner_->serves_until_told(); }
  bool stays_open() const override { return inner_->stays_open(); }
  bool opens_once(bool usual) const override { return inner_->opens_once(usual); }
  Task<> keep(Session& session, bool) override {
    if (inner_->stays_open()) return prepare();
    return keep_open(session);
  }
  Task<> let_go(const Limits& limits) override {
    if (!kept_) co_return;
    const auto kept = std::exchange(kept_, nullptr);
    kept->stop_reading();
    co_await kept->close(limits);
  }
  std::optional<std::size_t> most_peers() const override {
    const auto most = address_.integer("max-children");
    if (!most) return inner_->most_peers();
    return static_cast<std::size_t>(*most);
  }
  std::size_t descriptors() const override { return inner_->descriptors(); }
  bool hands_over() const override { return inner_->hands_over(); }
  Task<std::vector<Arrival>> accept(std::size_t most) override {
    return retries_.run<std::vector<Arrival>>([this, most] { return inner_->accept(most); }, stopped_);
  }
  std::unique_ptr<Stream> adopt(Arrival arrival, Session& session) override {
    return decorated(inner_->adopt(std::move(arrival), session));
  }
  std::vector<int> signals_passed_on() const override { return inner_->signals_passed_on(); }
  bool takes_over() const override { return inner_->takes_over(); }
  Task<int> take_over(Stream& partner, Session& session, bool whole_process) override {
    return inner_->take_over(partner, session, whole_process);
  }
  void stop() override {
    stopped_ = true;
    inner_->stop();
  }

  bool changes_process(bool early) const override { return own_process_.changes(early); }

  Task<std::unique_ptr<Stream>> open(Session& session) override {
    if (kept_) {
      if (auto stream = share(*kept_, context_)) return at_once(decorated(std::move(stream)));
      // What cannot be shared was opened to see that it can be had, and is the first session's.
      return at_once(decorated(std::exchange(kept_, nullptr)));
    }
    return open_for_one(session);
  }

 private:
  static Task<std::unique_ptr<Stream>> at_once(std::unique_ptr<Stream> stream) { co_return stream; }

  Task<> keep_open(Session& session) { kept_ = co_await open_bare(session); }

  Task<std::unique_ptr<Stream>> open_for_one(Session& session) {
    auto stream = co_await open_bare(session);
    if (!stream) co_return nullptr;
    co_return decorated(std::move(stream));
  }

  Task<std::unique_ptr<Stream>> open_bare(Session& session) {
    own_process_.change_early();
    co_await take_lock_files();
    auto stream =
        co_await retries_.run<std::unique_ptr<Stream>>([&] { return inner_->open(session); }, stopped_);
    if (!stream) co_return nullptr;
    if (has_waiting_lock(address_)) {
      const Info& info = stream->info();
      co_await wait_for_locks(address_, info.in >= 0 ? info.in : info.out, context_);
    }
    // With fork it is the session's own process that changes.
    if (!serves_many()) own_process_.change_late();
    take_terminal(stream->info());
    co_return stream;
  }

  Task<bool> prepared() {
    co_await inner_->prepare();
    co_return true;
  }

  /// tiocsctty: of this process, where no program is started. As socat has it, one that cannot be had is no
  /// failure.
  void take_terminal(const Info& info) {
    if (overlap(address_.keyword->groups, Group::exec) || !address_.flag("tiocsctty")) return;
    if (::ioctl(info.in >= 0 ? info.in : info.out, TIOCSCTTY, 0) != 0)
      context_.log.warning(std::string(address_.written()) +
                           ": option \"tiocsctty\": " + last_error().message());
  }

  struct Locks {
    LockFile tried, waited_for;
  };

  /// lockfile and waitlock: once, for as long as the endpoint or a stream of it lives.
  Task<> take_lock_files() {
    const auto tried = path_option(address_, "lockfile");
    const auto waited_for = path_option(address_, "waitlock");
    if (locks_ || (!tried && !waited_for)) co_return;
    locks_ = std::make_shared<Locks>();
    if (tried && !locks_->tried.take(*tried))
      throw Failure(std::string(address_.written()) + ": could not obtain lock \"" + *tried + '"');
    if (waited_for) co_await wait_for_lock_file(locks_->waited_for, *waited_for, context_.loop);
  }

  std::unique_ptr<Stream> decorated(std::unique_ptr<Stream> stream) {
    if (locks_) stream = keep_with(std::move(stream), locks_);
    if (const auto end = address_.integer("escape"))
      stream = end_at(std::move(stream), static_cast<char>(*end));
    if (const auto count = address_.integer("readbytes"))
      stream = limit_reading(std::move(stream), static_cast<std::uint64_t>(*count));
    if (address_.flag("ignoreeof")) stream = ignore_eof(std::move(stream), context_.loop);
    if (address_.flag("crnl"))
      return filtered(std::move(stream), std::make_unique<DropReturns>(), std::make_unique<AddReturns>());
    if (address_.flag("cr"))
      return filtered(std::move(stream), std::make_unique<Translate>('\r', '\n'),
                      std::make_unique<Translate>('\n', '\r'));
    return stream;
  }

  Address address_;
  Context context_;
  Retries retries_;
  OwnProcess own_process_;
  std::unique_ptr<Endpoint> inner_;
  std::shared_ptr<Locks> locks_;
  std::unique_ptr<Stream> kept_;  ///< open for all peers of the other side
  bool stopped_ = false;
};

/// `A!!B`: reads A and writes B.
class Dual final : public Endpoint {
 public:
  Dual(std::unique_ptr<Endpoint> reading, std::unique_ptr<Endpoint> writing)
      : reading_(std::move(reading)), writing_(std::move(writing)) {}

  Task<> prepare() override {
    co_await reading_->prepare();
    co_await writing_->prepare();
  }
  std::vector<std::string> names() const override {
    auto all = reading_->names();
    for (auto& name : writing_->names()) all.push_back(std::move(name));
    return all;
  }
  bool serves_many() const override { return reading_->serves_many() || writing_->serves_many(); }
  bool changes_process(bool early) const override {
    return reading_->changes_process(early) || writing_->changes_process(early);
  }
  bool serves_until_told() const override {
    return reading_->serves_until_told() || writing_->serves_until_told();
  }
  bool stays_open() const override { return reading_->stays_open() || writing_->stays_open(); }
  bool opens_once(bool usual) const override {
    return reading_->opens_once(usual) || writing_->opens_once(usual);
  }
  /// Each half by itself.
  Task<> keep(Session& session, bool usual) override {
    for (Endpoint* half : {reading_.get(), writing_.get()}) {
      if (half->stays_open() || half->opens_once(usual))
        co_await half->keep(session, usual);
      else
        co_await half->prepare();
    }
  }
  Task<> let_go(const Limits& limits) override {
    co_await reading_->let_go(limits);
    co_await writing_->let_go(limits);
  }
  std::optional<std::size_t> most_peers() const override {
    return reading_->serves_many() ? reading_->most_peers() : writing_->most_peers();
  }
  std::size_t descriptors() const override { return reading_->descriptors() + writing_->descriptors(); }
  std::vector<int> signals_passed_on() const override {
    auto all = reading_->signals_passed_on();
    for (const int number : writing_->signals_passed_on()) all.push_back(number);
    return all;
  }
  void stop() override {
    reading_->stop();
    writing_->stop();
  }
  Task<std::unique_ptr<Stream>> open(Session& session) override {
    auto in = co_await reading_->open(session);
    if (!in) co_return nullptr;
    auto out = co_await writing_->open(session);
    if (!out) co_return nullptr;
    co_return join(std::move(in), std::move(out));
  }

 private:
  std::unique_ptr<Endpoint> reading_;
  std::unique_ptr<Endpoint> writing_;
};

std::unique_ptr<Endpoint> make_one(const Address& address, Use use, const Context& context) {
  for (const EndpointType& type : endpoint_types())
    if (type.keyword == address.keyword->name)
      return std::make_unique<Decorated>(address, type.make(address, use, context), context);
  throw AddressError(address, address.place, std::string(address.keyword->name) + " is not supported yet");
}

}  // namespace

Task<> wait_for_lock_file(LockFile& lock, const std::string& path, Loop& loop) {
  constexpr auto pause = std::chrono::milliseconds(50);
  while (!lock.take(path)) co_await loop.sleep(pause);
}

Task<> Endpoint::prepare() { co_return; }

Task<> Endpoint::keep(Session&, bool) { return prepare(); }

Task<> Endpoint::let_go(const Limits&) { co_return; }

bool Endpoint::changes_process(bool) const { return false; }

Task<std::vector<Arrival>> Endpoint::accept(std::size_t) { co_return std::vector<Arrival>{}; }

std::unique_ptr<Stream> Endpoint::adopt(Arrival, Session&) { return nullptr; }

Task<int> Endpoint::take_over(Stream&, Session&, bool) { co_return 0; }

ExitOn exit_on(const Specification& left, const Specification& right) {
  constexpr std::array<std::pair<std::string_view, ExitOn>, 4> rows = {{{"first-eof", ExitOn::first_eof},
                                                                        {"both", ExitOn::both},
                                                                        {"left", ExitOn::left},
                                                                        {"right", ExitOn::right}}};
  for (const Address* address : {&left.reading, &right.reading})
    for (const auto& [name, value] : rows)
      if (address->text("exit-on") == name) return value;
  return ExitOn::end_rule;
}

std::unique_ptr<Endpoint> make_endpoint(const Specification& specification, Use use, const Context& context) {
  if (!specification.writing) return make_one(specification.reading, use, context);
  if (use == Use::reading) return make_one(specification.reading, use, context);
  if (use == Use::writing) return make_one(*specification.writing, use, context);
  return std::make_unique<Dual>(make_one(specification.reading, Use::reading, context),
                                make_one(*specification.writing, Use::writing, context));
}

}  // namespace sluice
