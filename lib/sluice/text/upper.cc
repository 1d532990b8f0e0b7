#include "sluice/text/upper.h"

#include "sluice/text/clones.h"

namespace sluice {
namespace {

// One subtraction and one comparison instead of two comparisons and a branch, so that it vectorises.
constexpr char upper_of(char c) {
  const bool lower = static_cast<unsigned char>(c - 'a') < 26;
  return static_cast<char>(c - (lower ? 'a' - 'A' : 0));
}

// Free functions over plain pointers: GCC 12 clones these, and `__restrict` spares the overlap check.
SLUICE_CLONES void upper_copy(const char* __restrict in, char* __restrict out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = upper_of(in[i]);
}

SLUICE_CLONES void upper_in_place(char* text, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) text[i] = upper_of(text[i]);
}

}  // namespace

void upper_ascii(ConstBytes in, Bytes out) { upper_copy(in.data(), out.data(), in.size()); }

void upper_ascii(Bytes text) { upper_in_place(text.data(), text.size()); }

void UpperFilter::feed(ConstBytes in, Output& out) {
  upper_ascii(in, out.room(in.size()));
  out.added(in.size());
}

}  // namespace sluice
