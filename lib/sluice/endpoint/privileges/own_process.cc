#include "sluice/endpoint/privileges/own_process.h"

namespace sluice {

// The network namespace is that of the address's sockets alone (ProcessSection).
OwnProcess::OwnProcess(const Address& address, Logger& log)
    : address_(address),
      log_(log),
      concerned_(!overlap(address.keyword->groups, Group::exec) && changes_identity(address)) {}

bool OwnProcess::changes() const { return concerned_ && changes_identity_late(address_); }

void OwnProcess::change_early() {
  if (!concerned_ || identity_) return;
  identity_ = identity_of(address_);
  std::erase_if(identity_->early,
                [](const PrivilegeChange& one) { return one.kind == PrivilegeChange::network; });
  change_process(address_, identity_->early, log_);
  if (!identity_->early.empty()) change_environment(*identity_);
}

void OwnProcess::change_late() {
  if (!concerned_ || std::exchange(changed_late_, true)) return;
  change_process(address_, identity_->late, log_);
  change_environment(*identity_);
}

}  // namespace sluice
