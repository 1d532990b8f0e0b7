#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/address/options.h"
#include "sluice/core/failure.h"

namespace sluice {

/// One option as written and as understood.
struct Option {
  const OptionRow* row = nullptr;
  Value value;
  std::string text = {};  ///< what stood behind `=`, quotes resolved
  bool has_text = false;  ///< whether there was a `=`
  std::size_t place = 0;  ///< offset of its name in the source
};

/// A part of a text, from one offset up to another.
struct TextRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// One parameter, quotes resolved, and where it stood.
struct Parameter {
  std::string text;
  std::size_t place = 0;
  std::vector<TextRange> quoted = {};  ///< the parts of the text that stood in quotes, which have gone
};

/// What an address may look like: its keyword, how many parameters, and which options fit.
struct KeywordRow {
  std::string_view name;    ///< canonical, upper case: "TCP-LISTEN"
  std::string_view syntax;  ///< what -h shows behind the name: ":<port>"
  std::uint8_t least_parameters = 0;
  std::uint8_t most_parameters = 0;
  Group groups = Group::none;
  std::string_view help;  ///< a line for the manual
};

struct KeywordAlias {
  std::string_view alias;
  std::string_view name;
};

std::span<const KeywordRow> keyword_rows();
std::span<const KeywordAlias> keyword_aliases();
/// The row for a keyword or an alias in any case, or nullptr.
const KeywordRow* find_keyword(std::string_view spelling);

/// `TCP-LISTEN:9000,fork` as a value: nothing is opened or resolved; only users and groups are looked up.
struct Address {
  std::string source;     ///< the whole command-line argument that it stands in
  std::size_t place = 0;  ///< where in the source it begins
  const KeywordRow* keyword = nullptr;
  std::vector<Parameter> parameters;
  std::vector<Option> options;  ///< in the order written

  /// The last use of an option by its canonical name, or nullptr. Asking for a name that is not in the table
  /// is a defect of the caller (std::logic_error).
  const Option* find(std::string_view name) const;
  /// Whether an option is given and not switched off (`fork`, `fork=1`; not `fork=0`).
  bool flag(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name) const;
  std::optional<std::chrono::nanoseconds> duration(std::string_view name) const;
  std::optional<std::string> text(std::string_view name) const;

  /// The address as the user wrote it, for messages.
  std::string_view written() const;
  std::size_t written_length = 0;

  /// Whether both mean the same; how and where they were written does not count.
  friend bool operator==(const Address& a, const Address& b);
};

/// One argument of sockcat: an address, or two joined by `!!`, the first to read from, the second to write
/// to.
struct Specification {
  Address reading;
  std::optional<Address> writing;

  friend bool operator==(const Specification&, const Specification&) = default;
};

/// An address is wrong. what() is `ADDRESS: message`, detail() the source with a caret under the place (an
/// offset in the source). Control characters are shown as `?`, so that each stays one line.
class AddressError : public UsageError {
 public:
  AddressError(const Address& address, std::size_t place, std::string_view message);
  AddressError(std::string_view source, std::size_t place, std::string_view message);
};

struct Rules {
  bool any_group = false;  ///< -g: options outside their address's groups are let through
  bool as_socat = false;   ///< complaints of values are in socat's words, which scripts look for
};

/// Reads one argument in socat's language (see grammar.cc for the lexical rules). Throws AddressError for an
/// unknown keyword or option (naming the nearest), a wrong number of parameters, an option outside the
/// keyword's groups, one that nothing applies yet, and a value that is malformed or out of range.
Specification parse_specification(std::string_view source, const Rules& rules = {});
/// The same where `!!` makes no sense (--serve, --from).
Address parse_address(std::string_view source, const Rules& rules = {});

/// A specification as text that parses to the same value again: canonical names, quotes where needed.
std::string to_text(const Specification& specification);
std::string to_text(const Address& address);

/// A port number of 0 to 65535 in a parameter, or nothing if it is a name; AddressError if it is out of range
/// or missing (an empty parameter).
std::optional<std::uint16_t> numeric_port(const Address& address, const Parameter& parameter);

}  // namespace sluice
