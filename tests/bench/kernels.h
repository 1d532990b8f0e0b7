#pragma once

#include <benchmark/benchmark.h>

#include <vector>

#include "sluice/core/bytes.h"

namespace sluice::bench {

/// The text that is measured, in pieces that end where characters do.
const std::vector<ConstBytes>& pieces();

/// Tells the rate of a benchmark whose iterations go once through all pieces.
void set_rate(benchmark::State& state);

}  // namespace sluice::bench
