#include "sluice/endpoint/connector.h"

#include <algorithm>
#include <deque>

#include "sluice/endpoint/apply.h"

namespace sluice {
namespace {

/// What each attempt has before the next one begins (RFC 8305, 8: Connection Attempt Delay).
constexpr Duration head_start = std::chrono::milliseconds(250);

/// The best one first, then the IP versions in turn, each in its order (RFC 8305, 4).
std::vector<SocketName> in_turn(std::vector<SocketName> names) {
  std::vector<SocketName> first, second;
  for (const SocketName& name : names)
    (name.family() == names.front().family() ? first : second).push_back(name);
  std::vector<SocketName> all;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) all.push_back(first[i]);
    if (i < second.size()) all.push_back(second[i]);
  }
  return all;
}

}  // namespace

Connector::Connector(const Address& address, const Context& context, Plan plan)
    : address_(address), context_(context), plan_(std::move(plan)), forks_(address.flag("fork")) {}

Task<std::unique_ptr<Stream>> Connector::open(Session& session) {
  if (forks_ && opened_before_)
    co_await context_.loop.sleep(address_.duration("interval").value_or(std::chrono::seconds(1)));
  opened_before_ = true;
  if (stopped_) co_return nullptr;
  // Names are asked for anew each time: they may have moved between two connections.
  auto names = co_await plan_.find();
  Connected connected = co_await first_of(std::move(names));
  if (plan_.greet) co_await plan_.greet(*connected.socket);
  note_names(session, connected.socket->number(), connected.name);
  co_return stream_of_socket(address_, context_, std::move(connected.socket), plan_.kind.type, {},
                             connected.name);
}

/// Two sockets cannot have the same port at the same time.
bool Connector::binds_a_port() const {
  return address_.find("bind") != nullptr || address_.find("sourceport") != nullptr ||
         address_.flag("lowport");
}

Task<Connector::Connected> Connector::first_of(std::vector<SocketName> names) {
  if (names.size() == 1) {
    Connected connected;
    co_await connect(names.front(), connected);
    co_return connected;
  }
  const bool one_by_one = binds_a_port();
  if (!one_by_one) names = in_turn(std::move(names));
  Event changed(context_.loop);
  // Tasks hold on to these.
  std::deque<Attempt> attempts;
  const auto is_running = [](const Attempt& one) { return !one.over; };
  const auto has_won = [](const Attempt& one) { return one.over && !one.failure; };
  auto next = Clock::now();
  while (std::none_of(attempts.begin(), attempts.end(), has_won)) {
    const bool running = std::any_of(attempts.begin(), attempts.end(), is_running);
    const bool all_tried = attempts.size() == names.size();
    if (!running && all_tried) break;
    if (!all_tried && (!running || (!one_by_one && Clock::now() >= next))) {
      const SocketName& name = names[attempts.size()];
      Attempt& one = attempts.emplace_back();
      next = Clock::now() + head_start;
      context_.loop.start(attempt(name, one, changed));
    }
    co_await changed.wait_until(all_tried || one_by_one ? Clock::time_point::max() : next);
  }
  // The others give up at once.
  for (Attempt& one : attempts)
    if (!one.over && one.connected.socket) one.connected.socket->stop(Descriptor::writable);
  while (std::any_of(attempts.begin(), attempts.end(), is_running)) co_await changed.wait();
  const auto winner = std::find_if(attempts.begin(), attempts.end(), has_won);
  if (winner == attempts.end()) std::rethrow_exception(attempts.back().failure);
  co_return std::move(winner->connected);
}

Task<> Connector::attempt(SocketName to, Attempt& one, Event& changed) {
  try {
    co_await connect(to, one.connected);
  } catch (const Failure& failure) {
    context_.log.info(failure.what());
    one.failure = std::current_exception();
  }
  one.over = true;
  changed.notify();
}

Task<> Connector::connect(SocketName to, Connected& into) {
  SocketKind kind = plan_.kind;
  kind.family = to.family();
  context_.log.notice([&] { return "opening connection to " + to.log_text(); });
  Fd fd = make_socket(address_, kind, context_);
  apply(address_, {Phase::prebind}, fd.get(), context_);
  co_await plan_.bind(fd.get(), kind);
  into.name = to;
  into.socket = std::make_unique<Descriptor>(context_.loop, std::move(fd));
  co_await connect_socket(*into.socket, to, address_.duration("connect-timeout"));
  log_connected(context_.log, into.socket->number());
}

}  // namespace sluice
