#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sockcat.h"

/// What tests of reliability share: texts that can be told apart byte by byte, moved in pieces of any size
/// through sockcat, and what the system knows of a process. Every wait ends by `deadline` at the latest.
namespace sluice::test {

/// What a test draws by chance follows from this: GTEST_RANDOM_SEED of a shuffled run, else always the same.
std::uint64_t chance();

/// An endless text. Its bytes depend on its seed and their position alone, so that no loss, repetition or
/// disorder passes, and no byte of another text.
class Text {
 public:
  explicit Text(std::uint64_t seed) : seed_(seed) {}
  void copy(std::size_t position, std::span<char> into) const;
  std::string part(std::size_t position, std::size_t count) const;
  bool continues(std::size_t position, std::string_view bytes) const;

 private:
  std::uint64_t seed_;
};

/// How large the next piece is.
using Pieces = std::function<std::size_t()>;
Pieces pieces_of(std::size_t size);
/// From one byte to `most`, small ones as often as large ones.
Pieces random_pieces(std::uint64_t seed, std::size_t most);

/// What came of moving a text: so many bytes, then its end (0) or an errno; EILSEQ for a wrong byte, ETIME
/// past the deadline.
struct Moved {
  std::size_t count = 0;
  int error = 0;

  friend bool operator==(const Moved&, const Moved&) = default;
  friend void PrintTo(const Moved& moved, std::ostream* to);
};

inline constexpr std::size_t endless = std::numeric_limits<std::size_t>::max();

/// Writes a text from a position on. The descriptor does not block from then on, here and below.
Moved write_text(int fd, const Text& text, std::size_t count, const Pieces& pieces, std::size_t position = 0);
/// Reads a text from a position on: to its end, or no further than `most` bytes.
Moved read_text(int fd, const Text& text, const Pieces& pieces, std::size_t position = 0,
                std::size_t most = endless);
/// Writes a text until nothing fits any more: the buffers on its way are full.
Moved fill_with(int fd, const Text& text, std::size_t position = 0);

/// What a test holds of one side of sockcat.
struct Side {
  Fd reading, writing;

  void finish();  ///< no more to send
  void reset();   ///< closes so that a TCP peer gets ECONNRESET
  void close();
  /// Waits until the other side's system has all that was sent (not: the program there).
  bool all_arrived() const;
};

/// What the left and what the right side says: texts that cannot be mistaken for each other.
inline const Text there(1), back(2);

/// Both sides talk at once, from a position on, each to its end; all that is said must arrive.
void converse(Side& left, Side& right, std::size_t size, const Pieces& writes, const Pieces& reads,
              std::size_t position = 0);
/// The same, but both sides stay open.
void carry(Side& left, Side& right, std::size_t size, const Pieces& writes, const Pieces& reads,
           std::size_t position = 0);
/// So many bytes go there, then back. Both sides stay open.
void exchange(const Side& left, const Side& right, std::size_t count, std::size_t position = 0);

/// Of a connected socket. Its end is that of both of the side's descriptors.
Side side_of(const Socket& socket);

/// By what the two sides are joined to sockcat.
enum class Way { tcp, af_unix, pipes };
inline constexpr Way all_ways[] = {Way::tcp, Way::af_unix, Way::pipes};
std::string name_of(Way way);

/// sockcat with a side at its left and one at its right address; both are connected.
class Channel {
 public:
  explicit Channel(Way way, std::vector<std::string> words = {}, RunOptions options = {});

  Running& process() { return *process_; }
  Running* operator->() { return process_; }
  Side left, right;

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Serving> serving_;
  std::unique_ptr<Running> running_;
  Running* process_ = nullptr;
};

/// Waits for the end of a process, which must be a good one with nothing to complain of.
void expect_good_end(Running& process);

/// So much, or less where sanitizers make everything slow.
std::size_t some(std::size_t count);

/// Waits until a figure has stayed the same for a moment, and returns it.
template <class Figure>
auto settled(Figure figure) {
  using std::chrono::steady_clock;
  auto before = figure();
  auto since = steady_clock::now();
  eventually([&] {
    if (const auto now = figure(); now != before) before = now, since = steady_clock::now();
    return steady_clock::now() - since > std::chrono::milliseconds(150);
  });
  return before;
}

/// Descriptors, by what they are open on.
struct Descriptors {
  std::size_t sockets = 0, pipes = 0, others = 0;

  std::size_t all() const { return sockets + pipes + others; }
  friend void PrintTo(const Descriptors& descriptors, std::ostream* to);
};

/// Of a running process: its descriptors, its children, its threads, its share of memory in kB, and the time
/// it has computed, in ticks.
Descriptors descriptors_of(pid_t pid);
std::vector<pid_t> children_of(pid_t pid);
std::vector<pid_t> threads_of(pid_t pid);
long memory_of(pid_t pid);
long ticks_of(pid_t pid);
/// Whether all of its threads are in a state, as ps(1) shows it.
bool is_all(pid_t pid, char state);

/// Stops a process and waits until it has stopped.
void stop(pid_t pid);
void go_on(pid_t pid);

/// Whether so many descriptors can be had here; raises the limit where it may.
bool can_have_descriptors(std::size_t count);

}  // namespace sluice::test
