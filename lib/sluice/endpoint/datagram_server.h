#pragma once

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "sluice/endpoint/admission.h"
#include "sluice/endpoint/endpoint.h"
#include "sluice/endpoint/socket.h"
#include "sluice/stream/ancillary.h"
#include "sluice/stream/message_stream.h"

namespace sluice {

/// Puts around a new stream what the messages of its family need.
using Dress = std::function<std::unique_ptr<Stream>(std::unique_ptr<Stream>)>;

/// Tells the log of each message that a stream reads; nothing if the log does not want to know.
Heard log_received(Logger& log);
/// Tells the log what the kernel tells of messages, where options of the address make it do so.
Told log_told(const Address& address, Logger& log);

/// A bound datagram socket whose senders become peers, each with a stream of its own though all share the
/// socket.
///
/// RECVFROM: every datagram is a peer; its stream reads that one message and then ends. LISTEN: the sender of
/// a first datagram is a peer, and what it sends later goes to the same stream until that is closed; what the
/// kernel tells about the first one (ip-recvttl...) is told of the peer. There
/// are at most `max-children` peers, or 65,536; more are not heard, with one warning, until one of these has
/// ended: a peer that is being served is never given up for a new one. What they have sent and sessions have
/// not taken yet has `max-queued` bytes for all together (64 MiB): for more, the messages of peers that never
/// got an answer are dropped first, since who forges senders gets none.
///
/// Where it is bound to every address, answers come from the one that the peer wrote to, and who writes to
/// two of them is two peers.
class DatagramServer final : public Endpoint {
 public:
  struct Bound {
    Fd socket;
    std::shared_ptr<void> companion = {};  ///< kept while it is bound: a path to unlink
    bool offloads = false;                 ///< a UDP socket: see MessageStream
    Dress dress = {};
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
  std::optional<std::size_t> most_peers() const override;
  /// All share one.
  std::size_t descriptors() const override { return forks_ ? 0 : 1; }
  void stop() override;

 private:
  /// Who is being served. It outlives the endpoint, since streams take themselves off it.
  struct Table {
    struct Hash {
      std::size_t operator()(const Origin& peer) const { return std::hash<SocketName>{}(peer.sender); }
    };
    struct Peer {
      std::shared_ptr<Inbox> inbox;
      std::optional<std::list<Origin>::iterator> unanswered;  ///< its place, while it never got an answer
    };
    std::unordered_map<Origin, Peer, Hash> peers;
    /// Those that never got an answer, the oldest first.
    std::list<Origin> unanswered;
    std::shared_ptr<InboxMemory> memory;

    void add(const Origin& peer, std::shared_ptr<Inbox> inbox);
    /// These do nothing if another inbox is that peer's by now.
    void answered(const Origin& peer, const Inbox* inbox);
    void remove(const Origin& peer, const Inbox* inbox);
  };
  /// Messages that one call took out of the socket; each has its origin.
  struct Received {
    Batch batch;
    std::vector<Origin> origins = {};
    std::size_t next = 0;
  };

  struct Waiting {
    Origin peer;
    std::shared_ptr<Inbox> inbox;
    std::vector<Ancillary> told;  ///< of its first datagram
  };

  Task<bool> receive(Received& into, int flags);
  bool look_at_next();
  void drop_what_was_cut(Received& from);
  bool accepts(const SocketName& sender) const;
  Task<bool> next_peer(Origin& peer, std::shared_ptr<Inbox>& inbox);
  bool is_passed_over(const Message& first) const;
  Task<bool> first_peer(Origin& peer);
  Task<> sort_by_sender();
  /// Puts a message into an inbox. Where all inboxes together are full, peers that never got an answer are
  /// forgotten, the oldest first. False if it was dropped, which is warned of.
  bool put(Inbox& inbox, ConstBytes message, const Origin& from);
  bool forget_an_unanswered_peer(const Inbox& except);
  /// `told` is what the kernel told about it.
  void give(ConstBytes message, const Origin& from, const std::vector<Ancillary>& told);
  void warn_of_loss(const std::string& why);
  void note_told(Session& session) const;
  void connect_to(const Origin& peer, MessageStream::Parts& parts);
  std::unique_ptr<Stream> stream_of(const Origin& peer, std::shared_ptr<Inbox> inbox, Session& session);

  Address address_;
  Context context_;
  std::string transport_;
  Peers peers_;
  Bind bind_;
  bool forks_;
  Admission admission_;
  bool tells_more_;                   ///< of each datagram: its time, where it was sent to...
  std::vector<Ancillary> told_ = {};  ///< of the last one
  SocketName name_;
  std::shared_ptr<Descriptor> socket_;
  std::shared_ptr<void> companion_;
  bool offloads_ = false;
  Dress dress_;
  std::shared_ptr<Table> table_ = std::make_shared<Table>();
  Received received_;
  Offload offload_;
  /// Senders that have not been opened yet.
  std::deque<Waiting> waiting_;
  Event arrived_;
  bool sorting_ = false;
  bool stopped_ = false;
  bool full_ = false;
  Clock::time_point lost_ = Clock::time_point::min();  ///< when the last datagram was
};

}  // namespace sluice
