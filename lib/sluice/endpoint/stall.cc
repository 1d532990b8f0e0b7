#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/socket.h"
#include "sluice/stream/fd_stream.h"

namespace sluice {
namespace {

struct Ends {
  Fd in, out;
};

/// As small as a pipe can be: one need not be large to be full, or to stay empty.
Ends make_pipe() {
  int ends[2];
  check("create a pipe", ::pipe2(ends, O_CLOEXEC | O_NONBLOCK));
  ::fcntl(ends[1], F_SETPIPE_SZ, 1);
  return {Fd(ends[0]), Fd(ends[1])};
}

/// Until nothing more fits.
void fill(int pipe) {
  constexpr std::array<char, 4096> page{};
  while (::write(pipe, page.data(), page.size()) > 0 || errno == EINTR) {
  }
}

/// Never delivers anything, not even an end, and takes nothing, so whoever writes to it waits: a pipe that
/// nobody writes to and one that nobody reads, whose other ends go with it.
class Stall final : public Endpoint {
 public:
  Stall(const Address& address, Use use, const Context& context)
      : address_(address), use_(use), context_(context) {}

  std::size_t descriptors() const override { return 4; }

  Task<std::unique_ptr<Stream>> open(Session&) override {
    FdStream::Parts parts;
    auto others = std::make_shared<Ends>();
    if (use_ != Use::writing) {
      Ends silent = make_pipe();
      apply(address_, {Phase::fd, Phase::late}, silent.in.get(), context_);
      parts.in = std::make_unique<Descriptor>(context_.loop, std::move(silent.in));
      others->out = std::move(silent.out);
    }
    if (use_ != Use::reading) {
      Ends full = make_pipe();
      apply(address_, {Phase::fd, Phase::late}, full.out.get(), context_);
      fill(full.out.get());
      parts.out = std::make_unique<Descriptor>(context_.loop, std::move(full.out));
      others->in = std::move(full.in);
    }
    parts.finish = finish_by(address_, FinishBy::nothing);
    parts.traits = {Shape::bytes, false, false};
    parts.companion = std::move(others);
    co_return std::make_unique<FdStream>(std::move(parts));
  }

 private:
  Address address_;
  Use use_;
  Context context_;
};

}  // namespace

std::unique_ptr<Endpoint> make_stall(const Address& address, Use use, const Context& context) {
  return std::make_unique<Stall>(address, use, context);
}

}  // namespace sluice
