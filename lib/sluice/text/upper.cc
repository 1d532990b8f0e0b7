#include "sluice/text/upper.h"

#include <algorithm>
#include <string>

#include "sluice/text/kernels.h"
#include "sluice/text/upper_languages.h"
#include "sluice/text/whole_characters.h"

namespace sluice {
namespace {

class AsciiUpper final : public Filter {
 public:
  void feed(ConstBytes in, Output& out) override {
    upper_ascii(in, out.room(in.size()));
    out.added(in.size());
  }
  void finish(Output&) override {}
};

/// A character's upper case is its own affair.
class PlainUpper final : public WholeCharacters {
 public:
  explicit PlainUpper(const UpperVariant& variant) : variant_(variant) {}

 private:
  std::size_t take(ConstBytes text, Output& out) override {
    // So much at a time that what it may grow to stays in the cache.
    constexpr std::size_t slice = kib(64);
    constexpr std::size_t growth = 3;
    const char* in = text.data();
    const char* const end = in + text.size();
    for (;;) {
      const auto size = std::min(slice, static_cast<std::size_t>(end - in));
      const Bytes room = out.room(size * growth + kernel_slack);
      const Reached reached = kernels().upper(in, in + size, room.data(), variant_);
      out.added(static_cast<std::size_t>(reached.out - room.data()));
      const bool last = in + size == end;
      in = reached.in;
      if (last) return static_cast<std::size_t>(in - text.data());
    }
  }

  UpperVariant variant_;
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_letter_or_digit(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// What the languages are called by two letters and by three (ISO 639), and the root's names.
struct LocaleName {
  std::string_view name;
  CaseLocale locale;
};
constexpr std::array locale_names = {
    LocaleName{"tr", CaseLocale::tr},      LocaleName{"tur", CaseLocale::tr},
    LocaleName{"az", CaseLocale::az},      LocaleName{"aze", CaseLocale::az},
    LocaleName{"lt", CaseLocale::lt},      LocaleName{"lit", CaseLocale::lt},
    LocaleName{"el", CaseLocale::el},      LocaleName{"ell", CaseLocale::el},
    LocaleName{"gre", CaseLocale::el},     LocaleName{"hy", CaseLocale::hy},
    LocaleName{"hye", CaseLocale::hy},     LocaleName{"arm", CaseLocale::hy},
    LocaleName{"root", CaseLocale::root},  LocaleName{"c", CaseLocale::root},
    LocaleName{"posix", CaseLocale::root},
};

/// Takes what stands behind a mark, if it is there; whether that is well-formed.
bool take_part(std::string_view& text, char mark, std::string_view others) {
  if (!text.starts_with(mark)) return true;
  text.remove_prefix(1);
  const auto end = std::ranges::find_if_not(
      text, [others](char c) { return is_letter_or_digit(c) || others.find(c) != others.npos; });
  const auto length = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(length);
  return length > 0;
}

}  // namespace

std::optional<CaseLocale> case_locale_of(std::string_view name) {
  const auto language_end = std::ranges::find_if_not(name, is_letter);
  const std::string language = lower(name.substr(0, static_cast<std::size_t>(language_end - name.begin())));
  std::string_view rest = name.substr(language.size());
  constexpr std::size_t longest_part = 8;  // RFC 5646, 2.1
  while (rest.starts_with('_') || rest.starts_with('-')) {
    const std::size_t before = rest.size();
    if (!take_part(rest, rest[0], "") || before - rest.size() > longest_part + 1) return {};
  }
  if (!take_part(rest, '.', "-_") || !take_part(rest, '@', "-_=,;") || !rest.empty()) return {};
  const auto* const row = std::ranges::find(locale_names, language, &LocaleName::name);
  if (row != locale_names.end()) return row->locale;
  if (language.size() != 2 && language.size() != 3) return {};
  return CaseLocale::root;
}

void upper_ascii(ConstBytes in, Bytes out) { kernels().upper_ascii(in.data(), in.size(), out.data()); }

std::unique_ptr<Filter> upper_filter(const UpperRules& rules) {
  if (rules.ascii) return std::make_unique<AsciiUpper>();
  UpperVariant variant{.capital_sharp_s = rules.capital_sharp_s};
  switch (rules.locale) {
    case CaseLocale::lt:
      return lithuanian_upper(variant);
    case CaseLocale::el:
      return greek_upper(variant);
    case CaseLocale::hy:
      return armenian_upper(variant);
    case CaseLocale::tr:
    case CaseLocale::az:
      variant.dotted_i = true;
      [[fallthrough]];
    case CaseLocale::root:
      return std::make_unique<PlainUpper>(variant);
  }
  return nullptr;
}

}  // namespace sluice
