#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/core/bytes.h"

namespace sluice {

/// How transferred data is shown (-v, -x, or both).
struct DumpStyle {
  bool text = false;
  bool hexadecimal = false;
};

/// One direction's dump, as socat prints it: a line `> YYYY/MM/DD HH:MM:SS.uuuuuu  length=N from=A to=B`,
/// then the data.
class Dump {
 public:
  Dump(char mark, DumpStyle style) : mark_(mark), style_(style) {}
  /// The block for the next bytes of the flow.
  std::string block(ConstBytes bytes);

 private:
  char mark_;
  DumpStyle style_;
  std::uint64_t offset_ = 0;
};

/// Data as -v shows it: controls as escapes or dots, line ends as they are.
std::string as_shown(ConstBytes bytes);
/// Data as -x shows it: ` 61 0a`.
std::string as_hexadecimal(ConstBytes bytes);
/// Both, 16 bytes or a text line in each line.
std::string as_columns(ConstBytes bytes);

}  // namespace sluice
