#include "sluice/text/upper_languages.h"

#include <optional>
#include <string>

#include "sluice/text/case_tables.h"
#include "sluice/text/utf8.h"
#include "sluice/text/whole_characters.h"

namespace sluice {
namespace {

using namespace case_tables;

void put(const Upper& upper, Output& out) { out.append(ConstBytes(upper.bytes).first(upper.length)); }

/// A code point below U+0800 and not ASCII.
void put(char32_t code, Output& out) {
  const char bytes[] = {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
  out.append(bytes);
}

/// Goes from character to character; what is none passes.
class ByCharacter : public WholeCharacters {
 public:
  explicit ByCharacter(const UpperVariant& variant) : variant_(variant) {}

 protected:
  /// A character, or, as code 0, bytes that are none.
  virtual void next(char32_t code, ConstBytes bytes, Output& out) = 0;

  /// What it becomes where nothing around it matters.
  void put_upper(char32_t code, ConstBytes bytes, Output& out) const {
    const Upper& upper = code == U'ß' && variant_.capital_sharp_s ? capital_sharp_s : upper_blocks[code];
    if (upper.length == 0)
      out.append(bytes);
    else
      put(upper, out);
  }

 private:
  std::size_t take(ConstBytes text, Output& out) final {
    for (ConstBytes left = text;;) {
      if (left.empty()) return text.size();
      const Decoded found = decode_utf8(left);
      if (found.what == Decoded::incomplete) return text.size() - left.size();
      next(found.code, left.first(found.length), out);
      left = left.subspan(found.length);
    }
  }

  UpperVariant variant_;
};

class LithuanianUpper final : public ByCharacter {
 public:
  using ByCharacter::ByCharacter;

 private:
  void next(char32_t code, ConstBytes bytes, Output& out) override {
    constexpr char32_t dot_above = 0x307;
    if (code != dot_above || !after_soft_dotted_) put_upper(code, bytes, out);
    const auto traits = traits_blocks[code];
    if ((traits & other_mark) == 0) after_soft_dotted_ = (traits & soft_dotted) != 0;
  }
  void end(Output&) override { after_soft_dotted_ = false; }

  bool after_soft_dotted_ = false;
};

class ArmenianUpper final : public ByCharacter {
 public:
  using ByCharacter::ByCharacter;

 private:
  void next(char32_t code, ConstBytes bytes, Output& out) override {
    constexpr char32_t ligature = 0x587, capital_yech = 0x535, capital_vev = 0x54E;
    if (code != ligature) return put_upper(code, bytes, out);
    put(capital_yech, out);
    put(capital_vev, out);
  }
  void end(Output&) override {}
};

class GreekUpper final : public ByCharacter {
 public:
  using ByCharacter::ByCharacter;

 private:
  /// A letter whose marks may still follow.
  struct Letter {
    std::uint16_t parts;
    bool combining_accent = false;
    bool combining_dialytika = false;
    std::size_t ypogegrammeni = 0;

    char32_t capital() const { return parts & greek_capital; }
    bool has(GreekLetter what) const { return (parts & what) != 0; }
    bool accented() const { return has(greek_accent) || combining_accent; }
    /// Takes a mark of its own.
    bool take(char32_t code) {
      switch (code) {
        case 0x344:  // dialytika and tonos
          combining_dialytika = true;
          [[fallthrough]];
        case 0x300:
        case 0x301:
        case 0x302:
        case 0x303:
        case 0x311:
        case 0x342:
          combining_accent = true;
          return true;
        case 0x308:
          combining_dialytika = true;
          return true;
        case 0x345:
          ++ypogegrammeni;
          return true;
        case 0x304:
        case 0x306:
        case 0x313:
        case 0x314:
        case 0x343:
          return true;
        default:
          return false;
      }
    }
  };

  static constexpr char32_t capital_eta = 0x397, capital_eta_with_tonos = 0x389, capital_iota = 0x399,
                            capital_upsilon = 0x3A5, tonos = 0x301, dialytika = 0x308;
  /// So much is looked through for what decides about a letter.
  static constexpr std::size_t farthest_look = kib(64);

  void next(char32_t code, ConstBytes bytes, Output& out) override {
    if (letter_ && passed_.empty() && letter_->take(code)) return;
    const auto traits = traits_blocks[code];
    if (letter_ && may_be_or()) {
      if ((traits & case_ignorable) != 0 && passed_.size() < farthest_look) {
        passed_.append(as_text(bytes));
        return;
      }
      put_letter((traits & cased) == 0 || (traits & case_ignorable) != 0, out);
    } else if (letter_) {
      put_letter(false, out);
    }
    if (const auto parts = greek_letter(code)) {
      letter_ = Letter{parts};
      letter_->ypogegrammeni = letter_->has(greek_ypogegrammeni) ? 1 : 0;
      return;
    }
    put_other(code, traits, bytes, out);
  }

  void end(Output& out) override {
    if (letter_) put_letter(may_be_or(), out);
    after_cased_ = false;
    after_lost_accent_ = false;
  }

  void put_other(char32_t code, std::uint8_t traits, ConstBytes bytes, Output& out) {
    put_upper(code, bytes, out);
    if ((traits & case_ignorable) == 0) after_cased_ = (traits & cased) != 0;
    after_lost_accent_ = false;
  }

  /// Whether the letter is the word "or", if no cased letter follows.
  bool may_be_or() const {
    return letter_->capital() == capital_eta && letter_->accented() && letter_->ypogegrammeni == 0 &&
           !after_cased_;
  }

  /// Puts the letter out, and what was looked through behind it.
  void put_letter(bool is_or, Output& out) {
    const Letter letter = *letter_;
    letter_.reset();
    char32_t capital = letter.capital();
    const bool iota_or_upsilon = capital == capital_iota || capital == capital_upsilon;
    const bool with_dialytika = letter.has(greek_dialytika) || (iota_or_upsilon && after_lost_accent_);
    bool add_dialytika = letter.combining_dialytika;
    bool add_tonos = false;
    after_lost_accent_ = letter.has(greek_vowel) && letter.accented() && !with_dialytika;
    if (is_or) {
      if (letter.has(greek_accent) && !add_dialytika)
        capital = capital_eta_with_tonos;
      else
        add_tonos = true;
    } else if (with_dialytika && iota_or_upsilon) {
      capital = capital == capital_iota ? 0x3AA : 0x3AB;
      add_dialytika = false;
    } else {
      add_dialytika |= with_dialytika;
    }
    put(capital, out);
    if (add_dialytika) put(dialytika, out);
    if (add_tonos) put(tonos, out);
    for (std::size_t i = 0; i < letter.ypogegrammeni; ++i) put(capital_iota, out);
    after_cased_ = true;
    const std::string passed = std::move(passed_);
    passed_.clear();
    for (ConstBytes left = passed; !left.empty();) {
      const Decoded found = decode_utf8(left);
      put_other(found.code, traits_blocks[found.code], left.first(found.length), out);
      left = left.subspan(found.length);
    }
  }

  std::optional<Letter> letter_;
  std::string passed_;  ///< behind the letter, while it is open whether that is "or"
  bool after_cased_ = false;
  bool after_lost_accent_ = false;  ///< of a vowel
};

}  // namespace

std::unique_ptr<Filter> lithuanian_upper(const UpperVariant& variant) {
  return std::make_unique<LithuanianUpper>(variant);
}

std::unique_ptr<Filter> armenian_upper(const UpperVariant& variant) {
  return std::make_unique<ArmenianUpper>(variant);
}

std::unique_ptr<Filter> greek_upper(const UpperVariant& variant) {
  return std::make_unique<GreekUpper>(variant);
}

}  // namespace sluice
