#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

/// Loaded into a program before libc (LD_PRELOAD): the wall clock jumps by ten years at each reading,
/// forwards and backwards in turn, as if somebody set it all the time. Who lets it decide how long to wait
/// waits wrongly.
namespace {

constexpr time_t ten_years = 10L * 365 * 24 * 3600;

time_t jump() {
  static std::atomic<unsigned> readings{0};
  return readings++ % 2 == 0 ? ten_years : -ten_years;
}

bool is_wall(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE; }

int read_clock(clockid_t clock, timespec* now) {
  const auto result = static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
  if (result == 0 && is_wall(clock)) now->tv_sec += jump();
  return result;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept { return read_clock(clock, now); }

int gettimeofday(timeval* now, void*) noexcept {
  timespec fine{};
  const int result = read_clock(CLOCK_REALTIME, &fine);
  *now = {fine.tv_sec, fine.tv_nsec / 1000};
  return result;
}

time_t time(time_t* now) noexcept {
  timespec fine{};
  read_clock(CLOCK_REALTIME, &fine);
  if (now != nullptr) *now = fine.tv_sec;
  return fine.tv_sec;
}

int timespec_get(timespec* now, int base) noexcept { return read_clock(CLOCK_REALTIME, now) == 0 ? base : 0; }

// The kernel's own waits cannot be made to jump from here: to ask for one by the wall clock is wrong at once.
int timerfd_create(clockid_t clock, int flags) noexcept {
  if (is_wall(clock)) std::abort();
  return static_cast<int>(::syscall(SYS_timerfd_create, clock, flags));
}
}
