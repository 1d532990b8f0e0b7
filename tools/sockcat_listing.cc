#include <algorithm>

#include "sluice/address/address.h"
#include "sockcat_options.h"

namespace sluice {
namespace {

/// Entries in two columns.
std::string columns(const std::vector<Entry>& entries) {
  constexpr std::size_t width = 34;
  std::string text;
  for (const Entry& entry : entries) {
    std::string line = "  " + entry.name.substr(0, entry.name.find(','));
    line.resize(std::max(line.size() + 1, width), ' ');
    text += line + std::string(entry.meaning) + '\n';
  }
  return text;
}

}  // namespace

std::string sockcat_listing(int level) {
  std::string text;
  if (level == 0) {
    text = "features:\n";
    for (const Entry& entry : sockcat_addresses())
      text += "  " + entry.name.substr(0, entry.name.find_first_of(":[,")) + '\n';
    return text;
  }
  text = help_text(sockcat_description()) + "\nAddresses:\n" + columns(sockcat_addresses());
  if (level == 1) return text;
  text += "\nAddress options:\n" + columns(sockcat_address_options());
  if (level == 2) return text;
  std::vector<Entry> aliases;
  for (const OptionAlias& alias : option_aliases())
    if (find_option(alias.name)->effect.kind != Effect::not_yet)
      aliases.push_back({std::string(alias.alias), alias.name});
  return text + "\nOther names of address options:\n" + columns(aliases);
}

}  // namespace sluice
