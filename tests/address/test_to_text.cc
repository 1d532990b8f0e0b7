#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "corpus.h"
#include "sluice/address/address.h"

namespace sluice {
namespace {

// Addresses may stand beside options of other groups here, so that more mutations are well formed.
constexpr Rules any = {.any_group = true};

void expect_identity(std::string_view source) {
  const auto once = parse_specification(source, any);
  const auto text = to_text(once);
  try {
    const auto twice = parse_specification(text, any);
    EXPECT_TRUE(once == twice) << source << "\nbecame " << text;
    EXPECT_EQ(to_text(twice), text) << source;
  } catch (const AddressError& error) {
    ADD_FAILURE() << source << "\nbecame " << text << "\nwhich is refused: " << error.what();
  }
}

TEST(ToText, ParsesToTheSameValueAgain) {
  for (const auto source : corpus) expect_identity(source);
}

TEST(ToText, IsCanonical) {
  struct {
    std::string_view source, text;
  } constexpr rows[] = {
      {"-", "STDIO"},
      {"3", "FD:3"},
      {"/x,rdonly", "GOPEN:/x,o-rdonly"},
      {"tcp-l:'80',ReuseAddr=,FORK", "TCP-LISTEN:80,so-reuseaddr=,fork"},
      {"tcp:[::1]:80", "TCP-CONNECT:[::1]:80"},
      {"TCP:\\::80", "TCP-CONNECT:':':80"},
      {"open:a\\:b", "OPEN:'a:b'"},
      {"open:it\\'s", "OPEN:'it\\'s'"},
      {"open:a\\\\b", "OPEN:'a\\\\b'"},
      {"open:'[x'", "OPEN:'[x'"},
      {"open:'x]'", "OPEN:x]"},
      {"text:a!", "TEXT:'a!'"},
      {"text:\"\"!!-", "TEXT:!!STDIO"},
      {"exec:'a b',path='/bin:/sbin'", "EXEC:a b,path=/bin:/sbin"},
      {"exec:a,path='b,c'", "EXEC:a,path='b,c'"},
  };
  for (const auto& row : rows) EXPECT_EQ(to_text(parse_specification(row.source)), row.text) << row.source;
}

/// One to four edits: bytes taken out, put in, doubled, exchanged, or the tail of another argument put
/// behind.
std::string mutated(std::string_view source, std::mt19937& random) {
  constexpr std::string_view alphabet = ":,=!'\"\\([{)]}-/ 019kaxt\n\t\xc3\xa4";
  std::string text(source);
  const auto below = [&](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  for (auto edits = 1 + below(4); edits > 0; --edits) {
    const auto place = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        text.erase(place, 1 + below(3));
        break;
      case 1:
        text.insert(place, 1, alphabet[below(alphabet.size())]);
        break;
      case 2:
        text.insert(place, text.substr(below(text.size()), below(8)));
        break;
      case 3:
        if (place < text.size()) text[place] = alphabet[below(alphabet.size())];
        break;
      default:
        const auto other = corpus[below(corpus.size())];
        text = text.substr(0, place) + std::string(other.substr(below(other.size())));
    }
  }
  return text;
}

TEST(ToText, ParsesToTheSameValueAgainAfterAnyMutation) {
  std::mt19937 random(20240607);
  std::size_t well_formed = 0;
  for (int round = 0; round < 300; ++round)
    for (const auto source : corpus) {
      const auto text = mutated(source, random);
      try {
        parse_specification(text, any);
      } catch (const AddressError& error) {
        const std::string_view what = error.what();
        const auto& detail = error.detail();
        EXPECT_EQ(what.find('\n'), what.npos) << text;
        EXPECT_EQ(std::count(detail.begin(), detail.end(), '\n'), 1) << text;
        EXPECT_EQ(detail.back(), '^') << text;
        continue;
      }
      ++well_formed;
      expect_identity(text);
      if (HasFailure()) return;
    }
  EXPECT_GT(well_formed, 1000u);
}

}  // namespace
}  // namespace sluice
