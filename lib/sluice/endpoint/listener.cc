#include "sluice/endpoint/listener.h"

#include <sys/socket.h>

#include "sluice/endpoint/apply.h"

namespace sluice {
namespace {

/// As many as the kernel grants (net.core.somaxconn): a burst of clients is not to be refused.
constexpr int usual_backlog = SOMAXCONN;
/// Before others get their turn.
constexpr std::size_t most_refused_at_once = 64;

}  // namespace

Listener::Listener(const Address& address, const Context& context, std::string_view transport,
                   SocketKind kind, Bind bind)
    : address_(address),
      context_(context),
      transport_(transport),
      kind_(kind),
      bind_(std::move(bind)),
      forks_(address.flag("fork")),
      admission_(address) {}

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

bool Listener::admits(const Arrival& arrival) {
  const std::string_view against = admission_.objection(arrival.name);
  if (against.empty()) return true;
  const std::string why = " due to " + std::string(against) + " option";
  context_.log.write_of_rush(Severity::warning, "refusing connections" + why,
                             "refusing connection from " + arrival.name.log_text() + why);
  return false;
}

Task<std::vector<Arrival>> Listener::accept(std::size_t most) {
  co_await prepare();
  std::vector<Arrival> arrivals;
  const auto limit = address_.duration("accept-timeout");
  const auto deadline = limit ? Clock::now() + *limit : Clock::time_point::max();
  while (!stopped_) {
    Arrival first = co_await accept_from(*socket_, try_accept_, deadline, std::exchange(drained_, false));
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
      auto next = try_accept_(*socket_);
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
  context_.log.notice([&] {
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
    socket_.reset();
    stopped_ = true;
    companion = std::move(companion_);
  }
  co_return stream_of(std::move(arrivals.front()), session, std::move(companion));
}

}  // namespace sluice
