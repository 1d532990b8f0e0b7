#include "sluice/endpoint/privileges/identity.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "sluice/core/failure.h"
#include "sluice/endpoint/apply.h"

namespace sluice {
namespace {

/// What each option changes; phases are those of the options' own rows.
struct ChangeRow {
  std::string_view option;
  PrivilegeChange::Kind kind;
};
constexpr std::array rows = {ChangeRow{"netns", PrivilegeChange::network},
                             ChangeRow{"chroot-early", PrivilegeChange::root},
                             ChangeRow{"setgid-early", PrivilegeChange::group},
                             ChangeRow{"setuid-early", PrivilegeChange::user},
                             ChangeRow{"substuser-early", PrivilegeChange::whole_user},
                             ChangeRow{"chroot", PrivilegeChange::root},
                             ChangeRow{"setsid", PrivilegeChange::session},
                             ChangeRow{"setpgid", PrivilegeChange::process_group},
                             ChangeRow{"setgid", PrivilegeChange::group},
                             ChangeRow{"setuid", PrivilegeChange::user},
                             ChangeRow{"substuser", PrivilegeChange::whole_user},
                             ChangeRow{"substuser-delayed", PrivilegeChange::whole_user}};

const ChangeRow* row_of(const Option& option) {
  for (const auto& row : rows)
    if (row.option == option.row->name) return &row;
  return nullptr;
}

/// su-d is named for its look-up, which is first of all; it takes effect with su.
Phase effective_phase(const Option& option) {
  return option.row->name == "substuser-delayed" ? Phase::late2 : option.row->phase;
}

struct User {
  std::string name, home, shell;
  uid_t number = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
};

User user_of(const passwd& entry) {
  return {entry.pw_name, entry.pw_dir, entry.pw_shell, entry.pw_uid, entry.pw_gid, {}};
}

/// By the system's own ways of knowing users.
std::optional<User> look_up_here(uid_t number) {
  std::vector<char> buffer(1024);
  passwd entry{};
  passwd* found = nullptr;
  while (::getpwuid_r(number, &entry, buffer.data(), buffer.size(), &found) == ERANGE)
    buffer.resize(buffer.size() * 2);
  if (found == nullptr) return std::nullopt;
  User user = user_of(entry);
  int count = 32;
  do {
    user.groups.resize(static_cast<std::size_t>(count));
  } while (::getgrouplist(entry.pw_name, entry.pw_gid, user.groups.data(), &count) < 0);
  user.groups.resize(static_cast<std::size_t>(count));
  return user;
}

/// Of those files; a longer one is as good as none.
constexpr std::size_t longest_line = 64 << 10;

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
/// Nothing if there is none. What is no regular file may have been put there by somebody who wants us to
/// wait.
File open_file(const std::string& root, const std::string& path) {
  Fd fd = open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd && errno == ENOENT) return {nullptr, std::fclose};
  check("open " + root + path, fd.get());
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode))
    throw Failure(root + path + " is no regular file");
  File file(::fdopen(fd.get(), "r"), std::fclose);
  if (file) fd.release();
  return file;
}

/// By the files of another root (passwd(5), group(5)).
std::optional<User> look_up_in(const std::string& root, uid_t number) {
  std::vector<char> buffer(longest_line);
  std::optional<User> user;
  if (const File file = open_file(root, "/etc/passwd")) {
    passwd entry{};
    passwd* found = nullptr;
    while (!user && ::fgetpwent_r(file.get(), &entry, buffer.data(), buffer.size(), &found) == 0)
      if (entry.pw_uid == number) user = user_of(entry);
  }
  if (!user) return std::nullopt;
  user->groups.push_back(user->group);
  if (const File file = open_file(root, "/etc/group")) {
    struct group entry {};
    struct group* found = nullptr;
    while (::fgetgrent_r(file.get(), &entry, buffer.data(), buffer.size(), &found) == 0)
      for (char** member = entry.gr_mem; *member != nullptr; ++member)
        if (user->name == *member && entry.gr_gid != user->group) user->groups.push_back(entry.gr_gid);
  }
  return user;
}

Fd open_network(const std::string& name) {
  const std::string path = network_namespace_path(name);
  return Fd(check("open " + path, ::open(path.c_str(), O_RDONLY | O_CLOEXEC)));
}

id_t number_of(const Option& option) { return static_cast<id_t>(std::get<std::int64_t>(option.value)); }

bool is_given(const Option& option) {
  const auto* flag = std::get_if<bool>(&option.value);
  return flag == nullptr || *flag;
}

/// Where a path is whose root is another one already.
std::string within(const std::string& root, const std::string& path) {
  const std::string joined = root + (path.starts_with('/') ? "" : "/") + path;
  const Fd there = open_in_root(root, path, O_PATH | O_DIRECTORY);
  std::error_code error;
  const auto real = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(there.get()), error);
  return there && !error ? real.string() : joined;
}

PrivilegeChange change_of(const Address& address, const Option& option, PrivilegeChange::Kind kind,
                          Identity& identity) {
  PrivilegeChange change{.kind = kind, .option = option.row->name};
  change.last = effective_phase(option) == Phase::late2;
  switch (kind) {
    case PrivilegeChange::network:
      change.path = option.text;
      change.descriptor = open_network(option.text);
      break;
    case PrivilegeChange::root:
      change.path = option.text;
      if (identity.root.empty())
        identity.root = change.path = absolute_root(address, option);
      else
        identity.root = within(identity.root, option.text);
      break;
    case PrivilegeChange::session:
      break;
    case PrivilegeChange::process_group:
      // Without a value, 0 and 1 all mean one of its own.
      change.number = number_of(option) == 1 ? 0 : number_of(option);
      break;
    case PrivilegeChange::group:
      change.main_group = number_of(option);
      break;
    case PrivilegeChange::user:
      change.number = number_of(option);
      break;
    case PrivilegeChange::whole_user: {
      const auto number = number_of(option);
      const bool here = identity.root.empty() || option.row->name == "substuser-delayed";
      auto user = here ? look_up_here(number) : look_up_in(identity.root, number);
      if (!user)
        throw Failure("no user has the number " + std::to_string(number) +
                      (here ? std::string() : " in " + identity.root + "/etc/passwd"));
      change.number = user->number;
      change.main_group = user->group;
      change.groups = std::move(user->groups);
      identity.environment = {"LOGNAME=" + user->name, "USER=" + user->name, "HOME=" + user->home,
                              "SHELL=" + user->shell};
      break;
    }
  }
  return change;
}

}  // namespace

std::string absolute_root(const Address& address, const Option& option) {
  if (option.text.starts_with('/')) return option.text;
  std::error_code ignored;
  const auto directory = address.text("chdir").value_or(".");
  return std::filesystem::absolute(directory, ignored).lexically_normal().string() + '/' + option.text;
}

Fd open_in_root(const std::string& root, const std::string& path, int flags) {
  const Fd top(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!top) return Fd();
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT;
  long fd = -1;
  // Somebody who renames folders meanwhile may make one try fail.
  for (int tries = 0; tries < 10; ++tries) {
    fd = ::syscall(SYS_openat2, top.get(), path.c_str(), &how, sizeof how);
    if (fd >= 0 || errno != EAGAIN) break;
  }
  return Fd(static_cast<int>(fd));
}

bool changes_identity(const Address& address) {
  return std::any_of(address.options.begin(), address.options.end(),
                     [](const Option& option) { return row_of(option) != nullptr && is_given(option); });
}

bool takes_effect_late(const Option& option) {
  return row_of(option) != nullptr && is_given(option) && effective_phase(option) >= Phase::late;
}

bool changes_identity_late(const Address& address) {
  return std::any_of(address.options.begin(), address.options.end(), takes_effect_late);
}

Identity identity_of(const Address& address) {
  Identity identity;
  for (const Phase phase : {Phase::init, Phase::early, Phase::late, Phase::late2})
    for (const Option& option : address.options) {
      const ChangeRow* row = row_of(option);
      if (row == nullptr || effective_phase(option) != phase || !is_given(option)) continue;
      try {
        auto& changes = phase <= Phase::early ? identity.early : identity.late;
        changes.push_back(change_of(address, option, row->kind, identity));
      } catch (const Failure& failure) {
        throw Failure(std::string(address.written()) + ": option \"" + std::string(option.row->name) +
                      "\": " + failure.what());
      }
    }
  return identity;
}

// Sanitizers are kept out of what runs on memory shared with the parent (spawn).
__attribute__((no_sanitize("address", "undefined"))) bool change_calling_thread(
    const PrivilegeChange& change) {
  const gid_t main = change.main_group;
  switch (change.kind) {
    case PrivilegeChange::network:
      return ::syscall(SYS_setns, change.descriptor.get(), CLONE_NEWNET) == 0;
    case PrivilegeChange::root:
      // A working directory outside of it would be a way out.
      return ::syscall(SYS_chroot, change.path.c_str()) == 0 && ::syscall(SYS_chdir, "/") == 0;
    case PrivilegeChange::session:
      return ::syscall(SYS_setsid) >= 0;
    case PrivilegeChange::process_group:
      return ::syscall(SYS_setpgid, 0, change.number) == 0;
    case PrivilegeChange::group:
      return ::syscall(SYS_setgid, main) == 0;
    case PrivilegeChange::user:
      return ::syscall(SYS_setuid, change.number) == 0;
    case PrivilegeChange::whole_user:
      return ::syscall(SYS_setgroups, change.groups.size(), change.groups.data()) == 0 &&
             ::syscall(SYS_setresgid, main, main, main) == 0 &&
             ::syscall(SYS_setresuid, change.number, change.number, change.number) == 0;
  }
  return false;
}

std::string failed_change(const PrivilegeChange& change) {
  return "option \"" + std::string(change.option) + '"';
}

void change_process(const Address& address, std::span<const PrivilegeChange> changes, Logger& log) {
  for (const PrivilegeChange& change : changes) {
    bool worked = false;
    switch (change.kind) {
      // These are of the whole process by themselves, or of what its threads share.
      case PrivilegeChange::network:
      case PrivilegeChange::root:
      case PrivilegeChange::process_group:
        worked = change_calling_thread(change);
        break;
      case PrivilegeChange::session:
        worked = ::getsid(0) == ::getpid() || change_calling_thread(change);
        if (worked || errno != EPERM) break;
        log.warning(std::string(address.written()) + ": " + failed_change(change) +
                    ": this process leads a process group, and stays in its session");
        worked = true;
        break;
      // These glibc does in all threads (nptl(7)).
      case PrivilegeChange::group:
        worked = ::setgid(change.main_group) == 0;
        break;
      case PrivilegeChange::user:
        worked = ::setuid(change.number) == 0;
        break;
      case PrivilegeChange::whole_user:
        worked = ::setgroups(change.groups.size(), change.groups.data()) == 0 &&
                 ::setresgid(change.main_group, change.main_group, change.main_group) == 0 &&
                 ::setresuid(change.number, change.number, change.number) == 0;
        break;
    }
    if (!worked) throw Failure(std::string(address.written()) + ": " + failed_change(change), last_error());
  }
}

void change_environment(const Identity& identity) {
  for (const std::string& one : identity.environment) {
    const auto equals = one.find('=');
    ::setenv(one.substr(0, equals).c_str(), one.substr(equals + 1).c_str(), 1);
  }
}

}  // namespace sluice
