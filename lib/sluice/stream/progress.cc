#include "sluice/stream/progress.h"

#include <linux/fs.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>

#include "sluice/stream/background.h"

namespace sluice {
namespace {

/// Over which times the rates are taken: what happens now, and what the rest will take.
constexpr auto rate_span = std::chrono::seconds(3);
constexpr auto done_rate_span = std::chrono::seconds(25);

constexpr std::array ending_signals = {SIGINT, SIGTERM, SIGHUP};
constexpr std::array kept_signals = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

/// Of these, those that would end the process.
sigset_t deadly(std::span<const int> numbers) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : numbers) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    if (action.sa_handler == SIG_DFL) ::sigaddset(&set, number);
  }
  return set;
}

}  // namespace

std::optional<std::uint64_t> bytes_left(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return {};
  std::uint64_t size = 0;
  if (S_ISREG(status.st_mode))
    size = static_cast<std::uint64_t>(status.st_size);
  else if (!S_ISBLK(status.st_mode) || ::ioctl(descriptor, BLKGETSIZE64, &size) != 0)
    return {};
  const off_t place = ::lseek(descriptor, 0, SEEK_CUR);
  return size - std::min(size, static_cast<std::uint64_t>(std::max<off_t>(place, 0)));
}

void ProgressMeter::show(ProgressFigures figures) {
  moved_.add(figures.elapsed, figures.moved());
  done_.add(figures.elapsed, figures.done);
  figures.rate = moved_.over(rate_span);
  figures.done_rate = done_.over(done_rate_span);
  if (stands_) line_.draw(progress_line(figures, line_.columns()));
}

void ProgressMeter::only_at_end() {
  stands_ = false;
  line_.clear();
}

void ProgressMeter::end(const ProgressFigures& figures) { line_.end(last_line(figures)); }

bool ProgressMeter::end_at_once(const ProgressFigures& figures) {
  return line_.end_at_once(last_line(figures));
}

std::string ProgressMeter::last_line(const ProgressFigures& figures) const {
  return program_ + ": " + last_progress_line(figures);
}

ProgressThread::ProgressThread(ShownProgress shown) : shown_(std::move(shown)), meter_(shown_.program) {
  if (shown_.only_at_end) meter_.only_at_end();
  const sigset_t ending = deadly(ending_signals);
  signals_ = Fd(check("watch signals", ::signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK)));
  over_ = Fd(check("create an event", ::eventfd(0, EFD_CLOEXEC)));
  thread_ = quiet_thread([this] { run(); });
  const sigset_t kept = deadly(kept_signals);
  ::pthread_sigmask(SIG_BLOCK, &kept, &before_);
}

ProgressThread::~ProgressThread() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto ignored = ::write(over_.get(), &one, sizeof one);
  thread_.join();
  // What has come meanwhile, a broken pipe's signal for one, has its effect now.
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void ProgressThread::run() {
  auto next = begun_ + ProgressMeter::interval;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
    std::array<pollfd, 2> waits = {{{over_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), static_cast<int>(std::max<decltype(left)>(left, 0)));
    if (waits[1].revents != 0) end_by_signal();
    if (waits[0].revents != 0) return finish();
    if (Clock::now() < next) continue;
    meter_.show(figures());
    // After a stop (SIGTSTP) there is nothing to be caught up with.
    next = std::max(next + ProgressMeter::interval, Clock::now());
  }
}

void ProgressThread::finish() {
  if (meter_.end_at_once(figures())) return;
  // Now it may have to wait long for who reads it, and nobody else hears of signals.
  const sigset_t ending = deadly(ending_signals);
  ::pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
  meter_.end(figures());
}

void ProgressThread::end_by_signal() {
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof info) != sizeof info) return;
  meter_.end_at_once(figures());
  const int number = static_cast<int>(info.ssi_signo);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, number);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  ::kill(::getpid(), number);
}

ProgressFigures ProgressThread::figures() const {
  ProgressFigures figures;
  figures.bytes = figures.done = shown_.counts.bytes.load(std::memory_order_relaxed);
  if (shown_.with_lines) figures.lines = shown_.counts.lines.load(std::memory_order_relaxed);
  figures.total = shown_.total.value_or(0);
  figures.elapsed = Clock::now() - begun_;
  return figures;
}

}  // namespace sluice
