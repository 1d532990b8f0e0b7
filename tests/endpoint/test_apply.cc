#include "sluice/endpoint/apply.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <map>

#include "opened.h"

namespace sluice {
namespace {

struct Kind {
  const char* keyword;
  Group group;
  int family, type, protocol;
};

/// Sockets that the options of the groups are for, the most usual first.
constexpr std::array kinds = {
    Kind{"TCP4:h:1", Group::tcp, AF_INET, SOCK_STREAM, 0},
    Kind{"UDPLITE4:h:1", Group::udplite, AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE},
    Kind{"DCCP4:h:1", Group::dccp, AF_INET, SOCK_DCCP, IPPROTO_DCCP},
    Kind{"SCTP4:h:1", Group::sctp, AF_INET, SOCK_STREAM, IPPROTO_SCTP},
    Kind{"UDP4:h:1", Group::udp, AF_INET, SOCK_DGRAM, 0},
    Kind{"UDP4:h:1", Group::ip4, AF_INET, SOCK_DGRAM, 0},
    Kind{"UDP6:h:1", Group::ip6, AF_INET6, SOCK_DGRAM, 0},
    Kind{"UNIX:p", Group::unix_, AF_UNIX, SOCK_STREAM, 0},
    Kind{"UDP4:h:1", Group::socket, AF_INET, SOCK_DGRAM, 0},
};

const Kind& kind_for(const OptionRow& row) {
  if (row.name == "so-peercred" || row.name == "so-passcred" || row.name == "so-acceptconn") return kinds[7];
  if (row.effect.level == IPPROTO_IPV6) return kinds[6];
  for (const Kind& kind : kinds)
    if (overlap(row.groups, kind.group)) return kind;
  return kinds.back();
}

/// A value that every option of a type takes, and what a look afterwards has to show.
struct Sample {
  std::string text;
  int shown;
};

Sample sample_for(const OptionRow& row) {
  // Where the kernel rounds, doubles, or takes few values only.
  const std::map<std::string_view, Sample> special = {
      {"so-rcvbuf", {"=20000", 40000}},
      {"so-rcvbuf-late", {"=20000", 40000}},
      {"so-sndbuf", {"=20000", 40000}},
      {"so-sndbuf-late", {"=20000", 40000}},
      {"so-priority", {"=3", 3}},
      {"so-rcvlowat", {"=5", 5}},
      {"ip-tos", {"=16", 16}},
      {"ip-ttl", {"=7", 7}},
      {"ip-multicast-ttl", {"=9", 9}},
      {"ip-multicast-loop", {"=0", 0}},
      {"ip-mtu-discover", {"=2", 2}},
      {"ipv6-mtu-discover", {"=2", 2}},
      {"ipv6-unicast-hops", {"=11", 11}},
      {"ipv6-tclass", {"=12", 12}},
      {"ipv6-multicast-loop", {"=0", 0}},
      {"tcp-keepidle", {"=70", 70}},
      {"tcp-keepintvl", {"=8", 8}},
      {"tcp-keepcnt", {"=4", 4}},
      {"tcp-linger2", {"=20", 20}},
      {"tcp-syncnt", {"=3", 3}},
      {"tcp-window-clamp", {"=30000", 30000}},
      {"tcp-defer-accept", {"=1", 1}},
      {"udplite-send-cscov", {"=20", 20}},
      {"udplite-recv-cscov", {"=20", 20}},
      // The kernel takes it and forgets it.
      {"so-bsdcompat", {"", 0}},
      {"tcp-maxseg", {"=600", 600}},
      {"tcp-maxseg-late", {"=600", 600}},
  };
  if (const auto found = special.find(row.name); found != special.end()) return found->second;
  return {"", 1};
}

class Apply : public testing::EndpointTest {
 protected:
  static Address parsed(const std::string& text) { return parse_address(text, {.any_group = true}); }
  void apply_all(const Address& address, int fd) {
    sluice::apply(address, {address.options.at(0).row->phase}, fd, context_);
  }
  std::string failure_of(const std::string& address, int fd) {
    try {
      apply_all(parsed(address), fd);
    } catch (const Failure& failure) {
      return failure.what();
    }
    return "";
  }
  Fd file(int flags = O_RDWR) { return Fd(::open(path("f").c_str(), O_CREAT | O_CLOEXEC | flags, 0644)); }
};

TEST_F(Apply, EverySocketOptionThatIsANumberIsReadBackOrRefusedByTheKernelItself) {
  int read_back = 0;
  for (const OptionRow& row : option_rows()) {
    const bool number = row.type == ValueType::integer || row.type == ValueType::boolean ||
                        row.type == ValueType::byte || row.type == ValueType::integer_or_nothing;
    if (row.effect.kind != Effect::socket_option || !number) continue;
    const Kind& kind = kind_for(row);
    const Fd fd(::socket(kind.family, kind.type | SOCK_CLOEXEC, kind.protocol));
    if (!fd) continue;  // the kernel has no such protocol
    const auto [text, shown] = sample_for(row);
    const std::string address = std::string(kind.keyword) + ',' + std::string(row.name) + text;
    const std::string complaint = failure_of(address, fd.get());
    int value = -1;
    socklen_t size = sizeof value;
    const bool readable = ::getsockopt(fd.get(), row.effect.level, row.effect.number, &value, &size) == 0;
    if (size == 1) value &= 0xff;
    if (complaint.empty()) {
      if (!readable) continue;  // the kernel takes it and tells nobody (so-bsdcompat)
      EXPECT_EQ(value, shown) << address;
      ++read_back;
      continue;
    }
    // Then a plain call is refused in the same way.
    const Fd other(::socket(kind.family, kind.type | SOCK_CLOEXEC, kind.protocol));
    const int wanted = text.empty() ? 1 : std::stoi(text.substr(1));
    ASSERT_NE(::setsockopt(other.get(), row.effect.level, row.effect.number, &wanted, sizeof wanted), 0)
        << address;
    EXPECT_EQ(complaint, address + ": option \"" + std::string(row.name) + "\": " + last_error().message());
  }
  EXPECT_GT(read_back, 45);
}

TEST_F(Apply, TimesAndStructuresAreReadBack) {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  apply_all(parsed("TCP4:h:1,rcvtimeo=1.25"), fd.get());
  timeval time{};
  socklen_t size = sizeof time;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &time, &size);
  EXPECT_EQ(time.tv_sec, 1);
  EXPECT_NEAR(static_cast<double>(time.tv_usec), 250000, 10000);
  apply_all(parsed("TCP4:h:1,linger=7"), fd.get());
  linger wait{};
  size = sizeof wait;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &wait, &size);
  EXPECT_EQ(wait.l_onoff, 1);
  EXPECT_EQ(wait.l_linger, 7);
}

TEST_F(Apply, OptionsByNumberTakeDataNumbersAndTexts) {
  const std::string level = std::to_string(SOL_SOCKET);
  struct {
    std::string option;
    int name, shown;
  } const cases[] = {
      {"setsockopt-int=" + level + ':' + std::to_string(SO_KEEPALIVE) + ":1", SO_KEEPALIVE, 1},
      {"setsockopt=" + level + ':' + std::to_string(SO_KEEPALIVE) + ":x01000000", SO_KEEPALIVE, 1},
      {"setsockopt-bin=" + level + ':' + std::to_string(SO_PRIORITY) + ":i5", SO_PRIORITY, 5},
      {"setsockopt-socket=" + level + ':' + std::to_string(SO_PRIORITY) + ":i4", SO_PRIORITY, 4},
      {"setsockopt-connected=" + level + ':' + std::to_string(SO_PRIORITY) + ":i3", SO_PRIORITY, 3},
      {"setsockopt-listen=" + level + ':' + std::to_string(SO_REUSEADDR) + ":i1", SO_REUSEADDR, 1},
  };
  for (const auto& [option, name, shown] : cases) {
    const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    apply_all(parsed("TCP4:h:1," + option), fd.get());
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(fd.get(), SOL_SOCKET, name, &value, &size);
    EXPECT_EQ(value, shown) << option;
  }
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const std::string bind = "setsockopt-string=" + level + ':' + std::to_string(SO_BINDTODEVICE) + ":no-such";
  EXPECT_EQ(failure_of("TCP4:h:1," + bind, fd.get()),
            "TCP4:h:1," + bind + ": option \"setsockopt-string\": No such device");
}

TEST_F(Apply, IoctlsGetTheirArgument) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd in(ends[0]), out(ends[1]);
  const std::string request = std::to_string(FIONBIO);
  apply_all(parsed("FD:0,ioctl-intp=" + request + ":1"), in.get());
  EXPECT_NE(::fcntl(in.get(), F_GETFL) & O_NONBLOCK, 0);
  apply_all(parsed("FD:0,ioctl-bin=" + request + ":i0"), in.get());
  EXPECT_EQ(::fcntl(in.get(), F_GETFL) & O_NONBLOCK, 0);
  apply_all(parsed("FD:0,ioctl-void=" + std::to_string(FIONCLEX)), in.get());
  EXPECT_EQ(::fcntl(in.get(), F_GETFD) & FD_CLOEXEC, 0);
  apply_all(parsed("FD:0,ioctl=" + std::to_string(FIOCLEX)), in.get());
  EXPECT_NE(::fcntl(in.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(failure_of("FD:0,ioctl-int=" + std::to_string(TCFLSH) + ":0", in.get()), "");
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  apply_all(parsed("TCP4:h:1,siocspgrp=" + std::to_string(::getpid())), socket.get());
  EXPECT_EQ(::fcntl(socket.get(), F_GETOWN), ::getpid());
}

TEST_F(Apply, StatusFlagsAreSetOnWhatIsNotOpenedByName) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd in(ends[0]), out(ends[1]);
  apply_all(parsed("FD:0,append"), out.get());
  EXPECT_NE(::fcntl(out.get(), F_GETFL) & O_APPEND, 0);
  apply_all(parsed("FD:0,append=0"), out.get());
  EXPECT_EQ(::fcntl(out.get(), F_GETFL) & O_APPEND, 0);
  apply_all(parsed("FD:0,async"), out.get());
  EXPECT_NE(::fcntl(out.get(), F_GETFL) & O_ASYNC, 0);
}

TEST_F(Apply, LocksHoldOthersOff) {
  struct {
    const char* option;
    bool record, exclusive;
  } constexpr cases[] = {{"setlk", true, true},
                         {"setlk-rd", true, false},
                         {"flock-ex-nb", false, true},
                         {"flock-sh-nb", false, false},
                         {"setlk-wr", true, true}};
  for (const auto& [option, record, exclusive] : cases) {
    const Fd mine = file();
    apply_all(parsed(std::string("OPEN:f,") + option), mine.get());
    const Fd other = file();
    const auto try_lock = [&](bool write) {
      if (!record) return ::flock(other.get(), (write ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0;
      struct flock lock {};
      lock.l_type = static_cast<short>(write ? F_WRLCK : F_RDLCK);
      return ::fcntl(other.get(), F_OFD_SETLK, &lock) == 0;
    };
    EXPECT_EQ(try_lock(false), !exclusive) << option;
    EXPECT_FALSE(try_lock(true)) << option;
  }
}

TEST_F(Apply, ALockThatSomebodyHoldsIsAnErrorOrWaitedFor) {
  for (const std::string kind : {"flock-ex", "setlkw", "lock", "flock-sh"}) {
    auto holder = std::make_unique<Fd>(file());
    ASSERT_EQ(::flock(holder->get(), LOCK_EX), 0);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    ASSERT_EQ(::fcntl(holder->get(), F_OFD_SETLK, &lock), 0);
    EXPECT_NE(failure_of("OPEN:" + path("f") + ",setlk", file().get()), "");
    EXPECT_NE(failure_of("OPEN:" + path("f") + ",flock-sh-nb", file().get()), "");
    // Another task lets go while this one waits: the loop goes on meanwhile.
    const auto let_go = [](Loop& loop, std::unique_ptr<Fd>& held) -> Task<> {
      co_await loop.sleep(std::chrono::milliseconds(1));
      held.reset();
    };
    loop_.start(let_go(loop_, holder));
    const auto stream = open("OPEN:" + path("f") + ',' + kind);
    EXPECT_EQ(holder, nullptr) << kind;
  }
}

TEST_F(Apply, AFileThatIsCreatedAnewIsEmptyOnceItsLockIsOurs) {
  ASSERT_EQ(::write(file().get(), "long old text", 13), 13);
  auto stream = open("CREATE:" + path("f") + ",flock-ex", Use::writing);
  struct stat status {};
  ASSERT_EQ(::stat(path("f").c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 0);
}

TEST_F(Apply, AFileIsNotEmptiedBeforeItsLockIsOurs) {
  const Fd first = file();
  ASSERT_EQ(::write(first.get(), "text", 4), 4);
  ASSERT_EQ(::flock(first.get(), LOCK_EX), 0);
  const auto let_go = [](Loop& loop, int fd, off_t& seen) -> Task<> {
    co_await loop.sleep(std::chrono::milliseconds(1));
    struct stat status {};
    ::fstat(fd, &status);
    seen = status.st_size;
    ::flock(fd, LOCK_UN);
  };
  off_t seen = -1;
  loop_.start(let_go(loop_, first.get(), seen));
  const auto stream = open("OPEN:" + path("f") + ",trunc,flock", Use::writing);
  EXPECT_EQ(seen, 4);
  struct stat status {};
  ASSERT_EQ(::fstat(first.get(), &status), 0);
  EXPECT_EQ(status.st_size, 0);
}

TEST_F(Apply, FileAttributesAreReadBackOrRefusedByTheKernelItself) {
  int rows = 0;
  for (const OptionRow& row : option_rows()) {
    if (row.effect.kind != Effect::file_attribute) continue;
    ++rows;
    const Fd fd = file();
    int before = 0;
    const bool known = ::ioctl(fd.get(), FS_IOC_GETFLAGS, &before) == 0;
    const std::string complaint = failure_of("OPEN:f," + std::string(row.name), fd.get());
    int after = 0;
    if (complaint.empty()) {
      ASSERT_EQ(::ioctl(fd.get(), FS_IOC_GETFLAGS, &after), 0);
      EXPECT_EQ(after & row.effect.number, row.effect.number) << row.name;
      apply_all(parsed("OPEN:f," + std::string(row.name) + "=0"), fd.get());
    } else if (known) {
      const int wanted = before | row.effect.number;
      ASSERT_NE(::ioctl(fd.get(), FS_IOC_SETFLAGS, &wanted), 0) << row.name;
      EXPECT_TRUE(complaint.ends_with(last_error().message())) << complaint;
    } else {
      EXPECT_TRUE(complaint.ends_with("Inappropriate ioctl for device") ||
                  complaint.ends_with("Operation not supported"))
          << complaint;
    }
  }
  EXPECT_EQ(rows, 12);
}

TEST_F(Apply, ASectionEndsWhereItsWordsEnd) {
  const mode_t before = ::umask(022);
  ::umask(before);
  std::error_code ignored;
  const auto here = std::filesystem::current_path(ignored);
  {
    const ProcessSection section(parsed("OPEN:f,umask=077,chdir=/tmp"));
    EXPECT_EQ(std::filesystem::current_path(ignored), "/tmp");
    EXPECT_EQ(::umask(077), 077U);
  }
  EXPECT_EQ(std::filesystem::current_path(ignored), here);
  EXPECT_EQ(::umask(before), before);
  EXPECT_THROW(ProcessSection(parsed("OPEN:f,chdir=/tmp,netns=no-such-namespace")), Failure);
  EXPECT_EQ(std::filesystem::current_path(ignored), here);
}

}  // namespace
}  // namespace sluice
