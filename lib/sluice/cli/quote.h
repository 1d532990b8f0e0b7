#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// A file name for a message or a list: as it is if a shell would read it as one plain word without a colon,
/// else quoted so that a shell reads it back (`'odd'$'\n''name'`), as GNU tools do. Leaves errno alone,
/// since names are quoted while a call's failure is being told.
std::string quoted_if_needed(std::string_view name);

/// The same, but always in quotes.
std::string quoted(std::string_view name);

}  // namespace sluice
