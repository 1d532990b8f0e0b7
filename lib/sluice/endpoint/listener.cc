#include "sluice/endpoint/listener.h"

#include <sys/socket.h>

#include <deque>

#include "sluice/endpoint/apply.h"
#include "sluice/stream/background.h"

namespace sluice {
namespace {

/// As many as the kernel grants (net.core.somaxconn): a burst of clients is not to be refused.
constexpr int usual_backlog = SOMAXCONN;
/// Before others get their turn.
constexpr std::size_t most_refused_at_once = 64;
/// Each is a thread for some seconds at most. Those beyond are refused: those with slow names must not cost
/// more.
constexpr std::size_t most_lookups = 64;

}  // namespace

/// Shared with the threads that look up, which may outlast the listener.
struct Listener::Lookups {
  std::size_t running = 0;
  std::deque<Arrival> done;
  Descriptor* socket = nullptr;  ///< to be woken, while it listens
};

Listener::~Listener() { lookups_->socket = nullptr; }

Listener::Listener(const Address& address, const Context& context, std::string_view transport,
                   SocketKind kind, Bind bind)
    : address_(address),
      context_(context),
      transport_(transport),
      kind_(kind),
      bind_(std::move(bind)),
      forks_(address.flag("fork")),
      admission_(address, Known::address_and_name),
      lookups_(std::make_shared<Lookups>()) {}

Task<> Listener::prepare() {
  if (socket_) co_return;
  co_await admission_.prepare(address_, context_);
  Bound bound = co_await bind_();
  if (!bound.listening) {
    apply(address_, {Phase::pastbind, Phase::prelisten}, bound.socket.get(), context_);
    const auto backlog = static_cast<int>(address_.integer("backlog").value_or(usual_backlog));
    check(std::string(address_.written()) + ": listen", ::listen(bound.socket.get(), backlog));
    bound.name = SocketName::of_socket(bound.socket.get());
  }
  name_ = bound.name;
  try_accept_ = std::move(bound.try_accept);
  stop_accepting_ = std::move(bound.stop);
  companion_ = std::move(bound.companion);
  socket_ = std::make_unique<Descriptor>(context_.loop, std::move(bound.socket));
  lookups_->socket = socket_.get();
  context_.log.notice("listening on " + name_.log_text());
}

std::vector<std::string> Listener::names() const {
  if (name_.empty()) return {};
  return {transport_ + ' ' + name_.host_and_port()};
}

void Listener::stop() {
  stopped_ = true;
  if (!socket_) return;
  socket_->stop(Descriptor::readable);
  if (stop_accepting_) stop_accepting_();
}

/// Those that are not let in are gone.
bool Listener::admits(Arrival& arrival) {
  const std::string_view against = arrival.host.empty() ? admission_.objection(arrival.name)
                                                        : admission_.objection(arrival.name, arrival.host);
  if (against.empty()) return true;
  const std::string why = " due to " + std::string(against) + " option";
  context_.log.write_of_rush(Severity::warning, "refusing connections" + why,
                             "refusing connection from " + arrival.name.log_text() + why);
  dismiss(std::move(arrival.socket));
  return false;
}

void Listener::look_up(Arrival arrival) {
  ++lookups_->running;
  auto one = std::make_shared<Arrival>(std::move(arrival));
  quiet_thread([mailbox = context_.loop.mailbox(), lookups = lookups_, one] {
    one->host = look_up_name(one->name);
    mailbox->put([lookups, one] {
      --lookups->running;
      lookups->done.push_back(std::move(*one));
      if (lookups->socket != nullptr) lookups->socket->wake(Descriptor::readable);
    });
  }).detach();
}

void Listener::forget_lookups() {
  lookups_->socket = nullptr;
  lookups_ = std::make_shared<Lookups>();
}

/// One that need not be judged by its name, or has got it.
std::optional<Arrival> Listener::try_one(Descriptor& socket) {
  for (;;) {
    if (!lookups_->done.empty()) {
      Arrival named = std::move(lookups_->done.front());
      lookups_->done.pop_front();
      return named;
    }
    auto next = try_accept_(socket);
    if (!next || lookups_->running >= most_lookups || !admission_.needs_name_of(next->name)) return next;
    look_up(std::move(*next));
  }
}

Task<std::vector<Arrival>> Listener::accept(std::size_t most) {
  co_await prepare();
  std::vector<Arrival> arrivals;
  const auto limit = address_.duration("accept-timeout");
  const auto deadline = limit ? Clock::now() + *limit : Clock::time_point::max();
  const TryAccept try_one = [this](Descriptor& socket) { return this->try_one(socket); };
  while (!stopped_) {
    const bool nobody = std::exchange(drained_, false) && lookups_->running == 0 && lookups_->done.empty();
    Arrival first = co_await accept_from(*socket_, try_one, deadline, nobody);
    if (!first.socket) break;
    if (admits(first)) arrivals.push_back(std::move(first));
    add_those_that_wait(arrivals, most);
    if (!arrivals.empty()) break;
    // Those that are refused do not count, however fast they come; nor may they keep the loop from the
    // others.
    if (Clock::now() >= deadline) throw_nobody_came();
    co_await context_.loop.yield();
  }
  co_return arrivals;
}

void Listener::add_those_that_wait(std::vector<Arrival>& arrivals, std::size_t most) {
  try {
    for (std::size_t refused = 0; arrivals.size() < most && refused < most_refused_at_once;) {
      auto next = try_one(*socket_);
      drained_ = !next;
      if (drained_) return;
      if (admits(*next))
        arrivals.push_back(std::move(*next));
      else
        ++refused;
    }
  } catch (const Failure&) {
    // It concerns those that have not come yet: the next call tells, if nobody has come.
    if (arrivals.empty()) throw;
  }
}

std::unique_ptr<Stream> Listener::adopt(Arrival arrival, Session& session) {
  return stream_of(std::move(arrival), session, nullptr);
}

std::unique_ptr<Stream> Listener::stream_of(Arrival arrival, Session& session,
                                            std::shared_ptr<void> companion) {
  // Not everything that was set on the listening socket passes on to its children (SO_PRIORITY).
  apply(address_, {Phase::pastsocket}, arrival.socket.get(), context_);
  const int number = arrival.socket.get();
  session.log.notice([&] {
    return "accepting connection from " + arrival.name.log_text() + " on " +
           SocketName::of_socket(number).log_text();
  });
  note_names(session, number, arrival.name);
  const SocketName peer = arrival.name;
  auto socket = std::make_unique<Descriptor>(context_.loop, std::move(arrival.socket));
  return stream_of_socket(address_, context_, std::move(socket), kind_.type, std::move(companion), peer);
}

Task<std::unique_ptr<Stream>> Listener::open(Session& session) {
  auto arrivals = co_await accept(1);
  if (arrivals.empty()) co_return nullptr;
  std::shared_ptr<void> companion;
  if (!forks_) {
    // One peer is all that was asked for: nobody else is left waiting in the backlog. The path stays until
    // the end, as socat leaves it.
    forget_lookups();
    socket_.reset();
    stopped_ = true;
    companion = std::move(companion_);
  }
  co_return stream_of(std::move(arrivals.front()), session, std::move(companion));
}

}  // namespace sluice
