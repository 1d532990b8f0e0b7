#include "sluice/stream/ticker.h"

#include "sluice/stream/background.h"

namespace sluice {

Ticker::Ticker(Duration interval, std::function<void(Duration)> tick)
    : thread_(quiet_thread([this, interval, tick = std::move(tick)] { run(interval, tick); })) {}

Ticker::~Ticker() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Ticker::run(Duration interval, const std::function<void(Duration)>& tick) {
  const auto begun = Clock::now();
  // The wait ends at a whole number of intervals from the beginning, so that ticks do not drift. As many as
  // there are room for in the clock: who asks for centuries gets none.
  const auto most = (Clock::time_point::max() - begun) / interval;
  std::unique_lock lock(mutex_);
  for (auto count = Duration::rep{1}; count <= most;) {
    if (changed_.wait_until(lock, begun + count * interval, [this] { return over_; })) return;
    lock.unlock();
    tick(Clock::now() - begun);
    lock.lock();
    count = (Clock::now() - begun) / interval + 1;
  }
  changed_.wait(lock, [this] { return over_; });
}

}  // namespace sluice
