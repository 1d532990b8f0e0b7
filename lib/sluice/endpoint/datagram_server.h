#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "sluice/endpoint/admission.h"
#include "sluice/endpoint/endpoint.h"
#include "sluice/endpoint/socket.h"
#include "sluice/stream/message_stream.h"

namespace sluice {

/// A bound datagram socket whose senders become peers, each with a stream of its own though all share the
/// socket.
///
/// RECVFROM: every datagram is a peer; its stream reads that one message and then ends. LISTEN: the sender of
/// a first datagram is a peer, and what it sends later goes to the same stream until that is closed.
class DatagramServer final : public Endpoint {
 public:
  struct Bound {
    Fd socket;
    std::shared_ptr<void> companion = {};  ///< kept while it is bound: a path to unlink
  };
  using Bind = std::function<Task<Bound>()>;
  enum class Peers { each_datagram, each_sender };

  DatagramServer(const Address& address, const Context& context, std::string_view transport, Peers peers,
                 Bind bind);
  ~DatagramServer() override;

  Task<> prepare() override;
  std::vector<std::string> names() const override;
  Task<std::unique_ptr<Stream>> open(Session& session) override;
  bool serves_many() const override { return forks_; }
  void stop() override;

 private:
  /// Who is being served. It outlives the endpoint, since streams take themselves off it.
  struct Table {
    std::unordered_map<SocketName, std::shared_ptr<Inbox>> inboxes;
  };

  Task<bool> receive(KeptMessage& message);
  Task<bool> next_peer(KeptMessage& first, std::shared_ptr<Inbox>& inbox);
  Task<> sort_by_sender();
  std::unique_ptr<Stream> stream_of(KeptMessage first, std::shared_ptr<Inbox> inbox, Session& session);

  Address address_;
  Context context_;
  std::string transport_;
  Peers peers_;
  Bind bind_;
  bool forks_;
  Admission admission_;
  SocketName name_;
  std::shared_ptr<Descriptor> socket_;
  std::shared_ptr<void> companion_;
  std::shared_ptr<Table> table_ = std::make_shared<Table>();
  /// Senders that have not been opened yet, each with its inbox.
  std::deque<std::pair<SocketName, std::shared_ptr<Inbox>>> waiting_;
  Event arrived_;
  bool sorting_ = false;
  bool stopped_ = false;
  bool dropping_ = false;
};

}  // namespace sluice
