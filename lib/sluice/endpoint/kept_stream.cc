#include "sluice/endpoint/kept_stream.h"

#include <fcntl.h>

#include "sluice/stream/fd_stream.h"

namespace sluice {
namespace {

std::unique_ptr<Descriptor> second_door(int number, const Context& context) {
  Fd fd(check("duplicate a descriptor", ::fcntl(number, F_DUPFD_CLOEXEC, 3)));
  const auto access = access_of_inherited(fd.get()).value_or(Access::own);
  return std::make_unique<Descriptor>(context.loop, std::move(fd), access);
}

}  // namespace

std::unique_ptr<Stream> share(const Stream& kept, const Context& context) {
  const Info& info = kept.info();
  if (info.traits.shape != Shape::bytes || (info.in < 0 && info.out < 0)) return nullptr;
  FdStream::Parts parts;
  parts.both = info.in == info.out;
  if (info.in >= 0) parts.in = second_door(info.in, context);
  if (info.out >= 0 && !parts.both) parts.out = second_door(info.out, context);
  parts.finish = FinishBy::nothing;
  parts.only_close = true;
  parts.connection = info.traits.is_connection;
  parts.traits = info.traits;
  parts.traits.can_finish = false;
  parts.echoes = info.echoes;
  parts.peer = info.peer;
  return std::make_unique<FdStream>(std::move(parts));
}

}  // namespace sluice
