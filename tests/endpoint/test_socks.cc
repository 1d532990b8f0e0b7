#include <gtest/gtest.h>

#include "opened.h"
#include "scripted_server.h"

namespace sluice {
namespace {

using namespace std::string_literals;
using testing::ScriptedServer;

class Socks : public testing::EndpointTest {};

const std::string granted4 = "\0\x5a\0\0\0\0\0\0"s;
const std::string granted5 = "\5\0\0\1\x7f\0\0\1\x1f\x90"s;

TEST_F(Socks, BecomesAStreamBehindTheAnswer) {
  struct Case {
    std::string keyword, target;
    std::vector<ScriptedServer::Turn> turns;
  };
  const Case cases[] = {
      {"SOCKS4", "127.0.0.1:80,socksuser=me", {{"\4\1\0\x50\x7f\0\0\1me\0"s, granted4 + "hello"}}},
      {"SOCKS4", "localhost:80,socksuser=me", {{"\4\1\0\x50\x7f\0\0\1me\0"s, granted4 + "hello"}}},
      {"SOCKS4A",
       "www.example:http,socksuser=me",
       {{"\4\1\0\x50\0\0\0\1me\0www.example\0"s, granted4 + "hello"}}},
      {"SOCKS5",
       "www.example:80",
       {{"\5\1\0"s, "\5\0"s}, {"\5\1\0\3\x0bwww.example\0\x50"s, granted5 + "hello"}}},
      {"SOCKS5-CONNECT",
       "[::1]:80,socksuser=me,sockspass=secret",
       {{"\5\2\0\2"s, "\5\2"s},
        {"\1\2me\6secret"s, "\1\0"s},
        {"\5\1\0\4"s + std::string(15, '\0') + "\1\0\x50"s, granted5 + "hello"}}},
      {"SOCKS5-LISTEN",
       "0.0.0.0:80",
       {{"\5\1\0"s, "\5\0"s}, {"\5\2\0\1\0\0\0\0\0\x50"s, granted5}, {"", granted5 + "hello"}}},
  };
  for (const auto& one : cases) {
    auto turns = one.turns;
    turns.push_back({"question", ", answer"});
    const ScriptedServer server(turns);
    auto stream = open(one.keyword + ":127.0.0.1:" + one.target + ",socksport=" + server.port() +
                       ",bind=127.0.0.1,connect-timeout=10");
    write(*stream, "question");
    EXPECT_EQ(read(*stream), "hello, answer") << one.keyword;
  }
}

TEST_F(Socks, TakesTheServersPortAsAParameterToo) {
  const ScriptedServer server({{"\5\1\0"s, "\5\0"s}, {"\5\1\0\1\x7f\0\0\1\0\x50"s, granted5 + "hello"}});
  auto stream = open("SOCKS5:127.0.0.1:" + server.port() + ":127.0.0.1:80");
  EXPECT_EQ(read(*stream), "hello");
}

TEST_F(Socks, FailsClearly) {
  struct Case {
    std::vector<ScriptedServer::Turn> turns;
    ScriptedServer::Ends end;
    std::string failure;
  };
  const Case cases[] = {
      {{{"\5\1\0"s, "\5\0"s}, {"\5\1\0\1\x7f\0\0\1\0\x50"s, "\5\5\0\1\0\0\0\0\0\0"s}},
       ScriptedServer::Ends::closes,
       "socks: connection refused"},
      {{{"\5\1\0"s, "\5"s}},
       ScriptedServer::Ends::closes,
       "the proxy closed the connection before it had answered"},
      {{{"\5\1\0"s, ""}}, ScriptedServer::Ends::resets, "talk with the proxy: Connection reset by peer"},
      {{{"\5\1\0"s, "SSH-2.0"}},
       ScriptedServer::Ends::closes,
       "the server answers in no SOCKS 5: version 83 instead of 5"},
  };
  for (const auto& one : cases) {
    const ScriptedServer server(one.turns, one.end);
    const std::string address = "SOCKS5:127.0.0.1:127.0.0.1:80,socksport=" + server.port();
    EXPECT_EQ(failure(address), address + ": " + one.failure);
  }
}

TEST_F(Socks, WaitsNoLongerThanItMay) {
  const ScriptedServer server({{"\4\1\0\x50\x7f\0\0\1me\0"s, ""}},
                              ScriptedServer::Ends::waits_for_the_client);
  const std::string address =
      "SOCKS4:127.0.0.1:127.0.0.1:80,socksuser=me,connect-timeout=0.1,socksport=" + server.port();
  try {
    open(address);
    FAIL();
  } catch (const Failure& late) {
    EXPECT_EQ(late.what(), address + ": the proxy did not answer in time");
    EXPECT_EQ(late.status(), ExitStatus::timed_out);
  }
}

TEST_F(Socks, BadAddressesFailBeforeAnythingIsOpened) {
  for (const std::string address : {"SOCKS4:h:h:99999", "SOCKS5:h:h:80,socksport=99999",
                                    "SOCKS5:h:99999:h:80", "SOCKS5:h:h:80,sockspass=x"})
    EXPECT_THROW(endpoint(address), AddressError) << address;
  EXPECT_THROW(endpoint("SOCKS5:h:" + std::string(256, 'x') + ":80"), AddressError);
}

}  // namespace
}  // namespace sluice
