#pragma once

#include <span>
#include <string_view>

#include "sluice/address/address.h"

namespace sluice {

/// What a value or a parameter is, by the word that help shows for it.
struct Placeholder {
  std::string_view name;     ///< "SECONDS"
  std::string_view meaning;  ///< its unit and form, without a full stop: "a fraction is allowed"
};
/// All that have a meaning to explain, sorted by name.
std::span<const Placeholder> placeholders();

/// The word for an option's value: "SECONDS". Empty if the option is a switch: it takes no value,
/// or 0 and 1.
std::string_view placeholder_of(const OptionRow& row);
/// Whether the option is useless without a value, so that `=` follows its name.
bool needs_value(const OptionRow& row);
/// What holds without the option, for help: "1 second". Empty if nothing need be said.
std::string_view default_of(const OptionRow& row);

/// The next parameter of a keyword's syntax (`:<host>:<port>`), without its brackets: "host". Takes it off;
/// empty if there is no more.
std::string_view next_parameter(std::string_view& syntax);
/// The word for it: "HOST".
std::string_view placeholder_of_parameter(std::string_view parameter);

/// A command line that uses the address with this keyword: `sockcat TCP-LISTEN:9000,fork PIPE`. Empty if the
/// keyword is not built.
std::string_view example_of(const KeywordRow& row);

}  // namespace sluice
