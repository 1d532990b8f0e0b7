#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "../endpoint/opened.h"
#include "sluice/endpoint/spawn.h"
#include "sockcat.h"

/// Whom programs, sessions and the process itself become, and where (options of group PROCESS).
namespace sluice::test {
namespace {

constexpr uid_t nobody = 65534;

class Privileges : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!is_root()) GTEST_SKIP() << "only root may become somebody else";
    if (::getpwnam("nobody") == nullptr || ::getpwnam("nobody")->pw_uid != nobody)
      GTEST_SKIP() << "nobody has another number here";
    // Leaks are looked for by a tracer, which may not look at who has become somebody else.
    const char* const options = std::getenv("ASAN_OPTIONS");
    const std::string before = options != nullptr ? std::string(options) + ':' : std::string();
    ::setenv("ASAN_OPTIONS", (before + "detect_leaks=0").c_str(), 1);
    std::filesystem::create_directories(directory_.path() + "/root/etc");
    std::filesystem::copy_file(helper("show-identity"), directory_.path() + "/show");
    std::filesystem::copy_file(helper("show-identity"), root() + "/show");
  }
  std::string root() const { return directory_.path() + "/root"; }
  std::string show() const { return directory_.path() + "/show"; }
  std::string file(const std::string& name, const std::string& content) const {
    std::ofstream(directory_.path() + '/' + name) << content;
    return directory_.path() + '/' + name;
  }

  TemporaryDirectory directory_;
};

/// Users that no system has, in files of their own: each with a group of its own among few, and with others
/// beside it.
class ManyUsers : public Privileges {
 protected:
  static constexpr int count = 1000;

  void SetUp() override {
    Privileges::SetUp();
    if (IsSkipped()) return;
    std::filesystem::permissions(directory_.path(), std::filesystem::perms::all);
    std::string users, groups;
    for (int i = 0; i < count; ++i)
      users += name(i) + ":x:" + std::to_string(number(i)) + ':' + std::to_string(group(i)) + "::/:/bin/sh\n";
    for (const auto& [kinds, first] : {std::pair{5, 40000}, {3, 41000}})
      for (int kind = 0; kind < kinds; ++kind) {
        groups += "g" + std::to_string(first + kind) + ":x:" + std::to_string(first + kind) + ':';
        for (int i = kind; i < count; i += kinds) groups += (i == kind ? "" : ",") + name(i);
        groups += '\n';
      }
    passwd_ = file("root/etc/passwd", users);
    group_ = file("root/etc/group", groups);
  }

  static std::string name(int i) { return "user" + std::to_string(i); }
  static int number(int i) { return 20000 + i; }
  static int group(int i) { return 30000 + i % 13; }
  static std::string shown(int i) {
    const std::string user = std::to_string(number(i)), main = std::to_string(group(i));
    return "user=" + user + '/' + user + " group=" + main + '/' + main + " groups=" + main + ',' +
           std::to_string(40000 + i % 5) + ',' + std::to_string(41000 + i % 3) + ' ';
  }

  /// Where the system's users are these.
  template <class Work>
  void among_them(Work work) {
    const int error = std::async(std::launch::async, [&] {
                        const auto mount = [](const std::string& what, const char* where) {
                          return ::mount(what.c_str(), where, nullptr, MS_BIND, nullptr) == 0;
                        };
                        if (::unshare(CLONE_NEWNS) != 0 ||
                            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
                            !mount(passwd_, "/etc/passwd") || !mount(group_, "/etc/group"))
                          return errno;
                        work();
                        return 0;
                      }).get();
    if (error != 0) GTEST_SKIP() << "no mounts of its own: " << std::generic_category().message(error);
  }

  std::string passwd_, group_;
};

/// The programs of one process: each is prepared and started while others run, and all run at once.
class ProgramsOfManyUsers : public ManyUsers {
 protected:
  /// An address that starts the i-th, and what that one is to show.
  using Case = std::function<std::pair<std::string, std::string>(int i)>;

  static void run_all(const Case& one) {
    raise_descriptor_limit();
    Loop loop;
    LogSettings quiet;
    quiet.least = Severity::fatal;
    Logger log(quiet);
    Session session(loop, log, Limits());
    const Context context{loop, log};
    std::vector<std::pair<std::unique_ptr<Stream>, std::string>> running;
    for (int i = 0; i < (under_sanitizers() ? 200 : count); ++i) {
      auto [address, wanted] = one(i);
      const auto endpoint = make_endpoint(parse_specification(address), Use::both, context);
      running.emplace_back(sluice::testing::run(loop, endpoint->open(session)), std::move(wanted));
    }
    for (auto& [stream, wanted] : running) {
      sluice::testing::run(loop, stream->finish());
      EXPECT_EQ(sluice::testing::run(loop, sluice::testing::read_all(*stream)).first, wanted);
      sluice::testing::run(loop, stream->close(Limits()));
      EXPECT_EQ(stream->exit_status(), 0) << wanted;
    }
  }
  static std::string mask(int i) {
    char text[8];
    std::snprintf(text, sizeof text, "%o", 1 + i % 63);
    return text;
  }
};

TEST_F(ProgramsOfManyUsers, AThousandAtOnceAreEachWhatTheirAddressAsks) {
  for (int i = 0; i < 7; ++i)
    std::filesystem::create_directory(directory_.path() + "/in" + std::to_string(i));
  among_them([this] {
    run_all([this](int i) {
      const std::string folder = directory_.path() + "/in" + std::to_string(i % 7);
      return std::pair("EXEC:'" + show() + " stay',su=" + (i % 2 == 0 ? name(i) : std::to_string(number(i))) +
                           ",umask=" + mask(i) + ",chdir=" + folder,
                       shown(i) + "umask=" + mask(i) + " folder=" + folder + '\n');
    });
  });
}

TEST_F(ProgramsOfManyUsers, AThousandAtOnceAreThoseOfTheirRoot) {
  run_all([this](int i) {
    return std::pair(
        "EXEC:'/show stay',chroot=" + root() + ",su=" + std::to_string(number(i)) + ",umask=" + mask(i),
        shown(i) + "umask=" + mask(i) + " folder=/\n");
  });
}

TEST_F(ManyUsers, OfSessionsOfForkingListenersAreTheirsAlone) {
  among_them([this] {
    struct Case {
      int user;
      std::string listening, other;  ///< options of the two addresses
    };
    const std::string loopback = "TCP4-LISTEN:0,bind=127.0.0.1,backlog=1024,fork";
    std::vector<Case> cases;
    for (const auto& one : {Case{7, ",su=user7", ""}, Case{8, ",su=20008", ",umask=27"},
                            Case{9, "", ",su=user9"}, Case{10, ",chroot=/", ",su=20010,chdir=/usr"}})
      cases.push_back(one);
    std::vector<std::unique_ptr<Serving>> servers;
    for (const Case& one : cases)
      servers.push_back(std::make_unique<Serving>(
          std::vector<std::string>{loopback + one.listening, "EXEC:'" + show() + " stay'" + one.other}));
    std::vector<std::pair<Socket, int>> clients;
    for (int i = 0; i < (under_sanitizers() ? 5 : 75); ++i)
      for (std::size_t k = 0; k < cases.size(); ++k)
        clients.emplace_back(Socket::to_tcp(servers[k]->port()), cases[k].user);
    // All of them show before any of them may end.
    for (const auto& [client, user] : clients) EXPECT_EQ(client.receive(shown(user).size()), shown(user));
    for (const auto& client : clients) client.first.finish();
    for (const auto& [client, user] : clients) {
      const std::string rest = client.receive_all();
      EXPECT_NE(rest.find(user == 8 ? "umask=27 " : "umask="), std::string::npos) << user << rest;
      EXPECT_NE(rest.find(user == 10 ? "folder=/usr\n" : "folder=/"), std::string::npos) << user << rest;
    }
    for (const auto& server : servers) {
      EXPECT_EQ(status_figure((*server)->pid(), "Uid"), 0) << "who listens stays root";
      (*server)->signal(SIGTERM);
      EXPECT_EQ((*server)->wait().status, 0);
    }
  });
}

/// Listeners that change their root before they listen, so that this program is out of their sessions' reach.
class Rooted : public ManyUsers {
 protected:
  /// What this program is linked with, its loader among them.
  static std::vector<std::string> libraries() {
    std::vector<std::string> paths;
    const std::string lines = run({"ldd", tool("sockcat")}).out;
    for (std::size_t at = lines.find('/'); at != lines.npos; at = lines.find('/', lines.find('\n', at)))
      paths.push_back(lines.substr(at, lines.find(" (", at) - at));
    return paths;
  }
  void bring(const std::string& path) const {
    const std::string there = root() + path;
    std::filesystem::create_directories(there.substr(0, there.rfind('/')));
    std::filesystem::copy_file(path, there);
  }
  std::vector<std::string> words(const std::string& more) const {
    return {"TCP4-LISTEN:0,bind=127.0.0.1,fork,chroot-early=" + root() + ",su=20008" + more, "EXEC:/show"};
  }
};

TEST_F(Rooted, StartSessionsThatChangeWhomTheyAre) {
  if (under_sanitizers()) GTEST_SKIP() << "sanitizers need /proc, which the new root has not";
  for (const std::string& path : libraries()) bring(path);
  Serving server(words(""));
  for (int i = 0; i < 2; ++i) {
    const Socket client = Socket::to_tcp(server.port());
    client.finish();
    EXPECT_EQ(client.receive(shown(8).size()), shown(8));
    EXPECT_TRUE(client.receive_all().ends_with(" folder=/\n"));
  }
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait().status, 0);
  // Names mean what they meant outside.
  Serving named({"TCP4-LISTEN:0,bind=127.0.0.1,fork,chroot-early=" + root() + ",setgid=daemon",
                 "EXEC:/show,setuid=nobody"});
  const Socket client = Socket::to_tcp(named.port());
  client.finish();
  EXPECT_NE(client.receive_all().find("user=65534/65534 group=1/1 "), std::string::npos);
}

TEST_F(Rooted, RefuseAtOnceWhatNoSessionCouldHave) {
  const auto refused = [this](const std::string& missing) {
    const Ended ended = run_sockcat(words(""));
    EXPECT_EQ(ended.status, 1);
    EXPECT_NE(ended.err.find(": its sessions are processes of their own, which cannot be started in the root "
                             "that chroot-early gives them: "),
              std::string::npos)
        << ended.err;
    EXPECT_NE(ended.err.find(missing), std::string::npos) << ended.err;
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
  };
  refused("there is no /");
  for (const std::string& path : libraries())
    if (path.find("/ld-") != path.npos) bring(path);
  refused("error while loading shared libraries: ");
  // Sessions that change nothing need no process of their own.
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork,chroot-early=" + root(), "EXEC:/show,su=20008"});
  const Socket client = Socket::to_tcp(server.port());
  client.finish();
  EXPECT_EQ(client.receive(shown(8).size()), shown(8));
  EXPECT_TRUE(client.receive_all().ends_with(" folder=/\n"));
}

TEST_F(Privileges, OfAProgramAreThoseThatItsAddressAsksFor) {
  file("root/etc/passwd", "inside:x:65534:4242::/:/bin/sh\n");
  file("root/etc/group", "some:x:4300:other,inside\nrest:x:4301:other\n");
  struct Case {
    std::string options, shown;
  };
  const std::string here = std::filesystem::current_path();
  const std::string theirs = "user=65534/65534 group=65534/65534 groups=65534 ";
  for (const auto& one : {
           Case{"", "user=0/0 group=0/0 groups="},
           Case{",su=nobody", theirs},
           Case{",su-e=nobody", theirs},
           Case{",su-d=nobody", theirs},
           Case{",substuser=65534", theirs},
           Case{",setuid=nobody", "user=65534/65534 group=0/0 "},
           Case{",setgid=65534", "user=0/0 group=65534/65534 "},
           Case{",setgid=65534,setuid=nobody", "user=65534/65534 group=65534/65534 "},
           Case{",setuid-early=nobody", "user=65534/65534 group=0/0 "},
           Case{",setgid-early=65534", "user=0/0 group=65534/65534 "},
           Case{",umask=077", "umask=77 "},
           Case{",chdir=/usr", "folder=/usr\n"},
           Case{",setsid", " session leader\n"},
           Case{",setpgid", " leader\n"},
           Case{",setpgid=0", " leader\n"},
           Case{",setpgid=1", " leader\n"},
           Case{",pty,opost=0,setsid,ctty,su=nobody,umask=027,chdir=/usr",
                theirs + "umask=27 folder=/usr session leader\n"},
           Case{",pipes,su=nobody", theirs},
       }) {
    const Ended ended = run_sockcat({"-u", "EXEC:" + show() + one.options, "-"});
    EXPECT_NE(ended.out.find(one.shown), std::string::npos) << one.options << ": " << ended.out << ended.err;
    EXPECT_EQ(ended.status, 0) << one.options;
    if (one.options.find("pty") != std::string::npos) continue;
    const Ended instead = run_sockcat({"-U", "-", "EXEC:" + show() + ",nofork" + one.options});
    if (one.options.find("setsid") == std::string::npos && one.options.find("pipes") == std::string::npos) {
      EXPECT_NE(instead.out.find(one.shown), std::string::npos)
          << one.options << ": " << instead.out << instead.err;
    }
  }
  // In another root, paths and users are those of that root; su-d's are ours.
  for (const auto& one : {
           Case{",chroot=" + root(), "user=0/0 "},
           Case{",chroot-early=" + root(), "user=0/0 "},
           Case{",chroot=" + root() + ",su=nobody", "user=65534/65534 group=4242/4242 groups=4242,4300 "},
           Case{",su=nobody,chroot=" + root(), "user=65534/65534 group=4242/4242 groups=4242,4300 "},
           Case{",su-d=nobody,chroot=" + root(), theirs},
           Case{",chdir=/usr,chroot=" + root(), "user=0/0 "},
       })
    for (const auto* program : {"EXEC:/show", "EXEC:show,path=/usr/bin:/"}) {
      const Ended ended = run_sockcat({"-u", program + one.options, "-"});
      EXPECT_NE(ended.out.find(one.shown), std::string::npos)
          << one.options << ": " << ended.out << ended.err;
      EXPECT_NE(ended.out.find("folder=/\n"), std::string::npos) << one.options << ": " << ended.out;
    }
}

// Links of a root lead to what is within it, absolute ones and those that climb too high.
TEST_F(Privileges, BehindChrootAreThoseThatTheNewRootSees) {
  const std::filesystem::path etc = root() + "/etc";
  std::filesystem::create_directory(root() + "/files");
  file("root/files/passwd", "inside:x:65534:4242::/:/bin/sh\n");
  file("root/files/group", "some:x:4300:inside\n");
  std::filesystem::create_symlink("/", root() + "/top");
  std::filesystem::create_symlink("/files", root() + "/here");
  for (const std::string target : {"/files/", "/here/", "../../../../files/", "/top/top/here/"}) {
    for (const std::string name : {"passwd", "group"}) {
      std::filesystem::remove(etc / name);
      std::filesystem::create_symlink(target + name, etc / name);
    }
    // The new root may itself be behind another.
    for (const std::string& options :
         {",chroot=" + root(), ",chroot-early=" + directory_.path() + ",chroot=/root"}) {
      const Ended ended = run_sockcat({"-u", "EXEC:/show,su=65534" + options, "-"});
      EXPECT_EQ(ended.out.substr(0, ended.out.find(" umask")),
                "user=65534/65534 group=4242/4242 groups=4242,4300")
          << target << options << ended.err;
    }
  }
  // So are the programs.
  std::filesystem::create_directory(root() + "/programs");
  std::filesystem::rename(root() + "/show", root() + "/programs/show-there");
  std::filesystem::create_symlink("/programs", root() + "/bin");
  EXPECT_EQ(run_sockcat({"-u", "EXEC:show-there,path=/bin,chroot=" + root(), "-"}).status, 0);
  // Nor does the system's own user of that number count, if there is none there.
  std::filesystem::remove(etc / "passwd");
  std::filesystem::create_symlink("/nowhere", etc / "passwd");
  const Ended ended = run_sockcat({"-u", "EXEC:/programs/show-there,chroot=" + root() + ",su=65534", "-"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_NE(ended.err.find("no user has the number 65534 in " + root()), std::string::npos) << ended.err;
}

TEST_F(Privileges, BehindARelativeChrootAreThoseOfWhereItLeads) {
  file("root/etc/passwd", "inside:x:65534:4242::/:/bin/sh\n");
  const std::string options = ",chdir=" + directory_.path() + ",chroot=root,su=65534";
  const std::string shown = "user=65534/65534 group=4242/4242 ";
  EXPECT_EQ(run_sockcat({"-u", "EXEC:/show" + options, "-"}).out.substr(0, shown.size()), shown);
  EXPECT_EQ(run_sockcat({"-u", "OPEN:/dev/null" + options, "EXEC:/show"}).out.substr(0, shown.size()), shown);
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork" + options, "EXEC:/show"});
  const Socket client = Socket::to_tcp(server.port());
  client.finish();
  EXPECT_EQ(client.receive_all().substr(0, shown.size()), shown);
}

TEST_F(Privileges, BehindChrootAreReadFromFilesAlone) {
  ASSERT_EQ(::mkfifo((root() + "/etc/passwd").c_str(), 0600), 0);
  const Ended ended = run_sockcat({"-u", "EXEC:/show,chroot=" + root() + ",su=65534", "-"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_NE(ended.err.find(root() + "/etc/passwd is no regular file"), std::string::npos) << ended.err;
}

TEST_F(Privileges, OfASubstitutedUserComeWithTheEnvironment) {
  const passwd* const entry = ::getpwnam("nobody");
  const std::string wanted = std::string("nobody nobody ") + entry->pw_dir + ' ' + entry->pw_shell + '\n';
  for (const std::string option : {"su", "su-d", "su-e"})
    EXPECT_EQ(run_sockcat({"-u", "SYSTEM:'echo $USER $LOGNAME $HOME $SHELL'," + option + "=nobody", "-"}).out,
              wanted)
        << option;
  EXPECT_EQ(
      run_sockcat({"-u", "SYSTEM:'echo $USER',setuid=nobody", "-"}, {.environment = {"USER=somebody"}}).out,
      "somebody\n");
  EXPECT_EQ(run_sockcat({"-u", "TEXT:x,su=nobody", "SYSTEM:'echo $USER $HOME >&2'"}).err,
            std::string("nobody ") + entry->pw_dir + '\n');
}

/// A failing step is the end, and nothing goes on as root.
TEST_F(Privileges, ThatCannotBeHadAreAnErrorAndNothingIsStarted) {
  const std::string trace = directory_.path() + "/started";
  const std::string program = "SYSTEM:'touch " + trace + "'";
  std::filesystem::permissions(directory_.path(), std::filesystem::perms::all);
  struct Case {
    std::vector<std::string> words;
    std::string said;
    std::optional<uid_t> user = {};
  };
  for (const auto& one : std::vector<Case>{
           {{"-u", program + ",su=root", "-"}, "option \"substuser\": Operation not permitted", nobody},
           {{"-u", program + ",su-d=root", "-"},
            "option \"substuser-delayed\": Operation not permitted",
            nobody},
           {{"-u", program + ",su-e=root", "-"},
            "option \"substuser-early\": Operation not permitted",
            nobody},
           {{"-u", program + ",setuid=0", "-"}, "option \"setuid\": Operation not permitted", nobody},
           {{"-u", program + ",setgid=0", "-"}, "option \"setgid\": Operation not permitted", nobody},
           {{"-u", program + ",chroot=/", "-"}, "option \"chroot\": Operation not permitted", nobody},
           {{"-u", program + ",chroot-early=/", "-"},
            "option \"chroot-early\": Operation not permitted",
            nobody},
           {{"-u", program + ",setuid=nobody,setgid=1", "-"}, "option \"setgid\": Operation not permitted"},
           {{"-u", program + ",su=1234567", "-"}, "no user has the number 1234567"},
           {{"-u", program + ",chroot=/,su=nobody,chroot-early=/nowhere", "-"}, "no user has the number"},
           {{"-u", program + ",chroot=/nowhere", "-"}, "option \"chroot\": No such file or directory"},
           {{"-u", program + ",netns=no-such", "-"}, "option \"netns\": "},
           {{"-u", "TEXT:x,su=root", program}, "option \"substuser\": Operation not permitted", nobody},
           {{"-u", "TEXT:x,setuid-early=0", program},
            "option \"setuid-early\": Operation not permitted",
            nobody},
           {{"-u", "TEXT:x,chroot=/nowhere", program}, "option \"chroot\": No such file or directory"},
           {{"-u", "TEXT:x,setgid=0", program}, "option \"setgid\": Operation not permitted", nobody},
       }) {
    const Ended ended = run_sockcat(one.words, {.user = one.user});
    EXPECT_EQ(ended.status, 1) << one.words[1] << ended.err;
    EXPECT_NE(ended.err.find(one.said), std::string::npos) << one.words[1] << ended.err;
    EXPECT_FALSE(std::filesystem::exists(trace)) << one.words[1];
  }
}

TEST_F(Privileges, IncludeTheNetworkThatIsSeen) {
  Running other({"unshare", "-n", "sh", "-c", "echo ready; exec cat"}, {.more_input = true});
  if (other.line() != "ready") GTEST_SKIP() << "no network namespace can be made here";
  const std::string network = "netns=/proc/" + std::to_string(other.pid()) + "/ns/net";
  const std::string count = "SYSTEM:'grep -c : /proc/self/net/dev'";
  // Only its own loopback.
  EXPECT_EQ(run_sockcat({"-u", count + ',' + network, "-"}), (Ended{.out = "1\n", .status = 0}));
  // An address's own sockets are there, and nothing else is.
  Serving server({"TCP4-LISTEN:0," + network, "SYSTEM:'readlink /proc/self/ns/net'"});
  const Ended refused = run_sockcat({"-", "TCP4:127.0.0.1:" + std::to_string(server.port())});
  EXPECT_NE(refused.status, 0);
  const Ended reached =
      run_sockcat({"-u", "TCP4:127.0.0.1:" + std::to_string(server.port()) + ',' + network, "-"});
  EXPECT_NE(reached.err.find("Network is unreachable"), std::string::npos) << "its loopback is down";
  EXPECT_EQ(run_sockcat({"-u", "TEXT:x," + network, "SYSTEM:'readlink /proc/self/ns/net >&2'"}).err,
            std::filesystem::read_symlink("/proc/self/ns/net").string() + '\n');
}

TEST_F(Privileges, OfOurOwnProcessChangeOnceTheAddressIsOpen) {
  std::filesystem::permissions(directory_.path(), std::filesystem::perms::all);
  const std::string secret = file("secret", "for root\n");
  std::filesystem::permissions(secret, std::filesystem::perms::owner_read);
  const std::string out = directory_.path() + "/out";
  EXPECT_EQ(run_sockcat({"-u", "OPEN:" + secret + ",su=nobody", "OPEN:" + out + ",creat"}),
            (Ended{.status = 0}));
  EXPECT_EQ(contents_of(out), "for root\n");
  struct stat status {};
  ASSERT_EQ(::stat(out.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, nobody) << "the second address was opened by whom the first one made us";
  // Early is before.
  const Ended early = run_sockcat({"-u", "OPEN:" + secret + ",su-e=nobody", "-"});
  EXPECT_EQ(early.status, 1);
  EXPECT_NE(early.err.find("Permission denied"), std::string::npos) << early.err;
  // What a job of a shell cannot have is no failure.
  const Ended leader = run({"setsid", "-w", tool("sockcat"), "-u", "TEXT:x,setsid", "-"});
  EXPECT_EQ(leader, (Ended{.out = "x", .status = 0}));
  // The second address's own.
  EXPECT_EQ(run_sockcat({"-u", "TEXT:x", "OPEN:" + secret + ".2,creat,su=nobody"}).status, 0);
  ASSERT_EQ(::stat((secret + ".2").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 0U);
  EXPECT_EQ(run_sockcat({"-u", "TEXT:x,chroot=" + root(), "OPEN:/inside,creat"}).status, 0);
  EXPECT_EQ(contents_of(root() + "/inside"), "x");
}

TEST_F(Privileges, OfASessionAreNoOtherSessions) {
  std::filesystem::permissions(directory_.path(), std::filesystem::perms::all);
  Serving server(
      {"TCP4-LISTEN:0,bind=127.0.0.1,fork,su=nobody", "SYSTEM:'" + show() + "; echo $SOCAT_PEERPORT; cat'"});
  std::vector<std::future<std::string>> sessions;
  std::vector<std::string> own_ports;
  constexpr int count = 30;
  for (int i = 0; i < count; ++i)
    sessions.push_back(beside([&server, i] {
      const Socket client = Socket::to_tcp(server.port());
      client.send(std::to_string(i));
      client.finish();
      return std::to_string(client.port()) + ' ' + client.receive_all();
    }));
  for (int i = 0; i < count; ++i) {
    const std::string got = sessions[static_cast<std::size_t>(i)].get();
    const auto space = got.find(' ');
    EXPECT_EQ(got.substr(space + 1, 12), "user=65534/6") << got;
    EXPECT_TRUE(got.ends_with('\n' + got.substr(0, space) + '\n' + std::to_string(i))) << got;
  }
  EXPECT_EQ(status_figure(server->pid(), "Uid"), 0) << "who listens stays root";
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait().status, 0);
}

TEST_F(Privileges, OfASessionsOtherAddressAreTheSessionsToo) {
  std::filesystem::permissions(directory_.path(), std::filesystem::perms::all);
  const std::string out = directory_.path() + "/out";
  Serving server({"-u", "TCP4-LISTEN:0,bind=127.0.0.1,fork", "OPEN:" + out + ",creat,append,su=nobody"});
  for (const std::string text : {"one", "two"}) {
    const Socket client = Socket::to_tcp(server.port());
    client.send(text);
    client.finish();
    client.receive_all();
  }
  EXPECT_TRUE(eventually([&] { return contents_of(out) == "onetwo"; }));
  EXPECT_EQ(status_figure(server->pid(), "Uid"), 0);
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait().status, 0);
}

TEST_F(Privileges, ThatASessionCannotHaveEndItAlone) {
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork,chroot=/nowhere", "SYSTEM:echo here"});
  for (int i = 0; i < 2; ++i) {
    const Socket client = Socket::to_tcp(server.port());
    client.finish();
    EXPECT_EQ(client.receive_all(), "");
  }
  server->signal(SIGTERM);
  const Ended ended = server->wait();
  EXPECT_EQ(ended.status, 0);
  EXPECT_NE(ended.err.find("option \"chroot\": No such file or directory"), std::string::npos) << ended.err;
}

/// Options of the address that a session came by, where setsid makes the session a process of its own and
/// where it is none: each is in force, and once.
class OptionsOfSessions : public ::testing::TestWithParam<const char*> {
 protected:
  std::string apart() const { return GetParam(); }
  std::string listening(const std::string& options) const {
    return "TCP4-LISTEN:0,bind=127.0.0.1,fork" + options + apart();
  }
  TemporaryDirectory directory_;
};
INSTANTIATE_TEST_SUITE_P(SharedAndApart, OptionsOfSessions, ::testing::Values("", ",setsid"));

TEST_P(OptionsOfSessions, AreInForceOnce) {
  struct Case {
    std::string options, program, sent, got;
  };
  const std::string script = directory_.file("wait",
                                             "read a; read -t $1 b\n"
                                             "[ $? -gt 128 ] && echo waited || echo ended\n");
  const std::string wait = "SYSTEM:bash " + script;
  const std::string show = "EXEC:" + helper("socket-options") + ",nofork";
  const std::string sockets = "SYSTEM:'ls -l /proc/$$/fd | grep -c socket:',pipes";
  const std::string late = "SYSTEM:'read a; sleep 0.3; echo late'";
  for (const auto& one : std::vector<Case>{
           {"", "EXEC:cat", "abcdef", "abcdef"},
           {",readbytes=3", "EXEC:cat", "abcdef", "abc"},
           {",escape=27", "EXEC:cat",
            "ab\x1b"
            "cd",
            "ab"},
           {",crnl", "EXEC:'cat -A'", "a\r\nb\r\n", "a$\r\nb$\r\n"},
           {",cr", "EXEC:'cat -A'", "a\rb\r", "a$\rb$\r"},
           {",readbytes=4,crnl", "EXEC:'cat -A'", "a\r\nb\r\n", "a$\r\nb"},
           {"", wait + " 30", "x\n", "ended\n"},
           {",ignoreeof", wait + " 0.2", "x\n", "waited\n"},
           {"", late, "x\n", "late\n"},
           {",exit-on=first-eof", late, "x\n", ""},
           {"", sockets, "", "0\n"},
           {",cloexec=0", sockets, "", "1\n"},
           {",so-rcvbuf-late=20000", show, "", "\nrcvbuf=40000\n"},
           {",so-sndbuf-late=20000", show, "", "\nsndbuf=40000\n"},
           {",so-keepalive", show, "", "\nkeepalive=1\n"},
           {",so-priority=5", show, "", "\npriority=5\n"},
           {",so-linger=7", show, "", "\nlinger=7\n"},
           {",nodelay", show, "", "\nnodelay=1\n"},
           {",setsockopt-connected=6:1:x01000000", show, "", "\nnodelay=1\n"},
           {",setsockopt-int=6:4:77", show, "", "\nkeepidle=77\n"},
           {",tcp-keepcnt=3", show, "", "\nkeepcnt=3\n"},
           {",tcp-window-clamp=5000", show, "", "\nwindow-clamp=5000\n"},
           {",ip-tos=16", show, "", "\ntos=16\n"},
       }) {
    Serving server({"-t", one.got.empty() ? "0.05" : "10", listening(one.options), one.program});
    const Socket client = Socket::to_tcp(server.port());
    client.send(one.sent);
    client.finish();
    const std::string got = client.receive_all();
    if (one.program == show)
      EXPECT_NE(got.find(one.got), std::string::npos) << one.options << apart() << ": " << got;
    else
      EXPECT_EQ(got, one.got) << one.options << apart() << ' ' << one.program;
    server->signal(SIGTERM);
    EXPECT_EQ(server->wait().status, 0) << one.options;
  }
}

// The program's output ends, and it goes on to read: a peer that is told so hears the end and is heard.
TEST_P(OptionsOfSessions, SayHowAPeerIsToldOfTheEnd) {
  for (const std::string options : {"", ",shut-down", ",shut-none", ",end-close", ",shut-close"}) {
    const bool told = options.empty() || options == ",shut-down";
    const std::string out = directory_.path() + "/out" + options;
    // Who is not told is cut off soon, who is has time.
    Serving server({"-t", told ? "10" : "0.2", listening(options),
                    "SYSTEM:'echo hi; exec >&-; cat >\"" + out + "\"; touch \"" + out + ".all\"',pipes"});
    const Socket client = Socket::to_tcp(server.port());
    EXPECT_EQ(client.receive_all(), "hi\n") << options;
    client.send_until_broken("more");
    ::shutdown(client.number(), SHUT_WR);
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(out + ".all"); })) << options;
    EXPECT_EQ(contents_of(out), told ? "more" : "") << options << apart();
  }
}

TEST_P(OptionsOfSessions, IncludeAnEmptyPacketAsTheEnd) {
  for (const auto& [options, got] : {std::pair{"", "ab"}, {",null-eof", "a"}}) {
    const std::string path = directory_.path() + "/socket" + options;
    Serving server({"UNIX-LISTEN:'" + path + "',socktype=5,fork" + options + apart(), "SYSTEM:'cat; cat'"});
    const Socket client = Socket::to_unix(path, SOCK_SEQPACKET);
    for (const std::string packet : {"a", "", "b"})
      ::send(client.number(), packet.data(), packet.size(), MSG_NOSIGNAL);
    client.finish();
    EXPECT_EQ(client.receive_all(), got) << options << apart();
  }
}

TEST_P(OptionsOfSessions, IncludeHowLoudTheyAre) {
  const auto logged = [this](const std::string& options, const char* level) {
    Serving server({level, listening(options), "SYSTEM:'exit 3'"});
    for (int i = 0; i < 2; ++i) {
      const Socket client = Socket::to_tcp(server.port());
      client.finish();
      client.receive_all();
    }
    server->signal(SIGTERM);
    return server->wait().err;
  };
  const std::string started = "starting data transfer loop";
  EXPECT_NE(logged("", "-dd").find(started), std::string::npos);
  EXPECT_EQ(logged(",children-shutup=1", "-dd").find(started), std::string::npos);
  EXPECT_NE(logged(",children-shutup=1", "-ddd").find(started), std::string::npos);
  EXPECT_EQ(logged(",children-shutup=2", "-ddd").find(started), std::string::npos);
  // It is for sessions only.
  EXPECT_NE(logged(",children-shutup=2", "-dd").find("listening on"), std::string::npos);
}

TEST_P(OptionsOfSessions, LeaveWhatProgramsAreTold) {
  const std::string path = directory_.path() + "/socket";
  Serving server(
      {"UNIX-LISTEN:" + path + ",fork,children-shutup=2" + apart(), "SYSTEM:'env | grep ^SOCAT_ | sort'"});
  const Socket client = Socket::to_unix(path);
  client.finish();
  const std::string told = client.receive_all();
  EXPECT_NE(told.find("\nSOCAT_SOCKADDR=" + path + '\n'), std::string::npos) << told;
  EXPECT_EQ(told.find("SHUTUP"), std::string::npos) << told;
}

TEST_P(OptionsOfSessions, LetSignalsThrough) {
  Serving server(
      {listening(""), "SYSTEM:'trap \"echo hung up; exit\" HUP; echo ready; read never; sleep 60',sighup"});
  const Socket client = Socket::to_tcp(server.port());
  EXPECT_EQ(client.receive(6), "ready\n");
  server->signal(SIGHUP);
  EXPECT_EQ(client.receive_all(), "hung up\n");
}

TEST_P(OptionsOfSessions, AreWaitedForWhenTheyAreToEnd) {
  Serving server({"-d", "-d", listening(""), "SYSTEM:'trap \"\" TERM; echo ready; exec sleep 60'"});
  const Socket client = Socket::to_tcp(server.port());
  EXPECT_EQ(client.receive(6), "ready\n");
  const pid_t pid = server->pid();
  server->signal(SIGTERM);
  const Ended ended = server->wait();
  EXPECT_EQ(ended.status, 0);
  // A session that goes on behind our back has its last word after ours.
  const auto last = ended.err.rfind("] N exiting with status");
  ASSERT_NE(last, std::string::npos) << ended.err;
  EXPECT_TRUE(ended.err.substr(0, last).ends_with('[' + std::to_string(pid))) << ended.err << apart();
}

/// What another user can do to a process: the part of a forked child's status that is set where it could.
enum Power { looked_into = 1, traced = 2 };
int powers_over(pid_t pid, uid_t user) {
  const pid_t other = ::fork();
  if (other == 0) {
    int powers = 0;
    if (::setresgid(user, user, user) != 0 || ::setresuid(user, user, user) != 0) ::_exit(127);
    const std::string memory = "/proc/" + std::to_string(pid) + "/mem";
    if (::open(memory.c_str(), O_RDONLY | O_CLOEXEC) >= 0) powers |= looked_into;
    if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0) powers |= traced;
    ::_exit(powers);
  }
  int status = 0;
  ::waitpid(other, &status, 0);
  return WEXITSTATUS(status);
}

/// The children of a process that still are what it is itself, and stopped.
std::vector<pid_t> stopped_before_their_program(pid_t parent) {
  std::error_code ignored;
  const auto program_of = [&](pid_t pid) {
    return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", ignored).string();
  };
  std::vector<pid_t> stopped;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(parent) + "/task", ignored)) {
    std::istringstream all(contents_of(thread.path().string() + "/children"));
    for (pid_t pid = 0; all >> pid;) {
      if (program_of(pid) != program_of(parent)) continue;
      if (contents_of("/proc/" + std::to_string(pid) + "/status").find("\nState:\tT") != std::string::npos)
        stopped.push_back(pid);
    }
  }
  return stopped;
}

// The user that a program is to run as may stop it before it has begun.
TEST_F(Privileges, OfAProgramLetItsUserNeitherHoldUsUpNorLookAtUs) {
  constexpr uid_t user = 61234;
  Serving server({"-d", "-d", "--drain=0.1", "TCP4-LISTEN:0,bind=127.0.0.1,fork,backlog=100",
                  "EXEC:/bin/cat,setgid=61234,setuid=61234"});
  Running hostile({"/bin/sh", "-c", "while :; do kill -STOP -1; done"}, {.user = user});
  std::vector<Socket> clients;
  std::vector<pid_t> stopped;
  EXPECT_TRUE(eventually([&] {
    clients.push_back(Socket::to_tcp(server.port()));
    stopped = stopped_before_their_program(server->pid());
    return !stopped.empty();
  }));
  // Who looks has that user for a moment, and must not be stopped as well.
  hostile.signal(SIGSTOP);
  for (const pid_t pid : stopped) EXPECT_EQ(powers_over(pid, user), 0);
  hostile.signal(SIGCONT);
  // The server hears signals and clients, and gives up those that do not begin.
  server->signal(SIGUSR1);
  std::optional<std::string> line;
  do line = server->line(2);
  while (line && line->find("statistics:") == std::string::npos);
  EXPECT_TRUE(line);
  do line = server->line(2);
  while (line && line->find("its program has not begun within 5000 ms") == std::string::npos);
  EXPECT_TRUE(line);
  hostile.signal(SIGKILL);
  hostile.wait();
  const Socket last = Socket::to_tcp(server.port());
  last.send("alive");
  EXPECT_EQ(last.receive(5), "alive");
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait().status, 0);
}

TEST_F(Privileges, OfSharedSocketsAreRefused) {
  Serving server({"UDP4-LISTEN:0,bind=127.0.0.1,fork,su=nobody", "PIPE"});
  const Ended client =
      run_sockcat({"-t", "0.1", "-", "UDP4:127.0.0.1:" + std::to_string(server.port())}, {.input = "x"});
  EXPECT_EQ(client.out, "");
  server->signal(SIGTERM);
  EXPECT_NE(server->wait().err.find("cannot be given to processes of their own"), std::string::npos);
}

TEST_F(Privileges, OfAnEarlyPhaseAreThoseOfWhoListens) {
  Serving server({"TCP4-LISTEN:0,bind=127.0.0.1,fork,setuid-early=nobody", "SYSTEM:id -u"});
  EXPECT_EQ(status_figure(server->pid(), "Uid"), static_cast<long>(nobody));
  const Socket client = Socket::to_tcp(server.port());
  client.finish();
  EXPECT_EQ(client.receive_all(), "65534\n");
}

}  // namespace
}  // namespace sluice::test
