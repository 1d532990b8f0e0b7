#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <semaphore>
#include <system_error>
#include <thread>

#include "sluice/core/bytes.h"
#include "sluice/core/own_output.h"
#include "sluice/core/page_buffer.h"
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

/// Reads inputs one after the other through one buffer. Of an input that turns out to be large, the kernel is
/// told so (widen_pipe, posix_fadvise).
class Reader {
 public:
  /// What has been read and taken is counted in `moved`, if that is given; it must outlive the reader.
  explicit Reader(std::atomic<std::uint64_t>* moved = nullptr) : buffer_(buffer_size), moved_(moved) {}

  /// Hands each piece to `take` as soon as it was read, to the end of the input. Returns why it ended early:
  /// that reading failed, or `input_is_output`, with no piece that would feed itself taken. `own` is what
  /// `take` writes to, where that is the same file.
  std::error_code each(int fd, const std::function<void(ConstBytes)>& take,
                       const std::optional<OwnOutput>& own = {});

 private:
  PageBuffer buffer_;
  std::atomic<std::uint64_t>* moved_;
};

/// Writes on a thread of its own, one piece behind, while the next one is read and filtered.
class WriteBehind {
 public:
  explicit WriteBehind(int fd) : fd_(fd), thread_([this] { work(); }) {}
  /// Waits for what was given; does not say whether that was written.
  ~WriteBehind();
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;

  /// Takes what there is, once the piece before was written, and leaves an empty buffer. Throws what writing
  /// that one threw.
  void give(Output& piece);
  /// Waits until everything was written. Throws as `give`.
  void finish();

 private:
  void work();
  void rethrow();

  int fd_;
  Output piece_;
  std::exception_ptr error_;
  bool over_ = false;
  std::binary_semaphore given_{0};    ///< `piece_`, and all above, are the thread's
  std::binary_semaphore written_{1};  ///< they are the owner's
  std::thread thread_;
};

/// Runs a filter from inputs to one output; what it makes of a piece is written before more is read, or, of a
/// large file and with processors to spare, meanwhile.
class Runner {
 public:
  /// References must outlive the runner; so must `moved`, if that is given: there it is counted
  /// how much input has been read, filtered and handed over to be written.
  Runner(Filter& filter, int to, std::atomic<std::uint64_t>* moved = nullptr)
      : filter_(filter), to_(to), reader_(moved) {}

  /// One more input, to its end. Returns why it ended early, also where it is the output's own file
  /// (`input_is_output`); throws Failure if the output fails.
  std::error_code feed(int from);
  /// There are no more inputs: what the filter held back is written.
  void finish();

 private:
  void flush();

  Filter& filter_;
  int to_;
  Reader reader_;
  Output output_;
  std::size_t written_ = 0;
};

}  // namespace sluice::plain
