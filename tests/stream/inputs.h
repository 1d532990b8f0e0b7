#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

#include "sluice/core/bytes.h"
#include "sluice/core/fd.h"

/// What is read from in tests of the plain path.
namespace sluice {

struct PipeEnds {
  Fd reading, writing;
};

inline PipeEnds make_pipe(int flags = 0) {
  int ends[2];
  check("make a pipe", ::pipe2(ends, O_CLOEXEC | flags));
  return {Fd(ends[0]), Fd(ends[1])};
}

/// A regular file without a name, which stands at its beginning.
inline Fd memory_file(std::string_view content = {}) {
  Fd file(check("create a file", ::memfd_create("test", MFD_CLOEXEC)));
  for (off_t place = 0; static_cast<std::size_t>(place) < content.size();)
    place += check("write", ::pwrite(file.get(), content.data() + place,
                                     content.size() - static_cast<std::size_t>(place), place));
  return file;
}

/// The same file by a description of its own.
inline Fd reopened(const Fd& file, int flags) {
  return Fd(
      check("reopen", ::open(("/proc/self/fd/" + std::to_string(file.get())).c_str(), flags | O_CLOEXEC)));
}

/// Random bytes of few values, with newlines at and around the edges of buffers.
inline std::string text_of(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = "\n\0ab"[random() % 4];
  for (std::size_t edge = kib(32); edge < size; edge += kib(32))
    for (std::size_t place = edge - 1; place <= edge && place < size; ++place)
      text[place] = random() % 2 == 0 ? '\n' : 'x';
  return text;
}

inline std::uint64_t count_of(std::string_view text, char wanted = '\n') {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), wanted));
}

}  // namespace sluice
