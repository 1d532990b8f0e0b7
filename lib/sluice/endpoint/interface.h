#pragma once

#include <net/if.h>

#include <string>

#include "sluice/address/address.h"
#include "sluice/endpoint/endpoint.h"

namespace sluice {

/// Gives a network interface the flags and the MTU that an address's options ask for (iff-*, interface-mtu;
/// netdevice(7)). Throws Failure naming the option, or warns if sloppy.
void apply_interface(const Address& address, const std::string& name, const Context& context);

/// A request to the kernel about an interface of that name. Throws Failure for a name that is too long.
ifreq interface_request(const Address& address, const std::string& name);

}  // namespace sluice
