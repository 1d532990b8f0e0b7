#include "sluice/text/upper.h"

#include <gtest/gtest.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/ucasemap.h>
#include <unicode/uchar.h>

#include <random>
#include <string>
#include <vector>

#include "sluice/text/case_tables.h"
#include "sluice/text/kernels.h"
#include "sluice/text/utf8.h"
#include "utf8_of.h"

namespace sluice {
namespace {

using testing::utf8_of;

using Pieces = std::vector<std::string_view>;

std::string upper_of(const Pieces& pieces, const UpperRules& rules = {}) {
  const auto filter = upper_filter(rules);
  Output out;
  for (const std::string_view piece : pieces) filter->feed(piece, out);
  filter->finish(out);
  return std::string(as_text(out.data()));
}

std::string upper_of(std::string_view text, const UpperRules& rules = {}) {
  return upper_of(Pieces{text}, rules);
}

/// Every code point but the surrogates.
std::vector<char32_t> every_character() {
  std::vector<char32_t> all;
  for (char32_t code = 0; code < 0x110000; ++code)
    if (code < 0xD800 || code > 0xDFFF) all.push_back(code);
  return all;
}

/// ICU, which knows the same version of Unicode.
class Oracle {
 public:
  explicit Oracle(const char* locale) {
    UErrorCode error = U_ZERO_ERROR;
    map_ = ucasemap_open(locale, 0, &error);
    EXPECT_TRUE(U_SUCCESS(error));
  }
  ~Oracle() { ucasemap_close(map_); }
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;

  std::string upper(std::string_view text) {
    std::string out(text.size() * 3 + 16, '\0');
    UErrorCode error = U_ZERO_ERROR;
    const auto size = ucasemap_utf8ToUpper(map_, out.data(), static_cast<std::int32_t>(out.size()),
                                           text.data(), static_cast<std::int32_t>(text.size()), &error);
    EXPECT_TRUE(U_SUCCESS(error)) << u_errorName(error);
    out.resize(static_cast<std::size_t>(size));
    return out;
  }

 private:
  UCaseMap* map_ = nullptr;
};

/// Its canonical composition. Where ή keeps its accent, ICU 72 puts that out as a character of its own.
std::string composed(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  icu::Normalizer2::getNFCInstance(error)->normalizeUTF8(
      0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())), sink, nullptr, error);
  EXPECT_TRUE(U_SUCCESS(error));
  return out;
}

std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
    out += ' ';
  }
  return out;
}

/// The same at random, over and over.
class Random {
 public:
  std::size_t below(std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most - 1)(engine_);
  }
  template <class Values>
  const auto& one_of(const Values& values) {
    return values[below(values.size())];
  }
  /// Cuts a text into pieces, empty ones among them.
  Pieces cut(std::string_view text, std::size_t longest) {
    Pieces pieces;
    while (!text.empty()) {
      const std::size_t size = std::min(text.size(), below(longest + 1));
      pieces.push_back(text.substr(0, size));
      text.remove_prefix(size);
    }
    return pieces;
  }

 private:
  std::mt19937_64 engine_{20221115};
};

struct Row {
  std::string_view in, out;
};

TEST(Upper, IsFullAndLeavesWhatIsNoCharacter) {
  for (const Row& row : {
           Row{"", ""},
           Row{"labi", "LABI"},
           Row{"`az{@AZ[", "`AZ{@AZ["},
           Row{{"a\0b", 3}, {"A\0B", 3}},
           Row{"straße ŉ ﬁ ﬃ ΐ ǰ", "STRASSE ʼN FI FFI Ι\u0308\u0301 J\u030c"},
           Row{"ᾳ ᾀ ᾼ ᾷ", "ΑΙ ἈΙ ΑΙ Α͂Ι"},
           Row{"σς ǆ ǅ ı ſ µ ÿ ა ꭰ 𐐨", "ΣΣ Ǆ Ǆ I S Μ Ÿ Ა Ꭰ 𐐀"},
           Row{"ação Ελλάδα Москва tiếng Việt 日本語 👍", "AÇÃO ΕΛΛΆΔΑ МОСКВА TIẾNG VIỆT 日本語 👍"},
           Row{"i\xff"
               "a",
               "I\xff"
               "A"},
           Row{"\xc3", "\xc3"},
           Row{"\xc3x", "\xc3X"},
           Row{"\xe2\x82x", "\xe2\x82X"},
           Row{"\xe3\x81\xc3\xa0", "\xe3\x81\xc3\x80"},
           Row{"\xed\xa0\x80 \xc0\xaf \xc1\xa1 \xe0\x81\xa1 \xf0\x80\x90\xa8 \xf4\x90\x80\x80 \xf8",
               "\xed\xa0\x80 \xc0\xaf \xc1\xa1 \xe0\x81\xa1 \xf0\x80\x90\xa8 \xf4\x90\x80\x80 \xf8"},
       })
    EXPECT_EQ(upper_of(row.in), row.out);
}

TEST(Upper, FollowsItsRules) {
  struct RuledRow {
    UpperRules rules;
    std::string_view in, out;
  };
  for (const RuledRow& row : {
           RuledRow{{.locale = CaseLocale::tr}, "ıiIİ straße", "IİIİ STRASSE"},
           RuledRow{{.locale = CaseLocale::az}, "i", "İ"},
           RuledRow{{.locale = CaseLocale::lt},
                    "i\u0307\u0300 į\u0307 x\u0307 i\u0323\u0307 i\u0300\u0307",
                    "I\u0300 Į X\u0307 I\u0323 I\u0300\u0307"},
           RuledRow{{.locale = CaseLocale::el},
                    "άέ ΐ όϊ αύριο ή άυλος Πατάτα, ή;",
                    "ΑΕ Ϊ ΟΪ ΑΥΡΙΟ Ή ΑΫΛΟΣ ΠΑΤΑΤΑ, Ή;"},
           RuledRow{{.locale = CaseLocale::hy}, "Երևան և ﬓ", "ԵՐԵՎԱՆ ԵՎ ՄՆ"},
           RuledRow{{}, "Երևան", "ԵՐԵՒԱՆ"},
           RuledRow{{.capital_sharp_s = true}, "straße ẞ", "STRAẞE ẞ"},
           RuledRow{{.locale = CaseLocale::el, .capital_sharp_s = true}, "ß", "ẞ"},
           RuledRow{{.ascii = true}, "straße é", "STRAßE é"},
       })
    EXPECT_EQ(upper_of(row.in, row.rules), row.out) << row.in;
}

TEST(CaseLocale, IsWhatTheEnvironmentCallsIt) {
  using enum CaseLocale;
  struct LocaleRow {
    std::string_view name;
    std::optional<CaseLocale> locale;
  };
  for (const auto& [name, locale] : {
           LocaleRow{"tr", tr},
           {"tr_TR", tr},
           {"tr-TR", tr},
           {"tr_TR.UTF-8", tr},
           LocaleRow{"TR", tr},
           {"tur", tr},
           {"az_AZ", az},
           {"az-Latn-AZ", az},
           LocaleRow{"lt", lt},
           {"lt_LT.utf8", lt},
           {"el_GR.UTF-8", el},
           {"el_GR@euro", el},
           LocaleRow{"el-polyton", el},
           {"hy_AM", hy},
           {"hy", hy},
           {"root", root},
           LocaleRow{"C", root},
           {"POSIX", root},
           {"C.UTF-8", root},
           {"C.utf8", root},
           LocaleRow{"en", root},
           {"en_US.UTF-8", root},
           {"de_DE@euro", root},
           {"xx", root},
           LocaleRow{"zh-Hant-TW", root},
           {"es-419", root},
           {"ru_RU.KOI8-R", root},
           {"sr_RS.UTF-8@latin", root},
           LocaleRow{"tl", root},
           {"trv", root},
           {"und", root},
           LocaleRow{"", {}},
           {"t", {}},
           {"xx!", {}},
           {"tr_", {}},
           LocaleRow{"tr-", {}},
           {"tr_TR.", {}},
           {"tr_TR@", {}},
           {"_TR", {}},
           LocaleRow{"-", {}},
           {".UTF-8", {}},
           {"@euro", {}},
           {"turkish", {}},
           LocaleRow{"tr TR", {}},
           {"tr_TR.UTF-8.x", {}},
           {"tr@a.b", {}},
           {"1", {}},
           LocaleRow{"tr__TR", {}},
           {"tr_TRTRTRTRTR", {}},
           {"tür", {}},
           {"tr\n", {}},
       })
    EXPECT_EQ(case_locale_of(name), locale) << name;
}

TEST(Upper, OfEveryCharacterIsWhatIcuSays) {
  ASSERT_EQ(case_tables::unicode_version.substr(0, 4), std::string_view(U_UNICODE_VERSION).substr(0, 4));
  for (std::size_t i = 0; i < case_locale_names.size(); ++i) {
    Oracle oracle(case_locale_names[i].data());
    const UpperRules rules{.locale = static_cast<CaseLocale>(i)};
    for (const char32_t code : every_character()) {
      const std::string text = utf8_of(code);
      const auto mine = upper_of(text, rules), theirs = oracle.upper(text);
      ASSERT_TRUE(rules.locale == CaseLocale::el ? composed(mine) == composed(theirs) : mine == theirs)
          << case_locale_names[i] << ' ' << shown(text);
    }
  }
}

/// Characters whose upper case is remarkable, and some that are around them.
std::vector<std::string> remarkable() {
  std::vector<std::string> all;
  for (const char32_t code : every_character())
    if (case_tables::upper_blocks[code].length != 0 || case_tables::greek_letter(code) != 0 ||
        (code >= 0x300 && code < 0x370))
      all.push_back(utf8_of(code));
  for (const std::string_view one :
       {"a", "i", "j", "Z", " ", "\n", "'", ".", "\u00ad", "\u2019", "日", "👍", "ʼ", "ª"})
    all.emplace_back(one);
  return all;
}

TEST(Upper, OfTextsAtRandomIsWhatIcuSaysHoweverTheyAreCut) {
  const std::vector<std::string> characters = remarkable();
  std::vector<std::string> greek;
  for (const std::string& one : characters)
    if (const Decoded found = decode_utf8(one); case_tables::greek_letter(found.code) != 0 ||
                                                (found.code >= 0x300 && found.code < 0x350) ||
                                                found.code < 0x80)
      greek.push_back(one);
  Random random;
  for (std::size_t i = 0; i < case_locale_names.size(); ++i) {
    Oracle oracle(case_locale_names[i].data());
    const UpperRules rules{.locale = static_cast<CaseLocale>(i)};
    const bool is_greek = rules.locale == CaseLocale::el;
    for (int round = 0; round < 200000; ++round) {
      std::string text;
      for (std::size_t left = 1 + random.below(12); left > 0; --left)
        text += random.one_of(is_greek && random.below(4) != 0 ? greek : characters);
      // Damage: a byte less, or another one.
      for (std::size_t left = random.below(4) == 0 ? random.below(3) : 0; left > 0 && !text.empty(); --left)
        if (const std::size_t at = random.below(text.size()); random.below(2) == 0)
          text.erase(at, 1);
        else
          text[at] = static_cast<char>(random.below(256));
      const auto mine = upper_of(text, rules), theirs = oracle.upper(text);
      ASSERT_EQ(shown(is_greek ? composed(mine) : mine), shown(is_greek ? composed(theirs) : theirs))
          << case_locale_names[i] << ' ' << shown(text);
      ASSERT_EQ(shown(upper_of(random.cut(text, 5), rules)), shown(mine))
          << case_locale_names[i] << " in pieces: " << shown(text);
    }
  }
}

TEST(Upper, OfEveryPairAcrossABoundaryIsThatOfTheWhole) {
  const std::vector<std::string> characters = remarkable();
  for (const std::string& first : characters) {
    const std::string wanted = upper_of(first);
    for (const std::string_view second : {"é", "ß", "a", "日", "\xff", "\xa9"})
      for (std::size_t cut = 1; cut <= first.size(); ++cut) {
        const std::string text = first + std::string(second);
        ASSERT_EQ(upper_of(Pieces{std::string_view(text).substr(0, cut), std::string_view(text).substr(cut)}),
                  wanted + upper_of(second));
      }
  }
}

TEST(Upper, HoldsNoMoreBackThanTheBeginningOfACharacter) {
  const auto filter = upper_filter();
  Output out;
  filter->feed(std::string_view("one \xf0\x90\x90"), out);
  EXPECT_EQ(as_text(out.data()), "ONE ");
  filter->feed(std::string_view("\xa8"), out);
  EXPECT_EQ(as_text(out.data()), "ONE 𐐀");
  filter->feed(std::string_view("\xc3"), out);
  filter->feed(std::string_view("two\xe2\x82"), out);
  EXPECT_EQ(as_text(out.data()), "ONE 𐐀\xc3TWO");
  filter->finish(out);
  EXPECT_EQ(as_text(out.data()), "ONE 𐐀\xc3TWO\xe2\x82");
}

TEST(Upper, OfGreekLooksOnlySoFarAhead) {
  const auto filter = upper_filter({.locale = CaseLocale::el});
  Output out;
  filter->feed(std::string_view("ή"), out);
  EXPECT_TRUE(out.empty());
  const std::string apostrophes(kib(64) + 1, '\'');
  filter->feed(apostrophes, out);
  EXPECT_EQ(as_text(out.data()), "Ή" + apostrophes);
}

TEST(UpperAscii, KnowsEveryByteAtEveryLengthAndAlignment) {
  std::string source;
  for (int c = 0; c < 1024; ++c) source += static_cast<char>(c % 7 == 0 ? 'a' + c % 26 : c);
  const auto slow = [](std::string text) {
    for (char& c : text)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    return text;
  };
  for (std::size_t start : {0, 1, 7, 31, 63})
    for (std::size_t size = 0; size < 300; ++size) {
      const std::string text = source.substr(start, size);
      std::string copied(size, '?');
      upper_ascii(text, copied);
      ASSERT_EQ(copied, slow(text));
      std::string in_place = text;
      upper_ascii(in_place, in_place);
      ASSERT_EQ(in_place, slow(text));
    }
}

}  // namespace
}  // namespace sluice
