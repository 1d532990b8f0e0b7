#pragma once

#include <string_view>

#include "sluice/endpoint/socket.h"

namespace sluice {

/// What readiness calls a socket of any kind: the name of its family's own addresses, where it has some.
std::string_view transport_of(const SocketKind& kind);

}  // namespace sluice
