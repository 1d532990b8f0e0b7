#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/socket.h"
#include "sluice/stream/fd_stream.h"

namespace sluice {
namespace {

/// A file that nobody else can see, and that holds a text (memfd_create(2)).
Fd file_with(const std::string& what, std::string_view text) {
  Fd fd(check(what, ::memfd_create("text", MFD_CLOEXEC)));
  while (!text.empty()) {
    const ssize_t count = ::write(fd.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    text.remove_prefix(static_cast<std::size_t>(check(what, count)));
  }
  check(what, ::lseek(fd.get(), 0, SEEK_SET));
  return fd;
}

/// Delivers a text, then its end; what is written to it is dropped.
class Text final : public Endpoint {
 public:
  Text(const Address& address, Use use, const Context& context)
      : address_(address), use_(use), context_(context) {}

  std::size_t descriptors() const override { return 2; }

  Task<std::unique_ptr<Stream>> open(Session&) override {
    const std::string what = std::string(address_.written()) + ": open";
    auto text = of_ours(file_with(what, address_.parameters[0].text));
    // Options are for the text: the device that drops what is written is everybody's.
    apply(address_, {Phase::fd, Phase::late}, text->number(), context_);
    FdStream::Parts parts;
    if (use_ != Use::writing) parts.in = std::move(text);
    if (use_ != Use::reading) parts.out = of_ours(Fd(check(what, ::open("/dev/null", O_WRONLY | O_CLOEXEC))));
    parts.finish = finish_by(address_, FinishBy::closing);
    co_return std::make_unique<FdStream>(std::move(parts));
  }

 private:
  std::unique_ptr<Descriptor> of_ours(Fd fd) const {
    return std::make_unique<Descriptor>(context_.loop, std::move(fd), Access::always_ready);
  }

  Address address_;
  Use use_;
  Context context_;
};

}  // namespace

std::unique_ptr<Endpoint> make_text(const Address& address, Use use, const Context& context) {
  return std::make_unique<Text>(address, use, context);
}

}  // namespace sluice
