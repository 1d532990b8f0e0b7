#include "sluice/address/lexer.h"

#include <vector>

namespace sluice {
namespace {

constexpr char unescaped(char c) {
  constexpr std::string_view letters = "abfnrtv";
  constexpr std::string_view controls = "\a\b\f\n\r\t\v";
  const auto index = letters.find(c);
  return index == letters.npos ? c : controls[index];
}

}  // namespace

std::string escaped(std::string_view text, std::string_view delimiters) {
  std::string line;
  for (const char c : text) {
    const bool means_something =
        c == '\\' || c == '!' || closing(c) != '\0' || delimiters.find(c) != delimiters.npos;
    if (means_something) line += '\\';
    line += c;
  }
  return line;
}

/// What is open at a place: the closing characters that are waited for, innermost last, and where each began.
struct Lexer::Open {
  std::string closings;
  std::vector<std::size_t> places;

  bool nothing() const { return closings.empty(); }
  void push(char opening, std::size_t place) {
    closings += closing(opening);
    places.push_back(place);
  }
  void pop() {
    closings.pop_back();
    places.pop_back();
  }
};

Lexer::Piece Lexer::until(std::string_view delimiters) {
  Piece piece{.text = {}, .place = place_};
  while (!at_end() && !at_join() && delimiters.find(source_[place_]) == delimiters.npos) {
    const char c = source_[place_];
    const std::size_t begin = piece.text.size();
    if (c == '\\')
      take_escape(piece.text);
    else if (c == '\'')
      take_quotes(piece.text);
    else if (c == '"')
      take_double_quotes(piece.text);
    else if (closing(c) != '\0')
      take_brackets(piece.text);
    else
      piece.text += source_[place_++];
    if (c == '\'' || c == '"') piece.quoted.push_back({begin, piece.text.size()});
  }
  if (piece.text.find('\0') != piece.text.npos)
    throw AddressError(source_, piece.place, "a NUL byte cannot stand in an address");
  return piece;
}

bool Lexer::take(char c) {
  if (at_end() || source_[place_] != c) return false;
  ++place_;
  return true;
}

bool Lexer::take_join() {
  if (!at_join()) return false;
  place_ += 2;
  return true;
}

void Lexer::take_escape(std::string& text) {
  if (place_ + 1 == source_.size()) throw AddressError(source_, place_, "nothing follows the backslash");
  // A string of the language holds no NUL (socat(1), DATA VALUES), so \0 cannot mean one.
  if (source_[place_ + 1] == '0') throw AddressError(source_, place_, "\\0 cannot stand in an address");
  text += unescaped(source_[place_ + 1]);
  place_ += 2;
}

void Lexer::take_nested(Open& open, std::string& text) {
  const char c = source_[place_];
  if (c == '\\') {
    take_escape(text);
    return;
  }
  if (!open.nothing() && c == open.closings.back())
    open.pop();
  else if (closing(c) != '\0' && (open.nothing() || open.closings.back() != '\''))
    open.push(c, place_);
  text += c;
  ++place_;
}

void Lexer::take_brackets(std::string& text) {
  Open open;
  do {
    if (at_end()) throw not_closed(open.places.back());
    take_nested(open, text);
  } while (!open.nothing());
}

void Lexer::take_quotes(std::string& text) {
  const auto opening = place_;
  const char quote = source_[place_++];
  while (!at_end()) {
    if (take(quote)) return;
    if (source_[place_] == '\\')
      take_escape(text);
    else
      text += source_[place_++];
  }
  throw not_closed(opening);
}

void Lexer::take_double_quotes(std::string& text) {
  const auto opening = place_++;
  Open open;
  std::string nested;
  while (!at_end()) {
    if (open.nothing() && take('"')) {
      text += nested;
      return;
    }
    take_nested(open, nested);
  }
  place_ = opening;
  take_quotes(text);
}

AddressError Lexer::not_closed(std::size_t opening) const {
  return {source_, opening,
          std::string("unexpected end of address, no closing ") + closing(source_[opening]) + " for this"};
}

}  // namespace sluice
