#include "sluice/stream/batch.h"

#include <algorithm>

namespace sluice {

char* Batch::memory() {
  // Not value-initialised: pages of a batch stay untouched until messages fill them.
  if (!buffer_) buffer_ = pool_ != nullptr ? pool_->take(capacity_) : BufferPool::make(capacity_);
  return buffer_.get();
}

void Batch::relax() {
  if (!empty()) return;
  clear();
  messages_ = {};
  buffer_.reset();
}

void Batch::resize(std::size_t capacity) {
  if (capacity == capacity_) return;
  clear();
  buffer_.reset();
  capacity_ = capacity;
}

void Batch::clear() {
  begin_ = end_ = first_ = 0;
  messages_.clear();
}

void Batch::consume(std::size_t count) {
  if (!carries_messages()) {
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
  return {memory() + (messages_.size() + ahead) * slot_stride, message_room};
}

Bytes Batch::large_slot(std::size_t size) {
  if (size > capacity_) resize(size);
  return {memory(), capacity_};
}

bool Batch::pack(ConstBytes message) {
  if (empty()) large_slot(message.size());
  if (messages_.size() == most_ || message.size() > capacity_ - end_) return false;
  const Bytes place{memory() + end_, message.size()};
  std::copy(message.begin(), message.end(), place.begin());
  end_ += message.size();
  add_message(place);
  return true;
}

void Batch::pop_message() {
  if (++first_ == messages_.size()) clear();
}

void Batch::keep(std::size_t count) {
  messages_.resize(std::min(first_ + count, messages_.size()));
  if (empty()) clear();
}

std::size_t Batch::size() const {
  if (!carries_messages()) return end_ - begin_;
  std::size_t sum = 0;
  for (std::size_t i = first_; i < messages_.size(); ++i) sum += messages_[i].data.size();
  return sum;
}

}  // namespace sluice
