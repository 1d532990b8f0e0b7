#pragma once

#include <span>
#include <string>

namespace sluice {

/// What the kernel says of descriptors, a line each below a heading (-D): type, device, inode, mode, owner,
/// size, times, flags (fstat(2), fcntl(2)); of a socket its names and options, of a terminal its path and
/// settings; what poll(2) says and how many bytes wait to be read. Columns are socat's.
std::string descriptor_report(std::span<const int> descriptors);

}  // namespace sluice
