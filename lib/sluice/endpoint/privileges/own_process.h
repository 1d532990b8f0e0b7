#pragma once

#include <optional>

#include "sluice/endpoint/privileges/identity.h"

namespace sluice {

/// What an address's options of group PROCESS do to this process, for addresses that start no program: those
/// of phase EARLY before it is opened, the others after. Each is done once, however often it is opened.
class OwnProcess {
 public:
  OwnProcess(const Address& address, Logger& log);

  /// Whether there is something to be done after opening; `early`: or before it.
  bool changes(bool early) const;
  /// Throw Failure.
  void change_early();
  void change_late();

 private:
  const Address& address_;
  Logger& log_;
  bool concerned_;
  std::optional<Identity> identity_;
  bool changed_late_ = false;
};

}  // namespace sluice
