#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sluice/address/address.h"

// What parses is printed and parsed again to the same value; what does not fails with an AddressError alone.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const sluice::Rules any = {.any_group = true};
  sluice::Specification once;
  try {
    once = sluice::parse_specification(source, any);
  } catch (const sluice::AddressError&) {
    return 0;
  }
  if (!(sluice::parse_specification(sluice::to_text(once), any) == once)) std::abort();
  return 0;
}
