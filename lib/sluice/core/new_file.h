#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "sluice/core/fd.h"

/// Files that we make where others may have been before us. In a folder that anybody may write to, they may
/// have planted a link, a FIFO or a file of theirs under the name; what Linux has against that
/// (fs.protected_symlinks and its kin, proc(5)) may be switched off, and covers folders with the sticky bit
/// alone.
namespace sluice {

/// A file that was not there before, of our own alone and never through a link, to be written. Empty where
/// anything has the name (errno is EEXIST) or it cannot be made.
Fd make_file(const std::string& path, mode_t mode);

/// Puts a file with this text in the place of what has the name, if anything has: whoever looks sees the old
/// one or all of the new one. It is written under a name beside it that nobody can guess, and nothing is left
/// behind where that fails. Returns it, open. Throws Failure.
Fd put_file(const std::string& path, std::string_view text, mode_t mode);

/// Whether a name still is that of an open file, and does not only lead to it.
bool is_named(const std::string& path, const Fd& file);
/// Whether it is, or leads to it.
bool leads_to(const std::string& path, const Fd& file);

/// What to do about a FIFO that nobody reads (fifo(7)).
enum class Unread {
  refuse,  ///< it cannot be opened now: errno is ENXIO
  hold,    ///< it is opened all the same, and keeps what it has room for until somebody reads it
};

/// Opens what a path leads to for writing at its end, with O_NONBLOCK; a file is made if there is none. Never
/// waits. `access` is O_WRONLY or O_RDWR.
///
/// In a folder that anybody may write to, neither links, files nor FIFOs are used that belong to others than
/// us and the folder's owner: empty, and errno is EACCES. Elsewhere links lead on as ever (/dev/stderr).
Fd open_to_append(const std::string& path, mode_t mode, Unread unread, int access);

/// Whether a failed `open_to_append` means a FIFO that nobody reads: it may be tried again. Looks at errno.
bool is_unread_fifo(const std::string& path);

}  // namespace sluice
