#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/interface.h"
#include "sluice/endpoint/packet_stream.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

/// The largest packet of IP, with what may stand in front of it.
constexpr std::size_t largest_packet = 65536 + 64;

struct InterfaceAddress {
  sockaddr_in address{};
  sockaddr_in mask{};
};

/// `10.8.0.1/24`, or nothing where the interface is to have no address.
std::optional<InterfaceAddress> read_address(const Address& address) {
  if (address.parameters.empty() || address.parameters[0].text.empty()) return std::nullopt;
  const Parameter& parameter = address.parameters[0];
  const std::string& text = parameter.text;
  const auto refuse = [&] {
    return AddressError(address, parameter.place, '"' + text + "\" is not <ip-addr>/<bits> (10.8.0.1/24)");
  };
  const auto slash = text.find('/');
  if (slash == text.npos) throw refuse();
  InterfaceAddress read;
  read.address.sin_family = read.mask.sin_family = AF_INET;
  if (::inet_pton(AF_INET, text.substr(0, slash).c_str(), &read.address.sin_addr) != 1) throw refuse();
  unsigned bits = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, bits);
  if (error != std::errc{} || stop != end || bits > 32) throw refuse();
  read.mask.sin_addr.s_addr = htonl(bits == 0 ? 0 : ~0U << (32 - bits));
  return read;
}

Attempt read_packet(int device, Bytes into) {
  const ssize_t count = ::read(device, into.data(), into.size());
  return {count, count < 0 ? errno : 0};
}

Attempt write_packet(int device, ConstBytes packet) {
  const ssize_t count = ::write(device, packet.data(), packet.size());
  return {count, count < 0 ? errno : 0};
}

/// The wire side of a network interface that exists as long as it is open.
class Tun final : public Endpoint {
 public:
  Tun(const Address& address, Use use, const Context& context)
      : address_(address), use_(use), context_(context), ip_(read_address(address)) {
    const auto type = address.text("tun-type").value_or("tun");
    if (type != "tun" && type != "tap")
      throw AddressError(address, address.find("tun-type")->place, "tun-type is tun or tap");
    flags_ = type == "tap" ? IFF_TAP : IFF_TUN;
    if (address.flag("iff-no-pi")) flags_ |= IFF_NO_PI;
  }

  /// Others may send packets to it before the other address is open.
  Task<> prepare() override {
    if (device_) co_return;
    const std::string path = path_option(address_, "tun-device").value_or("/dev/net/tun");
    context_.log.notice("creating tunnel network interface");
    Fd fd(check(written() + ": open " + path,
                ::open(path.c_str(), open_flags(address_, O_RDWR) | O_CLOEXEC | O_NONBLOCK)));
    ifreq request{};
    if (const auto name = address_.text("tun-name")) request = interface_request(address_, *name);
    request.ifr_flags = static_cast<short>(flags_);
    check(written() + ": make a tunnel", ::ioctl(fd.get(), TUNSETIFF, &request));
    name_ = std::string(request.ifr_name, ::strnlen(request.ifr_name, sizeof request.ifr_name));
    if (ip_) set_address();
    apply_interface(address_, name_, context_);
    apply(address_, {Phase::fd, Phase::late}, fd.get(), context_);
    device_ = std::make_shared<Descriptor>(context_.loop, std::move(fd));
  }
  std::vector<std::string> names() const override {
    if (name_.empty()) return {};
    return {"tun " + name_};
  }

  Task<std::unique_ptr<Stream>> open(Session&) override {
    co_await prepare();
    PacketStream::Parts parts;
    parts.device = std::move(device_);
    parts.largest = largest_packet;
    if (use_ != Use::writing) parts.receive = read_packet;
    if (use_ != Use::reading) parts.send = write_packet;
    parts.finish = finish_by(address_, FinishBy::nothing);
    co_return std::make_unique<PacketStream>(std::move(parts));
  }

 private:
  std::string written() const { return std::string(address_.written()); }

  void set_address() const {
    const Fd any(check("create a socket", ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
    ifreq request = interface_request(address_, name_);
    std::memcpy(&request.ifr_addr, &ip_->address, sizeof ip_->address);
    check(written() + ": set the address of " + name_, ::ioctl(any.get(), SIOCSIFADDR, &request));
    std::memcpy(&request.ifr_netmask, &ip_->mask, sizeof ip_->mask);
    check(written() + ": set the netmask of " + name_, ::ioctl(any.get(), SIOCSIFNETMASK, &request));
  }

  Address address_;
  Use use_;
  Context context_;
  std::optional<InterfaceAddress> ip_;
  int flags_ = 0;
  std::string name_;
  std::shared_ptr<Descriptor> device_;
};

}  // namespace

std::unique_ptr<Endpoint> make_tun(const Address& address, Use use, const Context& context) {
  return std::make_unique<Tun>(address, use, context);
}

}  // namespace sluice
