// A program outside the tree: what `sockcat STDIO UPPER` does, against the installed library.
//   g++ shout.cc $(pkg-config --cflags --libs sluice) -o shout
#include <sluice/cli/tool.h>
#include <sluice/endpoint/bridge.h>

namespace {

int shout(const sluice::Invocation& invocation) {
  const auto here = sluice::parse_specification("STDIO");
  const auto there = sluice::parse_specification("UPPER");
  sluice::BridgePlan plan;
  plan.left = [&](auto use, const auto& context) { return sluice::make_endpoint(here, use, context); };
  plan.right = [&](auto use, const auto& context) { return sluice::make_endpoint(there, use, context); };
  sluice::Logger log({.program = invocation.program});
  return sluice::bridge(plan, log);
}

}  // namespace

int main(int argc, char** argv) { return sluice::run_tool(argc, argv, shout); }
