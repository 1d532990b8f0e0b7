#pragma once

#include <memory>

#include "sluice/stream/ancillary.h"
#include "sluice/stream/datagrams.h"
#include "sluice/stream/message_queue.h"
#include "sluice/stream/session.h"
#include "sluice/stream/stream.h"

namespace sluice {

/// The memory of all inboxes of a server together, in bytes.
struct InboxMemory {
  std::size_t most;
  std::size_t used = 0;
};

/// Messages that somebody else received for a stream: a server's socket is shared by all its peers.
class Inbox {
 public:
  Inbox(Loop& loop, std::shared_ptr<InboxMemory> memory) : memory_(std::move(memory)), arrived_(loop) {}
  ~Inbox() { memory_->used -= messages_.memory(); }
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  enum class Put {
    done,
    inbox_full,   ///< it has 64 messages, or 1 MiB
    memory_full,  ///< all inboxes together have as much as they may
  };
  Put put(ConstBytes message);
  /// No more will come.
  void end();
  /// No more will come, and what has come is dropped.
  void forget();
  void wake() { arrived_.notify(); }

  bool empty() const { return messages_.empty(); }
  bool over() const { return over_; }
  /// Moves messages into an empty batch; there is one.
  void take(Batch& into);
  Task<> wait();

 private:
  /// Does something to the messages, and accounts for what memory they take then.
  template <class Change>
  void change(Change change) {
    memory_->used -= messages_.memory();
    change(messages_);
    memory_->used += messages_.memory();
  }

  std::shared_ptr<InboxMemory> memory_;
  MessageQueue messages_;
  bool over_ = false;
  Event arrived_;
};

/// Called for each message that was read from a stream: whose it is and its size.
using Heard = std::function<void(const SocketName& sender, std::size_t bytes)>;

/// Called before a message is read, with what the kernel tells of it beside its bytes.
using Told = std::function<void(const std::vector<Ancillary>& all)>;

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
    Accepts accepts = {};                 ///< whose messages count; all, if empty
    Heard heard = {};                     ///< is told of those, if there is one; `peer` is the inbox's sender
    Told told = {};                       ///< of each one, which are then read one by one
    bool connected = false;               ///< what does not count came before the socket was connected
    std::function<void()> answered = {};  ///< called once, when a message has been sent
    std::string_view no_output = {};      ///< why it has none, if it is not writable
    bool echoes = false;                  ///< what is written comes back as it is
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
  void break_off() override { broken_off_ = true; }
  Task<> close(const Limits& limits) override;
  Awaited awaited() override;
  const Info& info() const override { return info_; }

 private:
  Attempt receive_one(Batch& into);
  Attempt receive_many(Batch& into);
  Attempt tell_and_receive(Batch& into);
  Attempt receive_and_tell(Batch& into, std::size_t most);
  void tell_of_inbox(Batch& read) const;
  Attempt send(Batch& from);
  void end_at_empty_message(Batch& into);
  bool sequence_has_ended(const msghdr& nothing) const;
  void discard_unread();
  bool tells_its_end() const { return parts_.sequenced && parts_.finish == FinishBy::shutting_down; }

  Parts parts_;
  Info info_;
  Event gone_;
  Offload offload_;
  std::size_t expected_ = 0;  ///< how many messages the last call gave
  bool unix_ = false;
  bool marks_packets_ = false;  ///< the kernel tells something of each packet, but not of the end
  bool read_in_batches_ = false;
  bool input_over_ = false;
  bool broken_off_ = false;
  bool stopped_reading_ = false;
  bool stopped_writing_ = false;
};

}  // namespace sluice
