#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>

#include "sluice/endpoint/families.h"
#include "sluice/endpoint/proxies.h"
#include "sluice/endpoint/socket.h"
#include "sluice/endpoint/socks_dialogue.h"

namespace sluice {
namespace {

/// Which parameters are the target's, and the server's port.
struct Places {
  Parameter host, port, server_port;
};

Places places_in(const Address& address) {
  const auto& parameters = address.parameters;
  const std::size_t count = parameters.size();
  Places places{parameters[count - 2], parameters[count - 1], {"1080", address.place}};
  if (count == 4) places.server_port = parameters[1];
  if (const Option* port = address.find("socksport")) places.server_port = {port->text, port->place};
  return places;
}

/// socksuser=, and in SOCKS 4, which has to have one, whoever we are.
std::string user_of(const Address& address, int version) {
  if (const auto user = address.text("socksuser")) return *user;
  if (version == 5) return {};
  for (const char* name : {"LOGNAME", "USER"})
    if (const char* user = ::getenv(name)) return user;
  return "anonymous";
}

Task<std::unique_ptr<Dialogue>> begin_socks4(Address address, Context context, SocksRequest request) {
  const Places places = places_in(address);
  request.port = port_of(address, places.port, SOCK_STREAM);
  if (request.address.empty() && address.keyword->name == "SOCKS4") {
    // The server knows addresses of IPv4 only, and no names.
    const auto names =
        co_await resolve(address, places.host, places.port, {AF_INET, SOCK_STREAM, 0}, context);
    request.address = names.front();
  }
  context.log.notice([&] {
    return "opening connection to " + places.host.text + ':' + places.port.text + " via socks4 server " +
           address.parameters[0].text + ':' + places.server_port.text + " as user \"" + request.user + '"';
  });
  co_return socks4_dialogue(std::move(request));
}

Task<std::unique_ptr<Dialogue>> begin_socks5(Address address, Context context, SocksRequest request) {
  const Places places = places_in(address);
  request.port = port_of(address, places.port, SOCK_STREAM);
  context.log.notice([&] {
    return "opening connection to " + places.host.text + ':' + places.port.text + " via socks5 server " +
           address.parameters[0].text + ':' + places.server_port.text;
  });
  co_return socks5_dialogue(std::move(request));
}

}  // namespace

std::unique_ptr<Endpoint> make_socks(const Address& address, Use, const Context& context) {
  const std::string_view keyword = address.keyword->name;
  const int version = keyword.starts_with("SOCKS4") ? 4 : 5;
  const Places places = places_in(address);
  numeric_port(address, places.port);
  SocksRequest request;
  request.command = keyword == "SOCKS5-LISTEN" ? SocksRequest::bind : SocksRequest::connect;
  request.host = places.host.text;
  // What is a number already is nothing that a server would have to resolve.
  if (const auto number = numeric_host(request.host, version == 4 ? AF_INET : AF_UNSPEC))
    request.address = *number;
  request.user = user_of(address, version);
  request.password = address.text("sockspass");
  if (const std::string wrong = request.objection(version); !wrong.empty())
    throw AddressError(address, places.host.place, wrong);
  const auto begin = [=] {
    return version == 4 ? begin_socks4(address, context, request) : begin_socks5(address, context, request);
  };
  return make_proxy_connector(address, context, places.server_port, request.command == SocksRequest::connect,
                              begin);
}

}  // namespace sluice
