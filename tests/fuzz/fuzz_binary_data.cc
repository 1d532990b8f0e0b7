#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sluice/address/binary_data.h"

// What is read twice is read to the same bytes behind each other, and what is wrong has no bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const sluice::BinaryData once = sluice::read_binary(text);
  if (!once.complaint.empty()) {
    if (!once.bytes.empty()) std::abort();
    return 0;
  }
  // No item is longer than the longest number, eight bytes for a digit.
  if (once.bytes.size() > text.size() * sizeof(long)) std::abort();
  // Only an empty x may change what the first item of the second text is.
  const sluice::BinaryData other = sluice::read_binary(text + " x ");
  if (other.bytes != once.bytes || !other.complaint.empty()) std::abort();
  return 0;
}
