#include "sluice/stream/ancillary.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "sluice/core/figures.h"
#include "sluice/core/socket_name.h"

namespace sluice {
namespace {

/// Room for whatever options of a socket make the kernel tell.
constexpr std::size_t control_room = 1024;

template <class Value>
bool take(const cmsghdr& control, Value& value) {
  if (control.cmsg_len < CMSG_LEN(sizeof value)) return false;
  std::memcpy(&value, CMSG_DATA(&control), sizeof value);
  return true;
}

std::string data_text(const cmsghdr& control) {
  const auto* const data = reinterpret_cast<const char*>(CMSG_DATA(&control));
  return 'x' + hexadecimal({data, control.cmsg_len - CMSG_LEN(0)});
}

/// A number, in as many bytes as the kernel chose: one for TOS, four for the rest.
std::string number(const cmsghdr& control) {
  int value = 0;
  if (!take(control, value)) value = control.cmsg_len > CMSG_LEN(0) ? *CMSG_DATA(&control) : 0;
  return std::to_string(value);
}

std::string interface_name(unsigned index) {
  char name[IF_NAMESIZE] = "";
  return ::if_indextoname(index, name) != nullptr ? name : std::to_string(index);
}

std::string address(int family, const void* bytes) {
  if (family == AF_INET6) return '[' + all_digits(bytes) + ']';
  char text[INET_ADDRSTRLEN] = "";
  return ::inet_ntop(family, bytes, text, sizeof text);
}

std::string time_text(const timeval& moment) {
  char part[24];
  std::snprintf(part, sizeof part, ", %06ld usecs", static_cast<long>(moment.tv_usec));
  return date_text(moment.tv_sec) + part;
}

/// Those that are one number or a row of bytes.
struct Plain {
  int level, type;
  const char *kind, *name, *variable;
  bool bytes;
};

constexpr std::array plain = {
    Plain{IPPROTO_IP, IP_TTL, "IP_TTL", "ttl", "IP_TTL", false},
    Plain{IPPROTO_IP, IP_TOS, "IP_TOS", "tos", "IP_TOS", false},
    Plain{IPPROTO_IP, IP_RECVOPTS, "IP_OPTIONS", "options", "IP_OPTIONS", true},
    Plain{IPPROTO_IP, IP_RETOPTS, "IP_RETOPTS", "options", "IP_OPTIONS", true},
    Plain{IPPROTO_IPV6, IPV6_HOPLIMIT, "IPV6_HOPLIMIT", "hoplimit", "IPV6_HOPLIMIT", false},
    Plain{IPPROTO_IPV6, IPV6_HOPOPTS, "IPV6_HOPOPTS", "hopopts", "IPV6_HOPOPTS", true},
    Plain{IPPROTO_IPV6, IPV6_DSTOPTS, "IPV6_DSTOPTS", "dstopts", "IPV6_DSTOPTS", true},
    Plain{IPPROTO_IPV6, IPV6_RTHDR, "IPV6_RTHDR", "rthdr", "IPV6_RTHDR", true},
};

void read_one(const cmsghdr& control, std::vector<Ancillary>& all) {
  for (const Plain& row : plain)
    if (row.level == control.cmsg_level && row.type == control.cmsg_type)
      return void(all.push_back(
          {row.kind, row.name, row.variable, row.bytes ? data_text(control) : number(control)}));
  if (control.cmsg_level == SOL_SOCKET && control.cmsg_type == SCM_TIMESTAMP) {
    timeval moment{};
    if (take(control, moment)) all.push_back({"SCM_TIMESTAMP", "timestamp", "TIMESTAMP", time_text(moment)});
  }
  if (control.cmsg_level == SOL_SOCKET && control.cmsg_type == SCM_CREDENTIALS) {
    ucred sender{};
    if (!take(control, sender)) return;
    all.push_back({"SCM_CREDENTIALS", "pid", "PEERPID", std::to_string(sender.pid)});
    all.push_back({"SCM_CREDENTIALS", "uid", "PEERUID", std::to_string(sender.uid)});
    all.push_back({"SCM_CREDENTIALS", "gid", "PEERGID", std::to_string(sender.gid)});
  }
  if (control.cmsg_level == IPPROTO_IP && control.cmsg_type == IP_PKTINFO) {
    in_pktinfo info{};
    if (!take(control, info)) return;
    all.push_back({"IP_PKTINFO", "if", "IP_IF", interface_name(static_cast<unsigned>(info.ipi_ifindex))});
    all.push_back({"IP_PKTINFO", "locaddr", "IP_LOCADDR", address(AF_INET, &info.ipi_spec_dst)});
    all.push_back({"IP_PKTINFO", "dstaddr", "IP_DSTADDR", address(AF_INET, &info.ipi_addr)});
  }
  if (control.cmsg_level == IPPROTO_IPV6 && control.cmsg_type == IPV6_PKTINFO) {
    in6_pktinfo info{};
    if (!take(control, info)) return;
    all.push_back({"IPV6_PKTINFO", "dstaddr", "IPV6_DSTADDR", address(AF_INET6, &info.ipi6_addr)});
    all.push_back({"IPV6_PKTINFO", "if", "IPV6_IF", interface_name(info.ipi6_ifindex)});
  }
  if (control.cmsg_level == IPPROTO_IPV6 && control.cmsg_type == IPV6_TCLASS) {
    int value = 0;
    if (!take(control, value)) return;
    all.push_back(
        {"IPV6_TCLASS", "tclass", "IPV6_TCLASS", 'x' + hexadecimal(static_cast<unsigned>(value), 8)});
  }
  const bool error4 = control.cmsg_level == IPPROTO_IP && control.cmsg_type == IP_RECVERR;
  const bool error6 = control.cmsg_level == IPPROTO_IPV6 && control.cmsg_type == IPV6_RECVERR;
  if (error4 || error6) {
    sock_extended_err error{};
    if (take(control, error))
      all.push_back(
          {error4 ? "IP_RECVERR" : "IPV6_RECVERR", "errno", "RECVERR_ERRNO", std::to_string(error.ee_errno)});
  }
}

/// Descriptors that a sender has put beside its datagram (SCM_RIGHTS): nobody asked for them.
void close_descriptors(msghdr& header) {
  for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(one) + i * sizeof fd, sizeof fd);
      ::close(fd);
    }
  }
}

}  // namespace

std::vector<Ancillary> read_ancillary(const msghdr& header) {
  std::vector<Ancillary> all;
  auto& readable = const_cast<msghdr&>(header);
  for (const cmsghdr* one = CMSG_FIRSTHDR(&readable); one != nullptr;
       one = CMSG_NXTHDR(&readable, const_cast<cmsghdr*>(one)))
    read_one(*one, all);
  return all;
}

std::optional<std::vector<Ancillary>> peek_ancillary(int socket) {
  alignas(cmsghdr) std::array<char, control_room> control;
  msghdr header{};
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  if (::recvmsg(socket, &header, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0) return std::nullopt;
  close_descriptors(header);
  return read_ancillary(header);
}

}  // namespace sluice
