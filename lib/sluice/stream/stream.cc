#include "sluice/stream/stream.h"

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

Task<End> write_all(Stream& to, Batch& from) {
  while (!from.empty()) {
    const End end = co_await to.write_some(from);
    if (end.kind != End::open) co_return end;
  }
  co_return End{};
}

}  // namespace sluice
