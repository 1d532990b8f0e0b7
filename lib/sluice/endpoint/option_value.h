#pragma once

#include <string>
#include <string_view>
#include <system_error>

#include "sluice/address/address.h"

namespace sluice {

/// A call that an option asked for has failed. Throws Failure: `ADDRESS: option "NAME": why`.
[[noreturn]] inline void fail(const Address& address, const Option& option, std::error_code why) {
  throw Failure(std::string(address.written()) + ": option \"" + std::string(option.row->name) + "\"", why);
}

/// What an option says makes no sense. Throws AddressError, with the place.
[[noreturn]] inline void refuse(const Address& address, const Option& option, std::string_view message) {
  throw AddressError(address, option.place,
                     "option \"" + std::string(option.row->name) + "\": " + std::string(message));
}

/// The number that an option has; 1 where it is just given.
inline std::int64_t number_of(const Option& option) {
  if (const auto* number = std::get_if<std::int64_t>(&option.value)) return *number;
  if (const auto* flag = std::get_if<bool>(&option.value)) return *flag ? 1 : 0;
  return 1;
}

}  // namespace sluice
