#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <functional>
#include <span>

#include "sluice/core/socket_name.h"
#include "sluice/stream/batch.h"
#include "sluice/stream/descriptor.h"

namespace sluice {

/// The name that recvmsg(2) gave; none for an AF_UNIX sender that has none.
SocketName sender_name(const sockaddr_storage& storage, socklen_t length);

/// Which of our addresses a message came to, and its answer is to come from; nothing if that was not told.
struct LocalAddress {
  int family = AF_UNSPEC;  ///< the socket's
  in6_addr address{};      ///< of an AF_INET socket as ::ffff:a.b.c.d
  unsigned interface = 0;  ///< of a link-local one

  bool empty() const { return family == AF_UNSPEC; }
  SocketName name() const;  ///< with port 0
  friend bool operator==(const LocalAddress& a, const LocalAddress& b);
};

/// Where a message came from and to.
struct Origin {
  SocketName sender;
  LocalAddress local = {};

  friend bool operator==(const Origin& a, const Origin& b) = default;
};

/// What the kernel does for the messages of one UDP socket (udp(7), ip(7), ipv6(7)).
struct Offload {
  /// Messages up to this size go as segments of one large datagram, if several of equal size follow each
  /// other (UDP_SEGMENT). It shrinks to what the way to the peer takes; 0 is none.
  std::size_t largest_segment = 0;
  /// Messages that were sent so are received as they were sent, joined (UDP_GRO).
  bool joins = false;
  /// It tells to which of our addresses a message came (IP_PKTINFO).
  bool tells_local = false;

  static constexpr std::size_t any_segment = 65507;
  /// Begins to receive them joined, if the kernel can. Whoever else reads the socket will get them so too.
  void join(int socket);
  /// Begins to tell, if the socket is bound to every address; else there is nothing to be told.
  void tell_local(int socket, const SocketName& bound);
};

/// Called for each message that was received, before it is added: whether it counts.
using Accepts = std::function<bool(const Origin& origin)>;

/// One recvmmsg(2): takes datagrams that wait in a socket into an empty batch of messages, as many as it has
/// slots, but for `most`. One that was received joined becomes the messages that it was sent as, which may be
/// more than there are slots. Senders are asked for only if somebody wants to know. Returns how many were
/// received, of which some may not have counted, or an errno: EAGAIN if there were none. With MSG_PEEK among
/// the flags, the first one, which is the only one then, stays in the socket.
Attempt receive_datagrams(int socket, Batch& into, std::size_t most, const Accepts& accepts,
                          const Offload& offload = {}, int flags = 0);

/// One sendmmsg(2) of the first of some messages. Without a name the socket is a connected one. Returns how
/// many were sent, or the errno of the first one.
Attempt send_datagrams(int socket, std::span<const Message> messages, const SocketName& to,
                       const LocalAddress& local, Offload& offload);

}  // namespace sluice
