#include "over_addresses.h"

#include <limits>

namespace sluice {
namespace {

std::optional<std::string> text_of(const Arguments& arguments, std::string_view name) {
  const ParsedArgument* option = arguments.find(name);
  if (option == nullptr) return {};
  return std::string(option->value);
}

}  // namespace

std::optional<AddressRun> address_run_of(const Invocation& invocation, const Arguments& arguments) {
  const bool from = arguments.flag("from"), to = arguments.flag("to"), serve = arguments.flag("serve");
  if (!from && !to && !serve) {
    for (const std::string_view name : {"ready-fd", "ready-file"})
      if (arguments.flag(name)) throw UsageError("--" + std::string(name) + " needs an address to report on");
    return {};
  }
  if (serve && (from || to)) throw UsageError("--serve cannot be combined with --from or --to");
  const auto& operands = arguments.operands();
  if ((serve || from) && !operands.empty())
    throw UsageError("extra operand '" + std::string(operands.front()) +
                     "': files cannot be combined with --" + (serve ? "serve" : "from"));

  AddressRun run{.program = invocation.program,
                 .from = {},
                 .files = {operands.begin(), operands.end()},
                 .to = text_of(arguments, "to"),
                 .serve = text_of(arguments, "serve"),
                 .ready_fd = {},
                 .ready_file = text_of(arguments, "ready-file")};
  for (const std::string_view address : arguments.values("from")) run.from.emplace_back(address);
  if (const ParsedArgument* fd = arguments.find("ready-fd"))
    run.ready_fd = static_cast<int>(integer_of(*fd, 0, std::numeric_limits<int>::max()));
  return run;
}

int run_over_addresses(const AddressRun&, const FilterFactory&) {
  throw UsageError("addresses are not part of this build");
}

}  // namespace sluice
