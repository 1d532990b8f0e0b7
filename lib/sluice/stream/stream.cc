#include "sluice/stream/stream.h"

#include <sys/socket.h>

#include <cerrno>

namespace sluice {

End end_of(int error) {
  const std::error_code why(error, std::generic_category());
  switch (error) {
    case ECONNRESET:
    case ECONNREFUSED:
    case ECONNABORTED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
      return {End::reset, why};
    case ETIMEDOUT:
      return {End::timed_out, why};
    default:
      return {End::broken, why};
  }
}

End tell_the_end(int fd, FinishBy way) {
  int result = 0;
  if (way == FinishBy::shutting_down)
    result = ::shutdown(fd, SHUT_WR);
  else if (way == FinishBy::empty_packet)
    result = static_cast<int>(::send(fd, "", 0, MSG_NOSIGNAL | MSG_DONTWAIT));
  const bool untold = result < 0 && errno != ENOTCONN && errno != ENOTSOCK && errno != EOPNOTSUPP;
  return untold ? end_of(errno) : End{};
}

Task<End> write_all(Stream& to, Batch& from) {
  while (!from.empty()) {
    const End end = co_await to.write_some(from);
    if (end.kind != End::open) co_return end;
  }
  co_return End{};
}

}  // namespace sluice
