#include "sluice/core/rushes.h"

#include <utility>

namespace sluice {
namespace {

constexpr auto calm = std::chrono::seconds(1);
constexpr auto interval = std::chrono::seconds(10);
/// Kinds are few, but some name what failed.
constexpr std::size_t most_kinds = 64;

}  // namespace

Rushes::Verdict Rushes::heard(std::string_view kind, Clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  const auto found = all_.find(kind);
  if (found == all_.end()) {
    if (all_.size() >= most_kinds)
      std::erase_if(
          all_, [&](const auto& one) { return one.second.passed_over == 0 && now - one.second.last > calm; });
    if (all_.size() < most_kinds) all_.emplace(kind, Rush{now, now});
    return {true, 0};
  }
  Rush& rush = found->second;
  const bool is_over = now - std::exchange(rush.last, now) > calm;
  if (!is_over) ++rush.passed_over;
  if (!is_over && now - rush.told < interval) return {false, 0};
  rush.told = now;
  return {is_over, std::exchange(rush.passed_over, 0)};
}

std::vector<Rushes::Rest> Rushes::take_rest() {
  const std::scoped_lock lock(mutex_);
  std::vector<Rest> rest;
  for (auto& [kind, rush] : all_)
    if (rush.passed_over > 0) rest.push_back({kind, std::exchange(rush.passed_over, 0)});
  return rest;
}

}  // namespace sluice
