#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

#include "sluice/core/terminal_place.h"

namespace sluice {

/// A line at the end of what the terminal on standard error shows, drawn again and again (--progress). There
/// is one at a time, since descriptor 2 is the process's. Each call may come from any thread. Other processes
/// of the same group may have theirs on the same terminal: each takes a line, one below the other, and the
/// cursor is left in the first of them.
///
/// It is seen only by who looks at it: not unless standard error is a terminal that can go back on its line
/// (not TERM=dumb), and not while another process group is in the terminal's foreground.
class StandingLine {
 public:
  StandingLine();
  /// Takes it away.
  ~StandingLine();
  StandingLine(const StandingLine&) = delete;
  StandingLine& operator=(const StandingLine&) = delete;

  /// Whether `descriptor` is the terminal that standard error is: what flows there would mix with the line.
  static bool shares_terminal(int descriptor);

  /// How many columns a line may have now, so that the cursor stays in it.
  std::size_t columns() const;

  /// Draws `text`, of printable characters and at most `columns` wide, in the place of what stood. Does not
  /// wait: a terminal that takes nothing now (Ctrl-S) is left as it is.
  void draw(std::string_view text);
  /// Nothing stands any more, until the next `draw`.
  void clear();
  /// Takes it away for good and writes a last line without further control characters, to whatever standard
  /// error is, but for a terminal whose foreground is another process group's.
  void end(std::string_view last);
  /// The same, but where that would have to wait it does nothing. Whether it did.
  bool end_at_once(std::string_view last);

  /// While it lives, no line stands; what stood is drawn again at its end. For whoever writes lines to
  /// standard error, or to what may be the same terminal. Costs a look at one variable where there is no
  /// standing line.
  class Pause {
   public:
    Pause();
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    std::unique_lock<std::mutex> lock_;
    StandingLine* line_ = nullptr;
  };

 private:
  void finish(std::string_view last);
  void put();
  void take_away();

  bool terminal_;
  std::string text_;    ///< what is to stand
  bool drawn_ = false;  ///< it does
  TerminalPlace place_;
  int drawn_at_ = 0;  ///< the place where it was drawn last
};

}  // namespace sluice
