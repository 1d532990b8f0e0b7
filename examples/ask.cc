// The lecture's clients: sends a text to an address and prints what comes back, over TCP, UDP or AF_UNIX
// alike. Usage: ask ADDRESS TEXT, as in: ask UDP:127.0.0.1:1234 labi
#include <algorithm>

#include "sluice/cli/tool.h"
#include "sluice/endpoint/endpoint.h"

namespace {

using namespace sluice;

Task<> ask(Context context, Specification whom, std::string text) {
  const auto endpoint = make_endpoint(whom, Use::both, context);
  co_await endpoint->prepare();
  Session session(context.loop, context.log, {});
  const auto stream = co_await endpoint->open(session);

  Batch question = Batch::of_bytes(text.size());
  std::copy(text.begin(), text.end(), question.room().begin());
  question.added(text.size());
  End end = co_await write_all(*stream, question);
  if (end != End::open) throw Failure("write to " + whom.reading.source, end.why);
  co_await stream->finish();

  // Messages have no end to wait for: the answer is one of them.
  const bool one_message = !stream->info().traits.input_ends;
  Batch answer = Batch::of_bytes(kib(64));
  do {
    answer.clear();
    end = co_await stream->read_some(answer);
    print(as_text(answer.data()));
  } while (end == End::open && !one_message);
  co_await stream->close(session.limits);
  if (end.why) throw Failure("read from " + whom.reading.source, end.why);
}

int ask(const Invocation& invocation) {
  if (invocation.words.size() != 2) throw UsageError("expects an address and a text");
  Logger log({.program = invocation.program});
  Loop loop;
  loop.start(ask({loop, log}, parse_specification(invocation.words[0]), invocation.words[1]));
  loop.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_tool(argc, argv, [](const sluice::Invocation& invocation) { return ask(invocation); });
}
