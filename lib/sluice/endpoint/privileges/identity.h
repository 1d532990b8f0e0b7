#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sluice/address/address.h"
#include "sluice/core/fd.h"
#include "sluice/core/log.h"

namespace sluice {

/// One change of what a process may do and where it stands, looked up and opened beforehand: carrying it out
/// takes system calls alone.
struct PrivilegeChange {
  enum Kind {
    network,        ///< setns(2) to `descriptor`
    root,           ///< chroot(2) to `path`, and into it
    session,        ///< setsid(2)
    process_group,  ///< setpgid(2) to `number`
    group,          ///< setgid(2) to `group`
    user,           ///< setuid(2) to `number`
    whole_user,     ///< all groups of a user, then the user (su)
  } kind;
  std::string_view option;  ///< for messages
  std::string path = {};
  Fd descriptor = Fd();
  id_t number = 0;
  gid_t main_group = 0;
  std::vector<gid_t> groups = {};
  bool last = false;  ///< behind the controlling terminal (phase LATE2)
};

/// What an address's options of group PROCESS make of a process, in the order in which that happens: by
/// phase, and within one as written.
struct Identity {
  std::vector<PrivilegeChange> early;    ///< before the address is opened
  std::vector<PrivilegeChange> late;     ///< once it is open
  std::vector<std::string> environment;  ///< NAME=value of the user that su makes it
  std::string root;                      ///< where paths are looked up in the end; empty is here

  bool empty() const { return early.empty() && late.empty(); }
};

/// Opens a path as a process sees it whose root is the folder `root` (openat2(2), RESOLVE_IN_ROOT): no link
/// leads out of it. Empty, with errno, if it cannot be opened.
Fd open_in_root(const std::string& root, const std::string& path, int flags);

/// Looks up what is to be looked up. A user of su behind a chroot is looked up in the new root's own files,
/// as if that had happened already; su-d looks up here. Throws Failure, naming the option.
Identity identity_of(const Address& address);
/// Whether an address has such options, and whether it has some that take effect once it is open.
bool changes_identity(const Address& address);
bool changes_identity_late(const Address& address);
/// The new root that chroot or chroot-early asks for, where it is the first: seen from the address's chdir.
std::string absolute_root(const Address& address, const Option& option);
/// Whether an option is one of those.
bool takes_effect_late(const Option& option);

/// Carries out one change, of the calling thread alone, by system calls alone: for a child that shares our
/// memory, where what glibc does for all threads would reach our own. Whether it worked; errno says why not.
bool change_calling_thread(const PrivilegeChange& change);

/// Carries out changes of this whole process. Throws Failure naming the address and the option: a step that
/// fails must not be passed over. Only a session of its own is no more than a warning where it cannot be had,
/// as in every job of an interactive shell, which leads a process group (setsid(2)).
void change_process(const Address& address, std::span<const PrivilegeChange> changes, Logger& log);
/// Lets programs that will be started see whom we are.
void change_environment(const Identity& identity);

/// How a failed change is told.
std::string failed_change(const PrivilegeChange& change);

}  // namespace sluice
