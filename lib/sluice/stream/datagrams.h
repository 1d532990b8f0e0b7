#pragma once

#include <functional>

#include "sluice/core/socket_name.h"
#include "sluice/stream/batch.h"
#include "sluice/stream/descriptor.h"

namespace sluice {

/// The name that recvmsg(2) gave; none for an AF_UNIX sender that has none.
SocketName sender_name(const sockaddr_storage& storage, socklen_t length);

/// Called for each datagram that was received, before its message is added: whether it counts.
using Accepts = std::function<bool(const SocketName& sender)>;

/// One recvmmsg(2): takes datagrams that wait in a socket into an empty batch of messages, as many as it has
/// slots, but for `most`. Senders are asked for only if somebody wants to know. Returns how many were taken
/// out of the socket, of which some may not have counted, or an errno: EAGAIN if there were none.
Attempt receive_datagrams(int socket, Batch& into, std::size_t most, const Accepts& accepts);

/// One sendmmsg(2) of the first messages of a batch, and takes those out of it that were sent. Without a name
/// the socket is a connected one. Returns how many were sent, or the errno of the first one.
Attempt send_datagrams(int socket, Batch& from, const SocketName& to);

}  // namespace sluice
