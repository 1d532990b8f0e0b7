#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "sluice/address/lookup.h"
#include "sluice/address/misfits.h"
#include "sluice/endpoint/endpoint.h"
#include "sockcat.h"

namespace sluice::test {
namespace {

/// What the tool itself says about a word: its candidates, without what they mean.
std::vector<std::string> candidates(const std::string& word, const std::string& directory = "/",
                                    const std::string& by = "sockcat") {
  const Ended ended = run({tool(by), "--complete-address=" + word}, {.directory = directory});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.err, "") << word;
  std::vector<std::string> words;
  for (std::string_view rest = ended.out; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    words.emplace_back(line.substr(0, line.find('\t')));
    rest.remove_prefix(line.size() + 1);
  }
  return words;
}

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_built(std::string_view keyword) {
  const auto types = endpoint_types();
  return std::any_of(types.begin(), types.end(),
                     [&](const EndpointType& type) { return type.keyword == keyword; });
}

TEST(AddressCompletion, KnowsEveryKeywordInBothCases) {
  for (const std::string beginning : {"", "t", "T", "u", "s", "o", "e", "x"}) {
    const auto words = candidates(beginning);
    const auto check = [&](std::string_view name, const KeywordRow& row) {
      if (!lower_case(name).starts_with(lower_case(beginning))) return;
      const bool lower = beginning == lower_case(beginning) && !beginning.empty();
      const std::string word =
          (lower ? lower_case(name) : std::string(name)) + (row.least_parameters > 0 ? ":" : "");
      EXPECT_EQ(has(words, word), is_built(row.name)) << word;
    };
    for (const KeywordRow& row : keyword_rows()) check(row.name, row);
    for (const KeywordAlias& alias : keyword_aliases()) check(alias.alias, *find_keyword(alias.name));
  }
}

TEST(AddressCompletion, KnowsEveryOptionThatFits) {
  for (const std::string keyword :
       {"TCP-LISTEN:1", "EXEC:cat", "OPEN:f", "UDP-RECV:1", "PTY", "UPPER", "STDIO"}) {
    const auto words = candidates(keyword + ',');
    const KeywordRow& row = *find_keyword(keyword.substr(0, keyword.find(':')));
    const auto check = [&](std::string_view name, const OptionRow& option) {
      const std::string word = keyword + ',' + std::string(name);
      EXPECT_EQ(has(words, word) || has(words, word + '='), can_fit(row, option)) << word;
    };
    for (const OptionRow& option : option_rows()) check(option.name, option);
    for (const OptionAlias& alias : option_aliases()) check(alias.alias, *find_option(alias.name));
  }
}

TEST(AddressCompletion, OffersWhatFitsThePlace) {
  const TemporaryDirectory files;
  files.file("some file");
  files.file("a,b");
  std::filesystem::create_directory(files.path() + "/folder");
  struct Row {
    std::string word;
    std::vector<std::string> with, without;
  };
  for (const Row& row : {
           Row{"OPEN:so", {"OPEN:some file"}, {}},
           Row{"open:./so", {"open:./some file"}, {}},
           Row{"./so", {"./some file"}, {}},
           Row{"OPEN:a", {"OPEN:a\\,b"}, {}},
           Row{"fo", {"folder/"}, {"folder"}},
           Row{"OPEN:fold", {"OPEN:folder/"}, {}},
           Row{"PIPE,chdir=", {"PIPE,chdir=folder/"}, {"PIPE,chdir=some\\ file"}},
           Row{"PIPE!!OPEN:so", {"PIPE!!OPEN:some file"}, {}},
           Row{"PIPE,exit-on=", {"PIPE,exit-on=first-eof", "PIPE,exit-on=both"}, {"PIPE,exit-on=0"}},
           Row{"TCP-LISTEN:1,fork=", {"TCP-LISTEN:1,fork=0", "TCP-LISTEN:1,fork=1"}, {}},
           Row{"TCP-LISTEN:1,keepalive=", {"TCP-LISTEN:1,keepalive=1"}, {}},
           Row{"PIPE,mode=", {}, {"PIPE,mode=0", "PIPE,mode=folder/"}},
           Row{"TCP:localh", {"TCP:localhost:"}, {}},
           Row{"UDP-RECV:1,bind=localh", {"UDP-RECV:1,bind=localhost"}, {}},
           Row{"TCP:x:htt", {"TCP:x:http"}, {}},
           Row{"OPEN:f,user=roo", {"OPEN:f,user=root"}, {}},
           Row{"OPEN:f,group=roo", {"OPEN:f,group=root"}, {}},
           Row{"INTERFACE:", {"INTERFACE:lo"}, {}},
           Row{"TCP:h:1,so-bindtodevice=", {"TCP:h:1,so-bindtodevice=lo"}, {}},
           Row{"EXEC:l", {"EXEC:ls"}, {}},
           Row{"TUN,tun-type=", {"TUN,tun-type=tun", "TUN,tun-type=tap"}, {}},
           Row{"TCP:h:1,pf=", {"TCP:h:1,pf=ip4", "TCP:h:1,pf=ip6"}, {}},
           Row{"0,ech", {"0,echo", "0,echoctl"}, {}},
           Row{"SYSTEM:'a, b',pt", {"SYSTEM:'a, b',pty"}, {"SYSTEM:'a, b',pty-end-on-close"}},
           Row{"EXEC:'ca", {}, {"EXEC:'cat"}},
           Row{"NONSENSE:x,fo", {}, {"NONSENSE:x,fork"}},
           Row{"TCP-LISTEN:1,Ran", {"TCP-LISTEN:1,Range="}, {}},
       }) {
    const auto words = candidates(row.word, files.path());
    for (const auto& word : row.with) EXPECT_TRUE(has(words, word)) << row.word << ' ' << word;
    for (const auto& word : row.without) EXPECT_FALSE(has(words, word)) << row.word << ' ' << word;
    for (const auto& word : words) EXPECT_TRUE(word.starts_with(row.word)) << word;
  }
}

bool installed(const std::string& program) { return run({"sh", "-c", "command -v " + program}).status == 0; }

/// A line of a terminal without what moves the cursor or colours it.
std::string plain(std::string_view line) {
  std::string text;
  while (!line.empty()) {
    const char c = line.front();
    line.remove_prefix(1);
    if (c != '\33') {
      if (c != '\r') text += c;
      continue;
    }
    const bool sequence = line.starts_with('[') || line.starts_with('(') || line.starts_with(']');
    const auto last = sequence ? line.find_first_of("ABCDGHJKPXhlmnrtu\a", 1) : 0;
    line.remove_prefix(std::min(last == line.npos ? line.size() : last + 1, line.size()));
  }
  return text;
}

struct Shell {
  const char* name;
  const char* terminal;
  const char* start;  ///< its command line
  const char* file;   ///< what it reads first: `shown`, a prompt that says READY, and the completions
  const char* content;
};

void PrintTo(const Shell& shell, std::ostream* to) { *to << shell.name; }

constexpr Shell shells[] = {
    {"bash", "dumb", "bash --noprofile --rcfile rc -i", "rc", R"(
PS1='
READY
'
bind 'set bell-style none'
bind 'set enable-bracketed-paste off'
shown() { printf '\n'; printf '<%s>' "$@"; printf '\n'; }
for tool in sockcat upper count-lines; do source <($tool --print-completion=bash); done
)"},
    {"zsh", "dumb", "zsh -d -i", ".zshrc", R"(
unsetopt promptsp promptcr beep
unset zle_bracketed_paste
PS1='> '
precmd() { printf '\nREADY\n'; }
bindkey -e
mkdir functions
for tool in sockcat upper count-lines; do $tool --print-completion=zsh > functions/_$tool; done
fpath=($PWD/functions $fpath)
autoload -Uz compinit
compinit -u -D
shown() { printf '\n'; printf '<%s>' "$@"; printf '\n'; }
)"},
    {"fish", "xterm", "fish --no-config -i -C \"source ./rc\"", "rc", R"(
function fish_prompt; printf '\nREADY\n> '; end
function fish_right_prompt; end
function fish_greeting; end
function shown; printf '\n'; printf '<%s>' $argv; printf '\n'; end
for tool in sockcat upper count-lines; $tool --print-completion=fish | source; end
)"},
};

class InteractiveShell : public testing::TestWithParam<Shell> {
 protected:
  void SetUp() override {
    if (!installed(GetParam().name)) GTEST_SKIP() << GetParam().name << " is not installed";
    for (const char* name : {"some file", "socket-here"}) files_.file(name);
    files_.file(GetParam().file, GetParam().content);
    const std::string tools = std::filesystem::path(tool("sockcat")).parent_path();
    RunOptions options{.more_input = true};
    options.environment = {"PATH=" + tools + ":" + std::getenv("PATH"),
                           "HOME=" + files_.path(),
                           "LC_ALL=C.UTF-8",
                           "HISTFILE",
                           "ZDOTDIR",
                           "TERM=" + std::string(GetParam().terminal)};
    options.directory = files_.path();
    running_.emplace(sockcat({"-", "EXEC:'" + std::string(GetParam().start) + "',pty,setsid,ctty,stderr"}),
                     std::move(options));
    wait_for("READY");
  }

  /// The words that the line has once these keys have been typed.
  std::string words_after(const std::string& keys) {
    constexpr const char* to_the_beginning = "\x01";
    running_->write(keys + to_the_beginning + "shown \n");
    std::string line = wait_for("<");
    wait_for("READY");
    return line;
  }

 private:
  std::string wait_for(std::string_view beginning) {
    std::string before;
    while (const auto line = running_->line()) {
      std::string text = plain(*line);
      if (text.starts_with(beginning)) return text;
      before += text + '\n';
    }
    ADD_FAILURE() << "no line begins with " << beginning << ":\n" << before;
    return {};
  }

  TemporaryDirectory files_;
  std::optional<Running> running_;
};

TEST_P(InteractiveShell, CompletesAddressesWhereverTheyStand) {
  struct {
    const char *keys, *words;
  } constexpr rows[] = {
      {"sockcat tcp4-lis\t", "<sockcat><tcp4-listen:>"},
      {"sockcat - UNIX-RECVF\t", "<sockcat><-><UNIX-RECVFROM:>"},
      {"sockcat TCP-LISTEN:9000,max-c\t", "<sockcat><TCP-LISTEN:9000,max-children=>"},
      {"sockcat - TCP-LISTEN:9000,fork,backl\t", "<sockcat><-><TCP-LISTEN:9000,fork,backlog=>"},
      {"sockcat - PIPE,exit-on=fir\t", "<sockcat><-><PIPE,exit-on=first-eof>"},
      {"sockcat - UNIX-CONNECT:sock\t", "<sockcat><-><UNIX-CONNECT:socket-here>"},
      {"sockcat -u - ./sock\t", "<sockcat><-u><-><./socket-here>"},
      {"sockcat -u - OPEN:some\t", "<sockcat><-u><-><OPEN:some file>"},
      {"sockcat -u - OPEN:some\\ f\t", "<sockcat><-u><-><OPEN:some file>"},
      {"sockcat - EXEC:'tr a-z A-Z',setsi\t", "<sockcat><-><EXEC:tr a-z A-Z,setsid>"},
      {"sockcat - -- sockca\t", "<sockcat><-><--><sockcat>"},
      {"sockcat --statis\t", "<sockcat><--statistics>"},
      {"sockcat -lf some\t", "<sockcat><-lf><some file>"},
      {"upper --from=udp4-recvf\t", "<upper><--from=udp4-recvfrom:>"},
      {"upper --serve TCP-LISTEN:9000,max-c\t", "<upper><--serve><TCP-LISTEN:9000,max-children=>"},
      {"count-lines --to=UNIX-CONNECT:sock\t", "<count-lines><--to=UNIX-CONNECT:socket-here>"},
      {"count-lines --pas\t", "<count-lines><--pass>"},
  };
  for (const auto& [keys, words] : rows) EXPECT_EQ(words_after(keys), words) << keys;
}

INSTANTIATE_TEST_SUITE_P(Completion, InteractiveShell, testing::ValuesIn(shells),
                         [](const auto& shell) { return std::string(shell.param.name); });

}  // namespace
}  // namespace sluice::test
