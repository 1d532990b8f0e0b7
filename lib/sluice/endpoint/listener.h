#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sluice/endpoint/admission.h"
#include "sluice/endpoint/endpoint.h"
#include "sluice/endpoint/socket.h"

namespace sluice {

/// What all listening stream sockets have in common: accepting, `range`, `sourceport`, `lowport`,
/// `accept-timeout`, `fork`.
class Listener final : public Endpoint {
 public:
  struct Bound {
    Fd socket;
    SocketName name;
    std::shared_ptr<void> companion = {};  ///< kept while it listens: a path to unlink
    bool listening = false;                ///< somebody else has made it so, and said with which options
    TryAccept try_accept = sluice::try_accept;
    std::function<void()> stop = {};  ///< called when no more are to be accepted, while the socket is open
  };
  /// Makes, binds and names the socket; called by prepare, again and again with retry=.
  using Bind = std::function<Task<Bound>()>;

  Listener(const Address& address, const Context& context, std::string_view transport, SocketKind kind,
           Bind bind);

  Task<> prepare() override;
  std::vector<std::string> names() const override;
  Task<std::unique_ptr<Stream>> open(Session& session) override;
  bool serves_many() const override { return forks_; }
  bool hands_over() const override { return forks_; }
  Task<std::vector<Arrival>> accept(std::size_t most) override;
  std::unique_ptr<Stream> adopt(Arrival arrival, Session& session) override;
  void stop() override;
  ~Listener() override;

 private:
  /// Those whose names are being looked up, and those that have been.
  struct Lookups;

  bool admits(Arrival& arrival);
  std::optional<Arrival> try_one(Descriptor& socket);
  void look_up(Arrival arrival);
  void forget_lookups();
  void add_those_that_wait(std::vector<Arrival>& arrivals, std::size_t most);
  std::unique_ptr<Stream> stream_of(Arrival arrival, Session& session, std::shared_ptr<void> companion);

  Address address_;
  Context context_;
  std::string transport_;
  SocketKind kind_;
  Bind bind_;
  bool forks_;
  Admission admission_;
  SocketName name_;
  std::unique_ptr<Descriptor> socket_;
  std::shared_ptr<void> companion_;
  TryAccept try_accept_;
  std::function<void()> stop_accepting_;
  std::shared_ptr<Lookups> lookups_;
  bool stopped_ = false;
  bool drained_ = false;  ///< nobody was left at the last look
};

}  // namespace sluice
