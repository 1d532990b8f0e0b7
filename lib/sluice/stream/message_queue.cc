#include "sluice/stream/message_queue.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace sluice {
namespace {

using Size = std::uint32_t;

}  // namespace

void MessageQueue::put(ConstBytes message) {
  // One that never runs empty must not grow for ever.
  if (first_ > records_.size() / 2) {
    records_.erase(records_.begin(), records_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  const std::size_t at = records_.size();
  const auto size = static_cast<Size>(message.size());
  records_.resize(at + sizeof size + size);
  std::memcpy(records_.data() + at, &size, sizeof size);
  std::copy(message.begin(), message.end(), records_.data() + at + sizeof size);
  ++count_;
  bytes_ += size;
}

ConstBytes MessageQueue::front() const {
  Size size = 0;
  std::memcpy(&size, records_.data() + first_, sizeof size);
  return {records_.data() + first_ + sizeof size, size};
}

void MessageQueue::pop() {
  const std::size_t size = front().size();
  first_ += sizeof(Size) + size;
  bytes_ -= size;
  if (--count_ > 0) return;
  std::vector<char>().swap(records_);
  first_ = 0;
}

void MessageQueue::take(Batch& into) {
  if (into.carries_messages()) {
    while (!empty() && into.pack(front())) pop();
    return;
  }
  const ConstBytes message = front();
  if (into.room().size() < message.size()) into = Batch::of_bytes(message.size());
  std::copy(message.begin(), message.end(), into.room().begin());
  into.added(message.size());
  pop();
}

}  // namespace sluice
