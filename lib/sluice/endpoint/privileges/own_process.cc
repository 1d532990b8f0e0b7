#include "sluice/endpoint/privileges/own_process.h"

#include <algorithm>

namespace sluice {

// The network namespace is that of the address's sockets alone (ProcessSection).
OwnProcess::OwnProcess(const Address& address, Logger& log)
    : address_(address),
      log_(log),
      concerned_(!overlap(address.keyword->groups, Group::exec) && changes_identity(address)) {}

bool OwnProcess::changes(bool early) const {
  if (!concerned_) return false;
  if (changes_identity_late(address_)) return true;
  return early && std::any_of(address_.options.begin(), address_.options.end(), [](const Option& option) {
           return option.row->phase == Phase::early && overlap(option.row->groups, Group::process);
         });
}

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
