#include "sluice/text/upper.h"

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

}  // namespace

void upper_ascii(ConstBytes in, Bytes out) { kernels().upper_ascii(in.data(), in.size(), out.data()); }

std::unique_ptr<Filter> upper_filter(const UpperRules& rules) {
  if (rules.ascii) return std::make_unique<AsciiUpper>();
  UpperVariant variant{.capital_sharp_s = rules.capital_sharp_s};
  switch (rules.locale) {
    case CaseLocale::lt:
      return lithuanian_upper(variant);
    case CaseLocale::el:
      return greek_upper(variant);
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
