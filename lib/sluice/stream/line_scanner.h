#pragma once

#include <cstdint>
#include <limits>
#include <system_error>

#include "sluice/core/page_buffer.h"
#include "sluice/text/lines.h"
#include "sluice/text/progress.h"

namespace sluice {

/// How inputs are counted.
struct ScanRules {
  LineRules lines;
  /// How many threads may count one large file.
  unsigned threads = 1;
  /// How many lines all inputs may have together.
  std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
};

/// What was found in an input.
struct Scan {
  LineCounter counter;    ///< of what was read; where there were too many, not of all
  std::error_code why;    ///< set if reading failed: it ended there
  bool too_many = false;  ///< more lines than allowed; it was not read further
};

/// Counts the lines of inputs, one after the other, by whatever is the quickest for their kind. On the plain
/// path: it blocks, and flags of descriptors stay as they are.
class LineScanner {
 public:
  /// Bytes and lines of all inputs are told to `running` as they come, or have passed; it must outlive the
  /// scanner.
  LineScanner(const ScanRules& rules, ProgressCounts& running);

  /// Reads to the end, which is where read(2) returns 0: a file that grows meanwhile is counted with what it
  /// got, and the descriptor stands there then. Of a large regular file what is there at first is counted by
  /// `count_part`. A pipe of the usual size is widened once much came out of it.
  Scan count(int fd);

  /// The same, and writes what was read to `to`, each piece before more is read. From a pipe to a pipe it is
  /// not written but handed on by the kernel (tee(2)). Of an input with too many lines, the longest beginning
  /// is written that has not. Of an input that is the output's own file, nothing is written that would be
  /// read again (`input_is_output`). Throws Failure "write error: ...".
  Scan pass(int from, int to);

 private:
  bool are_too_many(const LineCounter& counter) const;
  /// Tells what has been counted so far, and learns whether that is too much.
  void show(Scan& scan);
  Scan finished(Scan scan, std::error_code why);
  void count_ahead(int fd, Scan& scan);
  ConstBytes allowed(ConstBytes piece, std::uint64_t before) const;

  ScanRules rules_;
  ProgressCounts& running_;
  PageBuffer buffer_;
  std::uint64_t bytes_ = 0;  ///< of the inputs that are done
  std::uint64_t lines_ = 0;
};

}  // namespace sluice
