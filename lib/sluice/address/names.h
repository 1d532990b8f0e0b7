#pragma once

#include <string>
#include <string_view>

#include "sluice/address/options.h"

namespace sluice {

/// What the listings call groups, phases and types of values: `FD,SOCKET,UNIX` (or `(all)`), `PASTSOCKET`,
/// `STRUCT-TIMEVAL`.
std::string group_names(Group groups);
std::string_view phase_name(Phase phase);
std::string_view type_name(ValueType type);

}  // namespace sluice
