#pragma once

#include <functional>

#include "sluice/core/socket_name.h"
#include "sluice/stream/batch.h"
#include "sluice/stream/descriptor.h"

namespace sluice {

/// The name that recvmsg(2) gave; none for an AF_UNIX sender that has none.
SocketName sender_name(const sockaddr_storage& storage, socklen_t length);

/// What the kernel does for the messages of one UDP socket (udp(7)).
struct Offload {
  /// Messages up to this size go as segments of one large datagram, if several of equal size follow each
  /// other (UDP_SEGMENT). It shrinks to what the way to the peer takes; 0 is none.
  std::size_t largest_segment = 0;
  /// Messages that were sent so are received as they were sent, joined (UDP_GRO).
  bool joins = false;

  static constexpr std::size_t any_segment = 65507;
  /// Begins to receive them joined, if the kernel can. Whoever else reads the socket will get them so too.
  void join(int socket);
};

/// Called for each message that was received, before it is added: whether it counts.
using Accepts = std::function<bool(const SocketName& sender)>;

/// One recvmmsg(2): takes datagrams that wait in a socket into an empty batch of messages, as many as it has
/// slots, but for `most`. One that was received joined becomes the messages that it was sent as, which may be
/// more than there are slots. Senders are asked for only if somebody wants to know. Returns how many were
/// taken out of the socket, of which some may not have counted, or an errno: EAGAIN if there were none.
Attempt receive_datagrams(int socket, Batch& into, std::size_t most, const Accepts& accepts,
                          const Offload& offload = {});

/// One sendmmsg(2) of the first messages of a batch, and takes those out of it that were sent. Without a name
/// the socket is a connected one. Returns how many were sent, or the errno of the first one.
Attempt send_datagrams(int socket, Batch& from, const SocketName& to, Offload& offload);

}  // namespace sluice
