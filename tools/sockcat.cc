#include "sluice/cli/tool.h"
#include "sluice/endpoint/bridge.h"
#include "sockcat_options.h"

namespace {

int sockcat(const sluice::Invocation& invocation) {
  const sluice::SockcatRun run = sluice::sockcat_run_of(invocation);
  if (run.text) {
    sluice::print(*run.text);
    return 0;
  }
  sluice::Logger log(run.log);
  return sluice::bridge(run.plan, log);
}

}  // namespace

int main(int argc, char** argv) { return sluice::run_tool(argc, argv, sockcat); }
