#include "sluice/address/binary_data.h"

#include <array>
#include <charconv>
#include <system_error>
#include <utility>

namespace sluice {
namespace {

/// Reads one number off the front of `text` and appends its bytes; false if none fits there.
using TakeNumber = bool (*)(std::string_view& text, std::string& bytes);

template <class Number>
bool take_number(std::string_view& text, std::string& bytes) {
  Number number{};
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const auto [end, why] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (why != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  return true;
}

struct NumberType {
  char letter;
  std::string_view name;
  TakeNumber take;
};

constexpr std::array number_types = {
    NumberType{'i', "an int", take_number<int>},
    NumberType{'I', "an unsigned int", take_number<unsigned>},
    NumberType{'l', "a long int", take_number<long>},
    NumberType{'L', "an unsigned long int", take_number<unsigned long>},
    NumberType{'s', "a short int", take_number<short>},
    NumberType{'S', "an unsigned short int", take_number<unsigned short>},
    NumberType{'b', "a byte with a sign", take_number<signed char>},
    NumberType{'B', "a byte", take_number<unsigned char>},
};

constexpr std::array<std::pair<char, char>, 8> conversions = {{{'n', '\n'},
                                                               {'r', '\r'},
                                                               {'t', '\t'},
                                                               {'f', '\f'},
                                                               {'b', '\b'},
                                                               {'a', '\a'},
                                                               {'e', '\033'},
                                                               {'0', '\0'}}};

constexpr std::string_view white_space = " \t\n\r\f\v";

const NumberType* number_type(char letter) {
  for (const auto& row : number_types)
    if (row.letter == letter) return &row;
  return nullptr;
}

bool is_type(char c) { return number_type(c) != nullptr || c == 'x' || c == '"' || c == '\''; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Reads data from the front of what is left; each function returns what is wrong, or nothing.
class Reader {
 public:
  explicit Reader(std::string_view text) : left_(text) {}

  BinaryData read() && {
    while (true) {
      const auto begin = left_.find_first_not_of(white_space);
      if (begin == left_.npos) return {std::move(bytes_), {}};
      left_.remove_prefix(begin);
      std::string complaint = take_item();
      if (!complaint.empty()) return {{}, std::move(complaint)};
    }
  }

 private:
  std::string take_item() {
    const std::string_view item = left_.substr(0, left_.find_first_of(white_space));
    // While hex digits are read, `b` and `B` are digits.
    const bool typed = is_type(left_.front()) && !(type_ == 'x' && hex_digit(left_.front()) >= 0);
    if (typed) {
      type_ = left_.front();
      left_.remove_prefix(1);
      const auto begin = left_.find_first_not_of(white_space);
      // White space may stand between a type and its item, but belongs to a text.
      if (type_ != '"' && type_ != '\'') left_.remove_prefix(begin == left_.npos ? left_.size() : begin);
    }
    switch (type_) {
      case 'x':
        return take_hex(item, typed);
      case '"':
        return typed ? take_text() : no_type(item);
      case '\'':
        return typed ? take_character() : no_type(item);
      default:
        break;
    }
    const NumberType& type = *number_type(type_);
    if (type.take(left_, bytes_)) return {};
    return '"' + std::string(item) + "\" is not " + std::string(type.name);
  }

  static std::string no_type(std::string_view item) {
    return '"' + std::string(item) + "\" needs a type (i I l L s S b B x \" ')";
  }

  std::string take_hex(std::string_view item, bool typed) {
    std::size_t digits = 0;
    while (digits < left_.size() && hex_digit(left_[digits]) >= 0) ++digits;
    if (digits == 0 && !typed) return '"' + std::string(item) + "\" is no hex data";
    if (digits % 2 != 0) return '"' + std::string(item) + "\" has an odd number of hex digits";
    for (std::size_t i = 0; i < digits; i += 2)
      bytes_ += static_cast<char>(hex_digit(left_[i]) << 4 | hex_digit(left_[i + 1]));
    left_.remove_prefix(digits);
    return {};
  }

  /// The next character, with its conversion; what is left is not empty.
  char take_converted() {
    char c = left_.front();
    left_.remove_prefix(1);
    if (c != '\\' || left_.empty()) return c;
    c = left_.front();
    left_.remove_prefix(1);
    for (const auto& [letter, meaning] : conversions)
      if (letter == c) return meaning;
    return c;
  }

  std::string take_text() {
    while (!left_.empty()) {
      if (left_.front() == '"') {
        left_.remove_prefix(1);
        return {};
      }
      bytes_ += take_converted();
    }
    return "the text in it has no closing \"";
  }

  std::string take_character() {
    if (left_.empty() || left_.front() == '\'') return "there is no character between its quotes";
    bytes_ += take_converted();
    if (!left_.starts_with('\'')) return "the character in it has no closing '";
    left_.remove_prefix(1);
    return {};
  }

  std::string_view left_;
  std::string bytes_;
  char type_ = 'i';
};

}  // namespace

BinaryData read_binary(std::string_view text) { return Reader(text).read(); }

}  // namespace sluice
