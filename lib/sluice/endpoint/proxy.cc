#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/http_connect.h"
#include "sluice/endpoint/proxies.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

Parameter port_of_proxy(const Address& address) {
  if (const Option* port = address.find("proxyport")) return {port->text, port->place};
  return {"8080", address.place};
}

/// The first line of a file. No name and password are as long as what is read of it.
std::string credentials_in(const Address& address, const std::string& path) {
  const std::string what = std::string(address.written()) + ": open " + path;
  const Fd file(check(what, ::open(path.c_str(), O_RDONLY | O_CLOEXEC)));
  char text[4096];
  const auto got = uninterrupted([&] { return ::read(file.get(), text, sizeof text); });
  if (got.count < 0) throw Failure(what, std::error_code(got.error, std::generic_category()));
  const std::string_view line(text, static_cast<std::size_t>(got.count));
  return std::string(line.substr(0, line.find_first_of("\r\n")));
}

Task<std::unique_ptr<Dialogue>> begin_http(Address address, Context context, HttpConnect request) {
  const Parameter& host = address.parameters[1];
  const Parameter& port = address.parameters[2];
  if (address.flag("proxy-resolve")) {
    // As socat: what stands in a CONNECT request is an address of IPv4 then.
    const auto names = co_await resolve(address, host, port, {AF_INET, SOCK_STREAM, 0}, context);
    request.target = names.front().host() + ':' + port.text;
  }
  if (const auto path = path_option(address, "proxy-authorization-file"))
    request.credentials = credentials_in(address, *path);
  if (const std::string wrong = request.objection(); !wrong.empty())
    throw Failure(std::string(address.written()) + ": " + wrong);
  request.proxy = address.parameters[0].text + ':' + port_of_proxy(address).text;
  context.log.notice(
      [&] { return "opening connection to " + request.target + " via proxy " + request.proxy; });
  co_return http_connect_dialogue(std::move(request));
}

}  // namespace

std::unique_ptr<Endpoint> make_proxy(const Address& address, Use, const Context& context) {
  numeric_port(address, address.parameters[2]);
  HttpConnect request;
  request.target = address.parameters[1].text + ':' + address.parameters[2].text;
  request.version = address.text("http-version").value_or("1.0");
  request.credentials = address.text("proxy-authorization");
  request.ignore_returns = address.flag("ignorecr");
  if (address.parameters[1].text.empty())
    throw AddressError(address, address.parameters[1].place, "a host is missing");
  if (const std::string wrong = request.objection(); !wrong.empty())
    throw AddressError(address, address.parameters[1].place, wrong);
  return make_proxy_connector(address, context, port_of_proxy(address), true,
                              [=] { return begin_http(address, context, request); });
}

}  // namespace sluice
