#include <gtest/gtest.h>
#include <signal.h>

#include "watched_terminal.h"

/// --progress of sockcat.
namespace sluice::test {
namespace {

using Rows = std::vector<std::string>;

TEST(SockcatProgress, KnowsTheSizeOfTheOnlyFile) {
  const Held held;
  const TemporaryDirectory folder;
  const std::string file = folder.file("file", std::string(1000, 'x'));
  struct Row {
    std::vector<std::string> words;
    std::string drawn;
    std::string last;
  };
  for (const Row& row : {
           Row{{"-u", file, held.address()}, "\r1.00 kB  100% [===", "sockcat: 1000 bytes (1.00 kB)"},
           {{"-U", held.address(), file}, "\r1.00 kB  100% [===", "sockcat: 1000 bytes (1.00 kB)"},
           {{"-u", file + ",seek=600", held.address()}, "\r  400 B  100% [===", "sockcat: 400 bytes"},
           {{"-u", file + ",readbytes=10", held.address()}, "\r   10 B  100% [===", "sockcat: 10 bytes"},
           {{"-u", "/dev/zero,readbytes=5000", held.address()},
            "\r5.00 kB  100% [===",
            "sockcat: 5000 bytes (5.00 kB)"},
           {{file + ",rdonly!!/dev/null", held.address("echo four;")},
            "\rA->B 1.00 kB  B->A     5 B  100% [===",
            "sockcat: A->B 1000 bytes (1.00 kB), B->A 5 bytes"},
           {{held.address("echo four;"), file + ",rdonly!!/dev/null"},
            "\rA->B     5 B  B->A 1.00 kB  100% [===",
            "sockcat: A->B 5 bytes, B->A 1000 bytes (1.00 kB)"},
       }) {
    WatchedTerminal terminal;
    std::vector<std::string> words = sockcat({"--progress"});
    words.insert(words.end(), row.words.begin(), row.words.end());
    Running relay(words, terminal.of({2}));
    terminal.wait_for(row.drawn);
    terminal.wait_for("ETA 0:00:00");
    held.let_go();
    EXPECT_EQ(relay.wait().status, 0);
    const std::string last = terminal.rows_at_end()[0];
    EXPECT_TRUE(is_last_line(last, row.last)) << last;
  }
}

TEST(SockcatProgress, GivesNoShareOfWhatHasNoSize) {
  const Held held;
  const TemporaryDirectory folder;
  const std::string file = folder.file("file", "file\n");
  for (const std::string& source :
       {std::string("STDIN"), file + ",ignoreeof", std::string("/proc/version")}) {
    WatchedTerminal terminal;
    Running relay(sockcat({"--progress", "-u", source, held.address()}),
                  terminal.of({2}, {.input = "12345"}));
    terminal.wait_for(" B/s  avg ");
    terminal.wait_for("\x1b[K");
    EXPECT_EQ(terminal.written().find('%'), std::string::npos) << terminal.written();
    relay.signal(SIGTERM);
    held.let_go();
    relay.wait();
  }
}

TEST(SockcatProgress, SumsTheSessionsOfAllThreads) {
  WatchedTerminal terminal;
  Serving server({"--progress", "--threads=3", "TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"},
                 terminal.of({2}));
  std::vector<Socket> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(Socket::to_tcp(server.port()));
  for (const Socket& client : clients) client.send("echo");
  for (const Socket& client : clients) EXPECT_EQ(client.receive(4), "echo");
  terminal.wait_for("\rA->B    16 B  B->A    16 B  ");
  terminal.wait_for("  4 sessions");
  clients.pop_back();
  terminal.wait_for("  3 sessions");
  clients.clear();
  terminal.wait_for("  0 sessions");
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait().status, 0);
  const Rows rows = terminal.rows_at_end();
  ASSERT_EQ(rows.size(), 2U) << terminal.written();
  EXPECT_TRUE(is_last_line(rows[0], "sockcat: A->B 16 bytes, B->A 16 bytes, 4 sessions")) << rows[0];
}

TEST(SockcatProgress, LeavesLogLinesWhole) {
  WatchedTerminal terminal;
  Serving server({"--progress", "-dd", "TCP4-LISTEN:0,bind=127.0.0.1,fork", "PIPE"}, terminal.of({2}));
  const auto serve_one = [&server, &terminal] {
    const Socket client = Socket::to_tcp(server.port());
    client.send("echo");
    EXPECT_EQ(client.receive(4), "echo");
    terminal.wait_for(": accepting connection from ");
  };
  terminal.wait_for("\rA->B ");
  // Lines of other threads come while it is drawn and while it stands.
  constexpr int clients = 40;
  for (int i = 0; i < clients && !HasFailure(); ++i) serve_one();
  terminal.wait_for("\rA->B   160 B  B->A   160 B  ");
  for (int i = 0; i < clients && !HasFailure(); ++i) serve_one();
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait().status, 0);
  Rows rows = terminal.rows_at_end();
  ASSERT_GE(rows.size(), 3U);
  EXPECT_EQ(rows.back(), "");
  rows.pop_back();
  EXPECT_TRUE(rows.back().ends_with(" N exiting with status 0")) << rows.back();
  rows.pop_back();
  EXPECT_TRUE(is_last_line(rows.back(), "sockcat: A->B 320 bytes, B->A 320 bytes, 80 sessions"))
      << rows.back();
  rows.pop_back();
  int accepted = 0;
  for (const std::string& row : rows) {
    EXPECT_TRUE(row.size() > 20 && row[4] == '/' && row.find(" sockcat[") == 19) << row;
    EXPECT_EQ(row.find("A->B"), row.npos) << row;
    if (row.find(": accepting connection from ") != row.npos) ++accepted;
  }
  EXPECT_EQ(accepted, 2 * clients);
}

TEST(SockcatProgress, LeavesDumpsWhole) {
  WatchedTerminal terminal;
  Running relay(sockcat({"--progress", "-v", "-u", "-", "/dev/null"}),
                terminal.of({2}, {.more_input = true}));
  relay.write("one\n");
  terminal.wait_for("\r    4 B ");
  relay.write("two\n");
  EXPECT_EQ(relay.wait().status, 0);
  const Rows rows = terminal.rows_at_end();
  ASSERT_EQ(rows.size(), 6U) << terminal.written();
  for (const int i : {0, 2}) EXPECT_TRUE(rows[static_cast<std::size_t>(i)].starts_with("> ")) << rows[0];
  EXPECT_EQ(rows[1], "one");
  EXPECT_EQ(rows[3], "two");
  EXPECT_TRUE(is_last_line(rows[4], "sockcat: 8 bytes")) << rows[4];
}

TEST(SockcatProgress, IsOnlyAtTheEndWhereTheDataGoes) {
  WatchedTerminal terminal;
  Running relay(sockcat({"--progress", "-u", "SYSTEM:echo labi; sleep 0.8", "-"}), terminal.of({1, 2}));
  EXPECT_EQ(relay.wait().status, 0);
  const Rows rows = terminal.rows_at_end();
  EXPECT_EQ(terminal.written().find('\r'), std::string::npos) << terminal.written();
  ASSERT_EQ(rows.size(), 3U) << terminal.written();
  EXPECT_EQ(rows[0], "labi");
  EXPECT_TRUE(is_last_line(rows[1], "sockcat: 5 bytes")) << rows[1];
}

TEST(SockcatProgress, IsOnePlainLineWhereThereIsNoTerminal) {
  const Ended ended = run_sockcat({"--progress", "-", "SYSTEM:cat; sleep 0.8"}, {.input = "labi"});
  EXPECT_EQ(ended.out, "labi");
  EXPECT_EQ(ended.status, 0);
  EXPECT_TRUE(ended.err.ends_with('\n'));
  EXPECT_TRUE(is_last_line(ended.err.substr(0, ended.err.find('\n')), "sockcat: A->B 4 bytes, B->A 4 bytes"));
  EXPECT_EQ(ended.err.find_first_of("\r\x1b"), std::string::npos) << ended.err;
  // The program's name is that of log lines.
  EXPECT_TRUE(run_sockcat({"--progress", "-lpcopy", "-u", "-", "-"}).err.starts_with("copy: 0 bytes in "));
}

TEST(SockcatProgress, CountsTimeFromWhenBothSidesAreOpen) {
  WatchedTerminal terminal;
  Serving server({"--progress", "TCP4-LISTEN:0,bind=127.0.0.1", "PIPE"}, terminal.of({2}));
  terminal.wait_for("A->B     0 B  B->A     0 B      0 B/s  avg     0 B/s  0:00:00");
  server->signal(SIGTERM);
  server->wait();
  // It never began.
  EXPECT_EQ(terminal.rows_at_end()[0], "sockcat: A->B 0 bytes, B->A 0 bytes in 0.00 s");
}

TEST(SockcatProgress, HasItsTotalsEvenIfItIsCutShort) {
  WatchedTerminal terminal;
  const Socket server = Socket::listening_tcp();
  Running relay(sockcat({"--progress", "-t60", "-", "TCP:127.0.0.1:" + std::to_string(server.port())}),
                terminal.of({2}, {.more_input = true}));
  const Socket peer = server.accept();
  peer.send("labi\n");
  terminal.wait_for("B->A     5 B");
  relay.signal(SIGTERM);
  relay.signal(SIGINT);
  relay.wait();
  const Rows rows = terminal.rows_at_end();
  EXPECT_TRUE(is_last_line(rows[0], "sockcat: A->B 0 bytes, B->A 5 bytes")) << terminal.written();
}

TEST(SockcatProgress, IsGoneBeforeAnotherProgramTakesOver) {
  WatchedTerminal terminal;
  const Socket server = Socket::listening_tcp();
  Serving relay({"--progress", "TCP4-LISTEN:0,bind=127.0.0.1", "EXEC:'sh -c \"echo here >&2\"',nofork"},
                terminal.of({2}));
  terminal.wait_for("A->B");
  const Socket client = Socket::to_tcp(relay.port());
  EXPECT_EQ(relay->wait().status, 0);
  EXPECT_EQ(terminal.rows_at_end(), (Rows{"here", ""})) << terminal.written();
}

}  // namespace
}  // namespace sluice::test
