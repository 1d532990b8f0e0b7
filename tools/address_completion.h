#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/cli/args.h"

namespace sluice {

/// One way in which a word that is being typed may go on.
struct Candidate {
  std::string text;     ///< the whole word, as sockcat would read it
  std::string meaning;  ///< a line about it, or nothing
};

/// How an address goes on that has been typed so far: keywords (in the case that was begun), parameters
/// (files, hosts, services, programs...), options that fit and their values, also after `!!`. Each candidate
/// begins with the word itself.
std::vector<Candidate> address_candidates(std::string_view word);

/// The hidden option that the completion scripts ask with: prints the candidates for its argument, a line
/// each, with a tab before the meaning.
inline constexpr std::array completion_rows = {
    ArgumentRow{.name = "complete-address",
                .kind = ArgumentKind::required,
                .argument = "WORD",
                .final = true,
                .hidden = true},
};
std::string address_completions(std::string_view word);

}  // namespace sluice
