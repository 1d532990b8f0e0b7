// A filter of one's own, answering any address: rot13 ADDRESS, as in: rot13 UNIX-LISTEN:/tmp/rot13,fork
#include "sluice/cli/tool.h"
#include "sluice/endpoint/bridge.h"
#include "sluice/endpoint/in_process.h"

namespace {

using namespace sluice;

/// Moves each letter by half an alphabet.
class Rot13 final : public Filter {
 public:
  void feed(ConstBytes in, Output& out) override {
    const Bytes room = out.room(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) room[i] = turned(in[i]);
    out.added(in.size());
  }
  void finish(Output&) override {}

 private:
  static char turned(char c) {
    if (c >= 'a' && c <= 'z') return static_cast<char>('a' + (c - 'a' + 13) % 26);
    if (c >= 'A' && c <= 'Z') return static_cast<char>('A' + (c - 'A' + 13) % 26);
    return c;
  }
};

int rot13(const Invocation& invocation) {
  if (invocation.words.size() != 1) throw UsageError("expects one address");
  const auto address = parse_specification(invocation.words[0]);
  BridgePlan plan;
  plan.left = [&](Use use, const Context& context) { return make_endpoint(address, use, context); };
  plan.right = [](Use, const Context& context) {
    return answering_endpoint(context, [] { return std::make_unique<Rot13>(); });
  };
  Logger log({.program = invocation.program});
  return bridge(plan, log);
}

}  // namespace

int main(int argc, char** argv) { return sluice::run_tool(argc, argv, rot13); }
