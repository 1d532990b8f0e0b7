#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "sluice/endpoint/endpoint.h"
#include "sluice/endpoint/socket.h"

namespace sluice {

/// What all connecting stream sockets have in common: trying each of the names that there are,
/// `connect-timeout`, and `fork` with `interval`. Families differ in what they connect to.
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
  Task<Connected> connect(SocketName to);

  Address address_;
  Context context_;
  Plan plan_;
  bool forks_;
  bool opened_before_ = false;
  bool stopped_ = false;
};

}  // namespace sluice
