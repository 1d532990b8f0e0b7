// The lecture's UDP echo server: each datagram goes back to its sender in upper case.
// Usage: udp_upper_server [PORT]. Prints where it listens; SIGTERM ends it.
#include <fcntl.h>

#include "sluice/cli/tool.h"
#include "sluice/endpoint/bridge.h"

namespace {

using namespace sluice;

int udp_upper_server(const Invocation& invocation) {
  const std::string port = invocation.words.empty() ? "1234" : invocation.words[0];
  const auto clients = parse_specification("UDP-RECVFROM:" + port + ",fork");
  const auto filter = parse_specification("UPPER");

  BridgePlan plan;
  plan.left = [&](Use use, const Context& context) { return make_endpoint(clients, use, context); };
  plan.right = [&](Use use, const Context& context) { return make_endpoint(filter, use, context); };
  // Closed once the names are written, so it is a second door to standard output.
  plan.ready_fd = check("duplicate standard output", ::fcntl(1, F_DUPFD_CLOEXEC, 3));
  Logger log({.program = invocation.program});
  return bridge(plan, log);
}

}  // namespace

int main(int argc, char** argv) { return sluice::run_tool(argc, argv, udp_upper_server); }
