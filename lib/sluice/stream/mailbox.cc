#include "sluice/stream/mailbox.h"

#include <sys/eventfd.h>

#include "sluice/core/failure.h"

namespace sluice {

Mailbox::Mailbox() : bell_(check("create an eventfd", ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))) {}

void Mailbox::add(std::unique_ptr<Letter> letter) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  letters_.push_back(std::move(letter));
  if (letters_.size() == 1) ::eventfd_write(bell_.get(), 1);
}

std::vector<std::unique_ptr<Mailbox::Letter>> Mailbox::take() {
  const std::lock_guard lock(mutex_);
  eventfd_t ignored = 0;
  ::eventfd_read(bell_.get(), &ignored);
  return std::exchange(letters_, {});
}

void Mailbox::open_all() {
  for (const auto& letter : take()) letter->open();
}

void Mailbox::close() {
  // What the letters hold is let go outside the lock.
  const auto dropped = take();
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

}  // namespace sluice
