#include <fcntl.h>
#include <sys/stat.h>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/file.h"
#include "sluice/endpoint/socket.h"
#include "sluice/endpoint/unix_path.h"
#include "sluice/stream/fd_stream.h"

namespace sluice {
namespace {

/// PIPE without a name: an echo through the kernel's own buffer.
class UnnamedPipe final : public Endpoint {
 public:
  UnnamedPipe(const Address& address, const Context& context) : address_(address), context_(context) {}

  Task<std::unique_ptr<Stream>> open(Session&) override {
    int ends[2];
    check("create a pipe", ::pipe2(ends, O_CLOEXEC | O_NONBLOCK));
    FdStream::Parts parts;
    parts.in = std::make_unique<Descriptor>(context_.loop, Fd(ends[0]));
    parts.out = std::make_unique<Descriptor>(context_.loop, Fd(ends[1]));
    context_.log.notice("writing to and reading from unnamed pipe");
    apply(address_, {Phase::fd, Phase::late}, ends[0], context_);
    parts.finish = finish_by(address_, FinishBy::closing);
    parts.traits.can_finish = parts.finish != FinishBy::nothing;
    parts.answers = parts.echoes = true;
    co_return std::make_unique<FdStream>(std::move(parts));
  }
  std::size_t descriptors() const override { return 2; }

 private:
  Address address_;
  Context context_;
};

/// PIPE:name, a FIFO, made if it is not there and unlinked at the end if we made it.
class NamedPipe final : public Endpoint {
 public:
  NamedPipe(const Address& address, Use use, const Context& context)
      : address_(address), use_(use), context_(context) {}

  Task<> prepare() override {
    if (prepared_) co_return;
    const std::string& path = address_.parameters[0].text;
    const ProcessSection section(address_);
    if (address_.flag("unlink-early") || address_.flag("unlink")) ::unlink(path.c_str());
    const auto mode = wanted_mode(address_);
    const mode_t mask = mode ? ::umask(0) : 0;
    const bool made = ::mkfifo(path.c_str(), mode.value_or(0666)) == 0;
    const auto why = last_error();
    if (mode) ::umask(mask);
    if (!made && why != std::errc::file_exists)
      throw Failure(std::string(address_.written()) + ": create FIFO " + path, why);
    struct stat status {};
    if (!made && ::stat(path.c_str(), &status) == 0 && !S_ISFIFO(status.st_mode))
      context_.log.warning(path + " is no FIFO, opening it as it is");
    if (made)
      for (const Phase phase : {Phase::preopen, Phase::fd}) apply_ownership(address_, path, phase);
    if (made && (address_.find("unlink-close") == nullptr || address_.flag("unlink-close")))
      made_ = unlink_at_end(path);
    prepared_ = true;
  }

  Task<std::unique_ptr<Stream>> open(Session&) override {
    co_await prepare();
    const std::string& path = address_.parameters[0].text;
    log_opening(address_, context_.log, path, use_);
    co_return co_await open_path(as_made(), path, 0, use_, context_, made_);
  }

 private:
  /// What prepare() has done is not done again.
  const Address& as_made() {
    std::erase_if(address_.options, [](const Option& option) {
      const bool mode = option.row->effect.kind == Effect::mode && option.row->phase != Phase::late;
      const bool unlinking = option.row->name.starts_with("unlink") && option.row->phase != Phase::pastopen;
      return mode || unlinking;
    });
    return address_;
  }

  Address address_;
  Use use_;
  Context context_;
  std::shared_ptr<void> made_;
  bool prepared_ = false;
};

}  // namespace

std::unique_ptr<Endpoint> make_pipe(const Address& address, Use use, const Context& context) {
  if (address.parameters.empty()) return std::make_unique<UnnamedPipe>(address, context);
  return std::make_unique<NamedPipe>(address, use, context);
}

}  // namespace sluice
