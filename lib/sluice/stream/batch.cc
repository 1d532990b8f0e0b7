#include "sluice/stream/batch.h"

#include <algorithm>

namespace sluice {

// Not value-initialised: pages of a batch stay untouched until messages fill them.
Batch::Batch(std::size_t capacity, bool messages)
    : buffer_(new char[capacity]), capacity_(capacity), carries_messages_(messages) {}

void Batch::clear() {
  begin_ = end_ = first_ = 0;
  messages_.clear();
}

void Batch::consume(std::size_t count) {
  if (!carries_messages_) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
    return;
  }
  while (count > 0 && !empty()) {
    Bytes& front = messages_[first_].data;
    const std::size_t part = std::min(count, front.size());
    front = front.subspan(part);
    count -= part;
    if (front.empty()) pop_message();
  }
}

Bytes Batch::slot(std::size_t ahead) {
  return {buffer_.get() + (messages_.size() + ahead) * message_room, message_room};
}

Bytes Batch::large_slot(std::size_t size) {
  if (size > capacity_) {
    // Whole slots, so that slots() stays true.
    capacity_ = (size + message_room - 1) / message_room * message_room;
    buffer_.reset(new char[capacity_]);
  }
  return {buffer_.get(), capacity_};
}

void Batch::add_message(Bytes data, SocketName from, bool truncated) {
  messages_.push_back({data, from, truncated});
}

void Batch::pop_message() {
  if (++first_ == messages_.size()) clear();
}

std::size_t Batch::size() const {
  if (!carries_messages_) return end_ - begin_;
  std::size_t sum = 0;
  for (std::size_t i = first_; i < messages_.size(); ++i) sum += messages_[i].data.size();
  return sum;
}

}  // namespace sluice
