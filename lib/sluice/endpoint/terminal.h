#pragma once

#include <memory>

#include "sluice/address/address.h"
#include "sluice/endpoint/endpoint.h"

namespace sluice {

/// Whether an option changes the settings of a terminal (termios(3)).
bool is_terminal_option(const Option& option);
bool has_terminal_options(const Address& address);

/// Changes a terminal's settings as all TERMIOS options of an address ask for, in the order written and at
/// once, so that no half of them is ever in force. Throws Failure naming the option: descriptors that are no
/// terminal, and values out of range.
void apply_terminal_options(const Address& address, int fd);

/// The settings of a terminal that others use too: put back when the last holder lets go. Empty if the
/// descriptor is no terminal.
std::shared_ptr<void> keep_terminal_settings(int fd);

}  // namespace sluice
