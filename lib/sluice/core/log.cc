#include "sluice/core/log.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "sluice/core/new_file.h"
#include "sluice/core/standing_line.h"
#include "sluice/core/visible.h"

namespace sluice {
namespace {

struct FacilityRow {
  std::string_view name;
  int number;
};

constexpr std::array facilities = {
    FacilityRow{"auth", LOG_AUTH},     FacilityRow{"authpriv", LOG_AUTHPRIV},
    FacilityRow{"cron", LOG_CRON},     FacilityRow{"daemon", LOG_DAEMON},
    FacilityRow{"ftp", LOG_FTP},       FacilityRow{"kern", LOG_KERN},
    FacilityRow{"lpr", LOG_LPR},       FacilityRow{"mail", LOG_MAIL},
    FacilityRow{"news", LOG_NEWS},     FacilityRow{"syslog", LOG_SYSLOG},
    FacilityRow{"user", LOG_USER},     FacilityRow{"uucp", LOG_UUCP},
    FacilityRow{"local0", LOG_LOCAL0}, FacilityRow{"local1", LOG_LOCAL1},
    FacilityRow{"local2", LOG_LOCAL2}, FacilityRow{"local3", LOG_LOCAL3},
    FacilityRow{"local4", LOG_LOCAL4}, FacilityRow{"local5", LOG_LOCAL5},
    FacilityRow{"local6", LOG_LOCAL6}, FacilityRow{"local7", LOG_LOCAL7},
};

constexpr std::array<char, 6> letters = {'F', 'E', 'W', 'N', 'I', 'D'};
constexpr std::array<int, 6> priorities = {LOG_CRIT, LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG};

int facility_number(std::string_view name) {
  for (const auto& row : facilities)
    if (row.name == name) return row.number;
  throw UsageError("-ly" + std::string(name) + ": unknown syslog facility");
}

/// Never waits: a FIFO that nobody reads keeps what it has room for. `held` says that it is one.
Fd open_log_file(const std::string& path, bool& held) {
  Fd file = open_to_append(path, 0666, Unread::refuse, O_WRONLY);
  held = !file && is_unread_fifo(path);
  if (held) file = open_to_append(path, 0666, Unread::hold, O_WRONLY);
  check("open " + path, file.get());
  // Who reads it is waited for, as with standard error.
  if (!held) ::fcntl(file.get(), F_SETFL, ::fcntl(file.get(), F_GETFL) & ~O_NONBLOCK);
  return file;
}

}  // namespace

namespace {

std::string more_of(std::string_view kind, std::uint64_t count) {
  return std::string(kind) + " (" + std::to_string(count) + " more)";
}

}  // namespace

std::string local_time(bool microseconds) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  ::localtime_r(&now.tv_sec, &parts);
  char text[64];
  std::size_t length = std::strftime(text, sizeof text, "%Y/%m/%d %H:%M:%S", &parts);
  if (microseconds)
    length += static_cast<std::size_t>(
        std::snprintf(text + length, sizeof text - length, ".%06ld", now.tv_nsec / 1000));
  return {text, length};
}

Logger::Logger(LogSettings settings)
    : own_(new Output{std::move(settings), {}, {}, {}, {}}),
      output_(own_.get()),
      steps_(output_->settings.quieter) {
  using To = LogSettings::To;
  const LogSettings& to = output_->settings;
  if (to.to == To::file) open_file();
  if (to.to == To::syslog || to.to == To::stderr_then_syslog)
    ::openlog(to.program.c_str(), LOG_PID, facility_number(to.facility));
}

Logger::Logger(const Logger& base, int steps)
    : output_(base.output_), steps_(base.steps_ + steps), session_(base.session_) {}

Severity Logger::lowered(Severity severity) const {
  const int lower = static_cast<int>(severity) + steps_;
  return static_cast<Severity>(std::min(lower, static_cast<int>(Severity::debug)));
}

Logger::~Logger() {
  if (own_ && own_->settings.to == LogSettings::To::syslog) ::closelog();
}

void Logger::started() {
  LogSettings::To& to = output_->settings.to;
  if (to == LogSettings::To::stderr_then_syslog) to = LogSettings::To::syslog;
}

void Logger::open_file() {
  const std::string& path = output_->settings.path;
  Fd& current = output_->file;
  // A FIFO that we hold open has us for a reader, and would lose what waits in it.
  if (output_->is_held && leads_to(path, current)) return;
  Fd file = open_log_file(path, output_->is_held);
  // Under the same number, since other threads may be writing to it.
  if (current)
    check("open " + path, ::dup3(file.get(), current.get(), O_CLOEXEC));
  else
    current = std::move(file);
  output_->is_lossy = false;
  if (output_->is_held)
    say_on_stderr("nobody reads " + path + " yet: log lines that it has no room for are lost");
}

void Logger::reopen() {
  if (output_->settings.to == LogSettings::To::file) open_file();
}

void Logger::say_on_stderr(std::string_view text) const {
  const std::string line = visible(output_->settings.program + ": " + std::string(text)) + '\n';
  const StandingLine::Pause pause;
  [[maybe_unused]] auto ignored = ::write(STDERR_FILENO, line.data(), line.size());
}

void Logger::write_of_rush(Severity severity, std::string_view kind, std::string_view text,
                           std::string_view detail) const {
  if (!enabled(severity)) return;
  const auto [is_first, passed_over] = output_->rushes.heard(kind, Rushes::Clock::now());
  if (passed_over > 0) write(severity, more_of(kind, passed_over));
  if (is_first) write(severity, text, detail);
}

void Logger::tell_of_rushes() const {
  for (const auto& [kind, passed_over] : output_->rushes.take_rest())
    write(Severity::error, more_of(kind, passed_over));
}

void Logger::write(Severity severity, std::string_view text, std::string_view detail) const {
  if (enabled(severity)) write_line(lowered(severity), text, detail);
}

void Logger::tell(Severity severity, std::string_view text) const { write_line(severity, text, {}); }

void Logger::write_line(Severity shown, std::string_view text, std::string_view detail) const {
  const LogSettings& settings = output_->settings;
  const auto index = static_cast<std::size_t>(shown);
  std::string what;
  if (session_ != 0) what = "session " + std::to_string(session_) + ": ";
  what += text;
  if (settings.to == LogSettings::To::syslog) {
    ::syslog(priorities[index], "%c %s", letters[index], visible(what).c_str());
    return;
  }
  std::string line;
  if (settings.dated) {
    line = local_time(settings.microseconds);
    if (settings.with_host) {
      utsname names{};
      if (const char* name = std::getenv("HOSTNAME"); name != nullptr && *name != '\0')
        (line += ' ') += name;
      else if (::uname(&names) == 0)
        (line += ' ') += names.nodename;
    }
    line += ' ';
    line += settings.program;
    line += '[' + std::to_string(::getpid()) + "] " + letters[index] + ' ';
  } else {
    line = settings.program + ": ";
  }
  line += what;
  line = visible(line) + '\n';
  if (!detail.empty()) {
    line += visible_lines(detail);
    if (detail.back() != '\n') line += '\n';
  }
  const Fd& file = output_->file;
  if (!file) {
    const StandingLine::Pause pause;
    // A line that cannot be written there has nobody left to be told about it.
    [[maybe_unused]] auto ignored = ::write(STDERR_FILENO, line.data(), line.size());
    return;
  }
  ssize_t count = 0;
  {
    const StandingLine::Pause pause;
    count = ::write(file.get(), line.data(), line.size());
  }
  if (count == static_cast<ssize_t>(line.size()) || output_->is_lossy.exchange(true)) return;
  const std::error_code why = count < 0 ? last_error() : std::make_error_code(std::errc::no_space_on_device);
  say_on_stderr("write " + settings.path + ": " + why.message() + "; log lines are lost");
}

}  // namespace sluice
