#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// Whether a character does nothing but stand where it is: not a control character (U+0000 to U+001F, U+007F
/// to U+009F), a line or paragraph separator, or one that turns the direction of writing.
bool is_visible(char32_t character);

/// A text from outside (a peer's name, a proxy's answer, a path, another program's name) as it may be shown:
/// on one line, and without effect on a terminal. Each byte of what is not visible, or not valid UTF-8,
/// becomes \n, \r, \t or \xHH; all else stays, backslashes too. What it returned once, it leaves alone.
std::string visible(std::string_view text);

/// The same for a text of several lines of our own: newlines and tabs stay.
std::string visible_lines(std::string_view text);

/// How many columns a text of ours takes, one for each character.
std::size_t characters_in(std::string_view text);

}  // namespace sluice
