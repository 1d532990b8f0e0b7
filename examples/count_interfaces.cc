// Counts the network interfaces, as `ip -o link | wc -l` does: one line is one interface. With an argument,
// counts the lines of what that address gives: count_interfaces 'OPEN:/etc/passwd'.
#include "sluice/cli/tool.h"
#include "sluice/endpoint/endpoint.h"
#include "sluice/text/lines.h"

namespace {

using namespace sluice;

Task<> count(Context context, Specification from, LineCounter& lines) {
  const auto endpoint = make_endpoint(from, Use::reading, context);
  co_await endpoint->prepare();
  Session session(context.loop, context.log, {});
  const auto stream = co_await endpoint->open(session);
  Batch batch = Batch::of_bytes(kib(64));
  End end = co_await stream->read_some(batch);
  while (end == End::open) {
    lines.feed(batch.data());
    batch.clear();
    end = co_await stream->read_some(batch);
  }
  co_await stream->close(session.limits);
  if (end.why) throw Failure("read from " + from.reading.source, end.why);
}

int count_interfaces(const Invocation& invocation) {
  const auto from = parse_specification(invocation.words.empty() ? "EXEC:ip -o link" : invocation.words[0]);
  Logger log({.program = invocation.program});
  Loop loop;
  LineCounter lines;
  loop.start(count({loop, log}, from, lines));
  loop.run();
  print(std::to_string(lines.terminated()) + '\n');
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return sluice::run_tool(argc, argv, count_interfaces); }
