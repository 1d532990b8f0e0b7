#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "sluice/address/hints.h"
#include "sluice/address/lookup.h"
#include "sluice/address/misfits.h"
#include "sluice/address/value_help.h"
#include "sockcat_options.h"

namespace sluice {
namespace {

using enum Group;

/// What options are for; an option belongs to the first row that has one of its groups.
struct Purpose {
  Group groups;
  std::string_view title;
  bool table = false;  ///< its options are many and short
};

constexpr std::array purposes = {
    Purpose{listen, "Listening"},
    Purpose{child, "Many peers"},
    Purpose{range, "Which peers may come"},
    Purpose{retry, "Failed attempts"},
    Purpose{exec | fork | shell | parent, "Programs"},
    Purpose{pty, "Pseudo terminals"},
    Purpose{readline, "Line editing"},
    Purpose{socks | http, "Proxies"},
    Purpose{posixmq, "Message queues"},
    Purpose{interface, "Network interfaces", true},
    Purpose{udp | tcp | sctp | dccp | udplite, "TCP, UDP, SCTP, DCCP and UDP-Lite"},
    Purpose{ip4 | ip6, "IP"},
    Purpose{unix_, "UNIX sockets"},
    Purpose{socket, "Sockets"},
    Purpose{termios, "Terminals", true},
    Purpose{upper, "Letters"},
    Purpose{named, "Names in the file system"},
    Purpose{open, "Opening files"},
    Purpose{reg | blk, "Files", true},
    Purpose{fifo, "Pipes"},
    Purpose{fd, "Descriptors"},
    Purpose{appl, "Data and its end"},
    Purpose{process, "The process"},
};

const Purpose& purpose_of(const OptionRow& row) {
  if (row.groups == every) return purposes.back();
  // What every descriptor has, has nothing to do with the ways to one.
  const Group groups = overlap(row.groups, fd) ? fd : row.groups;
  return *std::find_if(purposes.begin(), purposes.end(),
                       [&](const Purpose& purpose) { return overlap(purpose.groups, groups); });
}

bool is_applied(const OptionRow& row) { return row.effect.kind != Effect::not_yet; }

/// `so-reuseaddr, reuseaddr`, with a word for the value: `backlog=COUNT`.
std::string names_of(const OptionRow& row) {
  std::string text(row.name);
  for (const OptionAlias& alias : option_aliases())
    if (alias.name == row.name) (text += ", ") += alias.alias;
  std::string_view value = placeholder_of(row);
  std::string choices;
  if (!row.choices.empty()) value = row.choices;
  if (!value.empty()) (text += '=') += value;
  return text;
}

/// What it does, and what holds without it.
std::string meaning_of(const OptionRow& row) {
  std::string text(row.help);
  if (const auto otherwise = default_of(row); !otherwise.empty())
    (text += " (default: ") += std::string(otherwise) + ')';
  return text;
}

std::vector<std::string_view> aliases_of(const KeywordRow& row) {
  std::vector<std::string_view> names;
  for (const KeywordAlias& alias : keyword_aliases())
    if (alias.name == row.name) names.push_back(alias.alias);
  return names;
}

std::string joined(const std::vector<std::string_view>& words, std::string_view between = ", ") {
  std::string text;
  for (const std::string_view word : words) (text += text.empty() ? "" : between) += word;
  return text;
}

/// A name, and a text in a column of its own, broken into lines.
void append_row(std::string& out, std::string_view name, std::string_view text) {
  constexpr std::size_t width = 79, column = 26;
  std::string line = "  " + std::string(name);
  if (line.size() + 2 > column) {
    out += line + '\n';
    line.clear();
  }
  line.resize(column, ' ');
  out += line + wrapped(text, width - column, column) + '\n';
}

std::string_view meaning_of(std::string_view placeholder) {
  const auto* row = find_row(placeholders(), &Placeholder::name, placeholder);
  return row != nullptr ? row->meaning : std::string_view{};
}

/// What the words for values mean that a text uses.
void append_values(std::string& out, const std::set<std::string_view>& used) {
  if (used.empty()) return;
  out += "\nValues:\n";
  for (const std::string_view name : used) append_row(out, name, meaning_of(name));
}

void note_value(std::set<std::string_view>& used, std::string_view placeholder) {
  if (!meaning_of(placeholder).empty()) used.insert(placeholder);
}

std::string help_of(const KeywordRow& row) {
  std::string out = std::string(row.name) + std::string(row.syntax) + '\n' + std::string(row.help) + ".\n";
  if (const auto others = aliases_of(row); !others.empty()) out += "Other names: " + joined(others) + ".\n";
  if (const auto example = example_of(row); !example.empty())
    out += "\nExample:\n  " + std::string(example) + '\n';
  std::set<std::string_view> used;
  std::string_view syntax = row.syntax;
  std::string parameters;
  for (auto name = next_parameter(syntax); !name.empty(); name = next_parameter(syntax)) {
    const auto placeholder = placeholder_of_parameter(name);
    if (!meaning_of(placeholder).empty())
      append_row(parameters, '<' + std::string(name) + '>', meaning_of(placeholder));
  }
  if (!parameters.empty()) out += "\nParameters:\n" + parameters;
  Address plain;
  plain.keyword = &row;
  if (const auto defaults = sockcat_defaults(plain); !defaults.empty()) {
    out += "\nUnless an option (in parentheses) says otherwise:\n";
    for (const std::string_view line : defaults) out += "  " + wrapped(line, 77, 2) + '\n';
  }
  for (const Purpose& purpose : purposes) {
    std::string options;
    for (const OptionRow& option : option_rows()) {
      if (&purpose_of(option) != &purpose || !can_fit(row, option)) continue;
      append_row(options, names_of(option), meaning_of(option));
      note_value(used, placeholder_of(option));
    }
    if (!options.empty()) out += "\nOptions: " + std::string(purpose.title) + '\n' + options;
  }
  append_values(out, used);
  return out;
}

/// A keyword without the IP version that it names: TCP4-LISTEN is TCP-LISTEN, SOCKS4 itself.
std::string family_of(const KeywordRow& row) {
  std::string name(row.name);
  const auto digit = name.find_first_of("46");
  if (digit != name.npos && digit + 1 < name.size() && name[digit + 1] == '-') {
    name.erase(digit, 1);
    if (find_keyword(name) != nullptr) return name;
  }
  return std::string(row.name);
}

/// The keywords that something holds for; of those that differ in the IP version alone, one.
template <class Holds>
std::vector<std::string> families(Holds holds) {
  std::vector<std::string> names;
  for (const KeywordRow& row : keyword_rows()) {
    if (!sockcat_has(row) || !holds(row)) continue;
    std::string name = family_of(row);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

/// `all addresses`, `TCP-CONNECT, TCP-LISTEN`, or `all but PIPE`, whichever is short.
std::string shown(const std::vector<std::string>& some) {
  const auto all = families([](const KeywordRow&) { return true; });
  if (some.size() == all.size()) return "all addresses";
  std::vector<std::string_view> names;
  if (some.size() * 4 < all.size() * 3) {
    names.assign(some.begin(), some.end());
    return joined(names);
  }
  for (const std::string& name : all)
    if (std::find(some.begin(), some.end(), name) == some.end()) names.push_back(name);
  return "all but " + joined(names);
}

std::vector<std::string> fitting(const OptionRow& option) {
  return families([&](const KeywordRow& row) { return can_fit(row, option); });
}

std::string help_of(const OptionRow& row) {
  std::string out = names_of(row) + '\n' + meaning_of(row) + ".\n";
  std::set<std::string_view> used;
  note_value(used, placeholder_of(row));
  append_values(out, used);
  return out + "\nFits:\n  " + wrapped(shown(fitting(row)), 77, 2) + '\n';
}

/// What addresses are about, by their groups: as `purposes` is for options.
struct AddressKind {
  std::string_view title;
  bool (*has)(const KeywordRow&);
};

bool is_one_of(const KeywordRow& row, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), row.name) != names.end();
}

constexpr std::array address_kinds = {
    AddressKind{"Standard streams and descriptors",
                [](const KeywordRow& row) {
                  return is_one_of(row, {"STDIO", "STDIN", "STDOUT", "STDERR", "FD", "ACCEPT-FD"});
                }},
    AddressKind{"Files, pipes and texts",
                [](const KeywordRow& row) {
                  return is_one_of(row, {"OPEN", "CREATE", "GOPEN", "PIPE", "SOCKETPAIR", "TEXT", "STALL"});
                }},
    AddressKind{"Programs", [](const KeywordRow& row) { return overlap(row.groups, exec); }},
    AddressKind{"Terminals",
                [](const KeywordRow& row) {
                  return is_one_of(row, {"PTY", "READLINE"});
                }},
    AddressKind{"Filters",
                [](const KeywordRow& row) {
                  return is_one_of(row, {"UPPER", "COUNT-LINES"});
                }},
    AddressKind{"Proxies", [](const KeywordRow& row) { return overlap(row.groups, socks | http); }},
    AddressKind{"TCP, SCTP and DCCP",
                [](const KeywordRow& row) { return overlap(row.groups, tcp | sctp | dccp); }},
    AddressKind{"UDP and UDP-Lite", [](const KeywordRow& row) { return overlap(row.groups, udp | udplite); }},
    AddressKind{"UNIX sockets", [](const KeywordRow& row) { return overlap(row.groups, unix_); }},
    AddressKind{"Raw IP packets and interfaces",
                [](const KeywordRow& row) { return overlap(row.groups, ip4 | ip6 | interface); }},
    AddressKind{"Others", [](const KeywordRow&) { return true; }},
};

const AddressKind& kind_of(const KeywordRow& row) {
  return *std::find_if(address_kinds.begin(), address_kinds.end(),
                       [&](const AddressKind& kind) { return kind.has(row); });
}

/// Keeps the texts that sections point to.
class Language {
 public:
  Language() {
    add_addresses();
    add_options_by_address();
    add_options_by_purpose();
    add_values();
    add_index();
  }

  std::vector<Section> sections() const {
    std::vector<Section> all;
    for (const Kept& kept : kept_) {
      Section section = kept.section;
      section.paragraphs = kept.paragraphs;
      section.terms = kept.terms;
      all.push_back(section);
    }
    return all;
  }

 private:
  struct Kept {
    Section section;
    std::vector<std::string_view> paragraphs;
    std::vector<Term> terms;
  };

  std::string_view keep(std::string text) { return *texts_.insert(std::move(text)).first; }
  Kept& begin(std::string_view title, bool part, bool table) {
    kept_.push_back(
        {.section = {.title = title, .part = part, .table = table}, .paragraphs = {}, .terms = {}});
    return kept_.back();
  }

  void add_addresses() {
    begin("ADDRESSES", false, false).paragraphs = {
        "Keywords may be written in any case. sockcat --help=KEYWORD prints all that is known of one, with "
        "its "
        "options."};
    for (const AddressKind& kind : address_kinds) {
      Kept& part = begin(kind.title, true, false);
      for (const KeywordRow& row : keyword_rows()) {
        if (!sockcat_has(row) || &kind_of(row) != &kind) continue;
        std::string name = std::string(row.name) + std::string(row.syntax);
        for (const std::string_view alias : aliases_of(row)) (name += ", ") += alias;
        // Those that differ in the IP version have the example of the one that names none.
        const auto example = family_of(row) == row.name ? example_of(row) : std::string_view{};
        part.terms.push_back({keep(std::move(name)), row.help, example});
      }
    }
  }

  void add_options_by_address() {
    Kept& part = begin("OPTIONS BY ADDRESS", false, false);
    part.paragraphs = {
        "For each address, the headings under ADDRESS OPTIONS that have options for it. Descriptors, Data "
        "and its "
        "end, and The process have options for all."};
    // Addresses with the same headings share a row.
    std::vector<std::pair<std::string, std::string>> rows;
    for (const KeywordRow& row : keyword_rows()) {
      if (!sockcat_has(row)) continue;
      const std::string headings = headings_of(row);
      const auto known =
          std::find_if(rows.begin(), rows.end(), [&](const auto& one) { return one.second == headings; });
      if (known == rows.end())
        rows.emplace_back(row.name, headings);
      else
        (known->first += ", ") += row.name;
    }
    for (auto& [names, headings] : rows)
      part.terms.push_back({keep(std::move(names)), keep(std::move(headings))});
  }

  static std::string headings_of(const KeywordRow& row) {
    const auto options = option_rows();
    std::string headings;
    for (const Purpose& purpose : purposes) {
      if (overlap(purpose.groups, appl | process | fd)) continue;
      const bool has = std::any_of(options.begin(), options.end(), [&](const OptionRow& option) {
        return &purpose_of(option) == &purpose && can_fit(row, option);
      });
      if (has) (headings += headings.empty() ? "" : "; ") += purpose.title;
    }
    return headings.empty() ? "only those that all have" : headings;
  }

  void add_options_by_purpose() {
    begin("ADDRESS OPTIONS", false, false).paragraphs = {
        "Options follow an address, each after a comma: TCP-LISTEN:9000,fork,backlog=10. A switch is on when "
        "it is "
        "named, and off with =0. VALUES explains the words after =. Each heading says which addresses its "
        "options "
        "fit, and an option that fits others says so itself."};
    for (const Purpose& purpose : purposes) {
      std::map<std::string, std::size_t> fits;
      std::vector<const OptionRow*> options;
      for (const OptionRow& row : option_rows()) {
        if (!is_applied(row) || &purpose_of(row) != &purpose) continue;
        options.push_back(&row);
        ++fits[shown(fitting(row))];
      }
      if (options.empty()) continue;
      // Where most of them fit.
      const auto most = std::max_element(fits.begin(), fits.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
      Kept& part = begin(purpose.title, true, purpose.table);
      part.paragraphs = {keep("Fit: " + most->first + '.')};
      if (purpose.title == "Terminals") fold_speeds(part);
      for (const OptionRow* row : options) {
        if (is_speed(*row)) continue;
        std::string meaning = meaning_of(*row);
        if (auto where = shown(fitting(*row)); where != most->first) meaning += ". Fits: " + where;
        part.terms.push_back({keep(names_of(*row)), keep(std::move(meaning))});
      }
    }
  }

  static bool is_speed(const OptionRow& row) {
    return row.effect.kind == Effect::terminal_speed && row.type == ValueType::constant;
  }
  void fold_speeds(Kept& part) {
    std::vector<std::pair<int, std::string_view>> speeds;
    for (const OptionRow& row : option_rows())
      if (is_speed(row)) speeds.emplace_back(row.effect.number, row.name);
    std::sort(speeds.begin(), speeds.end());
    std::vector<std::string_view> names;
    names.reserve(speeds.size());
    for (const auto& [baud, name] : speeds) names.push_back(name);
    part.paragraphs.push_back(
        keep("Speeds both ways, in baud (b0 hangs up; ispeed and ospeed take any number): " + joined(names) +
             '.'));
  }

  void add_values() {
    Kept& part = begin("VALUES", false, true);
    for (const Placeholder& row : placeholders()) part.terms.push_back({row.name, row.meaning});
  }

  void add_index() {
    begin("INDEX OF ADDRESS OPTIONS", false, false).paragraphs = {
        "Each option and other name, and its heading."};
    Kept& part = begin("By name", true, true);
    std::map<std::string_view, std::string_view> index;
    for (const OptionRow& row : option_rows())
      if (is_applied(row) && !is_speed(row)) index[row.name] = purpose_of(row).title;
    for (const OptionAlias& alias : option_aliases())
      if (const auto* row = find_option(alias.name); is_applied(*row) && !is_speed(*row))
        index[alias.alias] =
            keep("see " + std::string(alias.name) + " under " + std::string(purpose_of(*row).title));
    for (const auto& [name, heading] : index) part.terms.push_back({name, heading});
  }

  std::vector<Kept> kept_;
  std::set<std::string> texts_;
};

}  // namespace

std::string sockcat_help_of(std::string_view name) {
  name = name.substr(0, name.find_first_of(":,"));
  const KeywordRow* keyword = find_keyword(name);
  if (keyword != nullptr && sockcat_has(*keyword)) return help_of(*keyword);
  const OptionRow* option = find_option(name);
  if (option != nullptr && is_applied(*option)) return help_of(*option);
  std::vector<std::string_view> names;
  for (const KeywordRow& row : keyword_rows()) names.push_back(row.name);
  for (const KeywordAlias& alias : keyword_aliases()) names.push_back(alias.alias);
  for (const OptionRow& row : option_rows()) names.push_back(row.name);
  for (const OptionAlias& alias : option_aliases()) names.push_back(alias.alias);
  const auto meant = nearest(name, names);
  std::string message = "--help: no address and no option is called \"" + std::string(name) + '"';
  if (!meant.empty()) message += ", did you mean \"" + std::string(meant) + "\"?";
  throw UsageError(message);
}

std::string sockcat_help_of_addresses(std::span<const std::string_view> addresses) {
  std::string text;
  std::set<const KeywordRow*> told;
  for (const std::string_view address : addresses) {
    const std::string_view head = address.substr(0, address.find_first_of(":,"));
    const KeywordRow* keyword = find_keyword(head);
    // The usual - is no question.
    if (keyword == nullptr || head == "-" || !sockcat_has(*keyword) || !told.insert(keyword).second) continue;
    if (!text.empty()) text += "\n\n";
    text += help_of(*keyword);
  }
  return text.empty() ? help_text(sockcat_description()) : text;
}

std::vector<Section> sockcat_language() {
  static const Language language;
  return language.sections();
}

}  // namespace sluice
