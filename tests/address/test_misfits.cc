#include "sluice/address/misfits.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string complaint(const std::string& text, const Rules& rules = {}) {
  try {
    parse_specification(text, rules);
  } catch (const AddressError& error) {
    return error.what();
  }
  return "";
}

TEST(Misfits, AreErrorsThatSayWhy) {
  struct Case {
    const char *address, *why;
  };
  constexpr Case cases[] = {
      {"EXEC:true,pty,wait-slave",
       "option \"wait-slave\" does not apply to EXEC: the program has its terminal open from the beginning"},
      {"EXEC:true,nofork,cloexec",
       "option \"cloexec\" does not apply to EXEC beside nofork: its program is given what the other side "
       "has"},
      {"SYSTEM:true,rcvbuf=3,nofork",
       "option \"rcvbuf\" does not apply to SYSTEM beside nofork: its program is given what the other side "
       "has"},
      {"EXEC:true,nofork,readbytes=1",
       "option \"readbytes\" does not apply to EXEC beside nofork: its program is given what the other side "
       "has"},
      {"EXEC:true,pipes,so-type=2",
       "option \"so-type\" does not apply to EXEC beside pipes: there is no socket"},
      {"EXEC:true,openpty,pf=2", "option \"pf\" does not apply to EXEC beside openpty: there is no socket"},
      {"EXEC:true,pty=0,ctty",
       "option \"ctty\" does not apply to EXEC without pty: there is no pseudo terminal"},
      {"TCP-LISTEN:1,fork=0,max-children=2",
       "option \"max-children\" does not apply to TCP-LISTEN without fork: there is one session"},
      {"EXEC:true,link=l", "option \"link\" does not apply to EXEC without pty: there is no pseudo terminal"},
      {"SYSTEM:true,ctty",
       "option \"ctty\" does not apply to SYSTEM without pty: there is no pseudo terminal"},
      {"SHELL:true,sitout-eio=1",
       "option \"sitout-eio\" does not apply to SHELL without pty: there is no pseudo terminal"},
      {"EXEC:true,pty,pty-interval=1",
       "option \"pty-interval\" does not apply to EXEC without sitout-eio: nobody is waited for"},
      {"EXEC:true,bind=p", "option \"bind\" does not apply to EXEC: the sockets of a program have no names"},
      {"STDIO,lowport", "option \"lowport\" does not apply to STDIO: the descriptor is what it is"},
      {"FD:3,so-type=2", "option \"so-type\" does not apply to FD: the descriptor is what it is"},
      {"ACCEPT-FD:3,so-type=1",
       "option \"so-type\" does not apply to ACCEPT-FD: the listening socket is there already"},
      {"SOCKETPAIR,bind=x", "option \"bind\" does not apply to SOCKETPAIR: the sockets have no names"},
      {"UNIX-LISTEN:p,bind=q",
       "option \"bind\" does not apply to UNIX-LISTEN: its parameter is what it is bound to"},
      {"ABSTRACT-RECV:p,bind-tempname",
       "option \"bind-tempname\" does not apply to ABSTRACT-RECV: its parameter is what it is bound to"},
      {"TCP-LISTEN:1,connect-timeout=1",
       "option \"connect-timeout\" does not apply to TCP-LISTEN: it connects to nobody"},
      {"UNIX-LISTEN:p,unlink-late",
       "option \"unlink-late\" does not apply to UNIX-LISTEN: nobody could connect any more"},
      {"UNIX-CONNECT:p,mode=600",
       "option \"mode\" does not apply to UNIX-CONNECT without bind: the server's path is its own"},
      {"PTY,unlink-late",
       "option \"unlink-late\" does not apply to PTY without symbolic-link: the kernel removes its terminals "
       "itself"},
      {"PIPE,creat", "option \"creat\" does not apply to PIPE: there is no file"},
      {"PIPE,unlink-close", "option \"unlink-close\" does not apply to PIPE: there is no file"},
      {"TCP-LISTEN:1,max-children=2",
       "option \"max-children\" does not apply to TCP-LISTEN without fork: there is one session"},
      {"UDP4-LISTEN:1,udp-ignore-peerport",
       "option \"udp-ignore-peerport\" does not apply to UDP4-LISTEN: only UDP-DATAGRAM hears other ports "
       "than the one that it sends to"},
      {"INTERFACE:lo,tun-name=x",
       "option \"tun-name\" does not apply to INTERFACE: the interface is there already"},
      {"TUN,retrieve-vlan",
       "option \"retrieve-vlan\" does not apply to TUN: the kernel takes no tags out of what comes here"},
  };
  for (const auto& [address, why] : cases) {
    EXPECT_EQ(complaint(address), std::string(address) + ": " + why);
    EXPECT_EQ(complaint(address, {.any_group = true}), "") << "nobody asks";
  }
  EXPECT_NE(complaint("STDIO!!EXEC:true,link=l").find("without pty"), std::string::npos);
}

TEST(Misfits, FitBesideWhatTheyNeed) {
  for (const char* address :
       {"EXEC:true,nofork,su=0,umask=077,stderr,pty,pipes,fdin=3,sighup,lockfile=l,escape=3",
        "EXEC:true,ctty=0",
        "EXEC:true,so-type=2",
        "EXEC:true,pty,link=l",
        "EXEC:true,link=l,pty",
        "SHELL,openpty,ctty,sitout-eio=1,pty-interval=1",
        "UNIX-CONNECT:p,bind=q,mode=600,unlink-early",
        "UNIX-SENDTO:p,bind-tempname,unlink-late",
        "PTY,link=l,unlink-late",
        "PIPE:p,unlink-late,creat",
        "PIPE,append,mode=600",
        "TCP-LISTEN:1,fork,max-children=2",
        "UNIX-RECVFROM:p,max-children=1",
        "UDP-DATAGRAM:h:1,udp-ignore-peerport",
        "ACCEPT-FD:3,lowport",
        "GOPEN:p,bind=q,connect-timeout=1",
        "TUN,tun-name=x,iff-no-pi",
        "UNIX-CONNECT:p,unlink-close=0",
        "UNIX-LISTEN:p,connect-timeout=1",
        "FD:3,res-debug"})
    EXPECT_EQ(complaint(address), "") << address;
}

TEST(Misfits, AreAskedForAtEveryKeywordByNamesThatExist) {
  for (const KeywordRow& keyword : keyword_rows())
    for (const OptionRow& row : option_rows()) {
      Address address;
      address.keyword = &keyword;
      address.options = {Option{&row, {}, {}, false, 0}};
      EXPECT_NO_THROW(misfit(address, address.options[0])) << keyword.name << ' ' << row.name;
    }
}

}  // namespace
}  // namespace sluice
