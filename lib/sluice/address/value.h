#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sluice/address/options.h"

namespace sluice {

/// What a text meant, or what is wrong with it ("\"x\" is not a number").
struct ReadValue {
  Value value;
  std::string complaint;
  bool is_no_number = false;  ///< a number was to stand there, and nothing else
};

/// Reads the value of an option by its type; no text means that there was no `=`. As socat does, an option
/// that holds a number means 1 without one (`keepalive`). Types that an endpoint resolves (addresses, ranges,
/// data) come out as text. Numbers are decimal, hexadecimal with 0x, octal with 0; modes octal; durations
/// seconds with a decimal fraction, or with a unit (us, ms, s, m, h).
ReadValue read_value(const OptionRow& row, std::optional<std::string_view> text);

}  // namespace sluice
