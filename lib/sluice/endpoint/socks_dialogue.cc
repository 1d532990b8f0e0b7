#include "sluice/endpoint/socks_dialogue.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "sluice/core/visible.h"

namespace sluice {
namespace {

constexpr std::size_t longest_text = 255;

std::uint8_t byte_at(std::string_view bytes, std::size_t place) {
  return static_cast<std::uint8_t>(bytes[place]);
}

void append_byte(std::string& to, std::size_t byte) { to += static_cast<char>(byte); }

void append_port(std::string& to, std::uint16_t port) {
  append_byte(to, port >> 8);
  append_byte(to, port & 255);
}

/// The bytes of an IP address in the order of the network.
std::string_view address_bytes(const SocketName& name) {
  if (name.family() == AF_INET) return name.bytes().substr(offsetof(sockaddr_in, sin_addr), sizeof(in_addr));
  return name.bytes().substr(offsetof(sockaddr_in6, sin6_addr), sizeof(in6_addr));
}

std::string port_text(std::string_view two) { return std::to_string(byte_at(two, 0) << 8 | byte_at(two, 1)); }

std::string ip_text(int family, std::string_view bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(family, bytes.data(), text, sizeof text);
  return text;
}

/// What both versions do with their notes.
using Notes = std::vector<Dialogue::Note>;

class Socks4 final : public Dialogue {
 public:
  explicit Socks4(SocksRequest request) {
    const bool by_name = request.address.empty();
    // An address that cannot be one says that a name follows.
    const std::string_view ip = by_name ? std::string_view("\0\0\0\1", 4) : address_bytes(request.address);
    output_ = {request_version, static_cast<char>(request.command)};
    append_port(output_, request.port);
    output_.append(ip).append(request.user).push_back('\0');
    if (by_name) output_.append(request.host).push_back('\0');
    notes_.push_back({Severity::info, std::string("sending socks4") + (by_name ? "a" : "") +
                                          " request VN=4 DC=" + std::to_string(request.command) +
                                          " DSTPORT=" + std::to_string(request.port) +
                                          " DSTIP=" + ip_text(AF_INET, ip) + " USERID=" + request.user +
                                          (by_name ? " DESTNAME=" + request.host : "")});
    notes_.push_back({Severity::info, "waiting for socks reply"});
  }

  std::string take_output() override { return std::exchange(output_, {}); }
  Notes take_notes() override { return std::exchange(notes_, {}); }
  bool over() const override { return over_; }

  std::size_t feed(std::string_view bytes) override {
    const std::size_t taken = std::min(bytes.size(), reply_length - reply_.size());
    reply_.append(bytes.substr(0, taken));
    const std::string version = std::to_string(byte_at(reply_, 0));
    // Who answers in another protocol is not waited for; some servers repeat the version of the request.
    if (reply_[0] != 0 && reply_[0] != request_version)
      throw Failure("the server answers in no SOCKS 4: version " + version + " instead of 0");
    if (reply_.size() < reply_length) return taken;
    if (reply_[0] != 0)
      notes_.push_back({Severity::warning, "socks: reply code version is not 0 (" + version + ")"});
    const std::uint8_t code = byte_at(reply_, 1);
    notes_.push_back({Severity::info, "received socks reply VN=" + version + " CD=" + std::to_string(code) +
                                          " DSTPORT=" + port_text(std::string_view(reply_).substr(2, 2)) +
                                          " DSTIP=" + ip_text(AF_INET, std::string_view(reply_).substr(4))});
    switch (code) {
      case 90:
        break;
      case 91:
        throw Failure("socks: connect request rejected or failed");
      case 92:
        throw Failure("socks: rejected since the server cannot ask our identd for the user");
      case 93:
        throw Failure("socks: rejected since our identd tells of another user");
      default:
        throw Failure("socks: the server answered with the unknown code " + std::to_string(code));
    }
    notes_.push_back({Severity::notice, "successfully connected via socks4"});
    over_ = true;
    return taken;
  }

 private:
  static constexpr char request_version = 4;
  static constexpr std::size_t reply_length = 8;
  std::string output_;
  std::string reply_;
  Notes notes_;
  bool over_ = false;
};

enum Method : std::uint8_t { no_authentication = 0, user_and_password = 2, none_acceptable = 255 };
enum AddressType : std::uint8_t { ip4 = 1, domain_name = 3, ip6 = 4 };

/// The replies of RFC 1928, 6.
constexpr std::array<std::string_view, 9> replies = {"succeeded",
                                                     "general SOCKS server failure",
                                                     "connection not allowed by ruleset",
                                                     "network unreachable",
                                                     "host unreachable",
                                                     "connection refused",
                                                     "TTL expired",
                                                     "command not supported",
                                                     "address type not supported"};

class Socks5 final : public Dialogue {
 public:
  explicit Socks5(SocksRequest request) : request_(std::move(request)) {
    output_ = {'\5', '\1', static_cast<char>(no_authentication)};
    if (!request_.user.empty()) {
      output_[1] = '\2';
      append_byte(output_, user_and_password);
    }
    note("sending socks5 authentication methods" + std::string(request_.user.empty() ? " 0" : " 0 2"));
  }

  std::string take_output() override { return std::exchange(output_, {}); }
  Notes take_notes() override { return std::exchange(notes_, {}); }
  bool over() const override { return awaited_ == Awaited::nothing; }

  std::size_t feed(std::string_view bytes) override {
    // Never more than what is awaited, so that nothing of the stream is taken.
    std::size_t taken = 0;
    while (awaited_ != Awaited::nothing && taken < bytes.size()) {
      const std::size_t part = std::min(bytes.size() - taken, length_awaited() - reply_.size());
      reply_.append(bytes.substr(taken, part));
      taken += part;
      check_version();
      if (reply_.size() < length_awaited()) continue;
      understand();
    }
    return taken;
  }

 private:
  enum class Awaited { method, authentication, reply, second_reply, nothing };

  /// How long the answer is, as far as what has come of it tells.
  std::size_t length_awaited() const {
    if (awaited_ == Awaited::method || awaited_ == Awaited::authentication) return 2;
    if (reply_.size() < 5) return 5;
    return 4 + address_length() + 2;
  }
  /// With the length that stands before a name.
  std::size_t address_length() const {
    switch (byte_at(reply_, 3)) {
      case ip4:
        return sizeof(in_addr);
      case ip6:
        return sizeof(in6_addr);
      case domain_name:
        return 1UL + byte_at(reply_, 4);
      default:
        throw Failure("socks: the server answered with the unknown address type " +
                      std::to_string(byte_at(reply_, 3)));
    }
  }

  void check_version() const {
    const int wanted = awaited_ == Awaited::authentication ? 1 : 5;
    if (byte_at(reply_, 0) != wanted)
      throw Failure("the server answers in no SOCKS 5: version " + std::to_string(byte_at(reply_, 0)) +
                    " instead of " + std::to_string(wanted));
  }

  void understand() {
    const std::string reply = std::exchange(reply_, {});
    switch (awaited_) {
      case Awaited::method:
        return understand_method(byte_at(reply, 1));
      case Awaited::authentication:
        if (reply[1] != 0) throw Failure("socks: the server rejects user name and password");
        note("socks5 authentication succeeded");
        return send_request();
      default:
        return understand_reply(reply);
    }
  }

  void understand_method(std::uint8_t method) {
    note("received socks5 authentication method " + std::to_string(method));
    if (method == no_authentication) return send_request();
    if (method == user_and_password && !request_.user.empty()) {
      const std::string password = request_.password.value_or("");
      append_byte(output_, 1);
      append_byte(output_, request_.user.size());
      output_.append(request_.user);
      append_byte(output_, password.size());
      output_.append(password);
      note("sending socks5 user name and password");
      awaited_ = Awaited::authentication;
      return;
    }
    if (method == none_acceptable)
      throw Failure(request_.user.empty()
                        ? "socks: the server demands authentication (socksuser= and sockspass=)"
                        : "socks: the server accepts no authentication that we know");
    throw Failure("socks: the server chose authentication method " + std::to_string(method) +
                  ", which was not offered");
  }

  void send_request() {
    // Behind what was not sent yet: a server may answer before it was asked.
    output_.append({'\5', static_cast<char>(request_.command), '\0'});
    if (request_.address.empty()) {
      append_byte(output_, domain_name);
      append_byte(output_, request_.host.size());
      output_.append(request_.host);
    } else {
      append_byte(output_, request_.address.family() == AF_INET ? ip4 : ip6);
      output_.append(address_bytes(request_.address));
    }
    append_port(output_, request_.port);
    note("sending socks5 request VER=5 CMD=" + std::to_string(request_.command) +
         " DST.ADDR=" + (request_.address.empty() ? request_.host : request_.address.host()) +
         " DST.PORT=" + std::to_string(request_.port));
    note("waiting for socks5 reply");
    awaited_ = Awaited::reply;
  }

  void understand_reply(const std::string& reply) {
    const std::uint8_t code = byte_at(reply, 1);
    const std::string where = place_in(reply);
    note("received socks5 reply VER=5 REP=" + std::to_string(code) + " BND=" + where);
    if (code != 0)
      throw Failure("socks: " + (code < replies.size()
                                     ? std::string(replies[code])
                                     : "the server answered with the unknown code " + std::to_string(code)));
    if (request_.command == SocksRequest::bind && awaited_ == Awaited::reply) {
      notes_.push_back({Severity::notice, "listening on " + where + " via socks5"});
      awaited_ = Awaited::second_reply;
      return;
    }
    notes_.push_back({Severity::notice, awaited_ == Awaited::second_reply
                                            ? "accepting connection from " + where + " via socks5"
                                            : "successfully connected via socks5"});
    awaited_ = Awaited::nothing;
  }

  /// The address of a whole reply as text.
  static std::string place_in(std::string_view reply) {
    const std::string port = ':' + port_text(reply.substr(reply.size() - 2));
    const std::string_view address = reply.substr(4, reply.size() - 6);
    switch (byte_at(reply, 3)) {
      case ip4:
        return ip_text(AF_INET, address) + port;
      case ip6:
        return '[' + ip_text(AF_INET6, address) + ']' + port;
      default:
        return visible(address.substr(1)) + port;
    }
  }

  void note(std::string text) { notes_.push_back({Severity::info, std::move(text)}); }

  SocksRequest request_;
  Awaited awaited_ = Awaited::method;
  std::string output_;
  std::string reply_;
  Notes notes_;
};

}  // namespace

std::string SocksRequest::objection(int version) const {
  if (host.size() > longest_text) return "the host's name is longer than 255 bytes";
  if (address.empty() && host.empty()) return "a host is missing";
  if (version == 4) {
    if (host.find('\0') != host.npos || user.find('\0') != user.npos) return "SOCKS 4 knows no zero bytes";
    if (user.size() > longest_text) return "the user's name is longer than 255 bytes";
    return {};
  }
  if (user.size() > longest_text) return "the user's name is longer than 255 bytes";
  if (password && password->size() > longest_text) return "the password is longer than 255 bytes";
  if (password && user.empty()) return "a password needs a user (socksuser=)";
  return {};
}

std::unique_ptr<Dialogue> socks4_dialogue(SocksRequest request) {
  return std::make_unique<Socks4>(std::move(request));
}

std::unique_ptr<Dialogue> socks5_dialogue(SocksRequest request) {
  return std::make_unique<Socks5>(std::move(request));
}

}  // namespace sluice
