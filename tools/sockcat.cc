#include "sluice/cli/tool.h"
#include "sluice/endpoint/bridge.h"
#include "sockcat_options.h"

namespace {

int sockcat(const sluice::Invocation& invocation, sluice::SockcatRun& run) {
  sluice::read_sockcat_run(invocation, run);
  if (run.text) {
    sluice::print(*run.text);
    return 0;
  }
  sluice::Logger log(run.log);
  for (const std::string& warning : run.warnings) log.warning(warning);
  return sluice::bridge(run.plan, log);
}

/// socat has one status for all that goes wrong, and tells of a wrong command line where it logs.
int as_it_is_called(const sluice::Invocation& invocation) {
  sluice::SockcatRun run;
  if (invocation.program != "socat") return sockcat(invocation, run);
  try {
    return sockcat(invocation, run);
  } catch (const sluice::UsageError& error) {
    const auto tell = [&] {
      sluice::Logger(run.log).write(sluice::Severity::error, error.what(), error.detail());
    };
    try {
      tell();
    } catch (const sluice::UsageError&) {
      // What is wrong is where it is to log.
      run.log.to = sluice::LogSettings::To::stderr_;
      tell();
    }
    return static_cast<int>(sluice::ExitStatus::failure);
  }
}

}  // namespace

int main(int argc, char** argv) { return sluice::run_tool(argc, argv, as_it_is_called); }
