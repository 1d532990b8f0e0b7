#include <gtest/gtest.h>

#include <map>
#include <string>

#include "sluice/address/address.h"

/// The whole language, walked by its tables: every option in each of its spellings stands at an address, with
/// a value of its type, and means the same when it is printed and read again.
namespace sluice {
namespace {

/// A value that a type takes; none for those that have none.
std::string sample(const OptionRow& row) {
  if (!row.choices.empty()) return '=' + std::string(row.choices.substr(0, row.choices.find('|')));
  switch (row.type) {
    case ValueType::boolean:
    case ValueType::constant:
      return "";
    case ValueType::binary:
      return "=x0102";
    case ValueType::int_int:
    case ValueType::int_intp:
    case ValueType::int_unsigned_long:
      return "=1:2";
    case ValueType::int_binary:
      return "=1:x02";
    case ValueType::int_text:
      return "=1:text";
    case ValueType::int_int_int:
      return "=1:2:3";
    case ValueType::int_triple:
      return "=1:2:3";
    case ValueType::int_int_binary:
      return "=1:2:x03";
    case ValueType::int_int_text:
      return "=1:2:text";
    case ValueType::mode:
      return "=640";
    case ValueType::user:
    case ValueType::group:
      return "=0";
    case ValueType::timeval:
    case ValueType::timespec:
      return "=0.25";
    case ValueType::ip4_name:
      return "=127.0.0.1";
    case ValueType::ip4_socket:
      return "=127.0.0.1:53";
    case ValueType::ip_membership:
      return "=224.1.2.3:127.0.0.1";
    case ValueType::ip_source_membership:
      return "=224.1.2.3:127.0.0.1:127.0.0.2";
    case ValueType::text:
    case ValueType::text_or_nothing:
    case ValueType::generic:
      return "=text";
    default:
      return "=1";
  }
}

/// A keyword, with as many parameters as it takes at most, all of them well formed.
std::string with_parameters(const KeywordRow& row) {
  std::string text(row.name);
  for (int i = 0; i < row.most_parameters; ++i) text += ":1";
  return text;
}

/// An address at which an option fits.
std::string address_with(const OptionRow& option) {
  for (const KeywordRow& row : keyword_rows()) {
    const bool tls = option.effect.kind == Effect::not_yet;
    if (!overlap(row.groups | Group::appl | Group::process, option.groups)) continue;
    const std::string text = with_parameters(row) + (option.name == "max-children" ? ",fork" : "");
    if (tls) return text;
    try {
      parse_address(text + ',' + std::string(option.name) + sample(option));
      return text;
    } catch (const AddressError& error) {
      EXPECT_NE(std::string(error.what()).find("does not apply to"), std::string::npos) << error.what();
    }
  }
  ADD_FAILURE() << option.name << " fits nowhere";
  return "STDIO";
}

void expect_to_be_read(const std::string& text, const OptionRow& row, std::map<std::string, int>& counts) {
  if (row.effect.kind == Effect::not_yet) {
    EXPECT_THROW(parse_address(text), AddressError) << text;
    ++counts["TLS, refused"];
    return;
  }
  try {
    const Address address = parse_address(text);
    ASSERT_FALSE(address.options.empty()) << text;
    EXPECT_EQ(address.options.back().row, &row) << text;
    EXPECT_TRUE(parse_address(to_text(address)) == address) << text << " became " << to_text(address);
    ++counts["read"];
  } catch (const AddressError& error) {
    ADD_FAILURE() << error.what();
  }
}

TEST(Language, EverySpellingOfEveryOptionIsReadWhereItFits) {
  std::map<std::string, int> counts;
  for (const OptionRow& row : option_rows())
    expect_to_be_read(address_with(row) + ',' + std::string(row.name) + sample(row), row, counts);
  for (const OptionAlias& alias : option_aliases()) {
    const OptionRow& row = *find_option(alias.name);
    expect_to_be_read(address_with(row) + ',' + std::string(alias.alias) + sample(row), row, counts);
  }
  EXPECT_GT(counts["read"], 740);
  RecordProperty("read", counts["read"]);
  RecordProperty("refused", counts["TLS, refused"]);
}

TEST(Language, AnOptionOutsideItsGroupsIsAnErrorUnlessNobodyAsks) {
  int refused = 0;
  for (const OptionRow& row : option_rows()) {
    if (row.effect.kind == Effect::not_yet || overlap(row.groups, Group::appl | Group::process)) continue;
    for (const std::string address : {"STALL", "UPPER"}) {
      if (overlap(find_keyword(address)->groups, row.groups)) continue;
      const std::string text = address + ',' + std::string(row.name) + sample(row);
      EXPECT_THROW(parse_address(text), AddressError) << text;
      EXPECT_EQ(parse_address(text, {.any_group = true}).options.size(), 1U) << text;
      ++refused;
    }
  }
  EXPECT_GT(refused, 400);
}

}  // namespace
}  // namespace sluice
