#include "sluice/endpoint/datagram_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "sluice/endpoint/apply.h"

namespace sluice {
namespace {

/// A peer of which nothing was heard for so long is forgotten: datagrams have no end.
constexpr auto usual_idle = std::chrono::seconds(60);
/// Whatever they send: each costs memory until it is forgotten, and anybody can send from many ports.
constexpr std::size_t usual_most_peers = 65536;
/// Of messages that wait for sessions, all peers together (max-queued).
constexpr std::size_t usual_most_queued = mib(64);
/// Senders that wait to be opened, while accepting pauses.
constexpr std::size_t most_waiting = 256;
/// Losses that follow one another so closely are one, and told once.
constexpr auto calm = std::chrono::seconds(10);

/// Whether an option makes the kernel tell more of each datagram than its bytes and its sender.
bool tells_more(const Option& option) {
  constexpr std::array<std::string_view, 4> names = {"so-timestamp", "so-passcred", "ip-pktinfo",
                                                     "ip-retopts"};
  const std::string_view name = option.row->name;
  return name.starts_with("ip-recv") || name.starts_with("ipv6-recv") ||
         std::find(names.begin(), names.end(), name) != names.end();
}

bool tells_more_of_each(const Address& address) {
  return std::any_of(address.options.begin(), address.options.end(), tells_more);
}

void log_ancillary(Logger& log, const Ancillary& one) {
  log.notice([&] { return "Ancillary message: " + one.name + '=' + one.value; });
  log.info("ancillary message: " + one.kind + ": " + one.name + '=' + one.value);
}

/// Whether a socket that is connected to a peer would send from that address of ours, if there is one to be
/// preferred: connected, it hears nothing that comes to another.
bool sends_from(const LocalAddress& local, const SocketName& peer) {
  if (local.empty()) return true;
  const Fd probe(::socket(peer.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return probe && ::connect(probe.get(), peer.data(), peer.size()) == 0 &&
         SocketName::of_socket(probe.get()).with_port(0) == local.name();
}

}  // namespace

Heard log_received(Logger& log) {
  if (!log.enabled(Severity::notice)) return {};
  return [&log](const SocketName& sender, std::size_t bytes) {
    log.notice("received packet with " + std::to_string(bytes) + " bytes from " + sender.log_text());
  };
}

Told log_told(const Address& address, Logger& log) {
  if (!log.enabled(Severity::notice) || !tells_more_of_each(address)) return {};
  return [&log](const std::vector<Ancillary>& all) {
    for (const Ancillary& one : all) log_ancillary(log, one);
  };
}

DatagramServer::DatagramServer(const Address& address, const Context& context, std::string_view transport,
                               Peers peers, Bind bind)
    : address_(address),
      context_(context),
      transport_(transport),
      peers_(peers),
      bind_(std::move(bind)),
      forks_(address.flag("fork")),
      admission_(address),
      tells_more_(tells_more_of_each(address)),
      received_{Batch::of_messages(Batch::most_messages, &context.loop.buffers())},
      arrived_(context.loop) {
  const auto most = address.integer("max-queued");
  table_->memory =
      std::make_shared<InboxMemory>(InboxMemory{most ? static_cast<std::size_t>(*most) : usual_most_queued});
}

DatagramServer::~DatagramServer() = default;

Task<> DatagramServer::prepare() {
  if (socket_) co_return;
  co_await admission_.prepare(address_, context_);
  Bound bound = co_await bind_();
  apply(address_, {Phase::pastbind, Phase::connected, Phase::fd, Phase::late}, bound.socket.get(), context_);
  name_ = SocketName::of_socket(bound.socket.get());
  companion_ = std::move(bound.companion);
  offloads_ = bound.offloads;
  dress_ = std::move(bound.dress);
  offload_.tell_local(bound.socket.get(), name_);
  // Without fork, the stream reads for itself, or others do.
  if (forks_ && offloads_) offload_.join(bound.socket.get());
  socket_ = std::make_shared<Descriptor>(context_.loop, std::move(bound.socket));
  context_.log.notice((peers_ == Peers::each_sender ? "listening on UDP " : "receiving on ") +
                      name_.log_text());
}

std::vector<std::string> DatagramServer::names() const {
  if (name_.empty()) return {};
  return {transport_ + ' ' + name_.host_and_port()};
}

void DatagramServer::stop() {
  stopped_ = true;
  arrived_.notify();
  if (socket_) socket_->wake(Descriptor::readable);
}

std::optional<std::size_t> DatagramServer::most_peers() const {
  if (!forks_) return std::nullopt;
  const auto most = address_.integer("max-children");
  return most ? static_cast<std::size_t>(*most) : usual_most_peers;
}

bool DatagramServer::accepts(const SocketName& sender) const {
  const std::string_view against = admission_.objection(sender);
  if (against.empty()) return true;
  const std::string why = " due to " + std::string(against) + " option";
  context_.log.write_of_rush(Severity::warning, "refusing packets" + why,
                             "refusing packet from " + sender.log_text() + why);
  return false;
}

/// Waits for datagrams of acceptable senders; false if stopped. With MSG_PEEK, for one that stays in the
/// socket.
Task<bool> DatagramServer::receive(Received& into, int flags) {
  const auto limit = address_.duration("accept-timeout");
  const auto deadline = limit ? Clock::now() + *limit : Clock::time_point::max();
  into.batch.clear();
  into.origins.clear();
  into.next = 0;
  const Accepts keep_origin = [&](const Origin& origin) {
    if (!accepts(origin.sender)) return false;
    into.origins.push_back(origin);
    return true;
  };
  while (!stopped_) {
    // What is told belongs to one datagram, so they are taken one by one then.
    const std::size_t most = tells_more_ ? 1 : Batch::most_messages;
    Attempt got;
    if (tells_more_ && !look_at_next())
      got = {-1, errno};
    else
      got = receive_datagrams(socket_->number(), into.batch, most, keep_origin, offload_, flags);
    if (flags == 0) drop_what_was_cut(into);
    if (!into.batch.empty()) co_return true;
    // What is refused or dropped does not count, however fast it comes.
    if (Clock::now() >= deadline)
      throw Failure(std::string(address_.written()) + ": nobody sent anything in time",
                    ExitStatus::timed_out);
    if (got.would_block()) {
      into.batch.relax();
      co_await socket_->wait_until(Descriptor::readable, deadline);
      continue;
    }
    if (got.count >= 0) {
      // What does not count is in nobody's way.
      if (flags != 0) ::recv(socket_->number(), nullptr, 0, MSG_DONTWAIT);
      co_await context_.loop.yield();
      continue;
    }
    // An ICMP answer to something that was sent before concerns that peer only.
    if (got.error == ECONNREFUSED || got.error == EHOSTUNREACH || got.error == ENETUNREACH) continue;
    throw Failure(std::string(address_.written()) + ": receive",
                  std::error_code(got.error, std::generic_category()));
  }
  co_return false;
}

/// Whether there is one; errno says why not.
bool DatagramServer::look_at_next() {
  auto told = peek_ancillary(socket_->number());
  if (!told) return false;
  told_ = std::move(*told);
  return true;
}

/// AF_UNIX datagrams may be larger than there is room for.
void DatagramServer::drop_what_was_cut(Received& from) {
  const auto messages = from.batch.messages();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].truncated) {
      context_.log.error("a datagram of more than " + std::to_string(Batch::message_room) + " bytes from " +
                         from.origins[i].sender.log_text() + " is too large and was dropped");
      continue;
    }
    std::swap(messages[kept], messages[i]);
    std::swap(from.origins[kept++], from.origins[i]);
  }
  if (kept < messages.size()) from.batch.keep(kept);
}

/// Gives each datagram to its sender's stream; a new sender waits to be opened.
Task<> DatagramServer::sort_by_sender() {
  while (co_await receive(received_, 0)) {
    const auto messages = received_.batch.messages();
    const bool more = messages.size() >= Batch::most_messages;
    for (std::size_t i = 0; i < messages.size(); ++i) give(messages[i].data, received_.origins[i], told_);
    if (!waiting_.empty()) arrived_.notify();
    // They get their turn before the next ones come: what they do not take in time is lost.
    if (more) co_await context_.loop.yield();
  }
  arrived_.notify();
}

void DatagramServer::give(ConstBytes message, const Origin& from, const std::vector<Ancillary>& told) {
  auto& peers = table_->peers;
  if (const auto known = peers.find(from); known != peers.end()) {
    const auto inbox = known->second.inbox;
    put(*inbox, message, from);
    return;
  }
  if (peers.size() >= *most_peers()) {
    if (!std::exchange(full_, true))
      context_.log.warning(std::to_string(peers.size()) +
                           " peers are being served: others are not heard until one has ended");
    return;
  }
  if (waiting_.size() >= most_waiting)
    return warn_of_loss("datagrams of new peers are dropped: they come faster than they are accepted");
  if (std::exchange(full_, false)) context_.log.notice("new peers are heard again");
  auto inbox = std::make_shared<Inbox>(context_.loop, table_->memory);
  if (!put(*inbox, message, from)) return;
  waiting_.push_back({from, inbox, told});
  table_->add(from, std::move(inbox));
}

bool DatagramServer::put(Inbox& inbox, ConstBytes message, const Origin& from) {
  Inbox::Put outcome = inbox.put(message);
  while (outcome == Inbox::Put::memory_full && forget_an_unanswered_peer(inbox)) outcome = inbox.put(message);
  if (outcome == Inbox::Put::done) return true;
  if (outcome == Inbox::Put::memory_full)
    warn_of_loss("datagrams are dropped: " + std::to_string(table_->memory->most) +
                 " bytes wait to be taken (max-queued)");
  else
    warn_of_loss("datagrams from " + from.sender.log_text() +
                 " are dropped: they come faster than they are taken");
  return false;
}

/// One that has something queued, since nothing would be won by the others: these go to the end, so that each
/// datagram costs only a few looks.
bool DatagramServer::forget_an_unanswered_peer(const Inbox& except) {
  constexpr std::size_t most_looks = 64;
  auto& all = table_->unanswered;
  for (std::size_t looks = std::min(all.size(), most_looks); looks > 0; --looks) {
    const Origin peer = all.front();
    const auto inbox = table_->peers.at(peer).inbox;
    if (inbox.get() == &except || inbox->empty()) {
      all.splice(all.end(), all, all.begin());
      continue;
    }
    warn_of_loss("datagrams of peers that never got an answer are dropped: " +
                 std::to_string(table_->memory->most) + " bytes wait to be taken (max-queued)");
    inbox->forget();
    std::erase_if(waiting_, [&](const Waiting& one) { return one.inbox == inbox; });
    table_->remove(peer, inbox.get());
    return true;
  }
  return false;
}

void DatagramServer::Table::add(const Origin& peer, std::shared_ptr<Inbox> inbox) {
  peers.emplace(peer, Peer{std::move(inbox), unanswered.insert(unanswered.end(), peer)});
}

void DatagramServer::Table::answered(const Origin& peer, const Inbox* inbox) {
  const auto found = peers.find(peer);
  if (found == peers.end() || found->second.inbox.get() != inbox || !found->second.unanswered) return;
  unanswered.erase(*found->second.unanswered);
  found->second.unanswered.reset();
}

void DatagramServer::Table::remove(const Origin& peer, const Inbox* inbox) {
  answered(peer, inbox);
  const auto found = peers.find(peer);
  if (found != peers.end() && found->second.inbox.get() == inbox) peers.erase(found);
}

void DatagramServer::warn_of_loss(const std::string& why) {
  const auto now = Clock::now();
  if (lost_ == Clock::time_point::min() || now - lost_ > calm) context_.log.warning(why);
  lost_ = now;
}

/// As socat, a server of single datagrams does not take an empty one, which scanners of ports send, for a
/// request.
bool DatagramServer::is_passed_over(const Message& first) const {
  return context_.as_socat && peers_ == Peers::each_datagram && first.data.empty() &&
         !address_.flag("null-eof");
}

/// Without fork. Its datagram stays in the socket, for the stream or for whoever is given the socket instead.
Task<bool> DatagramServer::first_peer(Origin& peer) {
  for (;;) {
    const bool came = co_await receive(received_, MSG_PEEK);
    if (came) peer = received_.origins.front();
    const bool passed_over = came && is_passed_over(received_.batch.messages().front());
    received_.batch.clear();
    if (!passed_over) co_return came;
    ::recv(socket_->number(), nullptr, 0, MSG_DONTWAIT);
    // However many of them come.
    co_await context_.loop.yield();
  }
}

Task<bool> DatagramServer::next_peer(Origin& peer, std::shared_ptr<Inbox>& inbox) {
  if (!forks_) {
    const bool came = co_await first_peer(peer);
    co_return came;
  }
  while (peers_ == Peers::each_datagram) {
    if (received_.batch.empty()) {
      if (!co_await receive(received_, 0)) co_return false;
    }
    inbox = std::make_shared<Inbox>(context_.loop, table_->memory);
    peer = received_.origins[received_.next++];
    if (is_passed_over(received_.batch.messages().front())) {
      received_.batch.pop_message();
      co_await context_.loop.yield();
      continue;
    }
    const bool kept = put(*inbox, received_.batch.messages().front().data, peer);
    received_.batch.pop_message();
    if (!kept) {
      co_await context_.loop.yield();
      continue;
    }
    inbox->end();
    co_return true;
  }
  if (!sorting_) {
    sorting_ = true;
    context_.loop.start(sort_by_sender());
  }
  while (waiting_.empty() && !stopped_) co_await arrived_.wait();
  if (waiting_.empty()) co_return false;
  peer = waiting_.front().peer;
  inbox = std::move(waiting_.front().inbox);
  told_ = std::move(waiting_.front().told);
  waiting_.pop_front();
  co_return true;
}

Task<std::unique_ptr<Stream>> DatagramServer::open(Session& session) {
  co_await prepare();
  if (stopped_) co_return nullptr;
  Origin peer;
  std::shared_ptr<Inbox> inbox;
  if (!co_await next_peer(peer, inbox)) co_return nullptr;
  if (!forks_) stopped_ = true;
  if (context_.log.enabled(Severity::notice))
    context_.log.notice(
        (peers_ == Peers::each_sender ? "accepting UDP connection from " : "receiving packet from ") +
        peer.sender.log_text());
  // Where it is bound to every address, the one that the peer wrote to.
  note_names(session, peer.local.empty() ? name_ : peer.local.name().with_port(name_.port()), peer.sender);
  note_told(session);
  co_return stream_of(peer, std::move(inbox), session);
}

void DatagramServer::note_told(Session& session) const {
  for (const Ancillary& one : told_) {
    log_ancillary(context_.log, one);
    if (session.names_wanted) session.environment.emplace_back(one.variable, one.value);
  }
}

/// Where it cannot be connected, each message names its peer.
void DatagramServer::connect_to(const Origin& peer, MessageStream::Parts& parts) {
  const SocketName to = peer.sender.for_family(name_.family());
  if (!sends_from(peer.local, peer.sender) || ::connect(socket_->number(), to.data(), to.size()) != 0) return;
  parts.peer = {};
  parts.local = {};
  parts.connected = true;
}

std::unique_ptr<Stream> DatagramServer::stream_of(const Origin& peer, std::shared_ptr<Inbox> inbox,
                                                  Session& session) {
  MessageStream::Parts parts;
  parts.socket = socket_;
  parts.peer = peer.sender;
  parts.local = peer.local;
  parts.shared = forks_;
  parts.offloads = offloads_;
  parts.inbox = inbox;
  parts.null_eof = address_.flag("null-eof");
  parts.finish = finish_by(address_, FinishBy::nothing);
  if (peers_ == Peers::each_sender) {
    const auto [null_eof, finish] = udp_ends(address_, context_);
    parts.null_eof = null_eof;
    parts.finish = finish;
  }
  // An unnamed sender (AF_UNIX) cannot be answered.
  parts.writable = !peer.sender.empty();
  parts.no_output = "the sender of the datagram has no name to be answered at";
  parts.companion = companion_;
  // Of what somebody goes on to send socat says no more than of a connection.
  if (peers_ == Peers::each_datagram)
    if (const Heard heard = log_received(session.log))
      parts.heard = [heard, from = peer.sender](const SocketName&, std::size_t bytes) { heard(from, bytes); };
  if (!forks_) {
    // Others may have sent meanwhile.
    parts.accepts = [from = peer.sender](const Origin& origin) { return origin.sender == from; };
    parts.single = peers_ == Peers::each_datagram;
    if (!parts.single) connect_to(peer, parts);
  } else if (peers_ == Peers::each_sender) {
    parts.inbox_only = true;
    if (!session.limits.idle) {
      session.limits.idle = usual_idle;
      session.limits.forgets = true;
    }
    parts.answered = [table = table_, from = peer, of = inbox.get()] { table->answered(from, of); };
    parts.companion = std::shared_ptr<void>(
        nullptr, [table = table_, from = peer, of = inbox.get()](void*) { table->remove(from, of); });
  }
  auto stream = std::make_unique<MessageStream>(std::move(parts));
  if (dress_) return dress_(std::move(stream));
  return stream;
}

}  // namespace sluice
