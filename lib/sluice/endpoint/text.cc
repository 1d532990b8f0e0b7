#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/standard_streams.h"
#include "sluice/stream/decorators.h"
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

/// Delivers a text, then its end; what is written to it goes to standard output.
class Text final : public Endpoint {
 public:
  Text(const Address& address, Use use, const Context& context)
      : address_(address), use_(use), context_(context) {}

  std::size_t descriptors() const override { return 2; }

  Task<std::unique_ptr<Stream>> open(Session&) override {
    // A process may have been started without standard output: writing then fails.
    const bool writes = use_ != Use::reading && ::fcntl(STDOUT_FILENO, F_GETFD) >= 0;
    if (use_ == Use::writing && writes) co_return standard_output();
    auto text = text_stream();
    if (!writes) co_return text;
    co_return join(std::move(text), standard_output());
  }

 private:
  std::unique_ptr<Stream> text_stream() const {
    const std::string what = std::string(address_.written()) + ": open";
    Fd file = file_with(what, address_.parameters[0].text);
    apply(address_, {Phase::fd, Phase::late}, file.get(), context_);
    FdStream::Parts parts;
    parts.in = std::make_unique<Descriptor>(context_.loop, std::move(file), Access::always_ready);
    return std::make_unique<FdStream>(std::move(parts));
  }

  /// Others may write to it as well: finishing closes a copy. Options are for the text, but for those that
  /// say how writing ends.
  std::unique_ptr<Stream> standard_output() const {
    Address address = address_;
    std::erase_if(address.options,
                  [](const Option& option) { return !option.row->name.starts_with("shut-"); });
    return inherited_stream(address, -1, STDOUT_FILENO, false, context_);
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
