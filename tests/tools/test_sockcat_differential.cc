#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include "sockcat.h"

/// Debian's socat and sockcat under its name run the same command lines side by side: what they write, their
/// exit status and the files that they leave must be equal, but for the differences that are declared here.
namespace sluice::test {
namespace {

constexpr const char* theirs = "/usr/bin/socat";

/// A line for a shell, in which $S is the program and $A a loopback address of the run's own.
struct Line {
  std::string text;
  std::string input = {};
};

struct Difference {
  std::string line;
  std::string reason;
  int status;  ///< what ours has to be
};

using Words = std::vector<std::string>;

/// `$S - X` with two lines of input.
const Words both_ways = {"PIPE",
                         "ECHO",
                         "FIFO",
                         "PIPE,nonblock",
                         "EXEC:cat",
                         "EXEC:cat,pipes",
                         "EXEC:cat,pty,rawer",
                         "EXEC:cat,pty,raw,echo=0",
                         "EXEC:cat,stderr",
                         "EXEC:cat,setsid",
                         "EXEC:cat,nofork",
                         "EXEC:cat,socktype=1",
                         "EXEC:cat,end-close",
                         "EXEC:'tr a-z A-Z'",
                         "SYSTEM:cat",
                         "SYSTEM:'tr a-z A-Z'",
                         "SYSTEM:cat,pty,raw,echo=0",
                         "SYSTEM:cat,nofork",
                         "SYSTEM:'cat <&5 >&6',fdin=5,fdout=6",
                         "SYSTEM:'cat;exit 3'",
                         "SYSTEM:'cat >&2'"};

/// `$S -u X -`: f holds ten digits, t two lines.
const Words sources = {"-",
                       "STDIO",
                       "STDIN",
                       "0",
                       "FD:0",
                       "fd:0",
                       "FILE:f",
                       "OPEN:f",
                       "GOPEN:f",
                       "./f",
                       "FILE:f,rdonly",
                       "FILE:f,seek=3",
                       "FILE:f,seek",
                       "FILE:f,seek-end=-2",
                       "FILE:f,seek-cur=2",
                       "FILE:f,readbytes=4",
                       "FILE:f,bytes=4",
                       "FILE:t,crnl",
                       "FILE:t,cr",
                       "FILE:nonexistent",
                       "EXEC:'printf abc'",
                       "EXEC:'printf %s|'",
                       "EXEC:true",
                       "EXEC:false",
                       "EXEC:nonexistentprogram",
                       "EXEC:'sh -c \"exit 7\"'",
                       "SYSTEM:'echo $((1+2))'",
                       "SYSTEM:'exit 5'",
                       "SYSTEM:'kill -9 $$'",
                       "SYSTEM:nonexistentprogram",
                       "/dev/null",
                       "FILE:/dev/null",
                       "FILE:/etc",
                       "NOSUCH:x",
                       "TCP",
                       "TCP:x",
                       "''",
                       "-,nosuch",
                       "FILE:f,fork",
                       "FILE:f,seek=x",
                       "FILE:",
                       "SYSTEM:",
                       "FILE:f,escape=0x35",
                       "FILE:f,escape=53",
                       "FILE:f,lock",
                       "FILE:f,setlk-rd",
                       "FILE:f,flock-sh",
                       "FILE:f,noatime",
                       "FILE:f,perm=x",
                       "EXEC:env,path=/bin | grep ^PATH=",
                       "SYSTEM:umask",
                       "SYSTEM:'echo $PATH',path=/bin:/usr/bin",
                       "SYSTEM:'echo x',fdin=5",
                       "SYSTEM:'ps -o pgid=,pid= -p $$',setpgid=0 | awk '{print $1==$2}'",
                       "EXEC:'sh -c \"echo $0\"',login"};

/// `$S -u - X`
const Words targets = {"-",
                       "STDOUT",
                       "1",
                       "FD:1",
                       "FILE:o,creat",
                       "CREATE:o",
                       "CREAT:o",
                       "GOPEN:o",
                       "./o",
                       "FILE:f,trunc",
                       "FILE:f",
                       "FILE:f,append",
                       "FILE:f,o-append",
                       "FILE:f,seek=2",
                       "FILE:f,creat",
                       "FILE:o,creat,mode=600",
                       "FILE:o,creat,perm=0640",
                       "FILE:f,mode=600",
                       "FILE:f,perm-late=600",
                       "FILE:f,perm-early=640",
                       "CREATE:o,mode=644",
                       "FILE:o,creat,umask=077",
                       "FILE:f,wronly",
                       "FILE:f,rdonly",
                       "FILE:f,ftruncate=5",
                       "FILE:f,append,ftruncate=5",
                       "FILE:f,trunc=0",
                       "FILE:f,o-trunc",
                       "FILE:o",
                       "FILE:f,excl,creat",
                       "FILE:o,excl,creat",
                       "FILE:f,unlink-late",
                       "FILE:f,unlink",
                       "FILE:f,unlink-early,creat",
                       "FILE:f,unlink-close",
                       "FILE:o,creat,unlink-close",
                       "FILE:t,crnl",
                       "CREATE:o,crnl",
                       "CREATE:o,cr",
                       "-,crnl",
                       "-,cr",
                       "-,crlf",
                       "EXEC:'sh -c \"cat >o\"'",
                       "SYSTEM:'cat >o'",
                       "PIPE",
                       "CREATE:f",
                       "CREATE:nodir/o",
                       "GOPEN:f",
                       "GOPEN:f,trunc",
                       "CREATE:o,user=nosuchuser",
                       "CREATE:o,mode=9",
                       "FILE:f,lock",
                       "FILE:f,setlkw",
                       "FILE:f,setlk",
                       "FILE:f,flock-ex",
                       "FILE:f,flock-ex-nb",
                       "CREATE:o,cloexec",
                       "FILE:f,nofollow",
                       "FILE:f,sync",
                       "FILE:f,dsync",
                       "FILE:o,creat,excl,wronly",
                       "FILE:f,setlk-rd",
                       "GOPEN:o,umask=077",
                       "./o,umask=077",
                       "SYSTEM:cat,fdout=5",
                       "EXEC:cat,nofork,fdout=5"};

/// `$S X - PIPE`, with every kind of byte as input.
const Words flags = {"-u",    "-U",   "-b1",    "-b3",   "-s",     "-g",   "-4",      "-6",       "-t1",
                     "-t0.1", "-T2",  "-d",     "-lu",   "-lh",    "-ls",  "-lp foo", "-lpfoo",   "-lf o",
                     "-lfo",  "-r o", "-ro",    "-R o",  "-Ro",    "-q",   "-Z",      "--nosuch", "-t",
                     "-tx",   "-bx",  "-Tx",    "-lyxx", "-dx",    "-L l", "-Ll",     "-W l",     "-d0",
                     "-dd",   "-d2",  "-t 0.2", "-T 2",  "-b 8192"};

struct Meeting {
  std::string server, client;
  std::string input = "hello\n";
};

/// The server first, at the path s.
const std::vector<Meeting> unix_meetings = {
    {"$S UNIX-LISTEN:s PIPE", "$S - UNIX-CONNECT:s"},
    {"$S UNIX-LISTEN:s,fork PIPE", "$S - UNIX-CONNECT:s"},
    {"$S UNIX-L:s EXEC:cat", "$S - UNIX:s"},
    {"$S UNIX-L:s,mode=600 SYSTEM:'ls -l s | cut -c1-10'", "$S - UNIX:s", ""},
    {"$S -u UNIX-L:s CREATE:o", "$S -u - UNIX:s"},
    {"$S -u UNIX-RECV:s CREATE:o", "$S -u - UNIX-SENDTO:s"},
    {"$S UNIX-RECVFROM:s PIPE", "$S - UNIX-SENDTO:s,bind=c"},
    {"$S UNIX-RECVFROM:s,fork PIPE", "$S - UNIX-SENDTO:s,bind=c"},
    {"$S UNIX-LISTEN:s,socktype=5 PIPE", "$S - UNIX-CONNECT:s,socktype=5"},
    {"$S UNIX-LISTEN:s,type=5,fork EXEC:cat", "$S - UNIX-CLIENT:s"},
    {"$S UNIX-LISTEN:s,fork,max-children=2 EXEC:cat", "$S - GOPEN:s"},
    {"$S -U UNIX-LISTEN:s FILE:t", "$S -u UNIX-CONNECT:s -"},
    {"$S UNIX-LISTEN:s,unlink-early PIPE", "$S - UNIX-CONNECT:s"},
    {"$S UNIX-LISTEN:s,crnl PIPE", "$S - UNIX-CONNECT:s", "a\nb\n"},
    {"$S UNIX-LISTEN:s,umask=077 SYSTEM:'stat -c%a s'", "$S - UNIX-CONNECT:s", ""},
    {"$S UNIX-LISTEN:s SYSTEM:'echo $SOCAT_PEERADDR'", "$S - UNIX-CONNECT:s,bind=c", ""},
};

/// At port 7711 of $A.
const std::vector<Meeting> ip_meetings = {
    {"$S TCP4-LISTEN:7711,bind=$A PIPE", "$S - TCP4:$A:7711"},
    {"$S TCP4-LISTEN:7711,bind=$A,reuseaddr,fork PIPE", "$S - TCP4:$A:7711"},
    {"$S TCP-LISTEN:7711,bind=$A,pf=ip4 PIPE", "$S - TCP:$A:7711"},
    {"$S TCP4-LISTEN:7711,bind=$A,fork SYSTEM:'echo $SOCAT_SOCKPORT'", "$S - TCP4:$A:7711", ""},
    {"$S TCP4-LISTEN:7711,bind=$A,range=127.0.0.0/8 PIPE", "$S - TCP4:$A:7711"},
    {"$S TCP4-LISTEN:7711,bind=$A,range=127.0.0.0:255.0.0.0 PIPE", "$S - TCP4:$A:7711"},
    {"$S TCP4-LISTEN:7711,bind=$A,range=localhost/8 PIPE", "$S - TCP4:$A:7711"},
    {"$S TCP4-LISTEN:7711,bind=$A,range=localhost:255.0.0.0 PIPE", "$S - TCP4:$A:7711"},
    {"$S TCP4-LISTEN:7711,bind=$A,fork EXEC:cat,nofork", "$S - TCP4:$A:7711"},
    {"$S -u TCP4-LISTEN:7711,bind=$A CREATE:o", "$S -u FILE:t TCP4:$A:7711"},
    {"$S -U TCP4-LISTEN:7711,bind=$A FILE:t", "$S -u TCP4:$A:7711 CREATE:o"},
    {"$S TCP4-LISTEN:7711,bind=$A EXEC:cat,pty,raw,echo=0", "$S - TCP4:$A:7711"},
    {"$S TCP4-LISTEN:7711,bind=$A,crnl PIPE", "$S - TCP4:$A:7711", "a\nb\n"},
    {"$S TCP4-LISTEN:7711,bind=$A,fork PIPE", "$S - TCP4:$A:7711,bind=$A"},
    {"$S TCP4-LISTEN:7711,bind=$A,fork PIPE", "$S - TCP4:$A:7711,bind=$A,sp=45454,reuseaddr"},
    {"$S TCP4-LISTEN:7711,bind=$A,fork,max-children=1 PIPE",
     "$S - TCP4:$A:7711,nodelay,keepalive,linger=3,rcvbuf=20000"},
    {"$S TCP4-LISTEN:7711,bind=$A,fork,backlog=3,keepalive,mss=600 PIPE",
     "$S - TCP4:$A:7711,mss=500,tos=16,ttl=7,priority=3"},
    {"$S UDP4-RECVFROM:7711,bind=$A PIPE", "$S - UDP4:$A:7711"},
    {"$S UDP4-RECVFROM:7711,bind=$A,fork EXEC:cat", "$S - UDP4:$A:7711"},
    {"$S UDP4-LISTEN:7711,bind=$A,null-eof PIPE", "$S -t0.3 - UDP4:$A:7711,shut-null"},
    {"$S -u UDP4-RECV:7711,bind=$A,null-eof CREATE:o", "$S -u - UDP4-SENDTO:$A:7711,shut-null"},
    {"$S UDP4-DATAGRAM:$A:7712,bind=$A:7711 PIPE", "$S -t0.3 - UDP4-DATAGRAM:$A:7711,bind=$A:7712"},
};

const std::vector<Line> others = {
    {"$S"},
    {"$S -"},
    {"$S - - -"},
    {"$S - PIPE extra", "x"},
    {"$S - TCP4:$A:7711"},
    {"$S - TCP4:$A:7711,retry=2,interval=0.05"},
    {"$S - TCP4:$A:7711,connect-timeout=0.5"},
    {"$S - TCP4:nosuchhost.invalid:80"},
    {"$S - UDP4:nosuchhost.invalid:80"},
    {"$S - UNIX:nosuch"},
    {"$S - UNIX-SENDTO:nosuch", "x"},
    {"$S TCP4-LISTEN:7711,bind=1.2.3.4 -"},
    {"$S TCP4-LISTEN:7711,bind=$A,accept-timeout=0.1 -"},
    {"sleep 0.6 | $S -T0.2 - EXEC:cat"},
    {"(echo a; sleep 0.2; echo b) | $S - EXEC:cat"},
    {"echo a | $S - SYSTEM:'sleep 0.1; cat; echo late'"},
    {"echo a | $S -t2 - SYSTEM:'sleep 0.7; cat; echo late'"},
    {"echo a | $S -,ignoreeof!!- PIPE & p=$!; sleep 0.4; kill $p; wait $p; echo $?"},
    {"echo a | $S 'STDIN!!CREATE:o' PIPE"},
    {"$S -u 'FILE:f!!FILE:t' -"},
    {"exec 7<t; $S -u 7,readbytes=5 -; $S -u FD:7 -"},
    {"$S -u FILE:t - | $S -u - CREATE:o"},
    {"mkfifo pp; cat pp > o & $S -u - PIPE:pp; wait", "through\n"},
    {"mkfifo pp; exec 5<>pp; $S -u -T 0.3 OPEN:pp,rdonly -; echo $?"},
    {"mkfifo i o; $S 'OPEN:i,rdonly!!OPEN:o,wronly' EXEC:cat & exec 3>i 4<o; echo hi >&3; exec 3>&-; cat "
     "<&4; "
     "wait $!; echo $?"},
    {"mkfifo pp; exec 5<>pp; timeout 0.2 cat /dev/zero >&5; (echo data; sleep 0.8) | (timeout 0.3 $S -u - "
     "OPEN:pp,wronly; timeout 2 cat)"},
    {"$S -u UDP4-DATAGRAM:$A:7712,bind=$A:7711 CREATE:o & p=$!; until ss -lnHu src $A | grep -q :7711; do "
     "sleep "
     "0.02; done; echo x | $S -u - UDP4-SENDTO:$A:7711,bind=$A; until [ -s o ]; do sleep 0.02; done; kill "
     "$p; wait "
     "$p; echo $?"},
    {"umask 027; $S -u - CREATE:o", "x"},
    {"cd /; $S -u EXEC:pwd -"},
    {"$S -u SYSTEM:'tty < /dev/tty',pty,setsid,ctty - | cut -c1-8"},
    {"$S PTY,link=vt,rawer PIPE & p=$!; until [ -e vt ]; do sleep 0.02; done; exec 3<>vt; echo hi >&3; "
     "timeout 2 head -1 <&3; kill $p; wait $p; echo $?; ls"},
    {"$S - SOCKETPAIR,nosuch"},
    {"touch l; $S -L l - PIPE"},
    {"touch l; $S -u FILE:f,lockfile=l -"},
};

/// `$S -u SYSTEM:'stty -a <&1',pty,X -`: a program sees the terminal that the options have made.
const Words terminal_flags = {
    "brkint", "icrnl",  "ignbrk",   "igncr",   "ignpar",  "imaxbel", "inlcr",   "inpck", "istrip",  "iuclc",
    "ixany",  "ixoff",  "ixon",     "parmrk",  "ocrnl",   "ofdel",   "ofill",   "olcuc", "onlcr",   "onlret",
    "onocr",  "opost",  "clocal",   "cstopb",  "hupcl",   "parodd",  "crtscts", "echo",  "echoctl", "echoe",
    "echok",  "echoke", "echonl",   "echoprt", "flusho",  "icanon",  "iexten",  "isig",  "noflsh",  "tostop",
    "xcase",  "tandem", "crterase", "crtkill", "ctlecho", "prterase"};
const Words terminal_values = {"cs8",
                               "csize=3",
                               "b9600",
                               "b38400",
                               "b115200",
                               "bs1",
                               "cr1",
                               "cr2",
                               "cr3",
                               "crdly=2",
                               "ff1",
                               "nl1",
                               "tab1",
                               "tab2",
                               "tab3",
                               "xtabs",
                               "tabdly=1",
                               "vt1",
                               "bsdly",
                               "ffdly",
                               "nldly",
                               "vtdly",
                               "intr=1",
                               "vintr=0x41",
                               "quit=2",
                               "erase=010",
                               "kill=3",
                               "eof=5",
                               "eol=6",
                               "eol2=7",
                               "start=8",
                               "stop=9",
                               "susp=10",
                               "reprint=11",
                               "discard=12",
                               "werase=14",
                               "lnext=15",
                               "swtc=16",
                               "min=3",
                               "time=4",
                               "ispeed=9600,ospeed=9600",
                               "ispeed=13,ospeed=13",
                               "raw,isig",
                               "sane,echo=0"};

/// What 1.8 changed, or where ours is meant to be better.
std::vector<Difference> declared() {
  const std::string remembered =
      "1.8 remembers a program that failed; 1.7 does if it happens to see its end before that of its output";
  const std::string levels = "1.8 has -d0 to -d4";
  return {
      {"$S -u SYSTEM:'kill -9 $$' -", "1.8 takes a program that a signal ended for a failure", 1},
      {"$S -u - GOPEN:f,o-append=0", "1.8: GOPEN appends unless it is told not to", 0},
      {"$S - SYSTEM:'cat;exit 3'", remembered, 1},
      {"$S -u EXEC:false -", remembered, 1},
      {"$S -u SYSTEM:'exit 5' -", remembered, 1},
      {"$S -u SYSTEM:nonexistentprogram -", remembered, 1},
      {"$S -u SYSTEM:'stty -a <&1',pty,ispeed=9600,ospeed=9600 -",
       "the manual says baud; socat 1.7 takes the numbers of termios alone, which are understood too", 0},
      {"$S -u EXEC:nonexistentprogram -", remembered, 1},
      {"$S -d0 - PIPE", levels, 0},
      {"$S -d2 - PIPE", levels, 0},
  };
}

std::vector<Line> all_lines() {
  std::vector<Line> lines = others;
  for (const auto& one : both_ways) lines.push_back({"$S - " + one, "hello\nworld\n"});
  for (const auto& one : sources) {
    const auto bar = one.find(" | ");
    lines.push_back(
        {"$S -u " + one.substr(0, bar) + " -" + (bar != one.npos ? one.substr(bar) : ""), "in\nput\n"});
  }
  for (const auto& one : targets) lines.push_back({"$S -u - " + one, "in\nput\n"});
  const std::string bytes("he\0llo\x07\x1b\x80\xff\r\n\ttab\\x\nworld\n", 26);
  for (const auto& one : flags) lines.push_back({"$S " + one + " - PIPE", bytes});
  const auto meet = [&](const Meeting& one, const std::string& until) {
    lines.push_back(
        {one.server + " 2>/dev/null & p=$!; until " + until + "; do sleep 0.02; done; " + one.client +
             "; echo client $?; " +
             (one.server.find(",fork") != std::string::npos || one.server.find("RECV:") != std::string::npos
                  ? "sleep 0.2; kill $p; "
                  : "") +
             "wait $p; echo server $?",
         one.input});
  };
  for (const auto& one : unix_meetings) meet(one, "[ -S s ]");
  for (const auto& one : ip_meetings) meet(one, "ss -lnHtu src $A | grep -q :7711");
  for (const auto& one : terminal_flags)
    for (const char* value : {"", "=0"})
      lines.push_back({"$S -u SYSTEM:'stty -a <&1',pty," + one + value + " -"});
  for (const auto& one : terminal_values) lines.push_back({"$S -u SYSTEM:'stty -a <&1',pty," + one + " -"});
  return lines;
}

/// What a program leaves behind in its folder: kinds, permissions and contents.
std::map<std::string, std::string> files_in(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    struct stat status {};
    if (::lstat(entry.path().c_str(), &status) != 0) continue;
    char mode[16];
    std::snprintf(mode, sizeof mode, "%o ", status.st_mode);
    files[entry.path().filename()] =
        mode + (entry.is_regular_file() ? contents_of(entry.path()) : std::string());
  }
  return files;
}

struct Outcome {
  Ended ended;
  std::map<std::string, std::string> files;

  bool is_like(const Outcome& other) const {
    return ended.status == other.ended.status && ended.out == other.ended.out && files == other.files;
  }
};

/// Each run has a loopback address of its own, so that no two take each other's port.
Outcome run_line(const Line& line, const std::string& program, std::size_t number) {
  const TemporaryDirectory directory;
  directory.file("f", "0123456789");
  directory.file("t", "line one\nline two\n");
  RunOptions options{.input = line.input};
  options.directory = directory.path();
  const auto process = static_cast<unsigned>(::getpid());
  options.environment = {"S=" + program, "A=127." + std::to_string(16 + process % 200) + '.' +
                                             std::to_string(number / 250) + '.' +
                                             std::to_string(1 + number % 250)};
  options.environment.emplace_back("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
  Ended ended = run({"timeout", "15", "/bin/sh", "-c", line.text}, std::move(options));
  return {std::move(ended), files_in(directory.path())};
}

TEST(Differential, WhatSocatDoesIsDoneAlike) {
  if (::access(theirs, X_OK) != 0) GTEST_SKIP() << "there is no socat to compare with";
  const TemporaryDirectory folder;
  const std::string ours = folder.path() + "/socat";
  std::filesystem::create_symlink(tool("sockcat"), ours);
  const std::vector<Line> lines = all_lines();
  EXPECT_GT(lines.size(), 350U);
  std::vector<std::array<Outcome, 2>> outcomes(lines.size());
  std::atomic<std::size_t> next = 0;
  // socat is not always of one mind with itself: what ended first, a program or its output? A difference that
  // is one stays one.
  constexpr int attempts = 3;
  const auto compare = [&](std::size_t i) {
    outcomes[i] = {run_line(lines[i], theirs, 2 * i), run_line(lines[i], ours, 2 * i + 1)};
    return outcomes[i][0].is_like(outcomes[i][1]);
  };
  const auto work = [&] {
    for (std::size_t i = next++; i < lines.size(); i = next++) compare(i);
  };
  // Most of the time they wait for socat's half second.
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i) threads.emplace_back(work);
  for (auto& thread : threads) thread.join();

  const auto differences = declared();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto& [their, our] = outcomes[i];
    const auto difference = std::find_if(differences.begin(), differences.end(),
                                         [&](const Difference& one) { return one.line == lines[i].text; });
    if (difference != differences.end()) {
      EXPECT_EQ(our.ended.status, difference->status) << lines[i].text << ": " << difference->reason;
      continue;
    }
    // On a busy machine socat loses races with itself: what differed is compared again, with nothing beside
    // it.
    for (int attempt = 0; attempt < attempts && !their.is_like(our); ++attempt) compare(i);
    SCOPED_TRACE(lines[i].text + "\ntheirs said: " + their.ended.err + "\nours said: " + our.ended.err);
    EXPECT_EQ(our.ended.status, their.ended.status);
    EXPECT_EQ(our.ended.out, their.ended.out);
    EXPECT_EQ(our.files, their.files);
  }
}

}  // namespace
}  // namespace sluice::test
