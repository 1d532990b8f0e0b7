#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sluice/core/failure.h"
#include "sluice/endpoint/socks_dialogue.h"

namespace {

using namespace sluice;

struct Heard {
  std::string said = {};
  std::size_t taken = 0;
  bool over = false;
  bool failed = false;
  bool operator==(const Heard&) const = default;
};

Heard hear(std::string_view answer, unsigned kind, std::size_t piece) {
  SocksRequest request;
  request.host = "host";
  request.port = 80;
  if (kind == 2) request.user = "user", request.password = "password";
  if (kind == 3) request.command = SocksRequest::bind;
  const auto dialogue = kind == 0 ? socks4_dialogue(request) : socks5_dialogue(request);
  Heard heard;
  heard.said = dialogue->take_output();
  try {
    while (!dialogue->over() && heard.taken < answer.size()) {
      const std::string_view part = answer.substr(heard.taken, piece);
      const std::size_t taken = dialogue->feed(part);
      if (taken > part.size() || taken == 0) std::abort();
      heard.taken += taken;
      heard.said += dialogue->take_output();
      for (const auto& note : dialogue->take_notes())
        if (note.text.find('\n') != note.text.npos) std::abort();
    }
    heard.over = dialogue->over();
  } catch (const Failure&) {
    heard = {};
    heard.failed = true;
  }
  return heard;
}

}  // namespace

// However an answer is cut, it is understood alike, and nothing behind it is taken.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view answer(reinterpret_cast<const char*>(data) + 2, size - 2);
  const unsigned kind = data[0] & 3;
  if (!(hear(answer, kind, data[1] % 64 + 1U) == hear(answer, kind, answer.size() + 1))) std::abort();
  return 0;
}
