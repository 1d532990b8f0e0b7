#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sluice/address/address.h"

namespace sluice {

/// What closes a bracket or quote, or NUL for any other character.
constexpr char closing(char opening) {
  switch (opening) {
    case '(':
      return ')';
    case '[':
      return ']';
    case '{':
      return '}';
    case '\'':
    case '"':
      return opening;
    default:
      return '\0';
  }
}

/// A text as the lexer gives it back up to one of the delimiters: with a backslash before each character that
/// has a meaning to it. The text holds no NUL.
std::string escaped(std::string_view text, std::string_view delimiters);

/// Cuts an argument into its pieces by the lexical rules of socat's language (socat(1), ADDRESS
/// SPECIFICATIONS):
/// - `\` takes the meaning from the character behind it; \n \t \r \a \b \f \v are control characters.
/// - '...' keeps everything together, and so does "..."; the quotes themselves go, escapes still work.
/// - (...), [...] and {...} keep everything together up to the closing bracket, nested ones and quotes
///   included, and stay in the text.
/// - Inside "...", brackets and '...' reach to their closing ends and stay in the text, if all of them have
///   one (as socat demands); else each character stands for itself (as its manual says).
/// - `!!` ends an address.
/// What is opened and not closed is an AddressError with the caret at its opening; a piece holds no NUL.
class Lexer {
 public:
  struct Piece {
    std::string text;
    std::size_t place = 0;
    std::vector<TextRange> quoted = {};  ///< the parts of the text that stood in quotes, which have gone
  };

  explicit Lexer(std::string_view source) : source_(source) {}

  /// Reads up to one of the delimiters, to `!!` or to the end, none of which is taken.
  Piece until(std::string_view delimiters);
  /// Takes the next character if it is `c`.
  bool take(char c);
  /// Takes `!!` if it is next.
  bool take_join();
  bool at_end() const { return place_ == source_.size(); }
  std::size_t place() const { return place_; }

 private:
  struct Open;

  bool at_join() const { return source_.substr(place_, 2) == "!!"; }
  void take_escape(std::string& text);
  void take_nested(Open& open, std::string& text);
  void take_brackets(std::string& text);
  void take_quotes(std::string& text);
  void take_double_quotes(std::string& text);
  AddressError not_closed(std::size_t opening) const;

  std::string_view source_;
  std::size_t place_ = 0;
};

}  // namespace sluice
