#include "sluice/stream/file_part.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <thread>
#include <vector>

#include "sluice/core/denied.h"
#include "sluice/core/page_buffer.h"
#include "sluice/stream/background.h"
#include "sluice/text/lines.h"

namespace sluice {
namespace {

/// To start a thread costs as much as to count some 300 KiB.
constexpr off_t least_share = mib(2);
/// What all buffers of further threads may hold, and one of them.
constexpr std::size_t all_buffers = kib(512);
constexpr std::size_t largest_buffer = kib(256);
constexpr std::size_t page = kib(4);

/// Of struct stat's st_blocks, whatever the file system's own are (stat(2)).
constexpr off_t block = 512;

class PartCount {
 public:
  PartCount(const FilePart& part, const PartRules& rules, ProgressCounts& running)
      : part_(part), rules_(rules), running_(running), at_(part.begin), data_end_(part.begin) {
    if (!part.sparse) data_end_ = part.end;
  }

  /// Counts until nothing is left, beside others who do the same.
  void work(Bytes buffer) {
    std::uint64_t delimiters = 0;
    for (Piece piece = next(buffer.size()); piece.begin < piece.end;) {
      const auto wanted = buffer.first(static_cast<std::size_t>(piece.end - piece.begin));
      const ssize_t count = ::pread(part_.fd, wanted.data(), wanted.size(), piece.begin);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        differs_ = true;
        break;
      }
      const Bytes got = wanted.first(static_cast<std::size_t>(count));
      const std::uint64_t found = count_byte(got, rules_.delimiter);
      delimiters += found;
      if (show(got.size(), found)) enough_ = true;
      piece.begin += count;
      if (piece.begin == piece.end) piece = next(buffer.size());
    }
    delimiters_ += delimiters;
  }

  /// When all have come back.
  std::optional<std::uint64_t> result() const {
    struct stat now {};
    if (differs_ || ::fstat(part_.fd, &now) != 0 || now.st_size <= part_.end) return {};
    return delimiters_;
  }

 private:
  struct Piece {
    off_t begin = 0, end = 0;
  };

  /// What is to be read next, at most `size` bytes; nothing at the end.
  Piece next(std::size_t size) {
    const std::lock_guard lock(mutex_);
    if (enough_ || differs_) return {};
    if (at_ == data_end_ && at_ < part_.end) skip_hole();
    const Piece piece{at_, std::min(data_end_, at_ + static_cast<off_t>(size))};
    at_ = piece.end;
    return piece;
  }

  /// lseek(2): a file system that does not tell where holes are says that all is data, or EINVAL.
  off_t seek(off_t from, int whence) const {
    if (!denied(Facility::holes)) return ::lseek(part_.fd, from, whence);
    errno = EINVAL;
    return -1;
  }

  void skip_hole() {
    off_t data = seek(at_, SEEK_DATA);
    // ENXIO: nothing but a hole is left.
    if (data < 0) data = errno == ENXIO ? part_.end : at_;
    data = std::clamp(data, at_, part_.end);
    const auto hole = static_cast<std::uint64_t>(data - at_);
    const std::uint64_t found = rules_.delimiter == '\0' ? hole : 0;
    delimiters_ += found;
    if (show(hole, found)) enough_ = true;
    const off_t end = data < part_.end ? seek(data, SEEK_HOLE) : data;
    at_ = data;
    data_end_ = end <= data ? part_.end : std::min(end, part_.end);
  }

  /// Whether there are now more lines than need to be known.
  bool show(std::uint64_t bytes, std::uint64_t lines) {
    running_.bytes.fetch_add(bytes, std::memory_order_relaxed);
    return running_.lines.fetch_add(lines, std::memory_order_relaxed) + lines > rules_.most;
  }

  const FilePart& part_;
  const PartRules& rules_;
  ProgressCounts& running_;
  std::mutex mutex_;
  off_t at_;        ///< what is before it has been given out
  off_t data_end_;  ///< where the data at `at_` ends
  std::atomic<std::uint64_t> delimiters_ = 0;
  std::atomic<bool> enough_ = false;
  std::atomic<bool> differs_ = false;
};

}  // namespace

std::optional<FilePart> part_ahead(int fd, unsigned threads) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return {};
  FilePart part{.fd = fd, .begin = ::lseek(fd, 0, SEEK_CUR), .end = status.st_size - 1};
  if (part.begin < 0 || part.end <= part.begin) return {};
  const off_t stored = status.st_blocks * block;
  part.sparse = stored < status.st_size;
  const off_t shares = std::min(stored, part.end - part.begin) / least_share;
  part.threads = static_cast<unsigned>(std::clamp<off_t>(shares, 1, std::max(threads, 1U)));
  if (!part.sparse && part.threads == 1) return {};
  return part;
}

std::optional<std::uint64_t> count_part(const FilePart& part, const PartRules& rules, Bytes buffer,
                                        ProgressCounts& running) {
  PartCount count(part, rules, running);
  const std::size_t share = all_buffers / std::max(part.threads, 1U);
  const std::size_t size = std::clamp(share / page * page, page, largest_buffer);
  std::vector<PageBuffer> buffers;
  std::vector<std::thread> others;
  buffers.reserve(part.threads);
  others.reserve(part.threads);
  try {
    while (others.size() + 1 < part.threads)
      others.push_back(
          quiet_thread([&count, mine = buffers.emplace_back(size).bytes()] { count.work(mine); }));
  } catch (const std::exception&) {
    // Whatever keeps further ones from starting: those that there are do it.
  }
  count.work(others.empty() ? buffer : buffer.first(std::min(buffer.size(), largest_buffer)));
  for (std::thread& other : others) other.join();
  const auto result = count.result();
  ::lseek(part.fd, result ? part.end : part.begin, SEEK_SET);
  return result;
}

}  // namespace sluice
