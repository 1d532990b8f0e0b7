#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sluice/address/address.h"
#include "sluice/core/socket_name.h"
#include "sluice/endpoint/endpoint.h"

namespace sluice {

/// The AF_UNIX name that a parameter or bind= means, in the file system or abstract.
SocketName unix_name(const Address& address, const std::string& text);
/// The name that a client asks for: bind=, or one of its own by bind-tempname, whose XXXXXX becomes letters
/// that nobody can guess; nothing without either.
std::optional<SocketName> client_name(const Address& address);
/// Whether the keyword is of the ABSTRACT kind.
bool is_abstract(const Address& address);

/// Binds an AF_UNIX socket. A path left behind by a dead server is recognised and replaced (not as socat),
/// a live one is a Failure that names its holder; mode, owner and group are in place before anybody can
/// connect. What it returns unlinks the path when it goes (unlink-close=0 leaves it), if it is still ours.
/// Of several that want a dead path at once, one gets it: the folder is locked meanwhile. A folder that
/// cannot be locked within a second is bound in all the same, but a dead path in it is a Failure.
Task<std::shared_ptr<void>> bind_unix(const Address& address, int fd, int type, const SocketName& name,
                                      const Context& context);

/// Unlinks a path at destruction, if it still leads to the same inode as now.
std::shared_ptr<void> unlink_at_end(const std::string& path);

}  // namespace sluice
