#include "sluice/cli/quote.h"

#include <locale.h>
#include <wctype.h>

#include <array>
#include <cerrno>
#include <cwchar>

#include "sluice/core/visible.h"

namespace sluice {
namespace {

bool printable_ascii(char c) { return c >= ' ' && c <= '~'; }

/// The user's own locale, and errno kept, for as long as a name is looked at: the tools never set one, since
/// that costs start-up.
class UserLocale {
 public:
  UserLocale() : locale_(::newlocale(LC_CTYPE_MASK, "", nullptr)) {
    if (locale_ != nullptr) before_ = ::uselocale(locale_);
  }
  ~UserLocale() {
    if (locale_ != nullptr) {
      ::uselocale(before_);
      ::freelocale(locale_);
    }
    errno = error_;
  }
  UserLocale(const UserLocale&) = delete;
  UserLocale& operator=(const UserLocale&) = delete;

 private:
  int error_ = errno;
  locale_t locale_;
  locale_t before_ = nullptr;
};

/// The length of the printable character of several bytes that the text begins with; 0 if there is none. What
/// turns the direction of writing is printable for the C library, and is not here.
std::size_t printable_character(std::string_view text) {
  std::mbstate_t state{};
  wchar_t character = 0;
  const std::size_t length = std::mbrtowc(&character, text.data(), text.size(), &state);
  const bool whole = length >= 1 && length <= text.size();
  const bool printable = whole && ::iswprint(static_cast<wint_t>(character)) != 0;
  return printable && is_visible(static_cast<char32_t>(character)) ? length : 0;
}

bool plain_word(std::string_view name) {
  if (name.empty() || name == "{" || name == "}") return false;
  if (name.front() == '#' || name.front() == '~') return false;
  return name.find_first_of(" !\"$&'()*:;<=>?[\\^`|") == name.npos;
}

bool suits_double_quotes(std::string_view name) {
  return name.find('\'') != name.npos && name.find_first_of("!\"#$&()*;<=>?[\\^`|~{}") == name.npos;
}

void append_octal(std::string& out, char byte) {
  const auto value = static_cast<unsigned char>(byte);
  out += '\\';
  for (const int shift : {6, 3, 0}) out += static_cast<char>('0' + (value >> shift & 7));
}

void append_escape(std::string& out, char byte) {
  struct Row {
    char byte, letter;
  };
  static constexpr std::array rows = {Row{'\a', 'a'}, Row{'\b', 'b'}, Row{'\f', 'f'}, Row{'\n', 'n'},
                                      Row{'\r', 'r'}, Row{'\t', 't'}, Row{'\v', 'v'}};
  for (const Row& row : rows)
    if (row.byte == byte) return (out += '\\') += row.letter, void();
  append_octal(out, byte);
}

struct Scanned {
  std::string quoted;  ///< in single quotes, with $'..' around what cannot be printed
  bool printable = true;
};

Scanned scan(std::string_view name) {
  const UserLocale locale;
  Scanned result{.quoted = "'"};
  std::string& out = result.quoted;
  bool escaping = false;
  for (std::size_t i = 0; i < name.size();) {
    const std::size_t length = printable_ascii(name[i]) ? 1 : printable_character(name.substr(i));
    if (length == 0) {
      if (!escaping) out += "'$'";
      append_escape(out, name[i++]);
      escaping = true;
      result.printable = false;
      continue;
    }
    if (name[i] == '\'') {
      out += "'\\''";
    } else {
      if (escaping) out += "''";
      out += name.substr(i, length);
    }
    escaping = false;
    i += length;
  }
  out += '\'';
  return result;
}

}  // namespace

std::string quoted(std::string_view name) {
  Scanned scanned = scan(name);
  if (scanned.printable && suits_double_quotes(name)) return '"' + std::string(name) + '"';
  return std::move(scanned.quoted);
}

std::string quoted_if_needed(std::string_view name) {
  if (plain_word(name) && scan(name).printable) return std::string(name);
  return quoted(name);
}

}  // namespace sluice
