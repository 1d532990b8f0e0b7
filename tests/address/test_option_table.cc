#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <termios.h>

#include <string>

#include "sluice/address/address.h"
#include "words.h"

namespace sluice {
namespace {

// As socat 1.8 lists them, and our own.
constexpr std::string_view names =
    "exit-on ascii locale reset sharp-s "
    // Which the listing leaves out where the machine lacks their libraries, or the manual alone has.
    "sctp-maxseg sctp-maxseg-late sctp-nodelay tcpwrap-etc tcpwrap-hosts-allow-table "
    "tcpwrap-hosts-deny-table "
    "tcpwrappers udp-ignore-peerport "
    "accept-timeout ai-addrconfig ai-all ai-passive ai-v4mapped append async b0 b1000000 b110 "
    "b115200 b1152000 b1200 b134 b150 b1500000 b1800 b19200 b200 b2000000 b230400 b2400 b2500000 "
    "b300 b3000000 b3500000 b38400 b4000000 b460800 b4800 b50 b500000 b57600 b576000 b600 b75 "
    "b921600 b9600 backlog bind brkint bs0 bs1 bsdly chdir children-shutup chroot chroot-early "
    "clocal cloexec connect-timeout cool-write cr cr0 cr1 cr2 cr3 crdly cread crnl crtscts cs5 cs6 "
    "cs7 cs8 csize cstopb dash dccp-set-ccid echo echoctl echoe echok echoke echonl echoprt "
    "end-close escape f-setlk-rd f-setlk-wr f-setlkw-rd f-setlkw-wr f-setpipe-sz fdin fdout ff0 ff1 "
    "ffdly fiosetown flock-ex flock-ex-nb flock-sh flock-sh-nb flusho forever fork fs-append "
    "fs-compr fs-dirsync fs-immutable fs-journal-data fs-noatime fs-nodump fs-notail fs-secrm "
    "fs-sync fs-topdir fs-unrm ftruncate32 ftruncate64 group group-early group-late history-file "
    "http-version hupcl icanon icrnl iexten iff-allmulti iff-automedia iff-broadcast iff-debug "
    "iff-loopback iff-master iff-multicast iff-no-pi iff-noarp iff-notrailers iff-pointopoint "
    "iff-portsel iff-promisc iff-running iff-slave iff-up ignbrk igncr ignorecr ignoreeof ignpar "
    "imaxbel inlcr inpck interface-mtu interval ioctl-bin ioctl-int ioctl-intp ioctl-string "
    "ioctl-void ip-add-membership ip-add-source-membership ip-freebind ip-hdrincl ip-mtu "
    "ip-mtu-discover ip-multicast-if ip-multicast-loop ip-multicast-ttl ip-options ip-pktinfo "
    "ip-pktoptions ip-recverr ip-recvopts ip-recvtos ip-recvttl ip-retopts ip-router-alert ip-tos "
    "ip-transparent ip-ttl ipv6-authhdr ipv6-dstopts ipv6-hoplimit ipv6-hopopts ipv6-join-group "
    "ipv6-join-source-group ipv6-mtu-discover ipv6-multicast-loop ipv6-pktinfo ipv6-recvdstopts "
    "ipv6-recverr ipv6-recvhoplimit ipv6-recvhopopts ipv6-recvpathmtu ipv6-recvpktinfo "
    "ipv6-recvrthdr ipv6-recvtclass ipv6-rthdr ipv6-tclass ipv6-unicast-hops ipv6-v6only isig ispeed "
    "istrip iuclc ixany ixoff ixon lockfile lowport lseek32-cur lseek32-end lseek32-set lseek64-cur "
    "lseek64-end lseek64-set max-children max-queued netns nl0 nl1 nldly noecho noflsh nofork noprompt "
    "null-eof "
    "o-creat o-direct o-directory o-dsync o-excl o-largefile o-noatime o-noctty o-nofollow "
    "o-nonblock o-rdonly o-rdwr o-rsync o-sync o-trunc o-wronly ocrnl ofdel ofill olcuc onlcr onlret "
    "onocr openpty openssl-cafile openssl-capath openssl-certificate openssl-cipherlist "
    "openssl-commonname openssl-compress openssl-dhparam openssl-egd openssl-key "
    "openssl-max-proto-version openssl-maxfraglen openssl-maxsendfrag openssl-min-proto-version "
    "openssl-no-sni openssl-pseudo openssl-snihost openssl-verify opost ospeed parenb parmrk parodd "
    "path pendin perm perm-early perm-late pipes posixmq-flush posixmq-maxmsg posixmq-msgsize "
    "posixmq-priority prompt protocol-family proxy-authorization proxy-authorization-file "
    "proxy-resolve proxyport ptmx pty pty-end-on-close pty-interval pty-wait-slave range raw readbytes "
    "res-debug "
    "res-defnames res-dnsrch res-igntc res-nsaddr res-recurse res-retrans res-retry res-stayopen "
    "res-usevc retrieve-vlan retry sane setgid setgid-early setpgid setsid setsockopt setsockopt-bin "
    "setsockopt-connected setsockopt-int setsockopt-listen setsockopt-socket setsockopt-string "
    "setuid setuid-early shell shut-close shut-down shut-none shut-null sighup sigint sigquit "
    "siocspgrp sitout-eio so-acceptconn so-attach-filter so-bindtodevice so-broadcast so-bsdcompat "
    "so-debug so-detach-filter so-dontroute so-error so-keepalive so-linger so-no-check so-oobinline "
    "so-passcred so-peercred so-priority so-protocol so-rcvbuf so-rcvbuf-late so-rcvlowat "
    "so-rcvtimeo so-reuseaddr so-reuseport so-security-authentication so-security-encryption-network "
    "so-security-encryption-transport so-sndbuf so-sndbuf-late so-sndlowat so-sndtimeo so-timestamp "
    "so-type sockspass socksport socksuser sourceport stderr substuser substuser-delayed "
    "substuser-early symbolic-link tab0 tab1 tab2 tab3 tabdly tcp-cork tcp-defer-accept tcp-info "
    "tcp-keepcnt tcp-keepidle tcp-keepintvl tcp-linger2 tcp-maxseg tcp-maxseg-late tcp-md5sig "
    "tcp-nodelay tcp-quickack tcp-syncnt tcp-window-clamp termios-cfmakeraw termios-rawer "
    "termios-setflags tiocsctty tiocswinsz tostop tun-device tun-name tun-type udplite-recv-cscov "
    "udplite-send-cscov umask unix-bind-tempname unix-tightsocklen unlink unlink-close unlink-early "
    "unlink-late user user-early user-late vdiscard veof veol veol2 verase vintr vkill vlnext vmin "
    "vquit vreprint vstart vstop vsusp vswtc vt0 vt1 vtdly vtime vwerase waitlock xcase xtabs ";

constexpr std::string_view aliases =
    "allow-table=tcpwrap-hosts-allow-table deny-table=tcpwrap-hosts-deny-table "
    "hosts-allow=tcpwrap-hosts-allow-table hosts-deny=tcpwrap-hosts-deny-table libwrap=tcpwrappers "
    "tcpwrap=tcpwrappers tcpwrap-dir=tcpwrap-etc tcpwrapper=tcpwrappers wrap=tcpwrappers "
    "acceptconn=so-acceptconn add-membership=ip-add-membership "
    "add-source-membership=ip-add-source-membership addrconfig=ai-addrconfig allmulti=iff-allmulti "
    "attach-filter=so-attach-filter attachfilter=so-attach-filter authhdr=ipv6-authhdr "
    "automedia=iff-automedia bind-tempname=unix-bind-tempname bindtodevice=so-bindtodevice "
    "broadcast=so-broadcast bsdcompat=so-bsdcompat bytes=readbytes cafile=openssl-cafile "
    "capath=openssl-capath ccid=dccp-set-ccid cd=chdir cert=openssl-certificate "
    "certificate=openssl-certificate cfmakeraw=termios-cfmakeraw cipher=openssl-cipherlist "
    "cipherlist=openssl-cipherlist ciphers=openssl-cipherlist close=end-close cn=openssl-commonname "
    "commonname=openssl-commonname compr=fs-compr compress=openssl-compress coolwrite=cool-write "
    "cork=tcp-cork creat=o-creat create=o-creat crlf=crnl crterase=echoe crtkill=echoke "
    "ctlecho=echoctl ctty=tiocsctty debug=so-debug defer-accept=tcp-defer-accept "
    "defnames=res-defnames delete=unlink detach-filter=so-detach-filter "
    "detachfilter=so-detach-filter dh=openssl-dhparam dhparam=openssl-dhparam "
    "dhparams=openssl-dhparam direct=o-direct directory=o-directory dirsync=fs-dirsync "
    "discard=vdiscard dns=res-nsaddr dnsrch=res-dnsrch dontroute=so-dontroute dstopts=ipv6-dstopts "
    "dsync=o-dsync egd=openssl-egd end-on-close=pty-end-on-close eof=veof eol=veol eol2=veol2 erase=verase "
    "error=so-error "
    "excl=o-excl ext2-append=fs-append ext2-compr=fs-compr ext2-dirsync=fs-dirsync "
    "ext2-immutable=fs-immutable ext2-journal-data=fs-journal-data ext2-noatime=fs-noatime "
    "ext2-nodump=fs-nodump ext2-notail=fs-notail ext2-secrm=fs-secrm ext2-sync=fs-sync "
    "ext2-topdir=fs-topdir ext2-unrm=fs-unrm ext3-append=fs-append ext3-compr=fs-compr "
    "ext3-dirsync=fs-dirsync ext3-immutable=fs-immutable ext3-journal-data=fs-journal-data "
    "ext3-noatime=fs-noatime ext3-nodump=fs-nodump ext3-notail=fs-notail ext3-secrm=fs-secrm "
    "ext3-sync=fs-sync ext3-topdir=fs-topdir ext3-unrm=fs-unrm f-setlk=f-setlk-wr "
    "f-setlkw=f-setlkw-wr flock=flock-ex flock-nb=flock-ex-nb freebind=ip-freebind "
    "ftruncate=ftruncate64 gid=group gid-e=group-early gid-l=group-late hdrincl=ip-hdrincl "
    "history=history-file hoplimit=ipv6-hoplimit hopopts=ipv6-hopopts hup=hupcl if=so-bindtodevice "
    "if-mtu=interface-mtu ignoreof=ignoreeof igntc=res-igntc immutable=fs-immutable info=tcp-info "
    "interface=so-bindtodevice intervall=interval intr=vintr ioctl=ioctl-void "
    "ip-membership=ip-add-membership ipfreebind=ip-freebind iphdrincl=ip-hdrincl ipmtu=ip-mtu "
    "ipmtudiscover=ip-mtu-discover ipmulticastloop=ip-multicast-loop ipmulticastttl=ip-multicast-ttl "
    "ipoptions=ip-options ippktinfo=ip-pktinfo ippktoptions=ip-pktoptions iprecverr=ip-recverr "
    "iprecvopts=ip-recvopts iprecvtos=ip-recvtos iprecvttl=ip-recvttl ipretopts=ip-retopts "
    "iprouteralert=ip-router-alert iptos=ip-tos ipttl=ip-ttl ipv6-add-membership=ipv6-join-group "
    "ipv6-add-source-membership=ipv6-join-source-group ipv6-mcloop=ipv6-multicast-loop "
    "ipv6only=ipv6-v6only join-group=ipv6-join-group join-source-group=ipv6-join-source-group "
    "journal=fs-journal-data journal-data=fs-journal-data keepalive=so-keepalive keepcnt=tcp-keepcnt "
    "keepidle=tcp-keepidle keepintvl=tcp-keepintvl key=openssl-key kill=vkill largefile=o-largefile "
    "linger=so-linger linger2=tcp-linger2 link=symbolic-link listen-timeout=accept-timeout "
    "lnext=vlnext lock=f-setlkw-wr lockw=f-setlkw-wr login=dash loopback=iff-loopback "
    "lseek=lseek64-set lseek32=lseek32-set lseek64=lseek64-set master=iff-master "
    "max-proto-version=openssl-max-proto-version max-version=openssl-max-proto-version "
    "maxchildren=max-children maxfraglen=openssl-maxfraglen maxseg=tcp-maxseg "
    "maxseg-late=tcp-maxseg-late maxsendfrag=openssl-maxsendfrag mcloop=ip-multicast-loop "
    "mcloop6=ipv6-multicast-loop membership=ip-add-membership min=vmin "
    "min-proto-version=openssl-min-proto-version min-version=openssl-min-proto-version mode=perm "
    "mq-flush=posixmq-flush mq-maxmsg=posixmq-maxmsg mq-msgsize=posixmq-msgsize "
    "mq-prio=posixmq-priority mss=tcp-maxseg mss-late=tcp-maxseg-late mtu=ip-mtu "
    "mtudiscover=ip-mtu-discover mtudiscover6=ipv6-mtu-discover multicast=iff-multicast "
    "multicast-if=ip-multicast-if multicast-loop=ip-multicast-loop multicast-ttl=ip-multicast-ttl "
    "multicastloop=ip-multicast-loop multicastttl=ip-multicast-ttl nameserver=res-nsaddr "
    "ndelay=o-nonblock new=unlink-early no-check=so-no-check no-pi=iff-no-pi no-sni=openssl-no-sni "
    "noarp=iff-noarp noatime=o-noatime nocheck=so-no-check noctty=o-noctty nodelay=tcp-nodelay "
    "nodump=fs-nodump nofollow=o-nofollow nonblock=o-nonblock nosni=openssl-no-sni "
    "notrailers=iff-notrailers nsaddr=res-nsaddr o-append=append o-async=async o-create=o-creat "
    "o-ndelay=o-nonblock o_creat=o-creat o_create=o-creat o_direct=o-direct o_directory=o-directory "
    "o_dsync=o-dsync o_excl=o-excl o_largefile=o-largefile o_ndelay=o-nonblock o_noctty=o-noctty "
    "o_nofollow=o-nofollow o_rdonly=o-rdonly o_rdwr=o-rdwr o_rsync=o-rsync o_sync=o-sync "
    "o_wronly=o-wronly oobinline=so-oobinline openssl-dhparams=openssl-dhparam owner=user "
    "passcred=so-passcred passive=ai-passive peercred=so-peercred pf=protocol-family pgid=setpgid "
    "pipesz=f-setpipe-sz pktinfo=ip-pktinfo pktoptions=ip-pktoptions pktopts=ip-pktoptions "
    "pointopoint=iff-pointopoint portsel=iff-portsel priority=so-priority promisc=iff-promisc "
    "protocol=so-protocol prototype=so-protocol proxy-auth=proxy-authorization "
    "proxyauth=proxy-authorization proxyauthfile=proxy-authorization-file prterase=echoprt "
    "pseudo=openssl-pseudo pty-intervall=pty-interval quickack=tcp-quickack quit=vquit "
    "rawer=termios-rawer rcvbuf=so-rcvbuf rcvbuf-late=so-rcvbuf-late rcvlowat=so-rcvlowat "
    "rcvtimeo=so-rcvtimeo rdonly=o-rdonly rdwr=o-rdwr recurse=res-recurse "
    "recvdstopts=ipv6-recvdstopts recverr=ip-recverr recvhoplimit=ipv6-recvhoplimit "
    "recvhopopts=ipv6-recvhopopts recvopts=ip-recvopts recvpktinfo=ipv6-recvpktinfo "
    "recvrthdr=ipv6-recvrthdr recvtos=ip-recvtos recvttl=ip-recvttl remove=unlink reprint=vreprint "
    "res-maxretrans=res-retrans res-maxretry=res-retry resolv=proxy-resolve resolve=proxy-resolve "
    "retopts=ip-retopts retrans=res-retrans reuseaddr=so-reuseaddr reuseport=so-reuseport "
    "routeralert=ip-router-alert rprnt=vreprint rsync=o-rsync rthdr=ipv6-rthdr running=iff-running "
    "secrm=fs-secrm security-authentication=so-security-authentication "
    "security-encryption-network=so-security-encryption-network "
    "security-encryption-transport=so-security-encryption-transport "
    "securityauthentication=so-security-authentication "
    "securityencryptionnetwork=so-security-encryption-network "
    "securityencryptiontransport=so-security-encryption-transport seek=lseek64-set "
    "seek-cur=lseek64-cur seek-end=lseek64-end seek-set=lseek64-set setflags=termios-setflags "
    "setlk=f-setlk-wr setlk-rd=f-setlk-rd setlk-wr=f-setlk-wr setlkw=f-setlkw-wr "
    "setlkw-rd=f-setlkw-rd setlkw-wr=f-setlkw-wr sid=setsid slave=iff-slave sndbuf=so-sndbuf "
    "sndbuf-late=so-sndbuf-late sndlowat=so-sndlowat sndtimeo=so-sndtimeo snihost=openssl-snihost "
    "so-prototype=so-protocol sockopt=setsockopt sockopt-bin=setsockopt-bin "
    "sockopt-conn=setsockopt-connected sockopt-int=setsockopt-int sockopt-listen=setsockopt-listen "
    "sockopt-sock=setsockopt-socket sockopt-string=setsockopt-string socktype=so-type "
    "source-membership=ip-add-source-membership sp=sourceport start=vstart stayopen=res-stayopen "
    "stop=vstop su=substuser su-d=substuser-delayed su-e=substuser-early susp=vsusp swtc=vswtc "
    "swtch=vswtc sync=o-sync syncnt=tcp-syncnt tandem=ixoff tightsocklen=unix-tightsocklen "
    "time=vtime timestamp=so-timestamp topdir=fs-topdir tos=ip-tos transparent=ip-transparent "
    "trunc=o-trunc truncate=ftruncate64 ttl=ip-ttl tun-no-pi=iff-no-pi type=so-type uid=user "
    "uid-e=user-early uid-l=user-late unicast-hops=ipv6-unicast-hops unrm=fs-unrm up=iff-up "
    "usevc=res-usevc v4mapped=ai-v4mapped v6only=ipv6-v6only verify=openssl-verify "
    "wait-slave=pty-wait-slave waitslave=pty-wait-slave werase=vwerase window-clamp=tcp-window-clamp "
    "winsz=tiocswinsz wronly=o-wronly ";

TEST(OptionTable, HasEveryOptionOfTheLanguageAndNoOther) {
  for (const auto name : words(names)) {
    const auto* row = find_option(name);
    ASSERT_NE(row, nullptr) << name;
    EXPECT_EQ(row->name, name);
    EXPECT_NE(row->groups, Group::none) << name;
  }
  EXPECT_EQ(option_rows().size(), words(names).size());
}

TEST(OptionTable, IsReadInAnyCase) {
  EXPECT_EQ(find_option("FORK"), find_option("fork"));
  EXPECT_EQ(find_option("KeepAlive"), find_option("so-keepalive"));
}

TEST(OptionTable, DoesNotKnowOtherWords) {
  for (const auto* word : {"", "for", "forks", "fork ", "fork=1", "-", "\xff"})
    EXPECT_EQ(find_option(word), nullptr) << word;
}

TEST(OptionTable, AppliesAndExplainsAllButThoseOfTls) {
  for (const auto& row : option_rows()) {
    const bool applied = row.effect.kind != Effect::not_yet;
    EXPECT_EQ(applied, row.groups != Group::openssl) << row.name;
    EXPECT_EQ(applied, !row.help.empty()) << row.name;
  }
}

TEST(OptionTable, SaysHowOptionsTakeEffect) {
  struct {
    std::string_view name;
    Effect::Kind kind;
    int level, number;
    Phase phase;
    ValueType type;
  } constexpr rows[] = {
      {"so-keepalive", Effect::socket_option, SOL_SOCKET, SO_KEEPALIVE, Phase::fd, ValueType::integer},
      {"so-reuseaddr", Effect::socket_option, SOL_SOCKET, SO_REUSEADDR, Phase::prebind,
       ValueType::integer_or_nothing},
      {"so-sndbuf-late", Effect::socket_option, SOL_SOCKET, SO_SNDBUF, Phase::late, ValueType::integer},
      {"tcp-nodelay", Effect::socket_option, IPPROTO_TCP, TCP_NODELAY, Phase::pastsocket, ValueType::integer},
      {"ip-multicast-ttl", Effect::socket_option, IPPROTO_IP, IP_MULTICAST_TTL, Phase::pastsocket,
       ValueType::byte},
      {"ipv6-v6only", Effect::socket_option, IPPROTO_IPV6, IPV6_V6ONLY, Phase::prebind, ValueType::integer},
      {"append", Effect::open_flag, 0, O_APPEND, Phase::late, ValueType::boolean},
      {"o-creat", Effect::open_flag, 0, O_CREAT, Phase::open, ValueType::boolean},
      {"lseek64-end", Effect::seek, 0, SEEK_END, Phase::late, ValueType::offset},
      {"perm-early", Effect::mode, 0, 0, Phase::preopen, ValueType::mode},
      {"user-late", Effect::user, 0, 0, Phase::late, ValueType::user},
      {"group", Effect::group, 0, 0, Phase::fd, ValueType::group},
      {"ftruncate64", Effect::truncate, 0, 0, Phase::late, ValueType::offset},
      {"fork", Effect::code, 0, 0, Phase::pastaccept, ValueType::boolean},
      {"icrnl", Effect::terminal_flag, static_cast<int>(Effect::Word::input), ICRNL, Phase::fd,
       ValueType::boolean},
      {"cs7", Effect::terminal_value, static_cast<int>(Effect::Word::control), CSIZE, Phase::fd,
       ValueType::constant},
      {"rawer", Effect::terminal_mode, 0, static_cast<int>(Effect::Mode::rawer), Phase::fd,
       ValueType::constant},
      {"flock-ex", Effect::file_lock, 0, LOCK_EX, Phase::fd, ValueType::boolean},
      {"setlkw", Effect::record_lock, F_SETLKW, F_WRLCK, Phase::fd, ValueType::boolean},
      {"setsockopt-int", Effect::numbered_socket_option, 0, 0, Phase::connected, ValueType::int_int_int},
      {"iff-up", Effect::interface_flag, 0, IFF_UP, Phase::offset, ValueType::boolean},
      {"openssl-verify", Effect::not_yet, 0, 0, Phase::specific, ValueType::boolean},
  };
  for (const auto& row : rows) {
    const auto* option = find_option(row.name);
    ASSERT_NE(option, nullptr) << row.name;
    EXPECT_EQ(option->effect.kind, row.kind) << row.name;
    EXPECT_EQ(option->effect.level, row.level) << row.name;
    EXPECT_EQ(option->effect.number, row.number) << row.name;
    EXPECT_EQ(option->phase, row.phase) << row.name;
    EXPECT_EQ(option->type, row.type) << row.name;
  }
}

TEST(OptionAliasTable, HasEveryAliasOfTheLanguageAndNoOther) {
  for (const auto word : words(aliases)) {
    const auto [alias, name] = both_sides(word);
    const auto* row = find_option(alias);
    ASSERT_NE(row, nullptr) << alias;
    EXPECT_EQ(row->name, name);
  }
  EXPECT_EQ(option_aliases().size(), words(aliases).size());
}

}  // namespace
}  // namespace sluice
