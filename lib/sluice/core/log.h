#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/core/fd.h"
#include "sluice/core/rushes.h"

namespace sluice {

/// How much a line matters, as socat's -d levels count it.
enum class Severity { fatal, error, warning, notice, info, debug };

/// Where lines go and what they look like (socat's -d, -lf, -ls, -ly, -lm, -lp, -lu, -lh).
struct LogSettings {
  std::string program;                 ///< argv[0]'s last part, or -lp's name
  Severity least = Severity::warning;  ///< less than this is not written
  bool dated = false;                  ///< `YYYY/MM/DD HH:MM:SS prog[pid] L text`, else `prog: text`
  bool microseconds = false;           ///< -lu
  bool with_host = false;              ///< -lh
  enum class To { stderr_, file, syslog, stderr_then_syslog } to = To::stderr_;
  std::string path = {};            ///< of -lf
  std::string facility = "daemon";  ///< of -ly
  int quieter = 0;                  ///< steps by which every line is less severe
  std::string variables = "SOCAT";  ///< what the names of variables for programs begin with (-lp)
};

/// Writes whole lines with one call each, so that lines of several processes do not mix.
class Logger {
 public:
  /// Opens the log file, if there is to be one, and does not wait for a reader if it is a FIFO: then it keeps
  /// what it has room for, which standard error is told. So it is of a file that cannot be written any more,
  /// once.
  explicit Logger(LogSettings settings);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  /// Writes what `base` would, each line some steps less severe (children-shutup). `base` outlives it.
  Logger(const Logger& base, int steps);

  /// Each line begins with the number of a session from now on.
  void number(std::uint64_t session) { session_ = session; }

  bool enabled(Severity severity) const { return lowered(severity) <= output_->settings.least; }
  /// Writes one line, if its severity is enabled, whatever is in `text` (core/visible.h). `detail` may have
  /// several lines and is written after it, but for syslog.
  void write(Severity severity, std::string_view text, std::string_view detail = {}) const;

  /// Writes a line of those that many peers may cause at once: of equal `kind`s in a rush only the first, and
  /// how many there were (core/rushes.h).
  void write_of_rush(Severity severity, std::string_view kind, std::string_view text,
                     std::string_view detail = {}) const;
  /// Tells of the lines of rushes that have not been told of yet.
  void tell_of_rushes() const;

  /// Writes a line that was asked for, whatever is enabled.
  void tell(Severity severity, std::string_view text) const;

  void error(std::string_view text) const { write(Severity::error, text); }
  void warning(std::string_view text) const { write(Severity::warning, text); }
  void notice(std::string_view text) const { write(Severity::notice, text); }
  /// Of a text that is made only if it is written.
  template <std::invocable Text>
  void notice(Text text) const {
    if (enabled(Severity::notice)) write(Severity::notice, text());
  }
  void info(std::string_view text) const { write(Severity::info, text); }
  void debug(std::string_view text) const { write(Severity::debug, text); }

  /// After the relay has started, -lm sends further lines to syslog.
  void started();
  /// Opens the log file again (after its rotation). Throws Failure if it cannot be opened.
  void reopen();
  const LogSettings& settings() const { return output_->settings; }

 private:
  /// Where lines go, for all that write there.
  struct Output {
    LogSettings settings;
    Fd file;
    bool is_held = false;                ///< it is a FIFO that nobody read when it was opened
    std::atomic<bool> is_lossy = false;  ///< a line could not be written to the file, which was told
    Rushes rushes;
  };

  Severity lowered(Severity severity) const;
  void open_file();
  void say_on_stderr(std::string_view text) const;
  void write_line(Severity shown, std::string_view text, std::string_view detail) const;

  std::unique_ptr<Output> own_;  ///< of the one that others write through
  Output* output_;
  int steps_ = 0;
  std::uint64_t session_ = 0;  ///< that its lines are of; 0 if they need not say
};

/// `YYYY/MM/DD HH:MM:SS` of now, in local time, with `.uuuuuu` if asked for.
std::string local_time(bool microseconds);

}  // namespace sluice
