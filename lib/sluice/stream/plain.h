#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <system_error>

#include "sluice/core/bytes.h"
#include "sluice/text/filter.h"

/// The plain path of the filters: files and standard streams, blocking, no event loop. A descriptor that was
/// handed to us non-blocking is waited for with poll; its flags belong to others too and stay as they are.
namespace sluice::plain {

/// How much is read at once. Pages of the buffer that a short input does not reach are never touched.
inline constexpr std::size_t buffer_size = kib(256);

/// What one call to `read_some` got.
struct Reading {
  std::size_t count = 0;  ///< 0: the input has ended or failed
  std::error_code why;    ///< set if it failed
};

/// Waits for at least one byte, unless the input ends. Failing is an outcome: the next file may be fine.
Reading read_some(int fd, Bytes into);

/// Writes all bytes, waiting where it must. Throws Failure "write error: ...".
void write_all(int fd, ConstBytes bytes);

/// Reads inputs one after the other through one buffer.
class Reader {
 public:
  /// What has been read and taken is counted in `moved`, if that is given; it must outlive the reader.
  explicit Reader(std::atomic<std::uint64_t>* moved = nullptr)
      : buffer_(new char[buffer_size]), moved_(moved) {}

  /// Hands each piece to `take` as soon as it was read, to the end of the input. Returns why it ended early.
  std::error_code each(int fd, const std::function<void(ConstBytes)>& take);

 private:
  std::unique_ptr<char[]> buffer_;  // not value-initialised, see buffer_size
  std::atomic<std::uint64_t>* moved_;
};

/// Runs a filter from inputs to one output; what it makes of a piece is written before more is read.
class Runner {
 public:
  /// References must outlive the runner; so must `moved`, if that is given: there it is counted
  /// how much input has been read, filtered and written.
  Runner(Filter& filter, int to, std::atomic<std::uint64_t>* moved = nullptr)
      : filter_(filter), to_(to), reader_(moved) {}

  /// One more input, to its end. Returns why it ended early; throws Failure if the output fails.
  std::error_code feed(int from);
  /// There are no more inputs: what the filter held back is written.
  void finish();

 private:
  void flush();

  Filter& filter_;
  int to_;
  Reader reader_;
  Output output_;
};

}  // namespace sluice::plain
