#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "corpus.h"
#include "sluice/address/address.h"

namespace sluice {
namespace {

std::vector<std::string> parameters_of(const Address& address) {
  std::vector<std::string> texts;
  for (const auto& parameter : address.parameters) texts.push_back(parameter.text);
  return texts;
}

std::vector<std::string> options_of(const Address& address) {
  std::vector<std::string> texts;
  for (const auto& option : address.options)
    texts.push_back(std::string(option.row->name) + (option.has_text ? '=' + option.text : std::string()));
  return texts;
}

struct Row {
  std::string_view source, keyword;
  std::vector<std::string> parameters, options;
};

TEST(Grammar, ReadsKeywordsParametersAndOptions) {
  const Row rows[] = {
      {"-", "STDIO", {}, {}},
      {"stdio", "STDIO", {}, {}},
      {"\"OP\"EN:x", "OPEN", {"x"}, {}},
      {"OP\\EN:x", "OPEN", {"x"}, {}},
      {"tcp:host:80", "TCP-CONNECT", {"host", "80"}, {}},
      {"tcp:[::1]:80", "TCP-CONNECT", {"[::1]", "80"}, {}},
      {"TCP:[::1]x:1", "TCP-CONNECT", {"[::1]x", "1"}, {}},
      {"tcp::", "TCP-CONNECT", {"", ""}, {}},
      {"TCP-L:80,fork,reuseaddr", "TCP-LISTEN", {"80"}, {"fork", "so-reuseaddr"}},
      {"TCP-L:80,bind=[::1]:80", "TCP-LISTEN", {"80"}, {"bind=[::1]:80"}},
      {"TCP-L:80,bind=a=b", "TCP-LISTEN", {"80"}, {"bind=a=b"}},
      {"TCP-L:80,bind='a,b'", "TCP-LISTEN", {"80"}, {"bind=a,b"}},
      {"TCP-L:80,bind=no(s,u)ch", "TCP-LISTEN", {"80"}, {"bind=no(s,u)ch"}},
      {"TCP-L:80,bind=", "TCP-LISTEN", {"80"}, {"bind="}},
      {"TCP-L:80,,fork,", "TCP-LISTEN", {"80"}, {"fork"}},
      {"TCP-L:80,FORK=0", "TCP-LISTEN", {"80"}, {"fork=0"}},
      {"TCP-L:80,fo'rk'", "TCP-LISTEN", {"80"}, {"fork"}},
      {"OPEN:", "OPEN", {""}, {}},
      {"OPEN:,rdonly", "OPEN", {""}, {"o-rdonly"}},
      {"OPEN:a=b", "OPEN", {"a=b"}, {}},
      {"OPEN: a ", "OPEN", {" a "}, {}},
      {"OPEN:x,perm=6\\44", "OPEN", {"x"}, {"perm=644"}},
      {"PIPE", "PIPE", {}, {}},
      {"PIPE:x", "PIPE", {"x"}, {}},
      {"3", "FD", {"3"}, {}},
      {"3,ignoreeof", "FD", {"3"}, {"ignoreeof"}},
      {"'3'", "FD", {"3"}, {}},
      {"/x", "GOPEN", {"/x"}, {}},
      {"./x,rdonly", "GOPEN", {"./x"}, {"o-rdonly"}},
      {"3/x", "GOPEN", {"3/x"}, {}},
      {"TCP/x", "GOPEN", {"TCP/x"}, {}},
      {"'/x:y'", "GOPEN", {"/x:y"}, {}},
      {"/x\\:y", "GOPEN", {"/x:y"}, {}},
      {"SOCKS5:p:h:80", "SOCKS5-CONNECT", {"p", "h", "80"}, {}},
      {"SOCKS5:p:1080:h:80", "SOCKS5-CONNECT", {"p", "1080", "h", "80"}, {}},
      {"EXEC:echo a,pipes", "EXEC", {"echo a"}, {"pipes"}},
      {"EXEC:echo x ,pipes", "EXEC", {"echo x "}, {"pipes"}},
      {"EXEC:'echo \"a:b\"'", "EXEC", {"echo \"a:b\""}, {}},
      {"SYSTEM:\"echo 'a   b'\"", "SYSTEM", {"echo 'a   b'"}, {}},
      {"SYSTEM:\"echo \\\"a   b\\\"\"", "SYSTEM", {"echo \"a   b\""}, {}},
      {"SYSTEM:echo 'a b   c'", "SYSTEM", {"echo a b   c"}, {}},
      {"SYSTEM:echo a\\:b\\,c", "SYSTEM", {"echo a:b,c"}, {}},
      {"EXEC:a (b \"c  d\" e)", "EXEC", {"a (b \"c  d\" e)"}, {}},
      {"UPPER,cr", "UPPER", {}, {"cr"}},
      {"OPEN:x,setsid,umask=022,crnl", "OPEN", {"x"}, {"setsid", "umask=022", "crnl"}},
  };
  for (const auto& row : rows) {
    const auto address = parse_address(row.source);
    EXPECT_EQ(address.keyword->name, row.keyword) << row.source;
    EXPECT_EQ(parameters_of(address), row.parameters) << row.source;
    EXPECT_EQ(options_of(address), row.options) << row.source;
    EXPECT_EQ(address.written(), row.source);
  }
}

TEST(Grammar, JoinsTwoAddresses) {
  const auto both = parse_specification("OPEN:x,rdonly!!TCP:h:1,nodelay");
  EXPECT_EQ(both.reading.keyword->name, "OPEN");
  EXPECT_EQ(options_of(both.reading), std::vector<std::string>{"o-rdonly"});
  ASSERT_TRUE(both.writing);
  EXPECT_EQ(both.writing->keyword->name, "TCP-CONNECT");
  EXPECT_EQ(parameters_of(*both.writing), (std::vector<std::string>{"h", "1"}));
  EXPECT_EQ(both.writing->parameters[1].place, 21u);
  EXPECT_EQ(both.writing->options[0].place, 23u);
  EXPECT_FALSE(parse_specification("OPEN:'x!!y'").writing);
}

TEST(Grammar, ReadsTheWholeCorpus) {
  for (const auto source : corpus)
    EXPECT_NO_THROW(parse_specification(source, {.any_group = true})) << source;
}

TEST(Grammar, LetsOptionsOfOtherGroupsThroughIfAskedTo) {
  EXPECT_THROW(parse_address("OPEN:x,fork"), AddressError);
  EXPECT_TRUE(parse_address("OPEN:x,fork", {.any_group = true}).flag("fork"));
}

struct Wrong {
  std::string_view source, message, caret;
};

// The message without the address before it, and the line of the caret.
constexpr Wrong wrong[] = {
    {"", "the address is empty", "^"},
    {"!!", "an address is missing beside !!", "^"},
    {"!!-", "an address is missing beside !!", "^"},
    {"-!!", "an address is missing beside !!", "   ^"},
    {"-!!-!!-", "!! joins two addresses, not more", "    ^"},
    {":80", "the address's keyword is missing, did you mean \"TCP-LISTEN:80\"?", "^"},
    {",fork", "the address's keyword is missing", "^"},
    {"''", "the address's keyword is missing", "^"},
    {"-!!:80", "the address's keyword is missing, did you mean \"TCP-LISTEN:80\"?", "   ^"},
    {"xyzzy", "unknown address \"xyzzy\"", "^"},
    {" -", "unknown address \" -\", did you mean \"-\"?", "^"},
    {"TPC:h:1", "unknown address \"TPC\", did you mean \"TCP\"?", "^"},
    {"-!!tcp-lisen:80", "unknown address \"tcp-lisen\", did you mean \"TCP-LISTEN\"?", "   ^"},
    {"3x", "unknown address \"3x\"", "^"},
    {"tcp", "expects 2 parameters (TCP-CONNECT:<host>:<port>), got 0", "^"},
    {"TCP:localhost", "expects 2 parameters (TCP-CONNECT:<host>:<port>), got 1", "    ^"},
    {"TCP:localhost,nodelay", "expects 2 parameters (TCP-CONNECT:<host>:<port>), got 1", "    ^"},
    {"TCP:::1:80", "expects 2 parameters (TCP-CONNECT:<host>:<port>), got 4; an IPv6 address needs brackets",
     "      ^"},
    {"OPEN:a:b",
     "expects 1 parameter (OPEN:<filename>), got 2; a ':' within a parameter needs quotes or a backslash",
     "       ^"},
    {"/x:y",
     "expects 1 parameter (GOPEN:<filename>), got 2; a ':' within a parameter needs quotes or a backslash",
     "   ^"},
    {"EXEC:a x:y",
     "expects 1 parameter (EXEC:<command-line>), got 2; a ':' within a parameter needs quotes or a backslash",
     "         ^"},
    {"-:x", "expects no parameters (STDIO), got 1", "  ^"},
    {"STDIO:", "expects no parameters (STDIO), got 1", "      ^"},
    {"PIPE:a:b",
     "expects at most 1 parameter (PIPE[:<filename>]), got 2; a ':' within a parameter needs quotes or a "
     "backslash",
     "       ^"},
    {"SOCKS5:a:b",
     "expects 3 to 4 parameters (SOCKS5-CONNECT:<socks-server>[:<socks-port>]:<target-host>:<target-port>), "
     "got 2",
     "         ^"},
    {"OPEN:'x", "unexpected end of address, no closing ' for this", "     ^"},
    {"OPEN:\"x", "unexpected end of address, no closing \" for this", "     ^"},
    {"TCP:[::1:80", "unexpected end of address, no closing ] for this", "    ^"},
    {"-!!EXEC:(x", "unexpected end of address, no closing ) for this", "        ^"},
    {"OPEN:x\\", "nothing follows the backslash", "      ^"},
    {"TCP-LISTEN:80,frok", "unknown option \"frok\", did you mean \"fork\"?", "              ^"},
    {"TCP-LISTEN:80,resueaddr", "unknown option \"resueaddr\", did you mean \"reuseaddr\"?",
     "              ^"},
    {"TCP-LISTEN:80,xyzzyxyzzy=1", "unknown option \"xyzzyxyzzy\"", "              ^"},
    {"OPEN:x, rdonly", "unknown option \" rdonly\", did you mean \"rdonly\"?", "       ^"},
    {"OPEN:x,rdonly:wronly", "unknown option \"rdonly:wronly\"", "       ^"},
    {"OPEN:x,=3", "the option's name is missing", "       ^"},
    {"OPEN:x,fork", "option \"fork\" does not apply to OPEN", "       ^"},
    {"file:x,fork", "option \"fork\" does not apply to OPEN", "       ^"},
    {"-,rdonly", "option \"rdonly\" does not apply to STDIO", "  ^"},
    {"TCP:h:1,range=127.0.0.1/8", "option \"range\" does not apply to TCP-CONNECT", "        ^"},
    {"OPENSSL:h:1,verify", "option \"verify\" is not supported yet", "            ^"},
    {"-,raw=x", "option \"raw\": takes no value", "      ^"},
    {"TCP-LISTEN:80,backlog=x", "option \"backlog\": \"x\" is not a number", "                      ^"},
    {"TCP-LISTEN:80,fork=2", "option \"fork\": \"2\" is neither 0 nor 1", "                   ^"},
    {"TCP-LISTEN:80,bind", "option \"bind\": needs a value", "              ^"},
    {"-,cr=1", "option \"cr\": takes no value", "     ^"},
    {"TCP:h:1,sp=70000", "option \"sp\": \"70000\" is out of range (0..65535)", "           ^"},
    {"-,exit-on=never", "option \"exit-on\": \"never\" is not one of first-eof, both, left, right",
     "          ^"},
    {"OPEN:\xc3\xa4,frk", "unknown option \"frk\", did you mean \"fork\"?", "       ^"},
    {"OPEN:\t,xyzzyxyzzy", "unknown option \"xyzzyxyzzy\"", "     \t ^"},
};

TEST(Grammar, SaysWhatIsWrongUnderItsPlace) {
  for (const auto& row : wrong) {
    try {
      parse_specification(row.source);
      ADD_FAILURE() << row.source;
    } catch (const AddressError& error) {
      const std::string_view what = error.what();
      EXPECT_TRUE(what.ends_with(row.message)) << what;
      EXPECT_EQ(error.detail(), std::string(row.source) + '\n' + std::string(row.caret)) << what;
    }
  }
}

TEST(Grammar, NamesTheAddressAsItWasWritten) {
  struct {
    std::string_view source, what;
  } constexpr rows[] = {
      {"TCP:localhost", "TCP:localhost: expects 2 parameters (TCP-CONNECT:<host>:<port>), got 1"},
      {"TCP-LISTEN:80,backlog=x", "TCP-LISTEN:80,backlog=x: option \"backlog\": \"x\" is not a number"},
      {"-!!OPEN:x,fork", "OPEN:x,fork: option \"fork\" does not apply to OPEN"},
      {"OPEN:x,fork!!-", "OPEN:x,fork: option \"fork\" does not apply to OPEN"},
      {"-!!OPEN:'x", "-!!OPEN:'x: unexpected end of address, no closing ' for this"},
      {"", "the address is empty"},
  };
  for (const auto& row : rows) {
    try {
      parse_specification(row.source);
      ADD_FAILURE() << row.source;
    } catch (const AddressError& error) {
      EXPECT_EQ(std::string_view(error.what()), row.what);
    }
  }
}

TEST(Grammar, RefusesTwoAddressesWhereOneBelongs) {
  try {
    parse_address("STDIN!!STDOUT");
    FAIL();
  } catch (const AddressError& error) {
    EXPECT_STREQ(error.what(), "STDIN!!STDOUT: only one address can stand here, without !!");
    EXPECT_EQ(error.detail(), "STDIN!!STDOUT\n     ^");
  }
}

}  // namespace
}  // namespace sluice
