#pragma once

#include <optional>
#include <string>

#include "sluice/address/address.h"

namespace sluice {

/// Why an option that an address's groups let through can have no effect there, or nothing if it has one:
/// "without pty: there is no pseudo terminal". Such an option is an error, as it would be passed over
/// silently.
std::optional<std::string> misfit(const Address& address, const Option& option);

/// Whether an option can have an effect at an address with this keyword, whatever other options there are.
bool can_fit(const KeywordRow& keyword, const OptionRow& option);

}  // namespace sluice
