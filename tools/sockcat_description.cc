#include <algorithm>
#include <array>

#include "address_completion.h"
#include "progress_option.h"
#include "sluice/address/address.h"
#include "sockcat_options.h"

namespace sluice {
namespace {

constexpr std::array socat_rows = {
    ArgumentRow{.spelling = "-V", .help = "print version and features, and exit", .final = true},
    ArgumentRow{
        .spelling = "-h",
        .help = "print the options and addresses, and exit (-hh: address options too, -hhh: aliases too)",
        .final = true},
    ArgumentRow{.spelling = "-d",
                .kind = ArgumentKind::optional,
                .argument = "N",
                .help = "say more: -d warnings, -dd notices, -ddd info, -dddd debug; -d0 errors only",
                .repeatable = true},
    ArgumentRow{.spelling = "-D", .help = "tell what the kernel says of the descriptors before the transfer"},
    ArgumentRow{.spelling = "-lf",
                .kind = ArgumentKind::required,
                .argument = "FILE",
                .help = "write log lines to FILE, which SIGHUP opens again (after its rotation)",
                .completes = Completes::file},
    ArgumentRow{.spelling = "-ls", .help = "write log lines to standard error (as usual)"},
    ArgumentRow{.spelling = "-ly",
                .kind = ArgumentKind::optional,
                .argument = "FACILITY",
                .help = "write log lines to syslog"},
    ArgumentRow{.spelling = "-lm",
                .kind = ArgumentKind::optional,
                .argument = "FACILITY",
                .help = "write log lines to standard error until the transfer begins, then to syslog"},
    ArgumentRow{.spelling = "-lp",
                .kind = ArgumentKind::required,
                .argument = "NAME",
                .help = "call the program NAME in log lines"},
    ArgumentRow{.spelling = "-lu", .help = "give log lines microseconds"},
    ArgumentRow{.spelling = "-lh", .help = "give log lines the host's name"},
    ArgumentRow{.spelling = "-v",
                .help = "show what is transferred on standard error, as text: bytes that cannot be shown are "
                        "a dot each, NUL and "
                        "those above 127 alike (-x shows each)"},
    ArgumentRow{.spelling = "-x", .help = "show what is transferred on standard error, as hexadecimal"},
    ArgumentRow{.spelling = "-r",
                .kind = ArgumentKind::required,
                .argument = "FILE",
                .help =
                    "append what flows left to right to FILE ($SOCAT_PEERADDR, $$, $TIMESTAMP... in its name "
                    "give each session its own)",
                .completes = Completes::file},
    ArgumentRow{.spelling = "-R",
                .kind = ArgumentKind::required,
                .argument = "FILE",
                .help = "append what flows right to left to FILE, likewise",
                .completes = Completes::file},
    ArgumentRow{.spelling = "-b",
                .kind = ArgumentKind::required,
                .argument = "SIZE",
                .help = "move at most SIZE bytes in one step (without it, as many as are best)"},
    ArgumentRow{.spelling = "-s", .help = "an option that cannot be applied is a warning, not an error"},
    ArgumentRow{
        .spelling = "-S",
        .kind = ArgumentKind::required,
        .argument = "SIGMASK",
        .help =
            "end in good order on these signals and no others, a bit each, that of signal 1 with the value 2 "
            "(default 0x89de: HUP, INT, QUIT, ILL, ABRT, BUS, FPE, SEGV, TERM)"},
    ArgumentRow{
        .spelling = "-t",
        .kind = ArgumentKind::required,
        .argument = "SECONDS",
        .help = "after one side ends, end after SECONDS of silence (default: wait for the other side)"},
    ArgumentRow{.spelling = "-T",
                .kind = ArgumentKind::required,
                .argument = "SECONDS",
                .help = "end after so long a silence (without it, a peer of UDP-LISTEN with fork after 60)"},
    ArgumentRow{.spelling = "-u", .help = "left to right only"},
    ArgumentRow{.spelling = "-U", .help = "right to left only"},
    ArgumentRow{.spelling = "-g", .help = "do not check whether an option fits its address"},
    ArgumentRow{.spelling = "-L",
                .kind = ArgumentKind::required,
                .argument = "LOCKFILE",
                .help = "make LOCKFILE, removed at the end, or fail if it is there",
                .completes = Completes::file},
    ArgumentRow{.spelling = "-W",
                .kind = ArgumentKind::required,
                .argument = "LOCKFILE",
                .help = "make LOCKFILE, removed at the end, and wait while it is there",
                .completes = Completes::file},
    ArgumentRow{.spelling = "-4", .help = "prefer IPv4, and listen on it"},
    ArgumentRow{.spelling = "-6", .help = "prefer IPv6, and listen on it"},
    ArgumentRow{.spelling = "-0", .help = "prefer no IP version, and listen on both"},
    ArgumentRow{.spelling = "--drain",
                .kind = ArgumentKind::required,
                .argument = "SECONDS",
                .help = "after SIGTERM or a reset, give sessions and programs SECONDS to end (default: 0.5)"},
    ArgumentRow{.spelling = "--experimental", .help = "accepted: nothing here needs to be unlocked"},
    ArgumentRow{.spelling = "--explain", .help = "print what the addresses mean, and open neither"},
    ArgumentRow{.spelling = "--statistics", .help = "log how much was transferred before ending"},
    ArgumentRow{
        .spelling = "--threads",
        .kind = ArgumentKind::required,
        .argument = "N",
        .help = "spread the sessions of a forking listener over at most N threads (as many as processors)"},
    ArgumentRow{.spelling = "--socat",
                .help = "end, exit and listen as socat does (the default under that name)"},
};
constexpr std::array ready_rows = {
    ArgumentRow{.name = "ready-fd",
                .kind = ArgumentKind::required,
                .argument = "N",
                .help = "write the names that were bound to descriptor N, one a line, then close it"},
    ArgumentRow{.name = "ready-file",
                .kind = ArgumentKind::required,
                .argument = "PATH",
                .help = "write the names that were bound to this file; it appears when they are ready",
                .completes = Completes::file},
};
/// Those of every tool, but --help answers questions too.
constexpr auto help_rows = [] {
  auto rows = standard_rows;
  for (ArgumentRow& row : rows) {
    if (row.name != "help") continue;
    row.kind = ArgumentKind::optional;
    row.argument = "NAME";
    row.help = "print this help, or all about the address or option NAME (--help=TCP-LISTEN), and exit";
    row.completes = Completes::address;
  }
  return rows;
}();
constexpr auto rows = joined_rows(socat_rows, progress_rows, ready_rows, help_rows, completion_rows);

constexpr std::array<std::string_view, 4> synopsis = {"[OPTION]... ADDRESS ADDRESS",
                                                      "[OPTION]... ADDRESS -- COMMAND [ARGUMENT]...",
                                                      "-V | -h | -hh", "--help=NAME"};
constexpr std::array<std::string_view, 5> paragraphs = {
    "Join two ADDRESSes: what comes from the left one goes to the right one, and the other way round, until "
    "both have ended. An address is a keyword, its parameters and its options: "
    "TCP-LISTEN:9000,fork,reuseaddr.",
    "The language is socat's. ADDRESS!!ADDRESS reads from the first and writes to the second. - is standard "
    "input and output, a number is a descriptor, a path is opened (a name without a slash is FILE:name). "
    "Quotes have a meaning of their own there: see QUOTES AND ESCAPES. ADDRESS -- COMMAND joins an address "
    "and "
    "a program with its arguments, without quotes.",
    "Each direction ends by itself and half-closes its target; the transfer is over when both have ended, or "
    "when one has and the other can no longer matter: then 0.5 s of silence (-t) end it. A side that can end "
    "is waited for as long as it takes. Nothing is lost silently. While a side takes nothing of what was "
    "read "
    "for it, neither side has ended, and -t does not begin (echo x | sockcat -t1 - STALL waits for ever); -T "
    "bounds every silence before an end. exit-on= of either address chooses another end of the transfer.",
    "With fork, one process serves every client of a listening address, busy ones on all processors. "
    "SIGTERM, "
    "SIGINT, SIGHUP and SIGQUIT let sessions end within --drain seconds (0.5), a second one, 0.1 s later, "
    "ends "
    "at once; terminals, lock files and the paths of sockets are put right. So they are on SIGSEGV and the "
    "like, "
    "which count as a failure. SIGHUP opens the file of -lf anew instead, and means nothing if it was "
    "ignored at "
    "the start (nohup). SIGUSR1 logs statistics.",
    "Options come before the addresses; long ones (--ready-fd...) may come after them too, unless "
    "POSIXLY_CORRECT is "
    "set. -- before the addresses ends the options. Under the name socat, or with --socat, endings (-t 0.5), "
    "exit statuses and "
    "listening (IPv4) are "
    "socat's.",
};
constexpr std::array examples = {
    Example{"sockcat - TCP:localhost:80", "talk to a server by hand"},
    Example{"sockcat TCP-LISTEN:9000,fork UNIX-CONNECT:/run/app.sock",
            "make a local socket reachable by TCP"},
    Example{"sockcat TCP-LISTEN:1234,fork UPPER", "answer every client in upper case"},
    Example{"sockcat -u FILE:backup.tar TCP:host:9000", "send a file"},
    Example{"sockcat --progress -u FILE:backup.tar TCP:host:9000", "send a file and see how far it has come"},
    Example{"echo hi | sockcat - EXEC:'tr a-z A-Z'", "talk to a program"},
    Example{"sockcat TCP-LISTEN:1234,fork -- tr a-z A-Z", "start a program for each client"},
    Example{"sockcat --ready-fd 3 TCP-LISTEN:0,fork EXEC:cat 3>port",
            "let the system choose a port and learn it"},
};
constexpr std::array<std::string_view, 4> see_also = {"socat(1)", "upper(1)", "count-lines(1)", "socket(7)"};

constexpr std::array guesses = {
    Guess{"verbose", "-v shows the data, -d -d what is done"},
    Guess{"debug", "-d -d -d -d logs all that is done"},
    Guess{"quiet", "-d0 logs errors only"},
    Guess{"hex", "-x shows the data in hexadecimal"},
    Guess{"hexdump", "-x shows the data in hexadecimal"},
    Guess{"listen", "an address listens: TCP-LISTEN:PORT"},
    Guess{"port", "an address has it: TCP-LISTEN:PORT, TCP:HOST:PORT"},
    Guess{"udp", "an address is it: UDP:HOST:PORT"},
    Guess{"unix", "an address is it: UNIX-CONNECT:PATH"},
    Guess{"exec", "an address is it: EXEC:COMMAND, or ADDRESS -- COMMAND"},
    Guess{"keep-open", "TCP-LISTEN:PORT,fork serves one client after the other"},
    Guess{"fork", "an option of addresses: TCP-LISTEN:PORT,fork"},
    Guess{"timeout", "-T SECONDS ends after silence; connect-timeout=SECONDS is an option of addresses"},
    Guess{"wait", "-t SECONDS waits after the first end; connect-timeout=SECONDS is an option of addresses"},
    Guess{"log-file", "-lf FILE writes the log to a file"},
    Guess{"buffer-size", "-b SIZE bounds one step"},
};
constexpr ToolDescription description = {.name = "sockcat",
                                         .purpose = "join pipes, files, programs and sockets",
                                         .synopsis = synopsis,
                                         .paragraphs = paragraphs,
                                         .rows = rows,
                                         .statuses = exit_statuses,
                                         .examples = examples,
                                         .guesses = guesses,
                                         .see_also = see_also,
                                         .operands = Completes::address,
                                         .ends_in_program = true};

constexpr std::array differences = {
    Term{"Endings",
         "A side that can end is waited for without limit, unless -t was given; socat cuts it after 0.5 s. "
         "exit-on= chooses otherwise. A peer that resets ends its session, programs included (--drain)"},
    Term{"Exit status",
         "It tells the truth: a program's own status, 126 or 127 if it could not be executed, 124 for a "
         "wait that a limit ended, 1 for a peer that refused or reset, 2 for a wrong command line. A "
         "forking listener's is its own: 0 after it was asked to end; so is that of an address that receives "
         "from "
         "whoever sends (UDP-RECV)"},
    Term{"Datagrams",
         "An empty packet ends a session of UDP-LISTEN or UDP-CONNECT, and is sent at the end of input, "
         "under the "
         "name "
         "socat alone (or by null-eof and shut-null). UDP-DATAGRAM hears only the host that it sends to, "
         "unless "
         "range= or tcpwrap says whom, or it is a network or a group; with sourceport=, only the port that "
         "it sends "
         "to. Between two sides of messages edges are exact, and empty ones arrive; a datagram is never cut "
         "silently"},
    Term{"UNIX sockets",
         "A path that a dead server left behind is replaced, a live one is an error; mode= holds before "
         "anybody can connect; only a path of our own is unlinked"},
    Term{"Listening",
         "Both IP versions are served by one socket, unless bind=, -4, pf= or TCP4- say otherwise; a taken "
         "name is refused with who holds it"},
    Term{"localhost",
         "It and the names below it are loopback even without /etc/hosts, and no resolver is asked for them"},
    Term{"What clients share",
         "With fork on one address, the other one is opened for each client, whichever stands first; a file "
         "that "
         "is made, cut short or written from its beginning is opened once for all. Under the name socat the "
         "first "
         "address is opened once, before clients come, and they share it"},
    Term{"What is lost",
         "A client whose other side cannot be opened, or does not take what the client has sent, is reset. "
         "Under "
         "the name socat its connection ends in good order, unless it has sent what nobody has read"},
    Term{"Lines of sessions",
         "With fork, a line begins with the session's number; -d -d has one at each session's end, with its "
         "peers, seconds and bytes. Under the name socat lines are as socat's"},
    Term{
        "Targets that go away",
        "While nothing is on its way, that ends the session, with status 0 if all that was read had arrived; "
        "socat reads on, and fails at the next write"},
    Term{"Sessions of a server that ends",
         "They have --drain seconds, and none under the name socat; socat's are processes of their own, and "
         "go on"},
    Term{"Messages",
         "They say what was attempted (connect to 127.0.0.1:80: Connection refused) and not how the system "
         "was "
         "asked for it. Under the name socat those about open(2), numbers, statistics and the ends of "
         "programs "
         "are socat's"},
    Term{
        "What -v, -x, -r and -R show",
        "What was read, as it goes to the other address, before that one's cr or crnl; socat shows it behind "
        "them"},
    Term{
        "Environment of programs",
        "SOCAT_ variables of an outer session are not passed on; an IPv4 client of a socket for both IP "
        "versions has its IPv4 address; servers of datagrams tell SOCAT_SOCKADDR too. $0 is the last part of "
        "the "
        "program's name"},
    Term{"Options of more addresses",
         "accept-timeout bounds UDP-LISTEN, max-children UDP-RECVFROM; umask= is for programs as well, bind= "
         "of "
         "a "
         "TCP listener may have a port, and ctty needs no setsid. The path that a client is bound to is "
         "unlinked. "
         "As many clients may wait as the kernel grants"},
    Term{"Lock files", "-L and -W write the process's number and a newline, for all to read"},
    Term{"Processes", "None is forked to relay a connection: fork serves all peers from one process"},
    Term{"TLS",
         "Addresses and options of OPENSSL and DTLS are understood and refused: they are not built yet"},
    Term{"Files",
         "A file that is made has the permissions of mode= whatever the umask; a path that is only read is "
         "not "
         "made (GOPEN)"},
    Term{"Text from outside",
         "What others chose (peers' names, a proxy's answer, the name of a process that holds an address) "
         "reaches log, "
         "messages, readiness lines and the variables of programs on one line and without effect on a "
         "terminal: bytes "
         "of control characters, of characters that turn the direction of writing and of what is not UTF-8 "
         "become \\n, "
         "\\r, \\t or \\xHH; all else stays"},
    Term{"Files of its own",
         "In a folder that anybody may write to, -lf, -r and -R do not use links, FIFOs or files of other "
         "users than "
         "the folder's owner. A FIFO of -lf that nobody reads keeps what it has room for; with one of -r or "
         "-R no "
         "session flows before somebody reads it. A dump that cannot be written any more is an error: the "
         "transfer "
         "goes on, and the status is 1"},
    Term{"A file that feeds itself",
         "A regular file that is read and would be appended to with what was read from it (OPEN:f "
         "OPEN:f,append) "
         "is refused, as cat does; so is one whose dump (-r, -R, -v, -x) goes to itself"},
    Term{"Terminals",
         "One that was inherited or opened gets its settings back; link= replaces only links to terminals; a "
         "program "
         "whose "
         "terminal is closed under it gets SIGHUP, which is no failure. PTY stays open while nobody uses it "
         "(end-on-close lets it end with its last user). ispeed= and ospeed= take baud. Where a terminal is "
         "only one "
         "of two descriptors (`- < file\'), its options are for that one, and nothing is applied to the "
         "other"},
    Term{"Privileges",
         "A step that fails is an error, and nothing is started; chroot goes into the new root, behind it su "
         "knows the users of that. "
         "With fork, sessions that change whom they are are processes of their own, for which a new root of "
         "the "
         "listener (chroot-early) must hold what sockcat is linked with; peers of datagram addresses cannot "
         "be "
         "given identities of their own"},
    Term{"Options", "One that could have no effect where it stands is refused before anything is opened"},
    Term{"Locks", "They hold sessions of one process off each other as well (open file description locks)"},
    Term{
        "TCP wrappers",
        "Clients of streams are known by their addresses and their hosts' names, those of datagrams by their "
        "addresses; a rule that needs more is an error"},
    Term{"Proxies",
         "connect-timeout bounds the proxy's answer too; its headers may have 64 KiB; SOCKS4A sends numbers "
         "as "
         "addresses. Of a file for proxy-authorization-file, the last newline is not part of the password"},
    Term{"Message queues", "A queue is made if it is not there (o-creat=0 does not); messages are never cut"},
    Term{"Command lines of EXEC",
         "Spaces around them mean nothing; a quote or bracket that is not closed is an error"},
    Term{"SIGHUP",
         "With -lf it opens the log file anew, but not under the name socat; a file that cannot be opened is "
         "an "
         "error in the old one. It stays ignored if it was ignored at the start"},
    Term{"Log lines", "Without -d or -l options they are `sockcat: message'; with them they are socat's"},
};
constexpr std::array variables = {
    Term{"SOCAT_DEFAULT_LISTEN_IP, SOCAT_PREFERRED_RESOLVE_IP",
         "IP version to listen on, and to prefer of what a name resolves to: 4 or 6; listening on an empty "
         "one is "
         "on both"},
    Term{"SOCAT_MAIN_WAIT, SOCAT_TRANSFER_WAIT",
         "Seconds to wait before anything is opened, and before the transfer"},
    Term{"HOSTNAME", "The host's name for -lh"},
    Term{"LOGNAME, USER", "The user's name for SOCKS 4, without socksuser"},
    Term{"SOCAT_PEERADDR, SOCAT_PEERPORT",
         "Set for started programs: the peer's address and port. -lp replaces SOCAT in these names"},
    Term{"SOCAT_SOCKADDR, SOCAT_SOCKPORT",
         "Set for started programs: the address and port that the peer came to"},
    Term{"SOCAT_PID, SOCAT_PPID, SOCAT_VERSION",
         "Set for started programs: the process that stands for the session (with fork the program itself, "
         "else this "
         "one), this process, and this version"},
    Term{"SOCAT_TIMESTAMP, SOCAT_IP_OPTIONS, SOCAT_IP_DSTADDR, SOCAT_IP_LOCADDR, SOCAT_IP_IF, SOCAT_IP_TOS, "
         "SOCAT_IP_TTL, "
         "SOCAT_IPV6_DSTADDR, SOCAT_IPV6_IF, SOCAT_IPV6_HOPLIMIT, SOCAT_IPV6_TCLASS",
         "Set for programs that a RECVFROM address starts: what came with the datagram, if an option asked "
         "for it"},
};

constexpr std::array<std::string_view, 4> quoting_paragraphs = {
    "A shell takes its quotes away first; what it leaves is an address, and the language has quotes of its "
    "own, as "
    "socat's has. Single and double quotes keep what is in them together and go. A backslash takes the "
    "meaning from "
    "the next character and goes, but for \\n, \\r, \\t, \\a, \\b, \\f and \\v, which become one control "
    "character each, within single quotes as well. (), [] and {} keep what is in them together, and stay.",
    "So a command of SYSTEM loses its own quotes before the shell sees it, and EXEC then splits what is left "
    "at "
    "blanks by the same rules, once more: EXEC:sh -c \"echo a b\" runs sh with the words -c, echo, a and b. "
    "A "
    "warning says so, with what is run. A comma ends a command, unless it is in quotes or after a "
    "backslash.",
    "ADDRESS -- COMMAND [ARGUMENT]... needs none of this: after -- come the words of a program, which get "
    "to it as "
    "they are, as if it were started by EXEC. Options of EXEC need the other form.",
    "--explain prints what a command line means, with the words of each program.",
};
// The first two words of each are what a shell is given; the tests run them.
constexpr std::array quoting_terms = {
    Term{R"(sockcat - -- sh -c 'read -r q; printf "VALUE 9\r\n"')",
         "a script with quotes, as its shell needs it"},
    Term{R"(sockcat - 'SYSTEM:read -r q; printf \"VALUE 9\\r\\n\"')",
         "the same as an address: a backslash before each quote and backslash"},
    Term{R"(sockcat - 'EXEC:sh -c \"echo a b\"')", "a program with an argument that has blanks"},
    Term{R"(sockcat - 'SYSTEM:echo hello\, world')", "a command with a comma"},
    Term{R"(sockcat -u 'TEXT:hello\r\n' -)", "a text that ends in CR and LF"},
    Term{R"(sockcat -u 'TEXT:{"a": [1, 2]}' -)",
         "JSON: what is in brackets stays as it is, colons and commas too"},
};

constexpr std::array<std::string_view, 4> own_progress_paragraphs = {
    progress_paragraphs[0],
    progress_paragraphs[1],
    progress_paragraphs[2],
    "Of a transfer both ways, A->B is what came from the left address and B->A what came from the right one; "
    "rates are those of both together. A server's line has the sums of all sessions and how many are open, "
    "its "
    "last line how many there were. The size is that of the only side that is a file (or of readbytes). "
    "Times "
    "count from when both sides of the first session were open.",
};

}  // namespace

const ToolDescription& sockcat_description() { return description; }

bool sockcat_has(const KeywordRow& row) {
  const auto types = endpoint_types();
  return std::any_of(types.begin(), types.end(),
                     [&](const EndpointType& type) { return type.keyword == row.name; });
}

std::string sockcat_manual() {
  std::vector<Section> sections = {
      Section{.title = "QUOTES AND ESCAPES", .paragraphs = quoting_paragraphs},
      Section{.title = "Commands as they must be written", .terms = quoting_terms, .part = true},
      Section{.title = "PROGRESS", .paragraphs = own_progress_paragraphs}};
  for (const Section& section : sockcat_language()) sections.push_back(section);
  sections.push_back({.title = "DIFFERENCES FROM SOCAT", .terms = differences});
  sections.push_back({.title = "ENVIRONMENT", .terms = variables});
  ToolDescription whole = description;
  whole.sections = sections;
  return manual_page(whole);
}

}  // namespace sluice
