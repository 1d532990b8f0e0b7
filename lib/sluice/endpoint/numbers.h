#pragma once

#include <limits>
#include <string>
#include <string_view>

#include "sluice/address/address.h"
#include "sluice/address/value.h"

namespace sluice {

/// A whole number in a parameter, decimal, 0x or with a leading 0 octal, that fits into `Number`, of at most
/// 32 bits. Throws AddressError that says what it should have been.
template <class Number>
Number number_in(const Address& address, const Parameter& parameter, std::string_view what,
                 std::int64_t most = std::numeric_limits<Number>::max()) {
  OptionRow row;
  row.type = ValueType::long_integer;
  const ReadValue read = read_value(row, parameter.text);
  const auto* number = std::get_if<std::int64_t>(&read.value);
  const auto refuse = [&](const std::string& why) {
    return AddressError(address, parameter.place, std::string(what) + ' ' + why);
  };
  if (number == nullptr) throw refuse(read.complaint);
  if (*number < std::numeric_limits<Number>::min() || *number > most)
    throw refuse('"' + parameter.text + "\" is out of range (" +
                 std::to_string(std::numeric_limits<Number>::min()) + ".." + std::to_string(most) + ")");
  return static_cast<Number>(*number);
}

}  // namespace sluice
