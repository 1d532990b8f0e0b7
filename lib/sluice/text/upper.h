#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "sluice/text/filter.h"

namespace sluice {

/// Languages whose upper case differs from that of all others, the root locale's. Source: SpecialCasing.txt
/// of the Unicode Character Database, and CLDR's rules for Greek and Armenian.
enum class CaseLocale {
  root,
  tr,  ///< Turkish: i becomes İ
  az,  ///< Azerbaijani: as Turkish
  lt,  ///< Lithuanian: the dot that an i keeps under an accent vanishes
  el,  ///< Greek: accents vanish, but for that of ή (or)
  hy,  ///< Armenian: և becomes ԵՎ, not ԵՒ
};
inline constexpr std::array<std::string_view, 6> case_locale_names = {"root", "tr", "az", "lt", "el", "hy"};

/// The rules of a locale as POSIX or BCP 47 writes its name: a language, and behind it what does not matter
/// here
/// (`el_GR.UTF-8`, `az-Latn-AZ`, `de_DE@euro`). C, POSIX and languages without rules of their own are the
/// root. Nothing if it is not well-formed.
std::optional<CaseLocale> case_locale_of(std::string_view name);

struct UpperRules {
  CaseLocale locale = CaseLocale::root;
  bool capital_sharp_s = false;  ///< ß becomes ẞ (U+1E9E) instead of SS
  bool ascii = false;            ///< a to z alone, and nothing else
};

/// Puts `in` with its ASCII letters in upper case at the beginning of `out`; every other byte stays as it is.
/// `out` is at least as long as `in`, and is `in` or does not overlap it.
void upper_ascii(ConstBytes in, Bytes out);

/// Upper case as a filter of UTF-8, full as Unicode has it (section 3.13, R1 toUppercase): ß becomes SS, and
/// a text may grow to 3 times its size. Bytes that are no well-formed UTF-8 stay as they are. What may be the
/// beginning of a character, up to 3 bytes, is held back until the next piece or the end. In Lithuanian and
/// Greek a character depends on those before it, in Greek also on those after it: up to 64 KiB are held back
/// then.
std::unique_ptr<Filter> upper_filter(const UpperRules& rules = {});

}  // namespace sluice
