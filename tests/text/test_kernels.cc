#include "sluice/text/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "utf8_of.h"

namespace sluice {
namespace {

using testing::utf8_of;

/// The upper case of a text that comes in two pieces; what the kernel leaves at the end of one comes again.
std::string upper(const Kernels& kernels, const std::string& text, const UpperVariant& variant = {},
                  std::size_t cut = 0) {
  std::string result;
  std::size_t taken = 0;
  for (const std::size_t end : {cut, text.size()}) {
    // Exactly as much memory as a kernel may use, so that a sanitizer sees more.
    std::vector<char> in(text.begin() + static_cast<std::ptrdiff_t>(taken),
                         text.begin() + static_cast<std::ptrdiff_t>(end));
    std::vector<char> out(3 * in.size() + kernel_slack);
    const Reached reached = kernels.upper(in.data(), in.data() + in.size(), out.data(), variant);
    result.append(out.data(), reached.out);
    taken += static_cast<std::size_t>(reached.in - in.data());
    EXPECT_LE(end - taken, 3U);
  }
  return result + text.substr(taken);
}

/// Texts that are likely to take every way through a kernel.
class Texts {
 public:
  std::string next() {
    const std::size_t size = below(400);
    std::string text;
    const auto script = below(std::size(scripts) + 1);
    while (text.size() < size) {
      const Script& one =
          scripts[script == std::size(scripts) || below(8) == 0 ? below(std::size(scripts)) : script];
      text += utf8_of(one.first + static_cast<char32_t>(below(one.last - one.first + 1)));
      if (below(4) == 0) text += static_cast<char>(' ' + below(95));
    }
    // Damage.
    for (std::size_t left = below(3) == 0 ? below(6) : 0; left > 0 && !text.empty(); --left)
      if (below(2) == 0)
        text.erase(below(text.size()), 1);
      else
        text[below(text.size())] = static_cast<char>(below(256));
    return text;
  }

 private:
  struct Script {
    char32_t first, last;
  };
  static constexpr Script scripts[] = {
      {0x20, 0x7E},       {0x80, 0x17F},      {0x180, 0x2AF},     {0x370, 0x3FF},   {0x400, 0x52F},
      {0x530, 0x5FF},     {0x600, 0x7FF},     {0x10A0, 0x10FF},   {0x13A0, 0x13FF}, {0x1E00, 0x1EFF},
      {0x1F00, 0x1FFF},   {0x2000, 0x21FF},   {0x2C00, 0x2DFF},   {0x3040, 0x30FF}, {0x4E00, 0x9FFF},
      {0xA640, 0xA7FF},   {0xAB30, 0xABBF},   {0xFB00, 0xFB1F},   {0xFF00, 0xFFEF}, {0x10400, 0x104FF},
      {0x16E40, 0x16E7F}, {0x1E900, 0x1E95F}, {0x1F600, 0x1F64F},
  };

  std::size_t below(std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most - 1)(engine_);
  }

  std::mt19937_64 engine_{1};
};

class EachIsa : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (GetParam() > best_isa())
      GTEST_SKIP() << "this processor has no " << isa_names[static_cast<int>(GetParam())];
  }
  const Kernels& kernels() const { return kernels_for(GetParam()); }
};

/// Those whose kernels are compared with the scalar one.
class VectorIsa : public EachIsa {};

TEST_P(VectorIsa, UpperIsThatOfTheScalarKernel) {
  Texts texts;
  for (int round = 0; round < 200000; ++round) {
    const std::string text = texts.next();
    const UpperVariant variant{.dotted_i = round % 3 == 0, .capital_sharp_s = round % 2 == 0};
    const std::string wanted = upper(scalar_kernels, text, variant);
    ASSERT_EQ(upper(kernels(), text, variant, text.size() * static_cast<std::size_t>(round % 11) / 10),
              wanted)
        << ::testing::PrintToString(text);
  }
}

TEST_P(VectorIsa, UpperOfEveryCharacterAtEveryPlaceIsThatOfTheScalarKernel) {
  for (char32_t code = 0x80; code < 0x20000; ++code) {
    const std::string one = utf8_of(code);
    std::string text(code % 70, 'x');
    while (text.size() < 140) text += one;
    ASSERT_EQ(upper(kernels(), text), upper(scalar_kernels, text)) << one;
  }
}

TEST_P(EachIsa, UpperAsciiAndCountsAreThoseOfASlowLoop) {
  std::string source;
  for (int c = 0; c < 1500; ++c) source += static_cast<char>(c % 5 == 0 ? 'a' + c % 26 : c * 7);
  for (std::size_t size = 0; size < 600; ++size) {
    const std::string text = source.substr(size, size);
    std::string upper(size, '\0'), slow = text;
    for (char& c : slow)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    kernels().upper_ascii(text.data(), size, upper.data());
    ASSERT_EQ(upper, slow);
    for (const char wanted : {'a', '\n', '\0', '\xff'})
      ASSERT_EQ(kernels().count_byte(text.data(), size, wanted),
                static_cast<std::uint64_t>(std::ranges::count(text, wanted)));
  }
}

std::string name_of(const ::testing::TestParamInfo<Isa>& one) {
  return std::string(isa_names[static_cast<int>(one.param)]);
}

INSTANTIATE_TEST_SUITE_P(Kernels, EachIsa, ::testing::Values(Isa::scalar, Isa::avx2, Isa::avx512), name_of);
INSTANTIATE_TEST_SUITE_P(Kernels, VectorIsa, ::testing::Values(Isa::avx2, Isa::avx512), name_of);

}  // namespace
}  // namespace sluice
