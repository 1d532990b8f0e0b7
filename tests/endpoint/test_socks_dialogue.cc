#include "sluice/endpoint/socks_dialogue.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <string>
#include <vector>

#include "sluice/core/failure.h"

namespace sluice {
namespace {

using namespace std::string_literals;

SocketName four(const char* text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  EXPECT_EQ(::inet_pton(AF_INET, text, &address.sin_addr), 1);
  return {reinterpret_cast<sockaddr*>(&address), sizeof address};
}

SocketName six(const char* text) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  EXPECT_EQ(::inet_pton(AF_INET6, text, &address.sin6_addr), 1);
  return {reinterpret_cast<sockaddr*>(&address), sizeof address};
}

SocksRequest request(SocketName address, std::string host, std::string user = {},
                     std::optional<std::string> password = {}) {
  SocksRequest asked;
  asked.address = address;
  asked.host = std::move(host);
  asked.port = 80;
  asked.user = std::move(user);
  asked.password = std::move(password);
  return asked;
}

/// What a dialogue says while it hears an answer in pieces of some size; how much of it was taken.
struct Heard {
  std::string said;
  std::size_t taken = 0;
  bool over = false;
  std::string failure = {};
};

Heard hear(Dialogue& dialogue, std::string_view answer, std::size_t piece) {
  Heard heard;
  heard.said = dialogue.take_output();
  try {
    while (!dialogue.over() && heard.taken < answer.size()) {
      heard.taken += dialogue.feed(answer.substr(heard.taken, piece));
      heard.said += dialogue.take_output();
    }
  } catch (const Failure& failure) {
    heard.failure = failure.what();
  }
  heard.over = dialogue.over();
  return heard;
}

TEST(SocksDialogue, AsksAsItsVersionDoes) {
  struct Case {
    int version;
    SocksRequest request;
    std::string answer, said;
  };
  const std::string granted4 = "\0\x5a\0\0\0\0\0\0"s;
  const std::string granted5 = "\5\0\0\1\x7f\0\0\1\x1f\x90"s;
  SocksRequest bind = request(four("0.0.0.0"), "0.0.0.0");
  bind.command = SocksRequest::bind;
  const Case cases[] = {
      {4, request(four("127.0.0.1"), "127.0.0.1", "me"), granted4, "\4\1\0\x50\x7f\0\0\1me\0"s},
      {4, request({}, "h", ""), "\4\x5a\0\0\0\0\0\0"s, "\4\1\0\x50\0\0\0\1\0h\0"s},
      {4, request({}, "www.example", ""), granted4, "\4\1\0\x50\0\0\0\1\0www.example\0"s},
      {5, request(four("127.0.0.1"), "127.0.0.1"), "\5\0"s + granted5, "\5\1\0\5\1\0\1\x7f\0\0\1\0\x50"s},
      {5, request(six("::1"), "[::1]"), "\5\0"s + "\5\0\0\4"s + std::string(18, '\0'),
       "\5\1\0\5\1\0\4"s + std::string(15, '\0') + "\1\0\x50"s},
      {5, request({}, "www.example"), "\5\0\5\0\0\3\4name\0\1"s, "\5\1\0\5\1\0\3\x0bwww.example\0\x50"s},
      {5, request({}, "h"), "\5\0\5\0\0\3\0\0\1"s, "\5\1\0\5\1\0\3\1h\0\x50"s},
      {5, request({}, "h", "me", "secret"), "\5\0"s + granted5, "\5\2\0\2\5\1\0\3\1h\0\x50"s},
      {5, request({}, "h", "me", "secret"), "\5\2\1\0"s + granted5,
       "\5\2\0\2\1\2me\6secret\5\1\0\3\1h\0\x50"s},
      {5, request({}, "h", "me"), "\5\2\1\0"s + granted5, "\5\2\0\2\1\2me\0\5\1\0\3\1h\0\x50"s},
      {5, request({}, std::string(255, 'h')), "\5\0\5\0\0\3\xff"s + std::string(255, 'a') + "\0\1"s,
       "\5\1\0\5\1\0\3\xff"s + std::string(255, 'h') + "\0\x50"s},
      {5, bind, "\5\0"s + granted5 + granted5, "\5\1\0\5\2\0\1\0\0\0\0\0\x50"s},
  };
  for (const auto& one : cases)
    for (const std::size_t piece : {1, 2, 3, 7, 1000}) {
      const auto dialogue = one.version == 4 ? socks4_dialogue(one.request) : socks5_dialogue(one.request);
      const Heard heard = hear(*dialogue, one.answer + "payload", piece);
      EXPECT_EQ(heard.failure, "");
      EXPECT_EQ(heard.said, one.said);
      EXPECT_TRUE(heard.over);
      EXPECT_EQ(heard.taken, one.answer.size()) << "what is behind the answer is the stream's";
    }
}

TEST(SocksDialogue, SaysWhatIsWrongWithAnAnswer) {
  struct Case {
    int version;
    std::string answer, failure;
  };
  const Case cases[] = {
      {4, "\0\x5b\0\0\0\0\0\0"s, "socks: connect request rejected or failed"},
      {4, "\0\x5c\0\0\0\0\0\0"s, "socks: rejected since the server cannot ask our identd for the user"},
      {4, "\0\x5d\0\0\0\0\0\0"s, "socks: rejected since our identd tells of another user"},
      {4, "\0\x63\0\0\0\0\0\0"s, "socks: the server answered with the unknown code 99"},
      {4, "\5", "the server answers in no SOCKS 4: version 5 instead of 0"},
      {4, "HTTP/1.0 400 Bad", "the server answers in no SOCKS 4: version 72 instead of 0"},
      {5, "\4", "the server answers in no SOCKS 5: version 4 instead of 5"},
      {5, "\5\xff"s, "socks: the server accepts no authentication that we know"},
      {5, "\5\1"s, "socks: the server chose authentication method 1, which was not offered"},
      {5, "\5\2\1\1"s, "socks: the server rejects user name and password"},
      {5, "\5\2\5\0"s, "the server answers in no SOCKS 5: version 5 instead of 1"},
      {5, "\5\0\4\0\0"s, "the server answers in no SOCKS 5: version 4 instead of 5"},
      {5, "\5\0\5\1\0\1\0\0\0\0\0\0"s, "socks: general SOCKS server failure"},
      {5, "\5\0\5\2\0\1\0\0\0\0\0\0"s, "socks: connection not allowed by ruleset"},
      {5, "\5\0\5\5\0\1\0\0\0\0\0\0"s, "socks: connection refused"},
      {5, "\5\0\5\10\0\1\0\0\0\0\0\0"s, "socks: address type not supported"},
      {5, "\5\0\5\11\0\1\0\0\0\0\0\0"s, "socks: the server answered with the unknown code 9"},
      {5, "\5\0\5\xff\0\1\0\0\0\0\0\0"s, "socks: the server answered with the unknown code 255"},
      {5, "\5\0\5\0\0\2\0\0\0\0\0\0"s, "socks: the server answered with the unknown address type 2"},
  };
  for (const auto& one : cases)
    for (const std::size_t piece : {1, 5, 1000}) {
      SocksRequest asked = request(four("127.0.0.1"), "127.0.0.1", "me", "secret");
      const auto dialogue = one.version == 4 ? socks4_dialogue(asked) : socks5_dialogue(asked);
      const Heard heard = hear(*dialogue, one.answer, piece);
      EXPECT_EQ(heard.failure, one.failure);
      EXPECT_FALSE(heard.over);
    }
  const auto without_user = socks5_dialogue(request({}, "h"));
  EXPECT_EQ(hear(*without_user, "\5\xff"s, 2).failure,
            "socks: the server demands authentication (socksuser= and sockspass=)");
  const auto not_offered = socks5_dialogue(request({}, "h"));
  EXPECT_EQ(hear(*not_offered, "\5\2"s, 2).failure,
            "socks: the server chose authentication method 2, which was not offered");
}

TEST(SocksDialogue, TellsTheLogWhatSocatTells) {
  const auto dialogue = socks4_dialogue(request({}, "www.example", "me"));
  const Heard heard = hear(*dialogue, "\0\x5a\0\x50\x7f\0\0\1"s, 100);
  std::vector<std::string> notes;
  for (const auto& note : dialogue->take_notes()) notes.push_back(note.text);
  EXPECT_EQ(notes,
            (std::vector<std::string>{"sending socks4a request VN=4 DC=1 DSTPORT=80 DSTIP=0.0.0.1 USERID=me "
                                      "DESTNAME=www.example",
                                      "waiting for socks reply",
                                      "received socks reply VN=0 CD=90 DSTPORT=80 DSTIP=127.0.0.1",
                                      "successfully connected via socks4"}));
  // Nobody writes control characters into the log.
  const auto five = socks5_dialogue(request({}, "h"));
  hear(*five, "\5\0\5\0\0\3\3a\nb\0\1"s, 100);
  for (const auto& note : five->take_notes()) EXPECT_EQ(note.text.find('\n'), std::string::npos);
}

TEST(SocksDialogue, ObjectsToWhatCannotBeAsked) {
  const std::string longest(255, 'x'), longer(256, 'x');
  EXPECT_EQ(request({}, longest, longest, longest).objection(5), "");
  EXPECT_EQ(request({}, longer).objection(5), "the host's name is longer than 255 bytes");
  EXPECT_EQ(request({}, "h", longer).objection(5), "the user's name is longer than 255 bytes");
  EXPECT_EQ(request({}, "h", "me", longer).objection(5), "the password is longer than 255 bytes");
  EXPECT_EQ(request({}, "h", "", "secret").objection(5), "a password needs a user (socksuser=)");
  EXPECT_EQ(request({}, "").objection(5), "a host is missing");
  EXPECT_EQ(request({}, "h", "m\0e"s).objection(4), "SOCKS 4 knows no zero bytes");
  EXPECT_EQ(request({}, "h\0"s, "me").objection(4), "SOCKS 4 knows no zero bytes");
}

}  // namespace
}  // namespace sluice
