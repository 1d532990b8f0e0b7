#pragma once

#include "sluice/text/filter.h"

namespace sluice {

/// Puts `in` with its ASCII letters in upper case at the beginning of `out`; every other byte stays as it is.
/// `out` is at least as long as `in`, and they do not overlap.
void upper_ascii(ConstBytes in, Bytes out);
/// The same in place.
void upper_ascii(Bytes text);

/// Upper case as a filter: as many bytes go out as come in, at once.
class UpperFilter final : public Filter {
 public:
  void feed(ConstBytes in, Output& out) override;
  void finish(Output&) override {}
};

}  // namespace sluice
