#include "address_completion.h"

#include <dirent.h>
#include <grp.h>
#include <net/if.h>
#include <netdb.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <memory>
#include <set>

#include "sluice/address/lexer.h"
#include "sluice/address/lookup.h"
#include "sluice/address/misfits.h"
#include "sluice/address/value_help.h"
#include "sluice/core/visible.h"
#include "sluice/endpoint/endpoint.h"

namespace sluice {
namespace {

/// Where the word ends, and what it has said by then.
struct Place {
  enum Part { keyword, parameter, option, value } part = keyword;
  Lexer::Piece piece;  ///< what has been typed of this part
  const KeywordRow* keyword_row = nullptr;
  const OptionRow* option_row = nullptr;
  std::size_t parameters = 0;  ///< how many have begun
};

const KeywordRow* keyword_at(const std::string& head) {
  if (head.find('/') != head.npos) return find_keyword("GOPEN");
  if (!head.empty() && head.find_first_not_of("0123456789") == head.npos) return find_keyword("FD");
  return find_keyword(head);
}

/// Reads up to the end. Throws AddressError for what is not closed.
Place place_in(std::string_view word) {
  Lexer lexer(word);
  Place place;
  do {
    place = {};
    place.piece = lexer.until(":,");
    place.keyword_row = keyword_at(place.piece.text);
    while (lexer.take(':')) {
      place.part = Place::parameter;
      place.piece = lexer.until(":,");
      ++place.parameters;
    }
    while (lexer.take(',')) {
      place.part = Place::option;
      place.piece = lexer.until("=,");
      if (!lexer.take('=')) continue;
      place.part = Place::value;
      place.option_row = find_option(place.piece.text);
      place.piece = lexer.until(",");
    }
  } while (lexer.take_join());
  return place;
}

/// Values that a placeholder may have, where there are few.
struct Few {
  std::string_view placeholder, values;
};
constexpr std::array few = {
    Few{"BAUD", "300|1200|2400|4800|9600|19200|38400|57600|115200|230400|460800|921600"},
    Few{"FAMILY", "ip4|ip6|unix"},
    Few{"LANGUAGE", "tr|az|lt|el|hy|C"},
    Few{"LETTERS", "SS|ẞ"},
    Few{"VERSION", "1.0|1.1"},
};

bool starts_with_in_any_case(std::string_view text, std::string_view beginning) {
  return text.size() >= beginning.size() &&
         lower_case(text.substr(0, beginning.size())) == lower_case(beginning);
}

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// The names in a directory, in order.
std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), ::closedir);
  if (!open) return names;
  while (const dirent* entry = ::readdir(open.get())) names.emplace_back(entry->d_name);
  std::sort(names.begin(), names.end());
  return names;
}

class Candidates {
 public:
  explicit Candidates(std::string_view word) : word_(word), place_(place_in(word)) {}

  std::vector<Candidate> all() && {
    switch (place_.part) {
      case Place::keyword:
        offer_keywords();
        break;
      case Place::parameter:
        offer_parameter();
        break;
      case Place::option:
        offer_options();
        break;
      case Place::value:
        offer_values();
        break;
    }
    return std::move(found_);
  }

 private:
  const std::string& typed() const { return place_.piece.text; }

  /// The word, and what a name has beyond what has been typed of it.
  void add(std::string_view name, std::string_view suffix, std::string_view meaning,
           std::string_view delimiters) {
    std::string rest = escaped(name.substr(typed().size()), delimiters);
    found_.push_back({word_ + std::move(rest) + std::string(suffix), std::string(meaning)});
  }

  /// A name of the language, in the case that was begun.
  void offer_word(std::string_view name, std::string_view suffix, std::string_view meaning) {
    if (!starts_with_in_any_case(name, typed())) return;
    const auto letter = std::find_if(typed().rbegin(), typed().rend(),
                                     [](char c) { return ascii_lower(c) != ascii_upper(c); });
    std::string rest(name.substr(typed().size()));
    if (letter != typed().rend())
      rest = *letter == ascii_lower(*letter) ? lower_case(rest) : upper_case(rest);
    found_.push_back({word_ + rest + std::string(suffix), std::string(meaning)});
  }

  /// A name that others gave.
  void offer(std::string_view name, std::string_view suffix, std::string_view delimiters) {
    if (name.starts_with(typed()) && names_.emplace(name).second) add(name, suffix, {}, delimiters);
  }

  void offer_keywords() {
    const auto types = endpoint_types();
    const auto offer_keyword = [&](std::string_view name, const KeywordRow& row) {
      const bool built = std::any_of(types.begin(), types.end(),
                                     [&](const EndpointType& type) { return type.keyword == row.name; });
      if (built) offer_word(name, row.least_parameters > 0 ? ":" : "", row.help);
    };
    if (typed().find('/') == std::string::npos) {
      for (const KeywordRow& row : keyword_rows()) offer_keyword(row.name, row);
      for (const KeywordAlias& alias : keyword_aliases())
        offer_keyword(alias.alias, *find_keyword(alias.name));
      // A name without a slash is not a path.
      return offer_files(":,", false);
    }
    offer_files(":,", true);
  }

  void offer_parameter() {
    if (place_.keyword_row == nullptr) return;
    std::string_view syntax = place_.keyword_row->syntax;
    std::string_view parameter;
    for (std::size_t i = 0; i < place_.parameters; ++i) parameter = next_parameter(syntax);
    const bool is_last = place_.parameters >= place_.keyword_row->least_parameters;
    const bool has_path = !place_.keyword_row->name.starts_with("ABSTRACT-");
    if (has_path) offer_of(placeholder_of_parameter(parameter), is_last ? "" : ":", ":,");
  }

  void offer_options() {
    if (place_.keyword_row == nullptr) return;
    const auto offer_option = [&](std::string_view name, const OptionRow& row) {
      if (can_fit(*place_.keyword_row, row)) offer_word(name, needs_value(row) ? "=" : "", row.help);
    };
    for (const OptionRow& row : option_rows()) offer_option(row.name, row);
    for (const OptionAlias& alias : option_aliases()) offer_option(alias.alias, *find_option(alias.name));
  }

  void offer_values() {
    const OptionRow* row = place_.option_row;
    if (row == nullptr || row->type == ValueType::constant) return;
    const std::string_view placeholder = placeholder_of(*row);
    if (!row->choices.empty()) return offer_choices(row->choices);
    if (placeholder.empty()) return offer_choices("0|1");
    offer_of(placeholder, "", ",");
  }

  void offer_choices(std::string_view choices) {
    while (!choices.empty()) {
      const auto end = std::min(choices.find('|'), choices.size());
      offer(choices.substr(0, end), "", ",");
      choices.remove_prefix(std::min(end + 1, choices.size()));
    }
  }

  void offer_of(std::string_view placeholder, std::string_view suffix, std::string_view delimiters) {
    for (const Few& row : few)
      if (row.placeholder == placeholder) return offer_choices(row.values);
    if (placeholder.find('|') != placeholder.npos) return offer_choices(placeholder);
    if (placeholder == "FILE") return offer_files(delimiters, true);
    if (placeholder == "DIRECTORY") return offer_files(delimiters, false);
    if (placeholder == "COMMAND") return offer_programs(delimiters);
    if (placeholder == "HOST") return offer_hosts(suffix, delimiters);
    if (placeholder == "PORT") return offer_services(suffix, delimiters);
    if (placeholder == "INTERFACE") return offer_interfaces(suffix, delimiters);
    if (placeholder == "NAMESPACE")
      for (const std::string& name : names_in("/run/netns"))
        if (!name.starts_with('.')) offer(name, suffix, delimiters);
    if (placeholder == "USER")
      while (const passwd* one = ::getpwent()) offer(one->pw_name, suffix, delimiters);
    if (placeholder == "GROUP")
      while (const group* one = ::getgrent()) offer(one->gr_name, suffix, delimiters);
  }

  void offer_files(std::string_view delimiters, bool others_than_directories) {
    const auto slash = typed().rfind('/');
    const std::string folder = slash == std::string::npos ? "" : typed().substr(0, slash + 1);
    const std::string_view begun = std::string_view(typed()).substr(folder.size());
    for (const std::string& name : names_in(folder.empty() ? "." : folder)) {
      if (name == "." || name == ".." || (name.starts_with('.') && !begun.starts_with('.'))) continue;
      const bool directory = is_directory(folder + name);
      if (directory || others_than_directories) offer(folder + name, directory ? "/" : "", delimiters);
    }
  }

  /// The first word of a command.
  void offer_programs(std::string_view delimiters) {
    if (typed().find('/') != std::string::npos) return offer_files(delimiters, true);
    if (typed().empty() || typed().find(' ') != std::string::npos) return;
    const char* path = std::getenv("PATH");
    std::set<std::string> names;
    for (std::string_view rest = path == nullptr ? "" : path; !rest.empty();) {
      const auto end = std::min(rest.find(':'), rest.size());
      const std::string folder(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      for (const std::string& name : names_in(folder))
        if (name.starts_with(typed()) && ::access((folder + '/' + name).c_str(), X_OK) == 0)
          names.insert(name);
    }
    for (const std::string& name : names) offer(name, "", delimiters);
  }

  /// Those of hosts(5).
  void offer_hosts(std::string_view suffix, std::string_view delimiters) {
    offer("localhost", suffix, delimiters);
    while (const hostent* host = ::gethostent()) {
      offer(host->h_name, suffix, delimiters);
      for (char** alias = host->h_aliases; *alias != nullptr; ++alias) offer(*alias, suffix, delimiters);
    }
  }

  /// Those of services(5). There are too many to list before a letter was typed.
  void offer_services(std::string_view suffix, std::string_view delimiters) {
    if (typed().empty()) return;
    while (const servent* service = ::getservent()) offer(service->s_name, suffix, delimiters);
  }

  void offer_interfaces(std::string_view suffix, std::string_view delimiters) {
    struct if_nameindex* const all = ::if_nameindex();
    if (all == nullptr) return;
    for (const struct if_nameindex* one = all; one->if_name != nullptr; ++one)
      offer(one->if_name, suffix, delimiters);
    ::if_freenameindex(all);
  }

  std::string word_;
  Place place_;
  std::vector<Candidate> found_;
  std::set<std::string, std::less<>> names_;
};

}  // namespace

std::vector<Candidate> address_candidates(std::string_view word) {
  try {
    return Candidates(word).all();
  } catch (const AddressError&) {
    // Within quotes that are still open, anything may come.
    return {};
  }
}

std::string address_completions(std::string_view word) {
  std::string text;
  for (const Candidate& candidate : address_candidates(word)) {
    // A candidate is one line.
    if (visible(candidate.text) != candidate.text) continue;
    text += candidate.text;
    if (!candidate.meaning.empty()) (text += '\t') += candidate.meaning;
    text += '\n';
  }
  return text;
}

}  // namespace sluice
