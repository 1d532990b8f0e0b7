#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/listener.h"
#include "sluice/endpoint/passed_descriptors.h"
#include "sluice/endpoint/socket.h"
#include "sluice/endpoint/transport.h"
#include "sluice/stream/background.h"

namespace sluice {
namespace {

int option_of(int socket, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/// Whether a connection may have come, before whoever asks for it has lost interest: what comes later is for
/// others who have the socket.
bool wait_for_connection(const Fd& listening, const Fd& asking) {
  std::array<pollfd, 2> states = {pollfd{listening.get(), POLLIN, 0}, pollfd{asking.get(), POLLRDHUP, 0}};
  while (::poll(states.data(), states.size(), -1) < 0)
    if (errno != EINTR) return false;
  return states[1].revents == 0;
}

/// Accepts from a socket that may block and that others share, so that neither can its flags be changed nor
/// is its being readable a promise: on a thread, one connection for each byte that it is asked with.
void accept_when_asked(const Fd& listening, const Fd& asking) {
  char request = 0;
  while (uninterrupted([&] { return ::read(asking.get(), &request, 1); }).count == 1) {
    int answer = -1;
    do {
      if (!wait_for_connection(listening, asking)) return;
      answer = ::accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      // Errors of one connection (accept(2)) are no answer; others are, negative.
    } while (answer < 0 && (errno == EINTR || errno == ECONNABORTED || errno == EPROTO || errno == EPERM));
    if (answer < 0) answer = -errno;
    if (::send(asking.get(), &answer, sizeof answer, MSG_NOSIGNAL) < 0 && answer >= 0) ::close(answer);
  }
}

/// Asks that thread, unless it was asked already, and looks whether it has answered.
std::optional<Arrival> ask_for_one(Descriptor& thread, bool& asked) {
  const char request = 0;
  if (!asked) asked = ::send(thread.number(), &request, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
  int answer = 0;
  const auto got =
      uninterrupted([&] { return ::recv(thread.number(), &answer, sizeof answer, MSG_DONTWAIT); });
  if (got.count != sizeof answer) return std::nullopt;
  asked = false;
  if (answer < 0) throw Failure("accept", std::error_code(-answer, std::generic_category()));
  Fd socket(answer);
  SocketName name = SocketName::of_peer(socket.get());
  return Arrival{std::move(socket), name};
}

Task<Listener::Bound> take_over(Address address, Context context, int number) {
  Listener::Bound bound;
  bound.name = SocketName::of_socket(number);
  bound.listening = true;
  Fd listening(check(std::string(address.written()) + ": duplicate descriptor " + std::to_string(number),
                     ::fcntl(number, F_DUPFD_CLOEXEC, 10)));
  // Programs that we start have no use for it; that is said of our number, not of what others share.
  ::fcntl(number, F_SETFD, FD_CLOEXEC);
  apply(address, {Phase::prelisten}, listening.get(), context);
  if ((::fcntl(listening.get(), F_GETFL) & O_NONBLOCK) != 0) {
    bound.socket = std::move(listening);
    co_return bound;
  }
  int ends[2];
  check("create a pair of sockets", ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
  bound.socket = Fd(ends[0]);
  Fd theirs(ends[1]);
  quiet_thread([listening = std::move(listening), theirs = std::move(theirs)] {
    accept_when_asked(listening, theirs);
  }).detach();
  bound.stop = [ours = bound.socket.get()] { ::shutdown(ours, SHUT_WR); };
  bound.try_accept = [asked = std::make_shared<bool>(false)](Descriptor& thread) {
    return ask_for_one(thread, *asked);
  };
  co_return bound;
}

int number_of(const Address& address) {
  const Parameter& parameter = address.parameters[0];
  const std::string& text = parameter.text;
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && number >= 0) return number;
  if (const auto passed = passed_descriptor(text)) return *passed;
  throw AddressError(address, parameter.place,
                     '"' + text + "\" is neither a descriptor number nor in LISTEN_FDNAMES");
}

}  // namespace

std::unique_ptr<Endpoint> make_accept_fd(const Address& address, Use, const Context& context) {
  const int number = number_of(address);
  const std::string what = std::string(address.written()) + ": descriptor " + std::to_string(number);
  check(what, ::fcntl(number, F_GETFD));
  if (option_of(number, SO_ACCEPTCONN) != 1) throw Failure(what + " is no listening socket");
  const SocketKind kind = {option_of(number, SO_DOMAIN), option_of(number, SO_TYPE),
                           option_of(number, SO_PROTOCOL)};
  return std::make_unique<Listener>(address, context, transport_of(kind), kind,
                                    [=] { return take_over(address, context, number); });
}

}  // namespace sluice
