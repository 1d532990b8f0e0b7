// Upper case in memory, with Google Benchmark: `kernels [BENCHMARK OPTION]... FILE`. The beginning of the
// text goes through again and again, piece by piece, so that the caches hold it and only the work counts.
#include "kernels.h"

#include <fcntl.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "sluice/cli/tool.h"
#include "sluice/core/fd.h"
#include "sluice/text/upper.h"

namespace sluice::bench {
namespace {

constexpr std::size_t piece_size = kib(64), text_size = kib(512);

// Not constant, since benchmarks are functions of a state alone, and known before the words are read.
std::vector<ConstBytes> all_pieces;

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

/// Cuts into pieces of at most that size. What is left at the end, a piece cut short, is left out.
std::vector<ConstBytes> cut(ConstBytes text) {
  std::vector<ConstBytes> result;
  while (text.size() > piece_size) {
    std::size_t end = piece_size;
    while (end > 1 && continues_character(text[end])) --end;
    result.push_back(text.first(end));
    text = text.subspan(end);
  }
  return result;
}

std::string beginning_of(const char* path) {
  const Fd file(check(std::string("open ") + path, ::open(path, O_RDONLY | O_CLOEXEC)));
  std::string text(text_size, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto count =
        check(std::string("read ") + path, ::read(file.get(), &text[size], text.size() - size));
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  return text;
}

void upper(benchmark::State& state) {
  const auto filter = upper_filter();
  Output out;
  for (auto _ : state) {
    for (const ConstBytes piece : pieces()) {
      filter->feed(piece, out);
      benchmark::DoNotOptimize(out.data().data());
      out.clear();
    }
  }
  set_rate(state);
}
BENCHMARK(upper);

void copy(benchmark::State& state) {
  std::vector<char> out(piece_size);
  for (auto _ : state) {
    for (const ConstBytes piece : pieces()) {
      std::memcpy(out.data(), piece.data(), piece.size());
      benchmark::ClobberMemory();
    }
  }
  set_rate(state);
}
BENCHMARK(copy)->Name("memcpy");

int kernels(const Invocation& invocation) {
  // Of its words the library takes out those that it knows.
  std::vector<char*> words = {const_cast<char*>("kernels")};
  words.insert(words.end(), invocation.words.begin(), invocation.words.end());
  int count = static_cast<int>(words.size());
  words.push_back(nullptr);
  benchmark::Initialize(&count, words.data());
  if (count != 2) throw UsageError("usage: kernels [BENCHMARK OPTION]... FILE");
  static const std::string text = beginning_of(words[1]);
  all_pieces = cut(text);
  if (all_pieces.empty()) throw Failure(std::string(words[1]) + " is too short");
  benchmark::RunSpecifiedBenchmarks();
  // What it says stands in the buffers of <cstdio>; run_tool closes the descriptor below them.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) throw Failure("write error");
  return 0;
}

}  // namespace

const std::vector<ConstBytes>& pieces() { return all_pieces; }

void set_rate(benchmark::State& state) {
  std::size_t size = 0;
  for (const ConstBytes piece : pieces()) size += piece.size();
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

}  // namespace sluice::bench

int main(int argc, char** argv) { return sluice::run_tool(argc, argv, sluice::bench::kernels); }
