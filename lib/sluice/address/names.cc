#include "sluice/address/names.h"

#include <array>

namespace sluice {
namespace {

struct GroupName {
  Group group;
  std::string_view name;
};

constexpr std::array groups_in_order = {
    GroupName{Group::fd, "FD"},
    GroupName{Group::fifo, "FIFO"},
    GroupName{Group::chr, "CHR"},
    GroupName{Group::blk, "BLK"},
    GroupName{Group::reg, "REG"},
    GroupName{Group::socket, "SOCKET"},
    GroupName{Group::readline, "READLINE"},
    GroupName{Group::named, "NAMED"},
    GroupName{Group::open, "OPEN"},
    GroupName{Group::exec, "EXEC"},
    GroupName{Group::fork, "FORK"},
    GroupName{Group::shell, "SHELL"},
    GroupName{Group::listen, "LISTEN"},
    GroupName{Group::child, "CHILD"},
    GroupName{Group::retry, "RETRY"},
    GroupName{Group::range, "RANGE"},
    GroupName{Group::termios, "TERMIOS"},
    GroupName{Group::pty, "PTY"},
    GroupName{Group::parent, "PARENT"},
    GroupName{Group::unix_, "UNIX"},
    GroupName{Group::ip4, "IP4"},
    GroupName{Group::ip6, "IP6"},
    GroupName{Group::udp, "UDP"},
    GroupName{Group::tcp, "TCP"},
    GroupName{Group::sctp, "SCTP"},
    GroupName{Group::dccp, "DCCP"},
    GroupName{Group::udplite, "UDPLITE"},
    GroupName{Group::socks, "SOCKS"},
    GroupName{Group::http, "HTTP"},
    GroupName{Group::openssl, "OPENSSL"},
    GroupName{Group::interface, "INTERFACE"},
    GroupName{Group::posixmq, "POSIXMQ"},
    GroupName{Group::process, "PROCESS"},
    GroupName{Group::appl, "APPL"},
    GroupName{Group::upper, "UPPER"},
};

constexpr std::array<std::string_view, 34> phases = {
    "INIT",       "EARLY",      "PREOPEN",    "OPEN",       "PASTOPEN", "PRESOCKET",   "SOCKET",
    "PASTSOCKET", "PREBIGEN",   "BIGEN",      "PASTBIGEN",  "PREBIND",  "BIND",        "PASTBIND",
    "PRELISTEN",  "LISTEN",     "PASTLISTEN", "PRECONNECT", "CONNECT",  "PASTCONNECT", "PREACCEPT",
    "ACCEPT",     "PASTACCEPT", "CONNECTED",  "PREFORK",    "FORK",     "PASTFORK",    "FD",
    "LATE",       "LATE2",      "PREEXEC",    "EXEC",       "SPECIFIC", "OFFSET"};
static_assert(phases.size() == static_cast<std::size_t>(Phase::offset) + 1);

constexpr std::array<std::string_view, 33> types = {"BOOL",
                                                    "CONST",
                                                    "BYTE",
                                                    "INT",
                                                    "INT/NULL",
                                                    "LONG",
                                                    "UNSIGNED-INT",
                                                    "UNSIGNED-SHORT",
                                                    "SIZE_T",
                                                    "OFF64_T",
                                                    "MODE_T",
                                                    "UID_T",
                                                    "GID_T",
                                                    "STRING",
                                                    "STRING-NULL",
                                                    "STRUCT-TIMEVAL",
                                                    "STRUCT-TIMESPEC",
                                                    "STRUCT-LINGER",
                                                    "IP4NAME",
                                                    "IP4SOCK",
                                                    "STRUCT-IP_MREQN",
                                                    "IP-MREQ-SOURCE",
                                                    "BIN",
                                                    "INT:INT",
                                                    "INT:BIN",
                                                    "INT:INTP",
                                                    "INT:STRING",
                                                    "INT:INT:INT",
                                                    "INT:INT:BIN",
                                                    "INT:INT:STRING",
                                                    "INT:ULONG",
                                                    "INT[3]",
                                                    "GENERIC"};
static_assert(types.size() == static_cast<std::size_t>(ValueType::generic) + 1);

}  // namespace

std::string group_names(Group groups) {
  if (groups == Group::every) return "(all)";
  std::string text;
  for (const auto& [group, name] : groups_in_order)
    if (overlap(groups, group)) (text += text.empty() ? "" : ",") += name;
  return text;
}

std::string_view phase_name(Phase phase) { return phases[static_cast<std::size_t>(phase)]; }

std::string_view type_name(ValueType type) { return types[static_cast<std::size_t>(type)]; }

}  // namespace sluice
