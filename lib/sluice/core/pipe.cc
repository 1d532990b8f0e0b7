#include "sluice/core/pipe.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace sluice {

bool is_pipe(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

void widen_pipe(int fd, std::size_t size) {
  const int now = ::fcntl(fd, F_GETPIPE_SZ);
  const bool unchosen = now == static_cast<int>(usual_pipe_size) || now == static_cast<int>(wide_pipe_size);
  if (unchosen && now < static_cast<int>(size)) ::fcntl(fd, F_SETPIPE_SZ, static_cast<int>(size));
}

}  // namespace sluice
