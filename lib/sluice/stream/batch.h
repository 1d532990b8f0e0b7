#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "sluice/core/bytes.h"
#include "sluice/core/socket_name.h"
#include "sluice/stream/pools.h"

namespace sluice {

/// One datagram or packet. The bytes belong to the batch that it came in.
struct Message {
  Bytes data;
  SocketName from;         ///< empty where the sender has no name
  bool truncated = false;  ///< the kernel kept only the beginning
};

/// What travels between two streams at once: either one chunk of bytes, or up to 64 whole messages with
/// their edges. It is filled at the back and consumed from the front. Its memory comes from a pool, if it was
/// given one, when room is asked for, and goes back there by `relax`.
class Batch {
 public:
  static constexpr std::size_t most_messages = 64;
  static constexpr std::size_t message_room = kib(64);

  /// A chunk of at most `capacity` bytes.
  static Batch of_bytes(std::size_t capacity, BufferPool* pool = nullptr) {
    return Batch(capacity, false, pool);
  }
  /// At most `count` messages of at most 64 KiB each, or one of more.
  static Batch of_messages(std::size_t count = most_messages, BufferPool* pool = nullptr) {
    return Batch(count * message_room, true, pool);
  }

  bool carries_messages() const { return carries_messages_; }
  bool empty() const { return carries_messages_ ? first_ == messages_.size() : begin_ == end_; }
  void clear();
  /// Gives its memory back while it is empty: somebody will wait for input.
  void relax();

  // Of bytes.
  Bytes room() { return {memory() + end_, capacity_ - end_}; }
  std::size_t capacity() const { return capacity_; }
  /// Makes room for that many from now on. Only while the batch is empty.
  void resize(std::size_t capacity);
  /// `count` bytes of the room have been filled.
  void added(std::size_t count) { end_ += count; }
  Bytes data() { return {buffer_.get() + begin_, end_ - begin_}; }
  /// Takes bytes from the front, of the chunk or of the first messages.
  void consume(std::size_t count);

  // Of messages.
  std::size_t slots() const { return capacity_ / message_room - messages_.size(); }
  /// The room of the next message, or of the one `ahead` places behind it.
  Bytes slot(std::size_t ahead = 0);
  /// The room for one message of any size; grows the buffer. Only while the batch is empty.
  Bytes large_slot(std::size_t size);
  void add_message(Bytes data, SocketName from = {}, bool truncated = false);
  std::span<Message> messages() { return std::span(messages_).subspan(first_); }
  void pop_message();

  /// All bytes that are left in it, edges aside.
  std::size_t size() const;

 private:
  Batch(std::size_t capacity, bool messages, BufferPool* pool)
      : pool_(pool), capacity_(capacity), carries_messages_(messages) {}
  char* memory();

  BufferPool* pool_;
  BufferPool::Buffer buffer_;
  std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool carries_messages_;
  std::vector<Message> messages_;
  std::size_t first_ = 0;
};

}  // namespace sluice
