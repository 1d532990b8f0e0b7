#include <sys/socket.h>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/socket.h"
#include "sluice/stream/decorators.h"
#include "sluice/stream/fd_stream.h"
#include "sluice/stream/message_stream.h"

namespace sluice {
namespace {

/// An echo through two connected sockets: what is written to one is read from the other. Datagrams, which it
/// is made of unless socktype= says otherwise, and sequenced packets keep their edges.
class SocketPair final : public Endpoint {
 public:
  SocketPair(const Address& address, const Context& context)
      : address_(address), context_(context), kind_(with_options(address, {AF_UNIX, SOCK_DGRAM, 0})) {}

  Task<std::unique_ptr<Stream>> open(Session&) override {
    int ends[2];
    check(std::string(address_.written()) + ": create a pair of sockets",
          ::socketpair(kind_.family, kind_.type | SOCK_CLOEXEC | SOCK_NONBLOCK, kind_.protocol, ends));
    Fd reading(ends[0]), writing(ends[1]);
    for (const Fd* end : {&reading, &writing})
      apply(address_,
            {Phase::socket, Phase::pastsocket, Phase::prebind, Phase::connected, Phase::fd, Phase::late},
            end->get(), context_);
    context_.log.notice("writing to and reading from unnamed socketpair");
    auto in = std::make_unique<Descriptor>(context_.loop, std::move(reading));
    auto out = std::make_unique<Descriptor>(context_.loop, std::move(writing));
    if (kind_.type != SOCK_STREAM) co_return messages(std::move(in), std::move(out));
    FdStream::Parts parts;
    parts.in = std::move(in);
    parts.out = std::move(out);
    parts.finish = finish_by(address_, FinishBy::closing);
    parts.traits.can_finish = parts.finish != FinishBy::nothing;
    parts.answers = parts.echoes = true;
    co_return std::make_unique<FdStream>(std::move(parts));
  }
  std::size_t descriptors() const override { return 2; }

 private:
  std::unique_ptr<Stream> messages(std::unique_ptr<Descriptor> in, std::unique_ptr<Descriptor> out) const {
    MessageStream::Parts from, to;
    from.socket = std::move(in);
    from.writable = false;
    to.socket = std::move(out);
    to.readable = false;
    from.sequenced = to.sequenced = kind_.type == SOCK_SEQPACKET;
    from.echoes = to.echoes = true;
    from.null_eof = address_.flag("null-eof");
    to.finish = finish_by(address_, to.sequenced ? FinishBy::shutting_down : FinishBy::nothing);
    return join(std::make_unique<MessageStream>(std::move(from)),
                std::make_unique<MessageStream>(std::move(to)));
  }

  Address address_;
  Context context_;
  SocketKind kind_;
};

}  // namespace

std::unique_ptr<Endpoint> make_socket_pair(const Address& address, Use, const Context& context) {
  if (!address.parameters.empty())
    throw AddressError(address, address.parameters[0].place, "a pair of sockets has no name");
  return std::make_unique<SocketPair>(address, context);
}

}  // namespace sluice
