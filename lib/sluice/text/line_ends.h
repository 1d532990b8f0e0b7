#pragma once

#include "sluice/text/filter.h"

namespace sluice {

/// Writes a carriage return before each newline (crnl, RFC 854's end of line).
class AddReturns final : public Filter {
 public:
  void feed(ConstBytes in, Output& out) override;
  void finish(Output&) override {}
};

/// Drops every carriage return.
class DropReturns final : public Filter {
 public:
  void feed(ConstBytes in, Output& out) override;
  void finish(Output&) override {}
};

/// Replaces each byte of one value by another.
class Translate final : public Filter {
 public:
  Translate(char from, char to) : from_(from), to_(to) {}
  void feed(ConstBytes in, Output& out) override;
  void finish(Output&) override {}

 private:
  char from_;
  char to_;
};

}  // namespace sluice
