#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "sluice/core/bytes.h"
#include "sluice/stream/pools.h"

namespace sluice {

/// One datagram or packet. The bytes belong to the batch that it came in.
struct Message {
  Bytes data;
  bool truncated = false;  ///< the kernel kept only the beginning
};

/// What travels between two streams at once: either one chunk of bytes, or whole messages with their edges:
/// up to 64, each in a slot or packed, or more of them where one slot received several that were sent joined.
/// It is filled at the back and consumed from the front. Its memory comes from a pool, if it was given one,
/// when room is asked for, and goes back there by `relax`.
class Batch {
 public:
  static constexpr std::size_t most_messages = 64;
  static constexpr std::size_t message_room = kib(64);
  /// From one slot to the next. Slots that lie a power of two apart share the few places of a cache that such
  /// addresses have, and small messages, of which only the beginnings are used, push each other out.
  static constexpr std::size_t slot_stride = message_room + 320;

  /// A chunk of at most `capacity` bytes.
  static Batch of_bytes(std::size_t capacity, BufferPool* pool = nullptr) { return Batch(capacity, 0, pool); }
  /// `count` slots for messages of at most 64 KiB each, or one message of more.
  static Batch of_messages(std::size_t count = most_messages, BufferPool* pool = nullptr) {
    return Batch(count * slot_stride, count, pool);
  }

  bool carries_messages() const { return most_ > 0; }
  bool empty() const { return carries_messages() ? first_ == messages_.size() : begin_ == end_; }
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
  /// Forgets all but the first `count` bytes.
  void keep_bytes(std::size_t count) { end_ = begin_ + count; }
  Bytes data() { return {buffer_.get() + begin_, end_ - begin_}; }
  /// Takes bytes from the front, of the chunk or of the first messages.
  void consume(std::size_t count);

  // Of messages.
  /// How many more have a slot.
  std::size_t slots() const { return most_ - messages_.size(); }
  /// The room of the next message, or of the one `ahead` places behind it.
  Bytes slot(std::size_t ahead = 0);
  /// The room for one message of any size; grows the buffer. Only while the batch is empty.
  Bytes large_slot(std::size_t size);
  void add_message(Bytes data, bool truncated = false) { messages_.push_back({data, truncated}); }
  /// So many messages will be added.
  void expect(std::size_t count) { messages_.reserve(count); }
  /// Copies a message close behind those that were packed before it, for a batch that is filled by nothing
  /// else. The first one always fits; false if a later one does not.
  bool pack(ConstBytes message);
  std::span<Message> messages() { return std::span(messages_).subspan(first_); }
  void pop_message();
  /// Forgets all but the first `count` messages.
  void keep(std::size_t count);

  /// All bytes that are left in it, edges aside.
  std::size_t size() const;

 private:
  Batch(std::size_t capacity, std::size_t most, BufferPool* pool)
      : pool_(pool), capacity_(capacity), most_(most) {}
  char* memory();

  BufferPool* pool_;
  BufferPool::Buffer buffer_;
  std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t most_;  ///< messages; 0 for one of bytes
  std::vector<Message> messages_;
  std::size_t first_ = 0;
};

}  // namespace sluice
