#pragma once

#include <ctime>
#include <string>

#include "sluice/core/bytes.h"

namespace sluice {

/// In hexadecimal, of at least so many digits: 0000beef.
std::string hexadecimal(unsigned long value, int digits);
/// Two digits for each byte: 01a0.
std::string hexadecimal(ConstBytes bytes);

/// A moment in local time, as ctime(3) writes it but without the line's end: Wed Jun 30 21:49:08 1993.
std::string date_text(std::time_t moment);

}  // namespace sluice
