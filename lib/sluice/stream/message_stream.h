#pragma once

#include <memory>

#include "sluice/stream/datagrams.h"
#include "sluice/stream/message_queue.h"
#include "sluice/stream/session.h"
#include "sluice/stream/stream.h"

namespace sluice {

/// Messages that somebody else received for a stream: a server's socket is shared by all its peers.
class Inbox {
 public:
  explicit Inbox(Loop& loop) : arrived_(loop) {}

  /// Whether there was room for it: 64 messages, or 1 MiB.
  bool put(ConstBytes message);
  /// No more will come.
  void end();
  void wake() { arrived_.notify(); }

  bool empty() const { return messages_.empty(); }
  bool over() const { return over_; }
  /// Moves messages into an empty batch; there is one.
  void take(Batch& into) { messages_.take(into); }
  Task<> wait();

 private:
  MessageQueue messages_;
  bool over_ = false;
  Event arrived_;
};

/// Called for each message that was read from a stream: whose it is and its size.
using Heard = std::function<void(const SocketName& sender, std::size_t bytes)>;

/// Datagram and sequenced-packet sockets. Edges and empty messages are kept exactly; a message is never cut.
class MessageStream final : public Stream {
 public:
  struct Parts {
    std::shared_ptr<Descriptor> socket;
    bool offloads = false;    ///< a UDP socket that we have made, and that nobody else reads
    bool shared = false;      ///< other streams write to the same socket
    SocketName peer;          ///< where messages go; empty for a connected socket
    LocalAddress local = {};  ///< from which of our addresses, if that was told
    std::shared_ptr<Inbox>
        inbox;  ///< read first, if there is one; then, unless it is over, only it if `inbox_only`
    bool inbox_only = false;
    bool single = false;  ///< one message that counts, and then the input is over
    bool readable = true;
    bool writable = true;
    bool sequenced = false;  ///< SOCK_SEQPACKET: has an end, and a half-close if it finishes so
    bool null_eof = false;   ///< an empty message is the end of input
    FinishBy finish = FinishBy::nothing;
    Accepts accepts = {};    ///< whose messages count; all, if empty
    Heard heard = {};        ///< is told of those, if there is one; `peer` is the inbox's sender
    bool connected = false;  ///< what does not count came before the socket was connected
    std::shared_ptr<void> companion = {};  ///< released with the stream
  };
  explicit MessageStream(Parts parts);
  ~MessageStream() override;

  Task<End> read_some(Batch& into) override;
  Task<End> write_some(Batch& from) override;
  Task<End> finish() override;
  Task<> closed() override;
  Task<> discard_input() override;
  void stop_reading() override;
  void stop_writing() override;
  Task<> close(const Limits& limits) override;
  const Info& info() const override { return info_; }

 private:
  Attempt receive_one(Batch& into);
  Attempt receive_many(Batch& into);
  Attempt receive_and_tell(Batch& into, std::size_t most);
  void tell_of_inbox(Batch& read) const;
  Attempt send(Batch& from);
  void end_at_empty_message(Batch& into);
  bool sequence_has_ended() const;
  bool tells_its_end() const { return parts_.sequenced && parts_.finish == FinishBy::shutting_down; }

  Parts parts_;
  Info info_;
  Event gone_;
  Offload offload_;
  std::size_t expected_ = 0;  ///< how many messages the last call gave
  bool unix_ = false;
  bool read_in_batches_ = false;
  bool input_over_ = false;
  bool stopped_reading_ = false;
  bool stopped_writing_ = false;
};

}  // namespace sluice
