#include "traffic.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "sluice/cli/tool.h"

namespace sluice::bench {
namespace {

struct SubCommand {
  std::string_view name;
  std::string_view operands;
  std::size_t least_operands;
  void (*run)(Words);
  std::string_view help;
};

constexpr std::array sub_commands = {
    SubCommand{"send", "ADDRESS|- BYTES", 2, send,
               "connect, or use standard output, and write that many bytes"},
    SubCommand{"receive", "ADDRESS|-", 1, receive, "accept once, or use standard input, and read to the end"},
    SubCommand{"read", "FILE", 1, read_file, "read a file to the end"},
    SubCommand{"echo", "ADDRESS", 1, serve_echo, "answer every client with what it sends"},
    SubCommand{"udp-echo", "ADDRESS", 1, serve_datagram_echo, "answer every datagram with itself"},
    SubCommand{"ping-pong", "ADDRESS BYTES MS", 3, ping_pong,
               "exchange messages one by one over a connection"},
    SubCommand{"connect-rate", "ADDRESS CLIENTS MS", 3, connect_rate,
               "connect, exchange a byte, close, again"},
    SubCommand{"udp", "ADDRESS BYTES WINDOW MS", 4, datagrams, "keep a window of datagrams on their way"},
    SubCommand{"idle", "ADDRESS CLIENTS", 2, idle,
               "exchange a byte with each client, then wait for end of input"},
    SubCommand{"run", "PROGRAM [WORD]...", 1, run, "run a program from start to end"},
    SubCommand{"start-up", "RUNS PROGRAM [WORD]...", 2, start_up, "run a program again and again"},
    SubCommand{"start-rate", "PROGRAMS MS PROGRAM [WORD]...", 3, start_rate,
               "start an echo, exchange a byte with it, let it end, again"},
};

std::string usage() {
  std::string text = "usage: traffic SUB-COMMAND OPERAND...\n";
  for (const SubCommand& row : sub_commands) {
    text.append("  ").append(row.name).append(" ").append(row.operands);
    text.append("\n      ").append(row.help).append("\n");
  }
  return text += "addresses are tcp:PORT and udp:PORT on 127.0.0.1, unix:PATH; figures go to standard error";
}

int traffic(const Invocation& invocation) {
  if (invocation.words.empty()) throw UsageError(usage());
  const auto* row = std::ranges::find(sub_commands, std::string_view(invocation.words[0]), &SubCommand::name);
  const Words operands = invocation.words.subspan(1);
  if (row == sub_commands.end() || operands.size() < row->least_operands) throw UsageError(usage());
  row->run(operands);
  return 0;
}

}  // namespace

void report(std::initializer_list<std::pair<std::string_view, std::int64_t>> figures) {
  std::string line;
  for (const auto& [name, value] : figures) {
    line.append(line.empty() ? "" : " ").append(name).append("=").append(std::to_string(value));
  }
  print(line + "\n", 2);
}

std::int64_t number_of(std::string_view word) {
  std::int64_t number = 0;
  const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || rest != word.data() + word.size() || number < 1)
    throw UsageError("not a number above 0: " + std::string(word));
  return number;
}

std::int64_t quantile(std::vector<std::int64_t>& samples, double share) {
  std::ranges::sort(samples);
  return samples[static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1))];
}

}  // namespace sluice::bench

int main(int argc, char** argv) { return sluice::run_tool(argc, argv, sluice::bench::traffic); }
