#include "sluice/endpoint/datagram_server.h"

#include <sys/socket.h>

#include "sluice/endpoint/apply.h"

namespace sluice {
namespace {

/// A peer of which nothing was heard for so long is forgotten: datagrams have no end.
constexpr auto usual_idle = std::chrono::seconds(60);
constexpr std::size_t most_waiting = 256;

}  // namespace

DatagramServer::DatagramServer(const Address& address, const Context& context, std::string_view transport,
                               Peers peers, Bind bind)
    : address_(address),
      context_(context),
      transport_(transport),
      peers_(peers),
      bind_(std::move(bind)),
      forks_(address.flag("fork")),
      admission_(address),
      arrived_(context.loop) {}

DatagramServer::~DatagramServer() = default;

Task<> DatagramServer::prepare() {
  if (socket_) co_return;
  Bound bound = co_await bind_();
  apply(address_, {Phase::pastbind, Phase::fd, Phase::late}, bound.socket.get(), context_);
  name_ = SocketName::of_socket(bound.socket.get());
  companion_ = std::move(bound.companion);
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

/// Waits for one datagram of an acceptable sender; false if stopped.
Task<bool> DatagramServer::receive(KeptMessage& message) {
  const auto limit = address_.duration("accept-timeout");
  const auto deadline = limit ? Clock::now() + *limit : Clock::time_point::max();
  std::string buffer(Batch::message_room, '\0');
  while (!stopped_) {
    sockaddr_storage sender{};
    socklen_t length = sizeof sender;
    const ssize_t count = ::recvfrom(socket_->number(), buffer.data(), buffer.size(),
                                     MSG_DONTWAIT | MSG_TRUNC, reinterpret_cast<sockaddr*>(&sender), &length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      if (!co_await socket_->wait_until(Descriptor::readable, deadline) && Clock::now() >= deadline)
        throw Failure(std::string(address_.written()) + ": nobody sent anything in time",
                      ExitStatus::timed_out);
      continue;
    }
    // An ICMP answer to something that was sent before concerns that peer only.
    if (count < 0 && (errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH)) continue;
    const auto size = static_cast<std::size_t>(check(std::string(address_.written()) + ": receive", count));
    const SocketName from = length > sizeof(sa_family_t)
                                ? SocketName(reinterpret_cast<const sockaddr*>(&sender), length)
                                : SocketName();
    if (size > buffer.size()) {
      context_.log.error("a datagram of " + std::to_string(size) + " bytes from " + from.log_text() +
                         " is too large and was dropped");
      continue;
    }
    if (const std::string_view against = admission_.objection(from); !against.empty()) {
      context_.log.warning("refusing packet from " + from.log_text() + " due to " + std::string(against) +
                           " option");
      continue;
    }
    message = {buffer.substr(0, size), from};
    co_return true;
  }
  co_return false;
}

/// Gives each datagram to its sender's stream; a new sender waits to be opened.
Task<> DatagramServer::sort_by_sender() {
  KeptMessage message;
  while (co_await receive(message)) {
    const SocketName from = message.from;
    auto& inbox = table_->inboxes[from];
    const bool known = inbox != nullptr;
    if (!known) inbox = std::make_shared<Inbox>(context_.loop);
    const bool crowded = !known && waiting_.size() >= most_waiting;
    if (crowded || !inbox->put(std::move(message))) {
      if (!dropping_)
        context_.log.warning("datagrams from " + from.log_text() +
                             " are dropped: they come faster than they are taken");
      dropping_ = true;
      if (crowded) table_->inboxes.erase(from);
      continue;
    }
    dropping_ = false;
    if (known) continue;
    waiting_.emplace_back(from, inbox);
    arrived_.notify();
  }
  arrived_.notify();
}

Task<bool> DatagramServer::next_peer(KeptMessage& first, std::shared_ptr<Inbox>& inbox) {
  if (!forks_ || peers_ == Peers::each_datagram) {
    inbox = std::make_shared<Inbox>(context_.loop);
    co_return co_await receive(first);
  }
  if (!sorting_) {
    sorting_ = true;
    context_.loop.start(sort_by_sender());
  }
  while (waiting_.empty() && !stopped_) co_await arrived_.wait();
  if (waiting_.empty()) co_return false;
  first.from = waiting_.front().first;
  inbox = std::move(waiting_.front().second);
  waiting_.pop_front();
  co_return true;
}

Task<std::unique_ptr<Stream>> DatagramServer::open(Session& session) {
  co_await prepare();
  if (stopped_) co_return nullptr;
  KeptMessage first;
  std::shared_ptr<Inbox> inbox;
  if (!co_await next_peer(first, inbox)) co_return nullptr;
  if (context_.log.enabled(Severity::notice))
    context_.log.notice(
        (peers_ == Peers::each_sender ? "accepting UDP connection from " : "received packet from ") +
        first.from.log_text());
  note_names(session, name_, first.from);
  co_return stream_of(std::move(first), std::move(inbox), session);
}

std::unique_ptr<Stream> DatagramServer::stream_of(KeptMessage first, std::shared_ptr<Inbox> inbox,
                                                  Session& session) {
  MessageStream::Parts parts;
  parts.socket = socket_;
  parts.peer = first.from;
  parts.inbox = inbox;
  parts.null_eof = address_.flag("null-eof");
  parts.finish = finish_by(address_, FinishBy::nothing);
  // An unnamed sender (AF_UNIX) cannot be answered.
  parts.writable = !first.from.empty();
  parts.companion = companion_;
  if (peers_ == Peers::each_datagram) {
    inbox->put(std::move(first));
    inbox->end();
  } else if (forks_) {
    parts.inbox_only = true;
    if (!session.limits.idle) session.limits.idle = usual_idle;
    parts.companion = std::shared_ptr<void>(
        nullptr, [table = table_, from = first.from](void*) { table->inboxes.erase(from); });
  } else {
    // Others may have sent before the socket was connected to this one.
    parts.accepts = [from = first.from](const SocketName& sender) { return sender == from; };
    inbox->put(std::move(first));
    const SocketName peer = parts.peer.for_family(name_.family());
    // Where it cannot be connected, each message names its peer.
    if (::connect(socket_->number(), peer.data(), peer.size()) == 0) parts.peer = {};
  }
  if (!forks_) stopped_ = true;
  return std::make_unique<MessageStream>(std::move(parts));
}

}  // namespace sluice
