#include <algorithm>

#include "sluice/address/address.h"
#include "sockcat_options.h"

namespace sluice {
namespace {

bool is_built(const KeywordRow& row) {
  const auto types = endpoint_types();
  return std::any_of(types.begin(), types.end(),
                     [&](const EndpointType& type) { return type.keyword == row.name; });
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

std::string features() {
  std::string text = "features:\n";
  for (const KeywordRow& row : keyword_rows())
    if (is_built(row)) text += "  " + std::string(row.name) + '\n';
  return text;
}

}  // namespace

std::string sockcat_listing(int level) {
  if (level == 0) return features();
  constexpr std::size_t column = 34;
  std::string text = help_text(sockcat_description());
  text += "\nAddresses:\n";
  for (const KeywordRow& row : keyword_rows()) {
    if (!is_built(row)) continue;
    text +=
        padded("  " + std::string(row.name) + std::string(row.syntax), column) + std::string(row.help) + '\n';
  }
  if (level == 1) return text;
  text += "\nAddress options:\n";
  for (const OptionRow& row : option_rows())
    if (row.effect.kind != Effect::not_yet)
      text += padded("  " + std::string(row.name), column) + std::string(row.help) + '\n';
  if (level == 2) return text;
  text += "\nOther names of address options:\n";
  for (const OptionAlias& alias : option_aliases())
    if (find_option(alias.name)->effect.kind != Effect::not_yet)
      text += padded("  " + std::string(alias.alias), column) + std::string(alias.name) + '\n';
  return text;
}

}  // namespace sluice
