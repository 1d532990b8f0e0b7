// Reads an address and says what it means; nothing is opened. Usage: explain ADDRESS
#include "sluice/address/address.h"
#include "sluice/cli/tool.h"

namespace {

using namespace sluice;

std::string explained(const Address& address) {
  std::string text(address.keyword->name);
  text += ": " + std::string(address.keyword->help) + '\n';
  for (const Parameter& parameter : address.parameters) text += "  parameter " + parameter.text + '\n';
  for (const Option& option : address.options)
    text += "  option " + std::string(option.row->name) + ": " + std::string(option.row->help) + '\n';
  return text;
}

int explain(const Invocation& invocation) {
  if (invocation.words.size() != 1) throw UsageError("expects one address");
  const Specification specification = parse_specification(invocation.words[0]);
  print(explained(specification.reading));
  if (specification.writing) print("written to:\n" + explained(*specification.writing));
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return sluice::run_tool(argc, argv, explain); }
