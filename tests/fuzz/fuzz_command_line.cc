#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sluice/core/failure.h"
#include "sluice/endpoint/command_line.h"

// Words that were found are found again when each is put between quotes of its own.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> words;
  try {
    words = sluice::split_command_line(text);
  } catch (const sluice::UsageError&) {
    return 0;
  }
  std::string quoted;
  for (const std::string& word : words) {
    // Between these nothing means anything, but they and the backslash.
    quoted += " '";
    for (const char c : word) {
      if (c == '\'' || c == '\\') quoted += '\\';
      quoted += c;
    }
    quoted += '\'';
  }
  if (sluice::split_command_line(quoted) != words) std::abort();
  return 0;
}
