#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "sluice/endpoint/endpoint.h"
#include "sluice/endpoint/socket.h"

namespace sluice {

/// What all connecting stream sockets have in common: trying the names that there are, `connect-timeout`, and
/// `fork` with `interval`. Families differ in what they connect to.
///
/// Of several names each has a head start of 250 ms before the next one is tried beside it, IP versions in
/// turn; the first to be connected wins (RFC 8305). Sockets that are bound to a port are tried one after the
/// other.
class Connector final : public Endpoint {
 public:
  /// What a family knows. All are called for each connection anew.
  struct Plan {
    SocketKind kind;
    /// Whom to connect to, best first.
    std::function<Task<std::vector<SocketName>>()> find;
    /// Gives a new socket the name that bind= and others ask for.
    std::function<Task<>(int fd, SocketKind kind)> bind;
    /// Has a dialogue with whom it connected to, before the stream begins (a proxy's). Throws Failure.
    std::function<Task<>(Descriptor& socket)> greet = {};
  };

  Connector(const Address& address, const Context& context, Plan plan);

  bool serves_many() const override { return forks_; }
  void stop() override { stopped_ = true; }
  Task<std::unique_ptr<Stream>> open(Session& session) override;

 private:
  /// A connected socket and where it is connected to.
  struct Connected {
    std::unique_ptr<Descriptor> socket;
    SocketName name;
  };
  /// One of the attempts that run at once.
  struct Attempt {
    Connected connected;
    std::exception_ptr failure;
    bool over = false;
  };
  Task<> connect(SocketName to, Connected& into);
  Task<> attempt(SocketName to, Attempt& one, Event& changed);
  Task<Connected> first_of(std::vector<SocketName> names);
  bool binds_a_port() const;

  Address address_;
  Context context_;
  Plan plan_;
  bool forks_;
  bool opened_before_ = false;
  bool stopped_ = false;
};

}  // namespace sluice
