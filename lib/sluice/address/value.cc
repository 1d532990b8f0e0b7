#include "sluice/address/value.h"

#include <grp.h>
#include <pwd.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <vector>

#include "sluice/address/binary_data.h"

namespace sluice {
namespace {

constexpr std::int64_t int64_least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t int64_most = std::numeric_limits<std::int64_t>::max();

struct Bounds {
  std::int64_t least = int64_least;
  std::int64_t most = int64_most;
};

struct Unit {
  std::string_view name;
  std::int64_t size;
};

constexpr std::array sizes = {Unit{"k", 1LL << 10}, Unit{"K", 1LL << 10}, Unit{"m", 1LL << 20},
                              Unit{"M", 1LL << 20}, Unit{"g", 1LL << 30}, Unit{"G", 1LL << 30}};

constexpr std::array times = {Unit{"", 1'000'000'000},   Unit{"us", 1'000},
                              Unit{"ms", 1'000'000},     Unit{"s", 1'000'000'000},
                              Unit{"m", 60'000'000'000}, Unit{"h", 3'600'000'000'000}};

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

template <class T>
ReadValue good(T value) {
  ReadValue read;
  read.value.emplace<T>(std::move(value));
  return read;
}
ReadValue bad(std::string complaint) { return {{}, std::move(complaint)}; }
ReadValue not_a_number(std::string_view text, std::string_view wanted = "number") {
  return {{}, quoted(text) + " is not a" + (wanted[0] == 'o' ? "n " : " ") + std::string(wanted), true};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

ReadValue out_of_range(std::string_view text, const Bounds& bounds) {
  return bad(quoted(text) + " is out of range (" + std::to_string(bounds.least) + ".." +
             std::to_string(bounds.most) + ")");
}

/// A whole number without its sign: how from_chars left it, with what was not read.
struct Magnitude {
  std::uint64_t number = 0;
  std::string_view rest;
  std::errc why{};
};

Magnitude read_magnitude(std::string_view digits) {
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits[0] == '0' && is_digit(digits[1])) {
    base = 8;
  }
  Magnitude read;
  const auto [end, why] = std::from_chars(digits.data(), digits.data() + digits.size(), read.number, base);
  read.rest = digits.substr(static_cast<std::size_t>(end - digits.data()));
  read.why = why;
  return read;
}

ReadValue read_integer(std::string_view text, const Bounds& bounds, bool with_unit = false) {
  auto digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  auto [number, rest, why] = read_magnitude(digits);
  if (why == std::errc::invalid_argument) return not_a_number(text);

  std::uint64_t unit = 1;
  if (!rest.empty() && with_unit) {
    for (const auto& row : sizes)
      if (rest == row.name) unit = static_cast<std::uint64_t>(row.size);
    if (unit == 1) return not_a_number(text, "number of bytes (such as 100, 64k, 3M, 1G)");
  } else if (!rest.empty()) {
    return not_a_number(text);
  }
  const auto most =
      negative ? static_cast<std::uint64_t>(int64_most) + 1 : static_cast<std::uint64_t>(int64_most);
  if (why != std::errc{} || number > most / unit) return out_of_range(text, bounds);
  number *= unit;
  const auto value = static_cast<std::int64_t>(negative ? 0 - number : number);
  if (value < bounds.least || value > bounds.most) return out_of_range(text, bounds);
  return good(value);
}

ReadValue read_mode(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, why] = std::from_chars(text.data(), text.data() + text.size(), number, 8);
  if (why == std::errc::invalid_argument || end != text.data() + text.size())
    return not_a_number(text, "octal number");
  if (why != std::errc{} || number > 07777) return bad(quoted(text) + " is out of range (0..7777, octal)");
  return good(static_cast<std::int64_t>(number));
}

ReadValue read_duration(std::string_view text) {
  const auto refused = [&] { return not_a_number(text, "duration (seconds such as 0.5, or 20ms)"); };
  std::size_t place = 0;
  const auto digits_from = [&](std::size_t begin) {
    while (place < text.size() && is_digit(text[place])) ++place;
    return text.substr(begin, place - begin);
  };
  const auto whole = digits_from(0);
  std::string_view fraction;
  if (place < text.size() && text[place] == '.') {
    ++place;
    fraction = digits_from(place);
  }
  if (whole.empty() && fraction.empty()) return refused();

  const auto rest = text.substr(place);
  std::int64_t unit = 0;
  for (const auto& row : times)
    if (rest == row.name) unit = row.size;
  if (unit == 0) return refused();

  std::int64_t number = 0;
  if (!whole.empty() && std::from_chars(whole.data(), whole.data() + whole.size(), number).ec != std::errc{})
    return bad(quoted(text) + " is too long a duration");
  // One unit below the limit, so that a fraction still fits.
  if (number > int64_most / unit - 1) return bad(quoted(text) + " is too long a duration");
  number *= unit;
  // What is less than a nanosecond is dropped.
  for (const char digit : fraction) number += (unit /= 10) * (digit - '0');
  return good(std::chrono::nanoseconds(number));
}

/// A user or group by name; `look_up` is getpwnam_r or getgrnam_r, which want a buffer of unknown size.
template <class Entry, class LookUp, class Id>
ReadValue read_identity(std::string_view text, std::string_view kind, LookUp look_up, Id Entry::*id) {
  if (!text.empty() && is_digit(text[0])) return read_integer(text, {0, std::numeric_limits<Id>::max() - 1});
  const std::string name(text);
  std::vector<char> buffer(1024);
  Entry entry{};
  Entry* found = nullptr;
  while (look_up(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == ERANGE)
    buffer.resize(buffer.size() * 2);
  if (found == nullptr) return bad("there is no " + std::string(kind) + ' ' + quoted(text));
  return good(static_cast<std::int64_t>(entry.*id));
}

ReadValue read_boolean(std::string_view text) {
  if (text == "0" || text == "1") return good(text == "1");
  ReadValue neither = bad(quoted(text) + " is neither 0 nor 1");
  neither.is_no_number = text.empty() || !is_digit(text[0]);
  return neither;
}

ReadValue read_text(std::string_view text, std::string_view choices) {
  if (choices.empty()) return good(std::string(text));
  for (auto rest = choices; !rest.empty();) {
    const auto bar = rest.find('|');
    if (rest.substr(0, bar) == text) return good(std::string(text));
    rest = bar == rest.npos ? std::string_view{} : rest.substr(bar + 1);
  }
  std::string list;
  for (const char c : choices) c == '|' ? list += ", " : list += c;
  return bad(quoted(text) + " is not one of " + list);
}

/// What the parts of a value of several parts are: so many numbers, then what is passed by its place.
struct Shape {
  ValueType type;
  std::size_t numbers;
  enum Last { nothing, number, text, data } last;
  std::string_view form;
};

constexpr std::array shapes = {
    Shape{ValueType::binary, 0, Shape::data, "<data>"},
    Shape{ValueType::int_int, 2, Shape::nothing, "<int>:<int>"},
    Shape{ValueType::int_unsigned_long, 2, Shape::nothing, "<int>:<unsigned>"},
    Shape{ValueType::int_triple, 3, Shape::nothing, "<int>:<int>:<int>"},
    Shape{ValueType::int_intp, 1, Shape::number, "<int>:<int>"},
    Shape{ValueType::int_text, 1, Shape::text, "<int>:<string>"},
    Shape{ValueType::int_binary, 1, Shape::data, "<int>:<data>"},
    Shape{ValueType::int_int_int, 2, Shape::number, "<int>:<int>:<int>"},
    Shape{ValueType::int_int_text, 2, Shape::text, "<int>:<int>:<string>"},
    Shape{ValueType::int_int_binary, 2, Shape::data, "<int>:<int>:<data>"},
};

/// Numbers that are bits (requests of ioctl(2)) may use all 32 of them.
constexpr Bounds bits_of_int = {std::numeric_limits<int>::min(), std::numeric_limits<unsigned>::max()};

ReadValue read_parts(std::string_view text, const Shape& shape) {
  Numbered value;
  for (std::size_t i = 0; i < shape.numbers; ++i) {
    const bool last = i + 1 == shape.numbers && shape.last == Shape::nothing;
    const auto colon = last ? text.size() : text.find(':');
    if (colon == text.npos) return bad("expects " + std::string(shape.form));
    auto number = read_integer(text.substr(0, colon), bits_of_int);
    if (!number.complaint.empty()) return number;
    value.numbers.push_back(std::get<std::int64_t>(number.value));
    text.remove_prefix(std::min(colon + 1, text.size()));
  }
  if (shape.last == Shape::text) value.data = std::string(text) + '\0';
  if (shape.last == Shape::number) {
    auto number = read_integer(text, bits_of_int);
    if (!number.complaint.empty()) return number;
    const auto plain = static_cast<int>(std::get<std::int64_t>(number.value));
    value.data.assign(reinterpret_cast<const char*>(&plain), sizeof plain);
  }
  if (shape.last == Shape::data) {
    auto data = read_binary(text);
    if (!data.complaint.empty()) return bad(std::move(data.complaint));
    value.data = std::move(data.bytes);
  }
  return good(std::move(value));
}

/// The bounds of a type that is a plain number.
std::optional<Bounds> number_bounds(ValueType type) {
  using Int = std::numeric_limits<int>;
  switch (type) {
    case ValueType::byte:
      return Bounds{0, 255};
    case ValueType::integer:
    case ValueType::integer_or_nothing:
    case ValueType::linger:
      return Bounds{Int::min(), Int::max()};
    case ValueType::long_integer:
      return Bounds{};
    case ValueType::unsigned_integer:
      return Bounds{0, std::numeric_limits<unsigned>::max()};
    case ValueType::unsigned_short:
      return Bounds{0, 65535};
    default:
      return std::nullopt;
  }
}

ReadValue value_without_text(ValueType type) {
  if (type == ValueType::boolean || type == ValueType::constant) return good(true);
  // As socat has it, even of offsets.
  if (type == ValueType::offset) return good(std::int64_t{1});
  if (type == ValueType::text_or_nothing) return good(std::monostate{});
  if (type != ValueType::linger && number_bounds(type)) return good(std::int64_t{1});
  return bad("needs a value");
}

}  // namespace

ReadValue read_value(const OptionRow& row, std::optional<std::string_view> text) {
  if (!text) return value_without_text(row.type);
  // `reuseaddr=` leaves the choice to the system.
  if (row.type == ValueType::integer_or_nothing && text->empty()) return good(std::monostate{});
  if (const auto bounds = number_bounds(row.type)) return read_integer(*text, *bounds);
  for (const Shape& shape : shapes)
    if (shape.type == row.type) return read_parts(*text, shape);
  switch (row.type) {
    case ValueType::boolean:
      return read_boolean(*text);
    case ValueType::constant:
      return bad("takes no value");
    case ValueType::size:
      return read_integer(*text, {0, int64_most}, true);
    case ValueType::offset:
      return read_integer(*text, {}, true);
    case ValueType::mode:
      return read_mode(*text);
    case ValueType::user:
      return read_identity<passwd>(*text, "user", ::getpwnam_r, &passwd::pw_uid);
    case ValueType::group:
      return read_identity<struct group>(*text, "group", ::getgrnam_r, &group::gr_gid);
    case ValueType::timeval:
    case ValueType::timespec:
      return read_duration(*text);
    default:
      return read_text(*text, row.choices);
  }
}

}  // namespace sluice
