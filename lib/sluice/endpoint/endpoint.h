#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/address/address.h"
#include "sluice/core/lock_file.h"
#include "sluice/core/log.h"
#include "sluice/core/socket_name.h"
#include "sluice/stream/session.h"
#include "sluice/stream/stream.h"

namespace sluice {

/// What an endpoint is opened for: both ways, or one (-u, -U, the halves of `A!!B`).
enum class Use { both, reading, writing };

/// What all endpoints of a process share.
struct Context {
  Loop& loop;
  Logger& log;
  bool as_socat = false;     ///< defaults of socat where ours differ
  int preferred_family = 0;  ///< of what a name resolves to: AF_INET, AF_INET6; 0 leaves it to the resolver
  bool sloppy = false;       ///< -s: an option that cannot be applied is a warning
  int listening_family = 0;  ///< of sockets that listen, where the address says nothing
  bool listens_on_both = false;  ///< where that says nothing either: also as socat, which has IPv4 then

  Context with_log(Logger& other) const {
    return {loop, other, as_socat, preferred_family, sloppy, listening_family, listens_on_both};
  }
};

/// A peer that has come to a listening socket and is on no loop yet: what moves from the loop that accepts to
/// the one that serves.
struct Arrival {
  Fd socket;
  SocketName name;
  std::string host = {};  ///< what its address was looked up as, if it was (`look_up_name`)
};

/// A thing to be opened. One endpoint may give many streams, one a peer.
class Endpoint {
 public:
  virtual ~Endpoint() = default;

  /// Once, before the first open: resolves, binds, listens, so that peers can come and names are known.
  /// Throws Failure.
  virtual Task<> prepare();

  /// What it is bound to, once prepared, as readiness reports it: `tcp 127.0.0.1:43121`.
  virtual std::vector<std::string> names() const { return {}; }

  /// Accepts, connects, starts: one peer's stream. nullptr says that no more come (stopped, or used up).
  /// Throws Failure if it cannot be had.
  virtual Task<std::unique_ptr<Stream>> open(Session& session) = 0;

  /// Whether each open gives a peer of its own, again and again (fork).
  virtual bool serves_many() const { return false; }

  /// Whether it serves until the process is told to end, so that being told is no failure: one that serves
  /// many, one that receives from whoever sends.
  virtual bool serves_until_told() const { return serves_many(); }

  /// Whether it is one thing for all peers of the other side, kept open between them: a terminal that
  /// programs have open. Each open then gives another stream of it.
  virtual bool stays_open() const { return false; }

  /// Whether it is to be opened once, for all peers of the other side together. `usual` is what holds of
  /// most: under the name socat all are. What would be made or cut short anew for each peer says so of
  /// itself.
  virtual bool opens_once(bool usual) const { return usual; }
  /// Opens it so, before the first peer comes: each later open gives another stream of the same thing where
  /// that can be shared. `session` and this outlive all of them. Throws Failure if it cannot be had.
  virtual Task<> keep(Session& session, bool usual);
  /// Closes it in good order when the last peer has gone.
  virtual Task<> let_go(const Limits& limits);

  /// Whether what it opens changes whom this process is, and where (su, chroot): what sessions that share a
  /// process with others must not do. `early`: or what is done before that.
  virtual bool changes_process(bool early) const;

  /// How many peers at once (max-children); nothing is no limit.
  virtual std::optional<std::size_t> most_peers() const { return std::nullopt; }

  /// Whether its peers may be served on other loops: they are accepted here, and adopted by an endpoint of
  /// the same address there.
  virtual bool hands_over() const { return false; }
  /// Waits for peers and takes as many as have come, but for `most`; none says that no more come.
  virtual Task<std::vector<Arrival>> accept(std::size_t most);
  /// The stream of an arrival; this endpoint itself need not be prepared.
  virtual std::unique_ptr<Stream> adopt(Arrival arrival, Session& session);

  /// How many descriptors one of its streams takes at most, with all that belongs to it.
  virtual std::size_t descriptors() const { return 1; }

  /// Whether it wants its partner's descriptors instead of a relay (EXEC with nofork).
  virtual bool takes_over() const { return false; }
  /// Gives them to its program: replaces this process if it is all that the process is for, else waits for
  /// the program and returns its exit status.
  virtual Task<int> take_over(Stream& partner, Session& session, bool whole_process);

  /// Signals of this process that are for the programs that it starts (sighup, sigint, sigquit).
  virtual std::vector<int> signals_passed_on() const { return {}; }

  /// Makes a waiting and every later open return nullptr; streams that were opened go on.
  virtual void stop() {}
};

/// A kind of endpoint: the keyword is the key, and what it looks like stands in the address layer's table.
struct EndpointType {
  std::string_view keyword;
  std::unique_ptr<Endpoint> (*make)(const Address& address, Use use, const Context& context);
};

/// Every kind that is built. THE LIST of families stands in meson.build beside this file.
std::span<const EndpointType> endpoint_types();

/// Takes a lock file, and waits for as long as somebody else has it (waitlock, -W).
Task<> wait_for_lock_file(LockFile& lock, const std::string& path, Loop& loop);

/// When the session is to end, as exit-on= of either side says.
ExitOn exit_on(const Specification& left, const Specification& right);

/// The endpoint for an argument, with all that its options ask for: retries, the two halves of `A!!B`,
/// readbytes, ignoreeof, line ends. Throws AddressError.
std::unique_ptr<Endpoint> make_endpoint(const Specification& specification, Use use, const Context& context);

}  // namespace sluice
