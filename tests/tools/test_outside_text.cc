#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "sluice/core/visible.h"
#include "sockcat.h"

/// What others chose (names, answers, paths) is shown without effect on whoever reads it, whichever way it
/// comes.
namespace sluice::test {
namespace {

using namespace std::string_literals;

/// Bytes and characters that would do something, so many at a time that a name has room for them.
std::vector<std::string> harmful_texts(bool with_nul = false, bool with_slash = false) {
  std::vector<std::string> texts;
  std::string part;
  const auto add = [&](const std::string& one) {
    if (part.size() + one.size() > 32) texts.push_back("x" + std::exchange(part, {}) + "y");
    part += one;
  };
  for (int byte = 0; byte < 0x100; ++byte) {
    const char c = static_cast<char>(byte);
    if ((byte >= 0x20 && byte < 0x7F) || byte >= 0xA0 || (byte == 0 && !with_nul)) continue;
    add({c});
    // The same of C1 as UTF-8.
    if (byte >= 0x80) add({'\xC2', c});
  }
  for (const char* one : {"\x1b[2J", "\x1b]0;t\a", "\u2028", "\u2029", "\u202A", "\u202B", "\u202C", "\u202D",
                          "\u202E", "\u2066", "\u2067", "\u2068", "\u2069", "\xE6\xBC", "\xFF"})
    add(one);
  if (with_slash) add("/");
  texts.push_back("x" + part + "y");
  return texts;
}

/// Visible as it is, line by line.
void expect_harmless(const std::string& text, const std::string& way) {
  std::string lines = visible_lines(text);
  std::replace(lines.begin(), lines.end(), '\t', '?');
  EXPECT_EQ(text, lines) << way;
}

void expect_shown(const std::string& text, const std::string& harmful, const std::string& way) {
  expect_harmless(text, way);
  EXPECT_NE(text.find(visible(harmful)), std::string::npos) << way << ": " << text;
}

constexpr const char* harmless = "ü漢 é";

/// A socket of AF_UNIX that is bound to any name; one that begins with NUL is abstract.
Socket unix_socket(const std::string& name, int type) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path, sizeof address.sun_path);
  Fd fd(check("create a socket", ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  check("bind", ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length));
  return Socket(std::move(fd));
}

void connect_to(const Socket& socket, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  check("connect", ::connect(socket.number(), reinterpret_cast<sockaddr*>(&address), sizeof address));
}

TEST(OutsideText, OfPeersNamesIsHarmlessInTheLogAndForPrograms) {
  for (const std::string kind : {"path", "abstract"}) {
    std::vector<std::string> names = harmful_texts(kind == "abstract");
    names.emplace_back(harmless);
    for (const std::string& name : names) {
      const TemporaryDirectory folder;
      const std::string own = kind == "path" ? folder.path() + '/' + name : '\0' + name + folder.path();
      Serving server({"-dd", "UNIX-LISTEN:" + folder.path() + "/server", "EXEC:printenv SOCAT_PEERADDR"});
      const Socket client = unix_socket(own, SOCK_STREAM);
      connect_to(client, folder.path() + "/server");
      const std::string answer = client.receive_all();
      expect_shown(answer, name, kind);
      EXPECT_EQ(std::count(answer.begin(), answer.end(), '\n'), 1) << answer;
      expect_shown(server->wait().err, name, kind);
    }
  }
}

TEST(OutsideText, OfSendersNamesIsHarmless) {
  for (const std::string& name : harmful_texts(true)) {
    const TemporaryDirectory folder;
    const std::string path = folder.path() + "/server";
    Running server(sockcat({"-dd", "--ready-fd", "3", "-u", "UNIX-RECVFROM:" + path, "-"}),
                   {.captured = {3}});
    ASSERT_TRUE(server.line(3));
    const Socket client = unix_socket('\0' + name + folder.path(), SOCK_DGRAM);
    connect_to(client, path);
    client.send("x");
    expect_shown(server.wait().err, name, "datagram");
  }
}

TEST(OutsideText, OfAnotherProgramsNameIsHarmless) {
  char before[16] = "";
  ::prctl(PR_GET_NAME, before);
  for (const char* name : {"a\x1b[2J\nb",
                           "a\x9b"
                           "2J\rb",
                           "a\u202Eb\u0085c", "\u2028\xff\t", "ü漢"}) {
    ::prctl(PR_SET_NAME, name);
    const Socket held = Socket::listening_tcp();
    const Ended ended = run_sockcat({"TCP-LISTEN:" + std::to_string(held.port()) + ",bind=127.0.0.1", "-"});
    expect_shown(ended.err, "held by "s + name + ", process " + std::to_string(::getpid()), "holder");
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
  }
  ::prctl(PR_SET_NAME, before);
}

TEST(OutsideText, OfProxiesAnswersIsHarmless) {
  for (const std::string& text : harmful_texts()) {
    // A status line ends in its newline.
    std::string line = text;
    std::erase(line, '\n');
    for (const std::string status : {"500 ", "200 OK\r\nX: "}) {
      const Socket proxy = Socket::listening_tcp();
      auto answering = beside([&] {
        const Socket peer = proxy.accept();
        peer.send("HTTP/1.0 " + status + line + "\r\n\r\n");
        peer.finish();
        return peer.receive_all();
      });
      const Ended ended =
          run_sockcat({"-dddd", "-", "PROXY:127.0.0.1:far:1,proxyport=" + std::to_string(proxy.port())});
      answering.wait();
      expect_shown(ended.err, line, "proxy");
    }
  }
}

TEST(OutsideText, OfFileNamesIsHarmless) {
  for (const std::string& name : harmful_texts()) {
    const TemporaryDirectory folder;
    folder.file(name, "text\xff\n");
    const auto expect_one_line = [&](const Ended& ended) {
      expect_harmless(ended.err, "file");
      EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    };
    for (const char* locale : {"LC_ALL=C", "LC_ALL=C.UTF-8"}) {
      const auto run_here = [&](std::vector<std::string> words) {
        words[0] = tool(words[0]);
        return run(words, {.environment = {locale}, .directory = folder.path()});
      };
      expect_one_line(run_here({"upper", "no" + name}));
      expect_one_line(run_here({"upper", "--check", name}));
      expect_one_line(run_here({"count-lines", "no" + name}));
      expect_one_line(run_here({"count-lines", "--pass", name}));
      expect_one_line(run_here({"count-lines", "--files0-from=no" + name}));
      expect_one_line(run_here({"upper", "--from=OPEN:no" + name}));
      expect_one_line(run_here({"sockcat", "-lf", "no" + name + "/log", "-", "-"}));
      expect_one_line(run_here({"sockcat", "-r", "no" + name + "/log", "-", "-"}));
      expect_harmless(run_here({"sockcat", "-dddd", "-u", "./" + name, "/dev/null"}).err, "log");
      expect_harmless(run_here({"upper", "--locale=" + name}).err, "choice");
      expect_harmless(run_here({"upper", "--" + name}).err, "option");
      expect_harmless(run_here({"count-lines", "--files0-from=x", name}).err, "operand");
      expect_harmless(run_here({"sockcat", "--" + name, "-", "-"}).err, "option");
      expect_harmless(run_here({"sockcat", "--explain", "-", "./" + name}).out, "explanation");
    }
  }
  const TemporaryDirectory folder;
  EXPECT_EQ(run({tool("upper"), "a\nb"}, {.directory = folder.path()}).err,
            "upper: 'a'$'\\n''b': No such file or directory\n");
}

TEST(OutsideText, OfAddressesIsHarmlessInErrors) {
  for (const std::string& text : harmful_texts()) {
    for (const std::string& address :
         {"TCP:" + text, "XYZ:" + text, "TCP:h:1," + text, "TCP:127.0.0.1:" + text,
          "UNIX-CONNECT:/nowhere/" + text, "UNIX-LISTEN:/nowhere/" + text, "EXEC:/nowhere/" + text,
          "OPEN:/nowhere/" + text, "PIPE:/nowhere/" + text}) {
      std::string whole = address;
      // Tabs are kept where a caret stands below them.
      std::erase(whole, '\t');
      expect_harmless(run_sockcat({"-", whole}, {.input = "x"}).err, address.substr(0, 6));
    }
  }
  EXPECT_NE(run_sockcat({"-", "XYZ:"s + harmless}).err.find(harmless), std::string::npos);
}

TEST(OutsideText, OfPathsKeepsReadinessLinesWhole) {
  for (const std::string& name : harmful_texts()) {
    const TemporaryDirectory folder;
    const std::string path = folder.path() + '/' + name;
    // What has a meaning in addresses is not in these names but for the backslash of escapes.
    Running server(
        sockcat({"--ready-file", folder.path() + "/ready", "--ready-fd", "3", "UNIX-LISTEN:" + path, "-"}),
        {.captured = {3}});
    const auto line = server.line(3);
    ASSERT_TRUE(line);
    EXPECT_EQ(*line, "unix " + visible(path));
    EXPECT_EQ(contents_of(folder.path() + "/ready"), *line + '\n');
    EXPECT_FALSE(server.line(3));
  }
}

TEST(OutsideText, OfTheProgramsOwnNameIsHarmless) {
  for (const char* name : {"upper", "count-lines", "sockcat"}) {
    const Ended ended = run({"bash", "-c", "exec -a $'a\\e[2J\\nb' \"$0\" --no-such-option", tool(name)});
    expect_harmless(ended.err, name);
  }
  expect_harmless(run_sockcat({"-lp", "a\x1b[2J\nb", "-dd", "-", "-"}).err, "-lp");
}

}  // namespace
}  // namespace sluice::test
