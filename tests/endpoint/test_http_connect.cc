#include "sluice/endpoint/http_connect.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sluice/core/failure.h"

namespace sluice {
namespace {

struct Heard {
  std::string said, failure;
  std::size_t taken = 0;
  bool over = false;
};

Heard hear(const HttpConnect& request, std::string_view answer, std::size_t piece = 1000) {
  const auto dialogue = http_connect_dialogue(request);
  Heard heard;
  heard.said = dialogue->take_output();
  try {
    while (!dialogue->over() && heard.taken < answer.size())
      heard.taken += dialogue->feed(answer.substr(heard.taken, piece));
  } catch (const Failure& failure) {
    heard.failure = failure.what();
  }
  heard.over = dialogue->over();
  return heard;
}

TEST(HttpConnect, AsksWithWhatItKnows) {
  EXPECT_EQ(hear({.target = "www.example:80"}, "").said, "CONNECT www.example:80 HTTP/1.0\r\n\r\n");
  EXPECT_EQ(hear({.target = "[::1]:80", .version = "1.1"}, "").said,
            "CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n");
  EXPECT_EQ(hear({.target = "h:80", .credentials = "a:b"}, "").said,
            "CONNECT h:80 HTTP/1.0\r\nProxy-Authorization: Basic YTpi\r\n\r\n");
}

TEST(HttpConnect, TakesTheAnswerAndNotAByteMore) {
  for (const std::string answer :
       {"HTTP/1.0 200 Connection established\r\n\r\n", "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1 204 x\r\nA: b\r\n\r\n", "HTTP/1.0   200   Connected\r\n\r\n", "HTTP/1.1    200\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nA: b\nc\r\n\r\n"})
    for (const std::size_t piece : {1, 2, 5, 1000}) {
      const Heard heard = hear({.target = "h:80"}, answer + "\r\npayload", piece);
      EXPECT_EQ(heard.failure, "");
      EXPECT_TRUE(heard.over) << answer;
      EXPECT_EQ(heard.taken, answer.size()) << answer;
    }
}

TEST(HttpConnect, LinesMayEndInNewlinesAloneIfAskedFor) {
  const std::string answer = "HTTP/1.0 200 OK\nA: b\r\n\n";
  const Heard heard = hear({.target = "h:80", .ignore_returns = true}, answer + "payload");
  EXPECT_TRUE(heard.over);
  EXPECT_EQ(heard.taken, answer.size());
  EXPECT_FALSE(hear({.target = "h:80"}, answer).over) << "it waits for a line's end";
}

TEST(HttpConnect, SaysWhatIsWrongWithAnAnswer) {
  const struct {
    std::string answer, failure;
  } cases[] = {
      {"HTTP/1.0 403 Forbidden\r\n", R"(the proxy refuses: "HTTP/1.0 403 Forbidden")"},
      {"HTTP/1.0 302 Found\r\n", R"(the proxy refuses: "HTTP/1.0 302 Found")"},
      {"HTTP/1.1 101 Switching\r\n", R"(the proxy refuses: "HTTP/1.1 101 Switching")"},
      {"HTTP/1.0 407 Who?\r\n",
       R"(the proxy refuses: "HTTP/1.0 407 Who?", it demands authentication (proxy-authorization=))"},
      {"SSH-2.0-x\r\n", R"(the proxy answers in no HTTP: "SSH-2.0-x")"},
      {"HTTP/1.0 2x0 OK\r\n", R"(the proxy answers in no HTTP: "HTTP/1.0 2x0 OK")"},
      {"HTTP/1.0   403  Forbidden\r\n", R"(the proxy refuses: "HTTP/1.0   403  Forbidden")"},
      {"HTTP/1.0    \r\n", R"(the proxy answers in no HTTP: "HTTP/1.0    ")"},
      {"HTTP/1.0  20\r\n", R"(the proxy answers in no HTTP: "HTTP/1.0  20")"},
      {"HTTP/1.0200 OK\r\n", R"(the proxy answers in no HTTP: "HTTP/1.0200 OK")"},
      {"HTTP/1.0 2000\r\n", R"(the proxy answers in no HTTP: "HTTP/1.0 2000")"},
      {"HTTP/1.0 000 x\r\n", R"(the proxy refuses: "HTTP/1.0 000 x")"},
      {"\r\n", R"(the proxy answers in no HTTP: "")"},
      {"HTTP/1.0 500 a\x1b[2Jb\r\n", R"(the proxy refuses: "HTTP/1.0 500 a\x1b[2Jb")"},
      {"HTTP/1.0 500 a\x9b"
       "2J\xc2\x9b"
       "2Jü\r\n",
       R"(the proxy refuses: "HTTP/1.0 500 a\x9b2J\xc2\x9b2Jü")"},
      {std::string(most_http_headers + 1, 'x'), "the proxy's answer has headers of more than 65536 bytes"},
      {"HTTP/1.0 200 OK\r\n" + std::string(most_http_headers, 'x'),
       "the proxy's answer has headers of more than 65536 bytes"},
  };
  for (const auto& one : cases) {
    const Heard heard = hear({.target = "h:80"}, one.answer);
    EXPECT_EQ(heard.failure, one.failure);
    EXPECT_FALSE(heard.over);
  }
  EXPECT_EQ(hear({.target = "h:80", .credentials = "a:b"}, "HTTP/1.0 407 Who?\r\n").failure,
            R"(the proxy refuses: "HTTP/1.0 407 Who?", user name or password are wrong)");
}

TEST(HttpConnect, ObjectsToWhatWouldEndALine) {
  EXPECT_EQ((HttpConnect{.target = "h:80", .version = "1.1", .credentials = "a: b\xc3\xa4"}).objection(), "");
  EXPECT_NE((HttpConnect{.target = "h\r\nX: y:80"}).objection(), "");
  EXPECT_NE((HttpConnect{.target = "h x:80"}).objection(), "");
  EXPECT_NE((HttpConnect{.target = "h:80", .credentials = "a\nb"}).objection(), "");
  EXPECT_NE((HttpConnect{.target = "h:80", .version = "2"}).objection(), "");
}

TEST(HttpConnect, TellsTheLogWhatSocatTells) {
  const auto dialogue = http_connect_dialogue({.target = "h:80", .proxy = "localhost:8080"});
  dialogue->feed("HTTP/1.0 200 OK\r\nX: y\r\n\r\n");
  std::vector<std::string> notes;
  for (const auto& note : dialogue->take_notes()) notes.push_back(note.text);
  EXPECT_EQ(notes, (std::vector<std::string>{R"(sending "CONNECT h:80 HTTP/1.0\r\n")", R"(sending "\r\n")",
                                             R"(proxy_connect: received answer "HTTP/1.0 200 OK\r\n")",
                                             R"(proxy_connect: received header "X: y\r\n")",
                                             "successfully connected to h:80 via proxy localhost:8080"}));
}

TEST(Base64, IsThatOfRfc4648) {
  const struct {
    std::string bytes, text;
  } cases[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"foobar", "Zm9vYmFy"},
               {"\xff\xfe\xfd", "//79"}};
  for (const auto& one : cases) EXPECT_EQ(base64(one.bytes), one.text);
}

}  // namespace
}  // namespace sluice
