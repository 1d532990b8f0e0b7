#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "sluice/text/filter.h"

namespace sluice {

/// A filter of UTF-8 that takes whole characters: the beginning of one at the end of a piece is kept, and
/// comes again before the next piece.
class WholeCharacters : public Filter {
 public:
  void feed(ConstBytes in, Output& out) final {
    if (in.empty()) return;
    if (size_ > 0) {
      // As much as surely ends the character that has begun.
      const std::size_t kept = std::exchange(size_, 0);
      const std::size_t more = std::min(in.size(), longest - 1);
      std::copy_n(in.data(), more, kept_.data() + kept);
      const ConstBytes joined = ConstBytes(kept_).first(kept + more);
      const std::size_t taken = take(joined, out);
      if (taken < kept) {  // all of `in` is in there
        keep(joined.subspan(taken));
        return;
      }
      in = in.subspan(taken - kept);
    }
    keep(in.subspan(take(in, out)));
  }

  void finish(Output& out) final {
    end(out);
    out.append(ConstBytes(kept_).first(std::exchange(size_, 0)));
  }

 protected:
  /// Takes all of a text but for up to three bytes at its end that may begin a character. Returns how much.
  virtual std::size_t take(ConstBytes text, Output& out) = 0;
  /// The text is over, but for what is no character.
  virtual void end(Output&) {}

 private:
  static constexpr std::size_t longest = 4;

  void keep(ConstBytes rest) {
    std::copy(rest.begin(), rest.end(), kept_.begin());
    size_ = rest.size();
  }

  std::array<char, 2 * longest> kept_{};
  std::size_t size_ = 0;
};

}  // namespace sluice
