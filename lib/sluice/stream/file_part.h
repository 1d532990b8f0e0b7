#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "sluice/core/bytes.h"
#include "sluice/text/progress.h"

namespace sluice {

/// What of a regular file lies between where its descriptor stands and its last byte, and is so much, or has
/// such holes, that counting it by `count_part` is quicker than reading it from there on.
struct FilePart {
  int fd = -1;
  off_t begin = 0, end = 0;
  bool sparse = false;   ///< some of it may be holes
  unsigned threads = 1;  ///< how many have enough to do in it, at most as many as were offered
};

/// The part ahead of a descriptor, if there is one that is worth it. At least one byte stays behind it for
/// who reads on, to its true end.
std::optional<FilePart> part_ahead(int fd, unsigned threads);

/// What is counted in a part, and when that is enough.
struct PartRules {
  char delimiter = '\n';
  std::uint64_t most = ~std::uint64_t{0};  ///< more lines than these in `running` need not be known
};

/// How often the delimiter occurs in a part: its threads read it piece by piece at its places (pread), and
/// holes are not read, since they are known to hold NULs. Bytes and lines are added to `running` meanwhile.
/// Then `fd` stands behind the part. `buffer` is the calling thread's; it reads too.
///
/// Nothing if the file is not what it seemed to be: it has become shorter, or cannot be read. Then `fd`
/// stands at the beginning of the part, and reading it will show.
std::optional<std::uint64_t> count_part(const FilePart& part, const PartRules& rules, Bytes buffer,
                                        ProgressCounts& running);

}  // namespace sluice
