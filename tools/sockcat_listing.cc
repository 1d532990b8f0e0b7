#include <sys/utsname.h>

#include <algorithm>
#include <array>

#include "sluice/address/address.h"
#include "sluice/address/lookup.h"
#include "sluice/address/names.h"
#include "sockcat_options.h"

namespace sluice {
namespace {

/// What -V says of a feature: it is there if the keyword is built.
struct Feature {
  std::string_view name;
  std::string_view keyword{};  ///< none: it is there, or not, whatever the table of addresses says
  bool present = true;
};

// In the order in which scripts know them.
constexpr std::array features = {
    Feature{"HELP"},
    Feature{"STATS"},
    Feature{"STDIO", "STDIO"},
    Feature{"FDNUM", "FD"},
    Feature{"FILE", "OPEN"},
    Feature{"CREAT", "CREATE"},
    Feature{"GOPEN", "GOPEN"},
    Feature{"TERMIOS"},
    Feature{"PIPE", "PIPE"},
    Feature{"SOCKETPAIR", "SOCKETPAIR"},
    Feature{"TEXT", "TEXT"},
    Feature{"STALL", "STALL"},
    Feature{"UNIX", "UNIX-CONNECT"},
    Feature{"ABSTRACT_UNIXSOCKET", "ABSTRACT-CONNECT"},
    Feature{"IP4", "TCP4-CONNECT"},
    Feature{"IP6", "TCP6-CONNECT"},
    Feature{"RAWIP", "IP-SENDTO"},
    Feature{"GENERICSOCKET", "SOCKET-CONNECT"},
    Feature{"INTERFACE", "INTERFACE"},
    Feature{"TCP", "TCP-CONNECT"},
    Feature{"UDP", "UDP-CONNECT"},
    Feature{"SCTP", "SCTP-CONNECT"},
    Feature{"DCCP", "DCCP-CONNECT"},
    Feature{"UDPLITE", "UDPLITE-CONNECT"},
    Feature{"LISTEN", "TCP-LISTEN"},
    Feature{"POSIXMQ", "POSIXMQ-READ"},
    Feature{"SOCKS4", "SOCKS4"},
    Feature{"SOCKS4A", "SOCKS4A"},
    Feature{"SOCKS5", "SOCKS5-CONNECT"},
    Feature{"VSOCK", "VSOCK-CONNECT"},
    Feature{"NAMESPACES"},
    Feature{"PROXY", "PROXY"},
    Feature{"SYSTEM", "SYSTEM"},
    Feature{"SHELL", "SHELL"},
    Feature{"EXEC", "EXEC"},
    Feature{"READLINE", "READLINE"},
    Feature{"TUN", "TUN"},
    Feature{"PTY", "PTY"},
    Feature{"OPENSSL", "OPENSSL"},
    Feature{"FIPS", {}, false},
    Feature{"LIBWRAP"},
    Feature{"SYCLS", {}, false},
    Feature{"FILAN", {}, false},
    Feature{"RETRY"},
    Feature{"DEVTESTS", {}, false},
};

/// The blanks between an option of this size and its help.
std::string gap(std::size_t size, std::size_t width) {
  return std::string(size < width ? width - size : 1, ' ');
}

/// `      -lf<FILE>      write log lines to FILE`: a line for each option of the command line.
std::string general_options() {
  constexpr std::size_t help_column = 22;
  std::string text;
  for (const ArgumentRow& row : sockcat_description().rows) {
    if (row.hidden) continue;
    std::string line = "      " + spelling_of(row);
    // As socat writes those of files: `-r <file>`, but `-lf<logfile>`.
    const bool is_apart = row.spelling.size() == 2 && row.completes == Completes::file;
    if (row.kind == ArgumentKind::required)
      line +=
          (is_apart ? " <" : "<") + (is_apart ? lower_case(row.argument) : std::string(row.argument)) + '>';
    if (row.kind == ArgumentKind::optional) line += '[' + std::string(row.argument) + ']';
    text += line + gap(line.size(), help_column);
    text += row.help;
    text += '\n';
  }
  return text;
}

/// Names and what they stand for, each a line, in the order of the names.
using Lines = std::vector<std::pair<std::string_view, std::string>>;

std::string in_order(Lines lines) {
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const auto& [name, line] : lines) text += line;
  return text;
}

std::string addresses(bool with_aliases) {
  Lines lines;
  for (const KeywordRow& row : keyword_rows()) {
    if (!sockcat_has(row)) continue;
    lines.emplace_back(row.name, "      " + std::string(row.name) + std::string(row.syntax) +
                                     "\tgroups=" + group_names(row.groups) + '\n');
  }
  if (with_aliases)
    for (const KeywordAlias& alias : keyword_aliases())
      if (sockcat_has(*find_keyword(alias.name)))
        lines.emplace_back(alias.alias, "         " + std::string(alias.alias) + " is an alias name for " +
                                            std::string(alias.name) + '\n');
  return in_order(std::move(lines));
}

std::string options(bool with_aliases) {
  Lines lines;
  const auto applied = [](const OptionRow& row) { return row.effect.kind != Effect::not_yet; };
  for (const OptionRow& row : option_rows()) {
    if (!applied(row)) continue;
    std::string line = "      " + std::string(row.name) + "\tgroups=" + group_names(row.groups);
    (line += "\tphase=") += phase_name(row.phase);
    (line += "\ttype=") += type_name(row.type);
    lines.emplace_back(row.name, line + '\n');
  }
  if (with_aliases)
    for (const OptionAlias& alias : option_aliases())
      if (applied(*find_option(alias.name)))
        lines.emplace_back(alias.alias, "      " + std::string(alias.alias) + " is an alias for " +
                                            std::string(alias.name) + '\n');
  return in_order(std::move(lines));
}

}  // namespace

std::string sockcat_features() {
  std::string text = version_text(sockcat_description());
  text += "socat version 1.8.0.0\n";
  utsname system{};
  if (::uname(&system) == 0)
    text += "   running on " + std::string(system.sysname) + " version " + system.version + ", release " +
            system.release + ", machine " + system.machine + '\n';
  text += "features:\n";
  for (const Feature& feature : features) {
    const bool present =
        feature.keyword.empty() ? feature.present : sockcat_has(*find_keyword(feature.keyword));
    text += present ? "  #define WITH_" : "  #undef WITH_";
    text += feature.name;
    text += present ? " 1\n" : "\n";
  }
  return text + "  #define WITH_MSGLEVEL 0 /*debug*/\n  #define WITH_DEFAULT_IPV 4\n";
}

std::string sockcat_listing(int level) {
  std::string text = version_text(sockcat_description()) +
                     "Usage:\nsockcat [options] <bi-address> <bi-address>\n   options:\n" +
                     general_options() +
                     "   bi-address:\n"
                     "      PIPE[,<opts>]\tgroups=FD,FIFO\n";
  if (level >= 3)
    for (const KeywordAlias& alias : keyword_aliases())
      if (alias.name == "PIPE") text += "      " + std::string(alias.alias) + " is an alias for PIPE\n";
  text +=
      "      <single-address>!!<single-address>\n"
      "      <single-address>\n"
      "   single-address:\n"
      "      <address-head>[,<opts>]\n"
      "   address-head:\n" +
      addresses(level >= 3);
  if (level == 1) return text;
  return text + "   opts:\n      <opt>{,<opts>}:\n   opt:\n" + options(level >= 3);
}

}  // namespace sluice
