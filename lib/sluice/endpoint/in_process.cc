#include "sluice/endpoint/in_process.h"

#include "sluice/endpoint/families.h"
#include "sluice/stream/filtered.h"
#include "sluice/text/lines.h"
#include "sluice/text/upper.h"

namespace sluice {
namespace {

/// UPPER and COUNT-LINES: a filter of ours that answers what is written to it, without a process.
class InProcessFilter final : public Endpoint {
 public:
  InProcessFilter(const Context& context, FilterFactory make) : loop_(context.loop), make_(std::move(make)) {}

  std::size_t descriptors() const override { return 0; }
  Task<std::unique_ptr<Stream>> open(Session&) override { co_return answering(loop_, make_()); }

 private:
  Loop& loop_;
  FilterFactory make_;
};

UpperRules rules_of(const Address& address) {
  UpperRules rules{.ascii = address.flag("ascii")};
  const auto refuse = [&](const Option& option, const std::string& why) {
    throw AddressError(address, option.place, "option \"" + std::string(option.row->name) + "\": " + why);
  };
  if (const Option* option = address.find("locale")) {
    if (const auto locale = case_locale_of(option->text))
      rules.locale = *locale;
    else
      refuse(*option, '"' + option->text + "\" is not a language like tr, el_GR.UTF-8 or C");
  }
  if (const Option* option = address.find("sharp-s")) {
    rules.capital_sharp_s = option->text == "ẞ";
    if (!rules.capital_sharp_s && option->text != "SS")
      refuse(*option, '"' + option->text + "\" is not SS or ẞ");
  }
  for (const char* name : {"locale", "sharp-s"})
    if (const Option* option = address.find(name); option != nullptr && rules.ascii)
      refuse(*option, "makes no sense with ascii");
  return rules;
}

}  // namespace

std::unique_ptr<Endpoint> answering_endpoint(const Context& context, FilterFactory make) {
  return std::make_unique<InProcessFilter>(context, std::move(make));
}

std::unique_ptr<Endpoint> make_in_process_filter(const Address& address, Use, const Context& context) {
  if (address.keyword->name == "UPPER")
    return answering_endpoint(context, [rules = rules_of(address)] { return upper_filter(rules); });
  return answering_endpoint(context, [] { return std::make_unique<CountLinesFilter>(); });
}

}  // namespace sluice
