#include "sluice/endpoint/http_connect.h"

#include <algorithm>
#include <cstdint>

#include "sluice/core/failure.h"
#include "sluice/core/visible.h"

namespace sluice {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\177'; }

/// A line of the dialogue as socat's log has it, without control characters of somebody else's.
std::string shown(std::string_view line) { return '"' + visible(line) + '"'; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class HttpConnectDialogue final : public Dialogue {
 public:
  explicit HttpConnectDialogue(HttpConnect request) : request_(std::move(request)) {
    send("CONNECT " + request_.target + " HTTP/" + request_.version);
    if (request_.version != "1.0") send("Host: " + request_.target);
    if (request_.credentials) send("Proxy-Authorization: Basic ", base64(*request_.credentials));
    send("");
  }

  std::string take_output() override { return std::exchange(output_, {}); }
  std::vector<Note> take_notes() override { return std::exchange(notes_, {}); }
  bool over() const override { return over_; }

  std::size_t feed(std::string_view bytes) override {
    std::size_t taken = 0;
    while (taken < bytes.size() && !over_) {
      if (++length_ > most_http_headers)
        throw Failure("the proxy's answer has headers of more than " + std::to_string(most_http_headers) +
                      " bytes");
      line_ += bytes[taken++];
      if (line_ends()) understand_line();
    }
    return taken;
  }

 private:
  /// What is secret is not for the log.
  void send(const std::string& line, const std::string& secret = {}) {
    output_ += line + secret + "\r\n";
    notes_.push_back({Severity::info, "sending " + shown(line + (secret.empty() ? "" : "***") + "\r\n")});
  }

  bool line_ends() const { return request_.ignore_returns ? line_.ends_with('\n') : line_.ends_with("\r\n"); }

  void understand_line() {
    const std::string line = std::exchange(line_, {});
    std::string_view text = line;
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    if (status_ == 0) {
      notes_.push_back({Severity::info, "proxy_connect: received answer " + shown(line)});
      return understand_status(text);
    }
    if (!text.empty()) {
      notes_.push_back({Severity::info, "proxy_connect: received header " + shown(line)});
      return;
    }
    // What comes with 1xx goes before the answer proper (RFC 9110, 15.2).
    if (status_ < 200) {
      status_ = 0;
      return;
    }
    notes_.push_back(
        {Severity::notice, "successfully connected to " + request_.target + " via proxy " + request_.proxy});
    over_ = true;
  }

  /// `HTTP/1.1 200 OK` (RFC 9112, 4). Some proxies write more than one space.
  void understand_status(std::string_view line) {
    const bool has_version = line.size() > 8 && line.starts_with("HTTP/") && is_digit(line[5]) &&
                             line[6] == '.' && is_digit(line[7]) && line[8] == ' ';
    const std::string_view rest = line.substr(std::min(line.find_first_not_of(' ', 8), line.size()));
    const bool is_http = has_version && rest.size() >= 3 && is_digit(rest[0]) && is_digit(rest[1]) &&
                         is_digit(rest[2]) && (rest.size() == 3 || rest[3] == ' ');
    if (!is_http) throw Failure("the proxy answers in no HTTP: " + shown(line));
    status_ = (rest[0] - '0') * 100 + (rest[1] - '0') * 10 + (rest[2] - '0');
    if (status_ >= 100 && status_ < 300 && status_ != 101) return;
    std::string complaint = "the proxy refuses: " + shown(line);
    if (status_ == 407)
      complaint += request_.credentials ? ", user name or password are wrong"
                                        : ", it demands authentication (proxy-authorization=)";
    throw Failure(complaint);
  }

  HttpConnect request_;
  std::string output_;
  std::vector<Note> notes_;
  std::string line_;
  std::size_t length_ = 0;
  int status_ = 0;  ///< 0 until its line has come
  bool over_ = false;
};

}  // namespace

std::string HttpConnect::objection() const {
  if (std::any_of(target.begin(), target.end(), [](char c) { return is_control(c) || c == ' '; }))
    return "host and port hold no spaces or control characters";
  if (credentials && std::any_of(credentials->begin(), credentials->end(), is_control))
    return "user name and password hold no control characters";
  if (version != "1.0" && version != "1.1") return "HTTP has the versions 1.0 and 1.1";
  return {};
}

std::unique_ptr<Dialogue> http_connect_dialogue(HttpConnect request) {
  return std::make_unique<HttpConnectDialogue>(std::move(request));
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](std::size_t place) -> std::uint32_t {
      return place < bytes.size() ? static_cast<unsigned char>(bytes[place]) : 0;
    };
    const std::uint32_t three = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    text += digits[three >> 18];
    text += digits[three >> 12 & 63];
    text += i + 1 < bytes.size() ? digits[three >> 6 & 63] : '=';
    text += i + 2 < bytes.size() ? digits[three & 63] : '=';
  }
  return text;
}

}  // namespace sluice
