#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sockcat.h"

/// What the walks over the whole language share: command lines with places that are filled in, and what can
/// be seen of a program that runs, of its descriptors, and of its peers.
namespace sluice::test {

/// Replaces each `%x` by what a map has for x.
std::string filled(std::string text, const std::map<char, std::string>& places);

/// `out=<...> err=<...> status=N`, to be matched.
std::string described(const Ended& ended);
/// A line for each file of a folder: `file NAME MODE USER/GROUP <content>`.
std::string files_in(const std::string& folder);

/// Waits until a program that logs with -d -d begins to transfer data; false if it never does, with what it
/// said.
bool begins(Running& program, std::string* told = nullptr);
/// Whether a program ends: waits for it if that is expected, else for a moment only.
bool ends(const Running& program, bool expected);
/// Whether something can be read: waits for it if that is expected, else for a moment only.
bool readable(int fd, bool expected);
/// Which flags a running program's descriptor of a file has (open(2)), or -1 if it has none of that name.
int flags_of_open(pid_t pid, const std::string& path);

/// Does some work on a thread with a network of its own, where only loopback is, and up. False if there can
/// be none.
bool in_own_network(const std::function<void()>& work);

/// Who connects to us, unless the program ends before.
std::optional<Socket> accepted(const Socket& listening, Running& program);

/// A peer of ours that hears something before each of its answers, then ends what it sends. Where nobody
/// connects before the program is over, nothing is heard.
struct Dialogue {
  std::string heard;
  std::string rest;  ///< what came behind the last answer
};
Dialogue answer(const Socket& listening, Running& program, const std::vector<std::string>& answers);

/// Whether any of the kernel's families is missing: `socket(2)` says why, or nothing.
std::string why_no_socket(int family, int type, int protocol);

/// Whether libraries that are loaded when they are asked for are here: `libedit.so.2`.
bool has_library(const char* name);

/// What a row of a table needs, of whom runs it and of the machine.
enum class Need { nothing, root, network, tunnel, queue, editor, wrappers, six };
/// Why it cannot be had, or nothing.
std::string missing(Need need);

/// Names of tests are words of letters and digits.
std::string name_of_test(std::string_view what, std::size_t index);

}  // namespace sluice::test
