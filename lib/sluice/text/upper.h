#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "sluice/text/filter.h"

namespace sluice {

/// Languages whose upper case differs from that of all others, the root locale's. Source: SpecialCasing.txt
/// of the Unicode Character Database, and CLDR's rules for Greek.
enum class CaseLocale {
  root,
  tr,  ///< Turkish: i becomes İ
  az,  ///< Azerbaijani: as Turkish
  lt,  ///< Lithuanian: the dot that an i keeps under an accent vanishes
  el,  ///< Greek: accents vanish, but for that of ή (or)
};
inline constexpr std::array<std::string_view, 5> case_locale_names = {"root", "tr", "az", "lt", "el"};

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
