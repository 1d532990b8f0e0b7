#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// What the Unicode Character Database says about upper case. The data are in case_tables.cc, which
/// case_tables.py makes; sources: UnicodeData.txt, SpecialCasing.txt, PropList.txt,
/// DerivedCoreProperties.txt.
namespace sluice::case_tables {

/// A character's upper case in UTF-8: up to three characters, and up to 3 times as long as it was.
struct Upper {
  char bytes[7];
  std::uint8_t length;  ///< 0: it is its own upper case
};

/// What languages and options put in another's place.
inline constexpr Upper capital_dotted_i = {"İ", 2};
inline constexpr Upper capital_sharp_s = {"ẞ", 3};

/// A value for each code point: equal blocks of 64 are kept once, number 0 is the one without any value.
/// In UTF-8 the last byte of a character picks the value in its block, the bytes before it the block.
template <class Value>
struct Blocks {
  using Block = std::array<Value, 64>;

  std::span<const std::uint8_t> numbers;
  std::span<const Block> blocks;

  constexpr std::size_t number(std::size_t of_block) const {
    return of_block < numbers.size() ? numbers[of_block] : 0;
  }
  constexpr const Value& operator[](char32_t code) const { return blocks[number(code / 64)][code % 64]; }
};

/// Bits of a character's traits.
enum Traits : std::uint8_t {
  soft_dotted = 1,     ///< its dot vanishes under an accent, as that of i
  above = 2,           ///< an accent above: combining class 230
  other_mark = 4,      ///< another accent: its combining class is neither 0 nor 230
  cased = 8,           ///< has case (Cased)
  case_ignorable = 16  ///< looked through by rules about cased neighbours (Case_Ignorable)
};

/// Bits of a Greek letter: what it is besides its plain capital.
enum GreekLetter : std::uint16_t {
  greek_capital = 0x0fff,  ///< the code point of the capital without marks
  greek_vowel = 0x1000,
  greek_ypogegrammeni = 0x2000,
  greek_accent = 0x4000,
  greek_dialytika = 0x8000
};

extern const std::string_view unicode_version;
extern const Blocks<Upper> upper_blocks;
extern const Blocks<std::uint8_t> traits_blocks;
/// What a Greek letter consists of; 0 for everything else.
std::uint16_t greek_letter(char32_t code);

}  // namespace sluice::case_tables
