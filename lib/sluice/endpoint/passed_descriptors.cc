#include "sluice/endpoint/passed_descriptors.h"

#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace sluice {
namespace {

/// They begin there (SD_LISTEN_FDS_START).
constexpr int first_passed = 3;

std::optional<long> number_in_environment(const char* name) {
  const char* text = ::getenv(name);
  if (text == nullptr) return std::nullopt;
  const std::string_view digits = text;
  long number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

bool are_ours() { return number_in_environment("LISTEN_PID") == static_cast<long>(::getpid()); }

}  // namespace

std::optional<int> passed_descriptor(std::string_view name) {
  const auto count = number_in_environment("LISTEN_FDS");
  const char* names = ::getenv("LISTEN_FDNAMES");
  if (!are_ours() || !count || names == nullptr) return std::nullopt;
  std::string_view rest = names;
  for (int index = 0; index < *count; ++index) {
    const auto end = rest.find(':');
    if (rest.substr(0, end) == name) return first_passed + index;
    if (end == rest.npos) break;
    rest.remove_prefix(end + 1);
  }
  return std::nullopt;
}

bool tells_of_passed_descriptors(std::string_view line) {
  for (const std::string_view name : {"LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES="})
    if (line.starts_with(name)) return are_ours();
  return false;
}

}  // namespace sluice
