#include "sluice/core/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <regex>

namespace sluice {
namespace {

/// A file for log lines that goes with the test.
class LogFile {
 public:
  LogFile() { ::close(::mkstemp(path_)); }
  ~LogFile() { ::unlink(path_); }
  std::string path() const { return path_; }
  std::string contents() const {
    const Fd file(::open(path_, O_RDONLY | O_CLOEXEC));
    char text[4096];
    const auto count = ::read(file.get(), text, sizeof text);
    return {text, static_cast<std::size_t>(count)};
  }

 private:
  char path_[32] = "/tmp/sluice-log-XXXXXX";
};

LogSettings to_file(const LogFile& file) {
  LogSettings settings;
  settings.program = "prog";
  settings.to = LogSettings::To::file;
  settings.path = file.path();
  return settings;
}

TEST(Logger, WritesPlainLinesBehindTheProgramsName) {
  const LogFile file;
  Logger log(to_file(file));
  log.error("one");
  log.write(Severity::warning, "two", "  detail");
  EXPECT_EQ(file.contents(), "prog: one\nprog: two\n  detail\n");
}

TEST(Logger, WritesNothingBelowItsLevel) {
  const LogFile file;
  LogSettings settings = to_file(file);
  settings.least = Severity::notice;
  Logger log(settings);
  log.info("no");
  log.debug("no");
  log.notice("yes");
  EXPECT_EQ(file.contents(), "prog: yes\n");
}

TEST(Logger, MakesATextOnlyIfItIsWritten) {
  const LogFile file;
  LogSettings settings = to_file(file);
  int made = 0;
  const auto text = [&] {
    ++made;
    return std::string("so it is");
  };
  Logger quiet(settings);
  quiet.notice(text);
  EXPECT_EQ(made, 0);
  settings.least = Severity::notice;
  Logger talkative(settings);
  talkative.notice(text);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(file.contents(), "prog: so it is\n");
}

TEST(Logger, DatesLinesAsSocatDoes) {
  const LogFile file;
  LogSettings settings = to_file(file);
  settings.least = Severity::debug;
  settings.dated = true;
  Logger log(settings);
  log.notice("listening");
  log.write(Severity::fatal, "over");
  const std::regex lines(
      R"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d prog\[\d+\] N listening\n[^\n]* prog\[\d+\] F over\n)");
  EXPECT_TRUE(std::regex_match(file.contents(), lines)) << file.contents();
}

TEST(Logger, AddsMicrosecondsAndTheHostWhenAsked) {
  const LogFile file;
  LogSettings settings = to_file(file);
  settings.dated = settings.microseconds = settings.with_host = true;
  Logger(settings).error("x");
  const std::regex line(R"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} \S+ prog\[\d+\] E x\n)");
  EXPECT_TRUE(std::regex_match(file.contents(), line)) << file.contents();
}

TEST(Logger, GoesOnInANewFileAfterReopening) {
  const LogFile file;
  Logger log(to_file(file));
  log.error("old");
  const std::string rotated = file.path() + ".1";
  ASSERT_EQ(::rename(file.path().c_str(), rotated.c_str()), 0);
  log.reopen();
  log.error("new");
  EXPECT_EQ(file.contents(), "prog: new\n");
  ::unlink(rotated.c_str());
}

TEST(Logger, RefusesWhatItCannotOpen) {
  LogSettings settings;
  settings.to = LogSettings::To::file;
  settings.path = "/nowhere/log";
  EXPECT_THROW(Logger log(settings), Failure);
  settings.to = LogSettings::To::syslog;
  settings.facility = "nosuch";
  EXPECT_THROW(Logger log(settings), UsageError);
}

/// A place for a log that is not a file.
class LogPlace {
 public:
  LogPlace() { folder_ = ::mkdtemp(name_); }
  ~LogPlace() { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/log"; }
  LogSettings settings() const {
    LogSettings settings;
    settings.program = "prog";
    settings.to = LogSettings::To::file;
    settings.path = path();
    return settings;
  }

 private:
  char name_[32] = "/tmp/sluice-log-XXXXXX";
  std::string folder_;
};

TEST(Logger, DoesNotWaitForTheReaderOfAFifo) {
  const LogPlace place;
  ASSERT_EQ(::mkfifo(place.path().c_str(), 0600), 0);
  testing::internal::CaptureStderr();
  Logger log(place.settings());
  log.error("one");
  log.reopen();
  log.error("two");
  const Fd reader(::open(place.path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  char text[64];
  const auto count = ::read(reader.get(), text, sizeof text);
  EXPECT_EQ(std::string(text, static_cast<std::size_t>(count)), "prog: one\nprog: two\n");
  EXPECT_EQ(testing::internal::GetCapturedStderr().substr(0, 18), "prog: nobody reads");
}

TEST(Logger, SaysOnceThatItsFileCannotBeWritten) {
  LogSettings settings;
  settings.program = "prog";
  settings.to = LogSettings::To::file;
  settings.path = "/dev/full";
  testing::internal::CaptureStderr();
  Logger log(settings);
  log.error("one");
  log.error("two");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "prog: write /dev/full: No space left on device; log lines are lost\n");
}

TEST(Logger, WritesThroughALinkToAnOpenDescriptor) {
  const LogFile file;
  const Fd open(::open(file.path().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  LogSettings settings = to_file(file);
  settings.path = "/proc/self/fd/" + std::to_string(open.get());
  Logger log(settings);
  log.error("one");
  EXPECT_EQ(file.contents(), "prog: one\n");
}

}  // namespace
}  // namespace sluice
