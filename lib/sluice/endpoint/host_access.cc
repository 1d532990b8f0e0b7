#include "sluice/endpoint/host_access.h"

#include <dlfcn.h>
#include <errno.h>

#include <mutex>

#include "sluice/endpoint/apply.h"

namespace sluice {
namespace {

/// What is used of libwrap (hosts_access(3)). Its tables are variables, so one asks at a time.
struct Library {
  int (*ask)(char* daemon, char* name, char* address, char* user) = nullptr;
  const char** allow_table = nullptr;
  const char** deny_table = nullptr;
  std::mutex mutex;

  Library() {
    void* const library = ::dlopen("libwrap.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return;
    allow_table = static_cast<const char**>(::dlsym(library, "hosts_allow_table"));
    deny_table = static_cast<const char**>(::dlsym(library, "hosts_deny_table"));
    if (allow_table != nullptr && deny_table != nullptr)
      ask = reinterpret_cast<decltype(ask)>(::dlsym(library, "hosts_ctl"));
  }
};

Library& library() {
  static Library one;
  return one;
}

}  // namespace

std::optional<HostAccess> HostAccess::of(const Address& address) {
  const Option* option = address.find("tcpwrappers");
  const auto etc = path_option(address, "tcpwrap-etc");
  const auto allow = path_option(address, "tcpwrap-hosts-allow-table");
  const auto deny = path_option(address, "tcpwrap-hosts-deny-table");
  if (option == nullptr && !etc && !allow && !deny) return std::nullopt;
  if (library().ask == nullptr)
    throw AddressError(address, option != nullptr ? option->place : address.place,
                       "tcpwrap needs libwrap.so.0 (Debian's package libwrap0)");
  HostAccess access;
  access.daemon_ = option != nullptr && option->has_text ? option->text : program_invocation_short_name;
  access.allow_ = allow ? *allow : etc ? *etc + "/hosts.allow" : "";
  access.deny_ = deny ? *deny : etc ? *etc + "/hosts.deny" : "";
  return access;
}

bool HostAccess::permits(const SocketName& client) const {
  Library& all = library();
  const std::lock_guard lock(all.mutex);
  const char* const usual_allow = *all.allow_table;
  const char* const usual_deny = *all.deny_table;
  if (!allow_.empty()) *all.allow_table = allow_.c_str();
  if (!deny_.empty()) *all.deny_table = deny_.c_str();
  std::string daemon = daemon_, name = "unknown", address = client.host(), user = "unknown";
  const bool granted = all.ask(daemon.data(), name.data(), address.data(), user.data()) != 0;
  *all.allow_table = usual_allow;
  *all.deny_table = usual_deny;
  return granted;
}

}  // namespace sluice
