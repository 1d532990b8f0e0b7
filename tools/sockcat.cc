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

/// socat has one status for all that goes wrong.
int as_it_is_called(const sluice::Invocation& invocation) {
  if (invocation.program != "socat") return sockcat(invocation);
  try {
    return sockcat(invocation);
  } catch (const sluice::UsageError& error) {
    sluice::complain(invocation.program, error.what(), error.detail());
    return static_cast<int>(sluice::ExitStatus::failure);
  }
}

}  // namespace

int main(int argc, char** argv) { return sluice::run_tool(argc, argv, as_it_is_called); }
