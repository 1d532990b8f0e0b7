#include <fcntl.h>
#include <sys/stat.h>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/file.h"

namespace sluice {
namespace {

/// GOPEN: what stands at the path decides. A socket is connected to; anything else is opened, and a regular
/// file that is written to is created or appended to, as a shell's `>>` would.
class GenericOpen final : public Endpoint {
 public:
  GenericOpen(const Address& address, Use use, const Context& context)
      : address_(address), use_(use), context_(context) {}

  /// It appends, unless it is told to cut the file short.
  bool opens_once(bool usual) const override {
    struct stat status {};
    if (look_at(address_.parameters[0].text, status) && S_ISSOCK(status.st_mode)) return usual;
    return usual || (open_flags(address_, 0) & O_TRUNC) != 0;
  }

  Task<std::unique_ptr<Stream>> open(Session& session) override {
    const auto& path = address_.parameters[0].text;
    struct stat status {};
    const bool exists = look_at(path, status);
    if (exists && S_ISSOCK(status.st_mode)) {
      const auto client = make_unix_client(address_, use_, context_);
      co_return co_await client->open(session);
    }
    const bool regular = !exists || S_ISREG(status.st_mode);
    int flags = 0;
    if (regular && use_ != Use::reading) flags |= O_APPEND;
    // One that is only read would come of a name that was mistyped; socat makes it all the same.
    if (!exists && (use_ != Use::reading || context_.as_socat)) flags |= O_CREAT;
    refuse_options_of_sockets(path);
    log_opening(address_, context_.log, path, use_);
    co_return co_await open_path(address_, path, flags, use_, context_);
  }

 private:
  /// Those that say how a socket is made, and nothing else; others are the kernel's to refuse.
  void refuse_options_of_sockets(const std::string& path) const {
    for (const Option& option : address_.options)
      if (option.row->effect.kind == Effect::code && option.row->phase < Phase::fd &&
          overlap(option.row->groups, Group::socket | Group::unix_) &&
          !overlap(option.row->groups, Group::open | Group::named))
        throw AddressError(address_, option.place,
                           "option \"" + std::string(option.row->name) + "\": " + path + " is no socket");
  }

  bool look_at(const std::string& path, struct stat& status) const {
    const ProcessSection section(address_);
    return ::stat(path.c_str(), &status) == 0;
  }

  Address address_;
  Use use_;
  Context context_;
};

}  // namespace

std::unique_ptr<Endpoint> make_generic_open(const Address& address, Use use, const Context& context) {
  return std::make_unique<GenericOpen>(address, use, context);
}

}  // namespace sluice
