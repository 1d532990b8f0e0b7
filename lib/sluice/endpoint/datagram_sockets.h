#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sluice/endpoint/admission.h"
#include "sluice/endpoint/datagram_server.h"
#include "sluice/endpoint/endpoint.h"
#include "sluice/endpoint/socket.h"

namespace sluice {

/// What all datagram sockets with one far side have in common, which the address names: CONNECT, SENDTO and
/// DATAGRAM. Families differ in whom they find.
class DatagramClient final : public Endpoint {
 public:
  /// Whose messages count: those of the peer, of exactly whom is sent to, or of that host, whatever their
  /// port. A group, or all hosts of a network, are many hosts: of those, anybody's; and where range= or
  /// tcpwrap say whose, those say it alone.
  enum class Hears { connected, far_side, far_host, anybody };
  struct Plan {
    SocketKind kind;
    Hears hears = Hears::anybody;
    bool far_port = false;  ///< only what comes from the port that is sent to
    /// Whom to send to.
    std::function<Task<SocketName>()> find;
    /// Gives the new socket the name that bind= and others ask for.
    std::function<Task<>(int fd, SocketKind kind)> bind;
    bool offloads = false;  ///< see MessageStream
    /// What a stream of a family needs around it.
    std::function<Dress(int family)> dress = {};
  };
  DatagramClient(const Address& address, Use use, const Context& context, Plan plan);

  Task<std::unique_ptr<Stream>> open(Session& session) override;

 private:
  Accepts accepted(const SocketName& to) const;

  Address address_;
  Use use_;
  Context context_;
  Plan plan_;
  std::optional<Range> range_;
  std::optional<HostAccess> hosts_;
};

/// RECV: whatever arrives from whoever is let in.
class DatagramReceiver final : public Endpoint {
 public:
  DatagramReceiver(const Address& address, const Context& context, std::string_view transport,
                   DatagramServer::Bind bind);

  Task<> prepare() override;
  std::vector<std::string> names() const override;
  bool serves_until_told() const override { return true; }
  Task<std::unique_ptr<Stream>> open(Session& session) override;

 private:
  Address address_;
  Context context_;
  std::string transport_;
  DatagramServer::Bind bind_;
  Admission admission_;
  SocketName name_;
  DatagramServer::Bound bound_;
};

}  // namespace sluice
