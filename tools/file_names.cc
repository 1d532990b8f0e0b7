#include "file_names.h"

#include <sys/stat.h>

#include "sluice/cli/quote.h"
#include "sluice/stream/plain.h"

namespace sluice {
namespace {

constexpr off_t largest_known_list = off_t{10} << 20;

}  // namespace

FileNames FileNames::of_list(std::string_view path) {
  FileNames names;
  names.list_ = path;
  if (path == "-") {
    names.fd_ = 0;
  } else {
    names.owned_ = Fd(check("cannot open " + quoted(path) + " for reading",
                            ::open(names.list_.c_str(), O_RDONLY | O_CLOEXEC)));
    names.fd_ = names.owned_.get();
  }
  struct stat status {};
  if (::fstat(names.fd_, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > largest_known_list)
    return names;
  while (auto name = names.read_name()) names.known_.push_back(std::move(*name));
  names.all_known_ = true;
  return names;
}

std::optional<std::string> FileNames::next() {
  if (all_known_) {
    if (given_ == known_.size()) return {};
    return known_[given_++];
  }
  auto name = read_name();
  if (name) ++given_;
  return name;
}

std::optional<std::string> FileNames::read_name() {
  std::size_t searched = used_;
  for (;;) {
    if (const auto end = pending_.find('\0', searched); end != pending_.npos) {
      std::string name = pending_.substr(used_, end - used_);
      used_ = end + 1;
      return name;
    }
    searched = pending_.size() - used_;
    pending_.erase(0, used_);
    used_ = 0;
    if (read_more()) continue;
    if (pending_.empty()) return {};
    return std::exchange(pending_, {});  // the last name may lack its NUL
  }
}

bool FileNames::read_more() {
  if (ended_) return false;
  const std::size_t before = pending_.size();
  pending_.resize(before + kib(16));
  const plain::Reading reading = plain::read_some(fd_, Bytes(pending_).subspan(before));
  pending_.resize(before + reading.count);
  if (reading.why) throw Failure(quoted_if_needed(list_) + ": read error", reading.why);
  ended_ = reading.count == 0;
  return !ended_;
}

}  // namespace sluice
