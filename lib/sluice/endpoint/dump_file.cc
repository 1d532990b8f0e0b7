#include "sluice/endpoint/dump_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "sluice/core/new_file.h"
#include "sluice/core/standing_line.h"
#include "sluice/core/visible.h"

namespace sluice {
namespace {

constexpr mode_t usual_mode = 0664;

class Dumping final : public Tap {
 public:
  Dumping(char mark, DumpStyle style, const DumpFile& file, Session& session, std::atomic<bool>& failed)
      : dump_(mark, style),
        shown_(style.text || style.hexadecimal),
        path_(file.is_wanted() ? file.path() : std::string()),
        session_(session),
        failed_(failed) {
    if (!file.is_wanted()) return;
    // Of its own, since each session waits by itself.
    Fd own(check("duplicate a descriptor", ::fcntl(file.number(), F_DUPFD_CLOEXEC, 3)));
    const auto access = access_of_inherited(own.get()).value_or(Access::own);
    file_.emplace(session.loop, std::move(own), access);
  }

  Task<> see(ConstBytes bytes) override {
    if (shown_) show(bytes);
    while (file_ && !bytes.empty()) {
      const Attempt attempt = file_->try_write(bytes);
      if (attempt.count > 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(attempt.count));
        continue;
      }
      if (!attempt.would_block()) {
        fail(std::error_code(attempt.error, std::generic_category()).message());
      } else if (!co_await file_->wait(Descriptor::writable)) {
        fail("it was not read in time");
      }
    }
  }

  void stop() override {
    if (file_) file_->stop(Descriptor::writable);
  }

 private:
  void show(ConstBytes bytes) {
    const std::string block = dump_.block(bytes);
    const StandingLine::Pause pause;
    // Who cannot be shown it is not worth the transfer.
    [[maybe_unused]] auto ignored = ::write(STDERR_FILENO, block.data(), block.size());
  }

  void fail(const std::string& why) {
    file_.reset();
    if (session_.status == 0) session_.status = static_cast<int>(ExitStatus::failure);
    if (!failed_.exchange(true))
      session_.log.error("write " + path_ + ": " + why + "; going on without this dump");
  }

  Dump dump_;
  bool shown_;
  std::string path_;
  Session& session_;
  std::atomic<bool>& failed_;
  std::optional<Descriptor> file_;
};

}  // namespace

namespace {

/// A moment, as names of files have it.
struct Moment {
  timespec now{};
  Moment() { ::clock_gettime(CLOCK_REALTIME, &now); }

  std::string stamp() const {
    tm parts{};
    ::localtime_r(&now.tv_sec, &parts);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%S", &parts)};
  }
  std::string micros() const {
    char text[8];
    return {text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%06ld", now.tv_nsec / 1000))};
  }
};

/// A peer chooses its name, but not where our files are.
std::string as_part_of_name(std::string_view value) {
  std::string text = visible(value);
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::string meaning(std::string_view name, const Session& session, const Moment& moment) {
  const LogSettings& settings = session.log.settings();
  if (name == "PROGNAME") return settings.program;
  if (name == "TIMESTAMP") return moment.stamp();
  if (name == "MICROS") return moment.micros();
  for (const auto& [variable, value] : session.environment)
    if (name == settings.variables + '_' + variable) return as_part_of_name(value);
  const char* const value = std::getenv(std::string(name).c_str());
  return value != nullptr ? value : "";
}

std::string resolved(std::string_view text, const Session& session) {
  constexpr std::string_view word = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  const Moment moment;
  std::string all;
  for (auto dollar = text.find('$'); dollar != text.npos; dollar = text.find('$')) {
    all += text.substr(0, dollar);
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      all += std::to_string(::getpid());
      text.remove_prefix(1);
      continue;
    }
    const auto name = text.substr(0, text.find_first_not_of(word));
    if (name.empty())
      all += '$';
    else
      all += meaning(name, session, moment);
    text.remove_prefix(name.size());
  }
  return all += text;
}

}  // namespace

DumpFile::DumpFile(std::optional<std::string> path) : path_(std::move(path)) {
  if (!is_of_session()) is_ready();
}

DumpFile DumpFile::of(const Session& session) const {
  DumpFile one;
  one.path_ = resolved(*path_, session);
  if (!one.is_ready()) throw Failure("open " + *one.path_ + ": nobody reads this FIFO");
  return one;
}

bool DumpFile::is_ready() {
  if (!path_ || file_) return true;
  file_ = open_to_append(*path_, usual_mode, Unread::refuse, O_WRONLY);
  if (!file_ && !is_unread_fifo(*path_)) throw Failure("open " + *path_, last_error());
  return static_cast<bool>(file_);
}

std::unique_ptr<Tap> dumping(char mark, DumpStyle style, const DumpFile& file, Session& session,
                             std::atomic<bool>& failed) {
  return std::make_unique<Dumping>(mark, style, file, session, failed);
}

}  // namespace sluice
