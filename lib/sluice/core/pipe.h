#pragma once

#include <cstddef>

#include "sluice/core/bytes.h"

namespace sluice {

/// How much a pipe holds that nobody has chosen a size for (pipe(7), "Pipe capacity").
inline constexpr std::size_t usual_pipe_size = kib(64);
/// How much the pipes hold that we carry much through: above this, no relay or filter got any faster.
inline constexpr std::size_t wide_pipe_size = kib(256);

bool is_pipe(int fd);

/// Lets a pipe of the usual size, or a wide one, hold `size`, so that writer and reader wait for each other
/// less often; none is made smaller. Any other size was somebody's choice and stays. Where the kernel refuses
/// (what all pipes of an ordinary user may hold is limited), and for what is no pipe, nothing happens.
/// Source: F_SETPIPE_SZ in fcntl(2), pipe(7).
void widen_pipe(int fd, std::size_t size = wide_pipe_size);

}  // namespace sluice
