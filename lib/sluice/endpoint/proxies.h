#pragma once

#include <functional>
#include <memory>

#include "sluice/endpoint/dialogue.h"
#include "sluice/endpoint/endpoint.h"
#include "sluice/endpoint/socket.h"

namespace sluice {

/// A TCP connection to a proxy, with all options that such connections have, which begins with a dialogue.
/// `begin` makes one for each connection. The proxy answers within connect-timeout, if `bounded`.
std::unique_ptr<Endpoint> make_proxy_connector(const Address& address, const Context& context,
                                               const Parameter& port, bool bounded,
                                               std::function<Task<std::unique_ptr<Dialogue>>()> begin);

}  // namespace sluice
