#include <gtest/gtest.h>

#include <fstream>

#include "opened.h"
#include "scripted_server.h"

namespace sluice {
namespace {

using testing::ScriptedServer;

class Proxy : public testing::EndpointTest {};

TEST_F(Proxy, BecomesAStreamBehindTheAnswer) {
  std::ofstream(path("secret")) << "user:password\n";
  struct Case {
    std::string target, request, answer;
  };
  const std::string ok = "HTTP/1.0 200 OK\r\nServer: x\r\n\r\n";
  const Case cases[] = {
      {"www.example:80", "CONNECT www.example:80 HTTP/1.0\r\n\r\n", ok},
      {"www.example:http,http-version=1.1",
       "CONNECT www.example:http HTTP/1.1\r\nHost: www.example:http\r\n\r\n", ok},
      {"localhost:80,resolve", "CONNECT 127.0.0.1:80 HTTP/1.0\r\n\r\n", ok},
      {"h:80,proxyauth=user:password",
       "CONNECT h:80 HTTP/1.0\r\nProxy-Authorization: Basic dXNlcjpwYXNzd29yZA==\r\n\r\n", ok},
      {"h:80,proxy-authorization-file=" + path("secret"),
       "CONNECT h:80 HTTP/1.0\r\nProxy-Authorization: Basic dXNlcjpwYXNzd29yZA==\r\n\r\n", ok},
      {"h:80,ignorecr", "CONNECT h:80 HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\n\n"},
      {"h:80", "CONNECT h:80 HTTP/1.0\r\n\r\n",
       "HTTP/1.0 200 OK\r\nX: " + std::string(60000, 'x') + "\r\n\r\n"},
  };
  for (const auto& one : cases) {
    const ScriptedServer server({{one.request, one.answer + "\r\nhello"}, {"question", ", answer"}});
    auto stream = open("PROXY:127.0.0.1:" + one.target + ",proxyport=" + server.port());
    write(*stream, "question");
    EXPECT_EQ(read(*stream), "\r\nhello, answer") << one.target;
  }
}

TEST_F(Proxy, FailsClearly) {
  struct Case {
    std::string answer, failure;
  };
  const Case cases[] = {
      {"HTTP/1.0 503 Busy\r\n\r\n", R"(the proxy refuses: "HTTP/1.0 503 Busy")"},
      {"HTTP/1.0 200 OK\r\n", "the proxy closed the connection before it had answered"},
      {"", "the proxy closed the connection before it had answered"},
      {std::string(70000, 'x'), "the proxy's answer has headers of more than 65536 bytes"},
  };
  for (const auto& one : cases) {
    const ScriptedServer server({{"CONNECT h:80 HTTP/1.0\r\n\r\n", one.answer}});
    const std::string address = "PROXY:127.0.0.1:h:80,proxyport=" + server.port();
    EXPECT_EQ(failure(address), address + ": " + one.failure);
  }
  const ScriptedServer server({});
  const std::string address =
      "PROXY:127.0.0.1:h:80,proxy-authorization-file=" + path("none") + ",proxyport=" + server.port();
  EXPECT_EQ(failure(address), address + ": open " + path("none") + ": No such file or directory");
}

TEST_F(Proxy, BadAddressesFailBeforeAnythingIsOpened) {
  for (const auto* address : {"PROXY:h:h:99999", "PROXY:h:h:80,proxyport=99999", "PROXY:h:'a b':80",
                              "PROXY:h::80", "PROXY:h:h:80,http-version=2", "PROXY:h:h:80,proxyauth='a\nb'"})
    EXPECT_THROW(endpoint(address), AddressError) << address;
}

}  // namespace
}  // namespace sluice
