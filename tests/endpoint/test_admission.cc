#include "sluice/endpoint/admission.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "opened.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

SocketName name_of(Loop& loop, Logger& log, const std::string& host) {
  const Address address = parse_address("TCP:" + host + ":1");
  const Context context{loop, log};
  return testing::run(loop, resolve(address, address.parameters[0], address.parameters[1], {}, context))
      .front();
}

TEST(Range, ContainsWhatItsMaskSays) {
  LogSettings settings;
  Logger log(settings);
  Loop loop;
  struct Case {
    std::string range, host;
    bool inside;
  };
  const Case cases[] = {
      {"127.0.0.0/8", "127.200.3.4", true},
      {"127.0.0.0/8", "128.0.0.1", false},
      {"10.1.2.3/32", "10.1.2.3", true},
      {"10.1.2.3/32", "10.1.2.2", false},
      {"10.0.0.0:255.0.0.0", "10.9.9.9", true},
      {"10.0.0.0:255.0.0.0", "11.0.0.0", false},
      {"0.0.0.0/0", "1.2.3.4", true},
      {"192.168.0.128/25", "192.168.0.127", false},
      {"[::1]/128", "[::1]", true},
      {"[fe80::]/10", "[fe81::1]", true},
      {"[fe80::]/10", "[ff00::1]", false},
      {"127.0.0.0/8", "[::1]", false},
      {"127.0.0.0/8", "[::ffff:127.0.0.1]", true},
      {"[::ffff:10.0.0.0]/104", "10.1.2.3", true},
      {"[::ffff:10.0.0.0]/104", "11.1.2.3", false},
      {"[::ffff:10.0.0.0]/104", "[::ffff:10.1.2.3]", true},
      {"[::ffff:10.0.0.0]/104", "[::1]", false},
      {"[::ffff:0.0.0.0]/96", "10.1.2.3", true},
      {"[::]/0", "10.1.2.3", true},
      {"[::]/96", "10.1.2.3", false},
      {"localhost/32", "127.0.0.1", true},
      {"localhost/8", "127.1.2.3", true},
      {"localhost/32", "127.0.0.2", false},
      {"localhost:255.255.255.255", "127.0.0.1", true},
      {"localhost:255.0.0.0", "128.0.0.1", false},
  };
  for (const auto& one : cases) {
    const Address address = parse_address("TCP-LISTEN:1,range=" + one.range);
    auto range = Range::of(address);
    ASSERT_TRUE(range);
    testing::run(loop, range->resolve(address, Context{loop, log}));
    EXPECT_EQ(range->contains(name_of(loop, log, one.host)), one.inside) << one.range << ' ' << one.host;
  }
}

TEST(Range, RefusesWhatIsNone) {
  EXPECT_FALSE(Range::of(parse_address("TCP-LISTEN:1")));
  for (const auto* bad : {"x", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/8x", "10.0.0.0:255", "[::1]",
                          "[::1/128", "[::1]/129", "localhost", "localhost:", "localhost/33", "300.0.0.0/8",
                          "10.0.0/8", "[::g:1]/8", "localhost:localhost", "/8", ":255.0.0.0", "[]/128"})
    EXPECT_THROW(Range::of(parse_address(std::string("TCP-LISTEN:1,range='") + bad + "'")), AddressError)
        << bad;
}

TEST(Range, AsksForAHostWhenItsAddressIsOpened) {
  Loop loop;
  Logger log{LogSettings{}};
  const Address address = parse_address("TCP-LISTEN:1,range=unknown.invalid/32");
  auto range = Range::of(address);
  ASSERT_TRUE(range);
  EXPECT_FALSE(range->contains(name_of(loop, log, "127.0.0.1")));
  try {
    testing::run(loop, range->resolve(address, Context{loop, log}));
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("resolve unknown.invalid"), std::string::npos)
        << failure.what();
    EXPECT_EQ(failure.status(), ExitStatus::failure);
  }
}

TEST(Admission, NamesTheOptionThatKeepsAPeerOut) {
  Loop loop;
  Logger log{LogSettings{}};
  struct Case {
    std::string options, peer_port;
    std::string_view against;
  };
  const std::vector<Case> cases = {
      {"", "1", ""},
      {",range=10.0.0.0/8", "1", "range"},
      {",sourceport=7", "8", "sourceport"},
      {",sourceport=7", "7", ""},
      {",lowport", "1024", "lowport"},
      {",lowport", "1023", ""},
      {",range=127.0.0.1/32,sourceport=2000,lowport", "2000", "lowport"},
  };
  for (const auto& one : cases) {
    const Admission admission(parse_address("UDP-RECV:1" + one.options));
    const SocketName peer =
        name_of(loop, log, "127.0.0.1").with_port(static_cast<std::uint16_t>(std::stoi(one.peer_port)));
    EXPECT_EQ(admission.objection(peer), one.against) << one.options;
  }
}

TEST(HostAccess, FindsPatternsThatNeedMoreThanIsKnown) {
  char folder[] = "/tmp/sluice-hosts-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string table = std::string(folder) + "/table", listed = std::string(folder) + "/listed";
  std::ofstream(listed) << "10.0.0.1\n[::1] 10.2.\nhost.example\n";
  struct Case {
    std::string rules, pattern;
    int line = 1;
    bool name_suffices = true;
  };
  const std::vector<Case> cases = {
      {"gate: ALL", ""},
      {"gate: 10.0.0.1, 10.2. 10.0.0.0/255.0.0.0\t10.0.0.0/8", ""},
      {"gate: [::1] [fe80::]/10 : ALLOW", ""},
      {"gate: 10.0.* EXCEPT 10.0.0.?", ""},
      {"# gate: host.example\n\nother: host.example", ""},
      {"gate: 10.0.0.1: spawn (echo from host.example)", ""},
      {"gate: host.example", "host.example"},
      {"gate: .example", ".example"},
      {"gate: 3com.example", "3com.example"},
      {"GATE: localhost", "localhost"},
      {"ALL: PARANOID", "PARANOID"},
      {"other, gate: ALL EXCEPT LOCAL", "LOCAL"},
      {"all: unknown", "unknown"},
      {"gate: KNOWN", "KNOWN"},
      {"gate: @group", "@group"},
      {"gate: user@10.0.0.1", "user@10.0.0.1", 1, false},
      {"gate@10.0.0.1: ALL", "gate@10.0.0.1", 1, false},
      {"gate: *.example", "*.example"},
      {"gate: " + listed, "host.example"},
      {"gate: 10.0.0.1 \\\n 10.0.0.2 \\\n host.example", "host.example"},
      {"gate: 10.0.0.1\ngate: \\\n[::1] host.example : DENY\n", "host.example", 2},
  };
  for (const auto& one : cases) {
    std::ofstream(table) << one.rules << '\n';
    const std::string where =
        "pattern \"" + one.pattern + "\" in " + table + ", line " + std::to_string(one.line);
    EXPECT_EQ(pattern_beyond(Known::address, table, "gate"), one.pattern.empty() ? "" : where) << one.rules;
    EXPECT_EQ(pattern_beyond(Known::address_and_name, table, "gate"), one.name_suffices ? "" : where)
        << one.rules;
  }
  EXPECT_EQ(pattern_beyond(Known::address, std::string(folder) + "/none", "gate"), "");
  std::filesystem::remove_all(folder);
}

TEST(HostAccess, CallsAClientByTheNameThatLeadsBackToIt) {
  Loop loop;
  Logger log{LogSettings{}};
  const SocketName client = name_of(loop, log, "10.0.0.1").with_port(4242);
  const SocketName same = name_of(loop, log, "10.0.0.1"), other = name_of(loop, log, "10.0.0.2");
  struct Case {
    std::string name;
    std::vector<SocketName> addresses;
    std::string checked;
  };
  const std::vector<Case> cases = {
      {"", {}, "unknown"},
      {"host.example", {same}, "host.example"},
      {"host.example", {other, same}, "host.example"},
      {"host.example", {other}, "paranoid"},
      {"host.example", {}, "paranoid"},
      {"10.0.0.1", {same}, "paranoid"},
      {"unknown", {same}, "paranoid"},
      {"ALL", {same}, "paranoid"},
      {"*.example", {same}, "paranoid"},
      {"$(id).example", {same}, "paranoid"},
  };
  for (const auto& one : cases)
    EXPECT_EQ(checked_name(client, one.name, one.addresses), one.checked) << one.name;
}

TEST(Admission, JudgesAClientByItsName) {
  if (::dlopen("libwrap.so.0", RTLD_NOW) == nullptr) GTEST_SKIP() << "libwrap is not installed";
  char folder[] = "/tmp/sluice-hosts-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string etc = folder;
  Loop loop;
  Logger log{LogSettings{}};
  const SocketName client = name_of(loop, log, "10.0.0.1");
  struct Case {
    const char *allow, *deny, *name;
    bool admitted;
  };
  const std::vector<Case> cases = {
      {"gate: host.example", "ALL: ALL", "host.example", true},
      {"gate: host.example", "ALL: ALL", "other.example", false},
      {"gate: .example", "ALL: ALL", "host.example", true},
      {"", "gate: .example", "host.example", false},
      {"", "gate: .example", "unknown", true},
      {"", "gate: .example", "paranoid", true},
      {"", "ALL: PARANOID", "host.example", true},
      {"", "ALL: PARANOID", "paranoid", false},
      {"", "ALL: UNKNOWN", "unknown", false},
      {"gate: KNOWN", "ALL: ALL", "host.example", true},
      {"gate: KNOWN", "ALL: ALL", "paranoid", false},
      {"gate: LOCAL", "ALL: ALL", "host", true},
      {"gate: LOCAL", "ALL: ALL", "host.example", false},
  };
  for (const auto& one : cases) {
    std::ofstream(etc + "/hosts.allow") << one.allow << '\n';
    std::ofstream(etc + "/hosts.deny") << one.deny << '\n';
    const Admission admission(parse_address("TCP-LISTEN:1,tcpwrap=gate,tcpwrap-etc=" + etc),
                              Known::address_and_name);
    EXPECT_TRUE(admission.needs_name_of(client));
    EXPECT_EQ(admission.objection(client), "tcpwrap") << "not without its name";
    EXPECT_EQ(admission.objection(client, one.name), one.admitted ? "" : "tcpwrap")
        << one.allow << "; " << one.deny << "; " << one.name;
  }
  std::filesystem::remove_all(folder);
}

TEST(Admission, LetsNobodyInWhereARuleNeedsNames) {
  if (::dlopen("libwrap.so.0", RTLD_NOW) == nullptr) GTEST_SKIP() << "libwrap is not installed";
  char folder[] = "/tmp/sluice-hosts-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string etc = folder;
  const auto write = [&](const char* allow, const char* deny) {
    std::ofstream(etc + "/hosts.allow") << allow << '\n';
    std::ofstream(etc + "/hosts.deny") << deny << '\n';
  };
  const Address address = parse_address("UDP-LISTEN:1,tcpwrap=gate,tcpwrap-etc=" + etc);
  for (const auto& [allow, deny] : {std::pair{"gate: trusted.example", "ALL: ALL"},
                                    {"gate: 127.0.0.1", "gate: .example"},
                                    {"", "ALL: PARANOID"}}) {
    write(allow, deny);
    try {
      const Admission admission(address);
      ADD_FAILURE() << allow << ' ' << deny;
    } catch (const AddressError& refused) {
      EXPECT_NE(std::string(refused.what()).find("by their addresses only here"), std::string::npos);
    }
  }
  // Changed while it serves.
  Loop loop;
  Logger log{LogSettings{}};
  const SocketName peer = name_of(loop, log, "127.0.0.1");
  write("", "");
  const Admission admission(address);
  EXPECT_EQ(admission.objection(peer), "");
  write("", "gate: .example");
  EXPECT_EQ(admission.objection(peer), "tcpwrap");
  std::filesystem::remove_all(folder);
}

TEST(Admission, AsksTheTablesOfHostAccess) {
  if (::dlopen("libwrap.so.0", RTLD_NOW) == nullptr) GTEST_SKIP() << "libwrap is not installed";
  char folder[] = "/tmp/sluice-hosts-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string etc = folder;
  std::ofstream(etc + "/hosts.allow") << "gate: 127.0.0.\n";
  std::ofstream(etc + "/hosts.deny") << "ALL: ALL\n";
  std::ofstream(etc + "/nothing");
  Loop loop;
  Logger log{{}};
  struct Case {
    std::string options, peer;
    std::string_view against;
  };
  const std::vector<Case> cases = {
      {",tcpwrap=gate,tcpwrap-etc=" + etc, "127.0.0.1", ""},
      {",tcpwrap=gate,tcpwrap-etc=" + etc, "10.0.0.1", "tcpwrap"},
      {",tcpwrap=other,tcpwrap-etc=" + etc, "127.0.0.1", "tcpwrap"},
      {",tcpwrap=other,tcpwrap-etc=" + etc + ",deny-table=" + etc + "/nothing", "127.0.0.1", ""},
      {",tcpwrap=gate,allow-table=" + etc + "/nothing,hosts-deny=" + etc + "/hosts.deny", "127.0.0.1",
       "tcpwrap"},
      {",tcpwrap=gate,tcpwrap-etc=" + etc + ",range=10.0.0.0/8", "127.0.0.1", "range"},
  };
  for (const auto& one : cases) {
    const Admission admission(parse_address("TCP-LISTEN:1" + one.options));
    EXPECT_EQ(admission.objection(name_of(loop, log, one.peer)), one.against) << one.options << one.peer;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sluice
