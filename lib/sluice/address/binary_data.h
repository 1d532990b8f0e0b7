#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// The bytes that a text of data means, or what is wrong with it ("\"x012\" has an odd number of hex
/// digits").
struct BinaryData {
  std::string bytes;
  std::string complaint;  ///< empty where nothing is wrong
};

/// Reads socat's data syntax. A letter says what the next items are: `i` `I` signed and unsigned int, `l` `L`
/// long, `s` `S` short, `b` `B` byte, decimal and in the order of this host's bytes; `x` pairs of hex digits;
/// `"text"` and `'c'` characters, with \n \r \t \f \b \a \e \0 and any other character as itself behind a
/// backslash. White space separates items and keeps the type; the first is `i` where nothing is said. As in
/// socat a type may follow an item at once, so `0x7f` is an int of 0 and the byte 7f. No text is no bytes.
BinaryData read_binary(std::string_view text);

}  // namespace sluice
