// The inner pieces by themselves, with Google Benchmark: what a change to one of them gains or costs, without
// the noise of processes and sockets around it.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sluice/address/address.h"
#include "sluice/stream/batch.h"
#include "sluice/stream/descriptor.h"
#include "sluice/stream/loop.h"
#include "sluice/stream/mover.h"
#include "sluice/stream/pools.h"
#include "sluice/stream/task.h"
#include "sluice/text/lines.h"
#include "sluice/text/upper.h"

namespace sluice {
namespace {

// Memory.

void batch_takes_and_gives_back(benchmark::State& state) {
  BufferPool pool;
  Batch batch = Batch::of_bytes(static_cast<std::size_t>(state.range(0)), &pool);
  for (auto _ : state) {
    benchmark::DoNotOptimize(batch.room().data());
    batch.relax();
  }
}
BENCHMARK(batch_takes_and_gives_back)->Arg(kib(16))->Arg(kib(256));

void pipe_pool_takes_and_gives_back(benchmark::State& state) {
  PipePool pool;
  for (auto _ : state) {
    auto middle = pool.take();
    if (!middle) return state.SkipWithError("no pipe");
    pool.give(std::move(*middle));
  }
}
BENCHMARK(pipe_pool_takes_and_gives_back);

// Tasks and the loop. Each benchmark is a task of its own, so that its loop runs once.

void on_a_loop(benchmark::State& state, Task<> (*body)(benchmark::State&, Loop&)) {
  Loop loop;
  loop.start(body(state, loop));
  loop.run();
}

Task<int> same(int number) { co_return number; }
Task<int> deeper(int levels) {
  if (levels == 0) co_return 0;
  co_return co_await deeper(levels - 1) + 1;
}

Task<> await_a_task(benchmark::State& state, Loop&) {
  int number = 0;
  for (auto _ : state) number = co_await same(number);
  benchmark::DoNotOptimize(number);
}
BENCHMARK_CAPTURE(on_a_loop, await_a_task, await_a_task);

Task<> await_ten_levels(benchmark::State& state, Loop&) {
  for (auto _ : state) {
    const int levels = co_await deeper(9);
    benchmark::DoNotOptimize(levels);
  }
}
BENCHMARK_CAPTURE(on_a_loop, await_ten_levels, await_ten_levels);

Task<> nothing() { co_return; }
Task<> start_a_task(benchmark::State& state, Loop& loop) {
  for (auto _ : state) loop.start(nothing());
  co_return;
}
BENCHMARK_CAPTURE(on_a_loop, start_a_task, start_a_task);

Task<> yield(benchmark::State& state, Loop& loop) {
  for (auto _ : state) co_await loop.yield();
}
BENCHMARK_CAPTURE(on_a_loop, yield, yield);

Task<> notify_then_wait(benchmark::State& state, Loop& loop) {
  Event event(loop);
  for (auto _ : state) {
    event.notify();
    co_await event.wait();
  }
}
BENCHMARK_CAPTURE(on_a_loop, notify_then_wait, notify_then_wait);

Task<> answer(Event& asked, Event& answered, bool& over) {
  while (!over) {
    co_await asked.wait();
    answered.notify();
  }
}

Task<> two_tasks_take_turns(benchmark::State& state, Loop& loop) {
  Event asked(loop), answered(loop);
  bool over = false;
  loop.start(answer(asked, answered, over));
  for (auto _ : state) {
    asked.notify();
    co_await answered.wait();
  }
  over = true;
  asked.notify();
  co_await answered.wait();
}
BENCHMARK_CAPTURE(on_a_loop, two_tasks_take_turns, two_tasks_take_turns);

// Bytes inside the kernel.

std::pair<Fd, Fd> socket_pair() {
  int ends[2];
  check("make a socket pair", ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends));
  return {Fd(ends[0]), Fd(ends[1])};
}

std::pair<Fd, Fd> pipe_ends() {
  int ends[2];
  check("make a pipe", ::pipe2(ends, O_CLOEXEC | O_NONBLOCK));
  return {Fd(ends[0]), Fd(ends[1])};
}

/// Writes so many bytes at one end, steps the mover until it waits, and reads them at the other end.
void move(benchmark::State& state, Mover& mover, const Fd& writer, const Fd& reader) {
  std::vector<char> bytes(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    if (::write(writer.get(), bytes.data(), bytes.size()) != state.range(0))
      return state.SkipWithError("a buffer is too small");
    for (std::size_t left = bytes.size(); left > 0;) {
      if (mover.step().outcome == Step::refused) return state.SkipWithError("refused");
      const ssize_t count = ::read(reader.get(), bytes.data(), bytes.size());
      if (count > 0) left -= static_cast<std::size_t>(count);
    }
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void mover_from_socket_to_socket(benchmark::State& state) {
  Loop loop;
  auto [writer, source_end] = socket_pair();
  auto [target_end, reader] = socket_pair();
  Descriptor source(loop, std::move(source_end)), target(loop, std::move(target_end));
  move(state, *mover_between(source, target, loop.pipes()), writer, reader);
}
BENCHMARK(mover_from_socket_to_socket)->Arg(64)->Arg(kib(4))->Arg(kib(64));

void mover_from_pipe_to_pipe(benchmark::State& state) {
  Loop loop;
  auto [source_end, writer] = pipe_ends();
  auto [reader, target_end] = pipe_ends();
  Descriptor source(loop, std::move(source_end)), target(loop, std::move(target_end));
  move(state, *mover_between(source, target, loop.pipes()), writer, reader);
}
BENCHMARK(mover_from_pipe_to_pipe)->Arg(64)->Arg(kib(4))->Arg(kib(64));

// The language of addresses.

void parse(benchmark::State& state, const char* source) {
  for (auto _ : state) benchmark::DoNotOptimize(parse_specification(source));
}
BENCHMARK_CAPTURE(parse, shortest, "-");
BENCHMARK_CAPTURE(parse, listener, "TCP-LISTEN:9000,fork,reuseaddr");
BENCHMARK_CAPTURE(parse, quotes, "SYSTEM:'cat > \"a file\"; sleep 1',pipes,stderr");

// Texts.

std::string lines(std::int64_t size) {
  std::string text(static_cast<std::size_t>(size), 'x');
  for (std::size_t place = 40; place < text.size(); place += 41) text[place] = '\n';
  return text;
}

void upper_filter(benchmark::State& state) {
  const std::string text = lines(state.range(0));
  const auto filter = sluice::upper_filter();
  Output out;
  for (auto _ : state) {
    filter->feed(text, out);
    benchmark::DoNotOptimize(out.data().data());
    out.clear();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(upper_filter)->Arg(64)->Arg(kib(64))->Arg(mib(16));

void line_counter(benchmark::State& state) {
  const std::string text = lines(state.range(0));
  LineCounter counter;
  for (auto _ : state) {
    counter.feed(text);
    benchmark::DoNotOptimize(counter);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(line_counter)->Arg(64)->Arg(kib(64))->Arg(mib(16));

}  // namespace
}  // namespace sluice

BENCHMARK_MAIN();
