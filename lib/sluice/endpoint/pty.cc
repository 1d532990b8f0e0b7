#include "sluice/endpoint/pty.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <filesystem>

#include "sluice/core/denied.h"
#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/socket.h"
#include "sluice/stream/session.h"

namespace sluice {
namespace {

constexpr auto usual_interval = std::chrono::seconds(1);
/// Between two looks, so that whoever is stopped meanwhile notices.
constexpr Duration longest_nap = std::chrono::milliseconds(50);
constexpr Duration longest_nap_in_closing = std::chrono::milliseconds(20);

/// Where a symbolic link leads, or nothing if it is none.
std::string target_of(const std::string& link) {
  char target[PATH_MAX];
  const auto length = ::readlink(link.c_str(), target, sizeof target);
  return length > 0 ? std::string(target, static_cast<std::size_t>(length)) : std::string();
}

/// A symbolic link to a terminal; goes with it, if it is still ours.
class Link {
 public:
  Link(std::string path, std::string target, bool stays)
      : path_(std::move(path)), target_(std::move(target)), stays_(stays) {}
  ~Link() {
    if (!stays_ && target_of(path_) == target_) ::unlink(path_.c_str());
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

 private:
  std::string path_;
  std::string target_;
  bool stays_;
};

std::shared_ptr<void> make_link(const Address& address, const std::string& target, const Context& context) {
  const auto wanted = address.text("symbolic-link");
  if (!wanted) return nullptr;
  const ProcessSection section(address);
  // Absolute, so that a later change of directory leads nowhere else.
  std::error_code ignored;
  const std::string path = std::filesystem::absolute(*wanted, ignored).string();
  if (address.flag("unlink-early") || address.flag("unlink")) ::unlink(path.c_str());
  // A number may have been given to another terminal since: what counts is that a link to one stands there.
  const std::string before = target_of(path);
  if (before.starts_with("/dev/pts/")) {
    context.log.info("replacing " + path + ", which leads to " + before);
    ::unlink(path.c_str());
  }
  check(std::string(address.written()) + ": make the symbolic link " + path,
        ::symlink(target.c_str(), path.c_str()));
  if (address.flag("unlink-late")) ::unlink(path.c_str());
  const bool stays = address.find("unlink-close") != nullptr && !address.flag("unlink-close");
  return std::make_shared<Link>(path, target, stays);
}

bool is_hung_up(int master) {
  pollfd state{master, 0, 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & POLLHUP) != 0;
}

Fd open_slave(int master, const std::string& path) {
  // Without a path where the kernel can: that may be another one in a container.
  const int fd = ::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd >= 0 || path.empty()) return Fd(fd);
  return Fd(::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

Pty open_pty(const Address& address, const Context& context) {
  const std::string what = std::string(address.written()) + ": make a pseudo terminal";
  const ProcessSection section(address);
  Pty pty;
  pty.master.reset(check(what, ::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)));
  check(what, ::grantpt(pty.master.get()));
  check(what, ::unlockpt(pty.master.get()));
  char path[PATH_MAX];
  if (const int error = ::ptsname_r(pty.master.get(), path, sizeof path); error != 0)
    throw Failure(what, std::error_code(error, std::generic_category()));
  pty.path = path;
  pty.slave = open_slave(pty.master.get(), pty.path);
  check(what + ": open " + pty.path, pty.slave.get());
  apply(address, {Phase::preopen, Phase::fd, Phase::late}, pty.slave.get(), context);
  context.log.notice("PTY is " + pty.path);
  pty.link = make_link(address, pty.path, context);
  return pty;
}

/// Notices when somebody opens the slave side: the kernel tells a master only that nobody has it open.
class SlaveWatch {
 public:
  /// Begun before the slave is closed here, so that nobody is missed.
  SlaveWatch(const Address& address, const Pty& pty, const Context& context)
      : loop_(context.loop),
        master_(pty.master.duplicate()),
        interval_(std::clamp<Duration>(address.duration("pty-interval").value_or(usual_interval),
                                       std::chrono::milliseconds(1), longest_nap)) {
    Fd events(denied(Facility::inotify) ? -1 : ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    // A user has few of these: without one, it is looked at from time to time.
    if (events && ::inotify_add_watch(events.get(), pty.path.c_str(), IN_OPEN) >= 0)
      events_ = std::make_unique<Descriptor>(context.loop, std::move(events));
  }

  /// How often it was seen to be opened.
  unsigned opened() {
    if (!events_) {
      const bool open = !is_hung_up(master_.get());
      if (open && !was_open_) ++opened_;
      was_open_ = open;
      return opened_;
    }
    char buffer[4096];
    while (events_->try_read(buffer).count > 0) ++opened_;
    return opened_;
  }
  /// What was read was written by somebody, if it is no echo: who came and went between two looks is known by
  /// that.
  void has_been_written_to() {
    if (events_ || opened_ > 0) return;
    termios settings{};
    const bool echoes = ::tcgetattr(master_.get(), &settings) == 0 && (settings.c_lflag & ECHO) != 0;
    if (!echoes) opened_ = 1;
  }
  /// From now on it is as if nobody had ever opened it who is not on it still.
  void begin_anew() {
    opened();
    opened_ = is_hung_up(master_.get()) ? 0 : 1;
  }

  /// Until it was opened once more than `known`, says whether it was: not if stopped or late.
  Task<bool> opened_since(unsigned known, const bool& stopped, Clock::time_point deadline) {
    while (!stopped) {
      if (opened() != known) co_return true;
      if (Clock::now() >= deadline) co_return false;
      if (events_)
        co_await events_->wait_until(Descriptor::readable, deadline);
      else
        co_await loop_.sleep(interval_);
    }
    co_return false;
  }

  void wake() {
    if (events_) events_->wake(Descriptor::readable);
  }

 private:
  Loop& loop_;
  Fd master_;
  Duration interval_;
  std::unique_ptr<Descriptor> events_;
  unsigned opened_ = 0;
  bool was_open_ = false;
};

std::shared_ptr<SlaveWatch> watch_slave(const Address& address, const Pty& pty, const Context& context) {
  return std::make_shared<SlaveWatch>(address, pty, context);
}

namespace {

class PtyStream final : public Stream {
 public:
  PtyStream(const Address& address, const Context& context, Fd master, PtyUser user)
      : log_(context.log),
        what_(address.written()),
        master_(context.loop, std::move(master)),
        user_(std::move(user)),
        finish_(finish_by(address, FinishBy::marking)),
        patience_(address.duration("sitout-eio").value_or(Duration::zero())),
        leaves_running_(address.flag("end-close")) {
    info_.in = info_.out = master_.number();
    info_.traits = {Shape::bytes, !user_.slave, settings() && finish_ == FinishBy::marking};
  }

  Task<End> read_some(Batch& into) override {
    while (!stopped_reading_) {
      const unsigned known = opened();
      const Attempt attempt = master_.try_read(into.room());
      if (attempt.count > 0) {
        if (user_.watch) user_.watch->has_been_written_to();
        into.added(static_cast<std::size_t>(attempt.count));
        co_return End{};
      }
      if (attempt.count == 0) co_return End{End::finished, {}};
      into.relax();
      if (attempt.would_block()) {
        if (!co_await master_.wait(Descriptor::readable)) break;
        continue;
      }
      if (attempt.error != EIO) co_return end_of(attempt.error);
      const bool goes_on = co_await comes_back(known, stopped_reading_);
      if (!goes_on && !stopped_reading_) co_return End{End::finished, {}};
    }
    co_return End{End::abandoned, {}};
  }

  Task<End> write_some(Batch& from) override {
    while (!stopped_writing_) {
      const ConstBytes bytes =
          from.carries_messages() ? ConstBytes(from.messages().front().data) : from.data();
      if (bytes.empty()) {
        from.pop_message();
        co_return End{};
      }
      const unsigned known = opened();
      // The kernel keeps what nobody is there to read: not for those who have gone.
      const bool nobody = is_hung_up(master_.number());
      if (nobody && !is_awaited(known)) {
        const bool goes_on = co_await comes_back(known, stopped_writing_);
        if (!goes_on && !stopped_writing_) co_return end_of(EIO);
        continue;
      }
      const Attempt attempt = master_.try_write(bytes);
      if (attempt.count > 0) {
        last_ = bytes[static_cast<std::size_t>(attempt.count) - 1];
        from.consume(static_cast<std::size_t>(attempt.count));
        co_return End{};
      }
      if (attempt.error != 0 && !attempt.would_block()) co_return end_of(attempt.error);
      if (nobody)
        co_await comes_back(known, stopped_writing_);
      else if (!co_await master_.wait(Descriptor::writable))
        break;
    }
    co_return End{End::abandoned, {}};
  }

  /// Its end-of-file character ends a line that was begun, and says at the beginning of one that there is no
  /// more (termios(3) VEOF).
  Task<End> finish() override {
    if (std::exchange(finished_, true)) co_return End{};
    if (finish_ != FinishBy::marking) co_return tell_the_end(master_.number(), finish_);
    const auto now = settings();
    info_.traits.can_finish = now.has_value();
    if (!now) co_return End{};
    const char mark = static_cast<char>(now->c_cc[VEOF]);
    const bool at_beginning = !last_ || *last_ == '\n' || *last_ == mark ||
                              *last_ == static_cast<char>(now->c_cc[VEOL]) ||
                              (*last_ == '\r' && (now->c_iflag & ICRNL) != 0);
    const std::string marks(at_beginning ? 1 : 2, mark);
    Batch batch = Batch::of_bytes(marks.size());
    std::copy(marks.begin(), marks.end(), batch.room().begin());
    batch.added(marks.size());
    const End end = co_await write_all(*this, batch);
    // Who has gone needs not be told.
    if (end.kind == End::broken) co_return End{};
    co_return end;
  }

  Task<> closed() override {
    while (!stopped_writing_) {
      const unsigned known = opened();
      if (!co_await master_.wait(Descriptor::hung_up)) co_return;
      const bool goes_on = co_await comes_back(known, stopped_writing_);
      if (!goes_on) co_return;
    }
  }

  Task<> discard_input() override {
    Batch scrap = Batch::of_bytes(kib(16));
    for (;;) {
      const End end = co_await read_some(scrap);
      if (end.kind != End::open) co_return;
      scrap.clear();
    }
  }

  Awaited awaited() override { return {&master_, &master_}; }

  void stop_reading() override {
    stopped_reading_ = true;
    master_.stop(Descriptor::readable);
    if (user_.watch) user_.watch->wake();
  }
  void stop_writing() override {
    stopped_writing_ = true;
    master_.stop(Descriptor::writable);
    master_.stop(Descriptor::hung_up);
    if (user_.watch) user_.watch->wake();
  }

  Task<> close(const Limits& limits) override {
    if (!finished_ && !stopped_writing_) co_await finish();
    if (user_.program && !limits.cut) co_await let_program_end(limits);
    const int unread = co_await deliver(limits);
    if (unread > 0 || (is_hung_up(master_.number()) && last_ && is_awaited(opened())))
      log_.warning(what_ + ": nobody has read all that was written");
    // As the end of a controlling terminal does, before reading from it fails.
    if (user_.program && !is_hung_up(master_.number()) && !leaves_running_)
      end_by_signal(*user_.program, SIGHUP);
    master_.close_checked();
    user_.program.reset();
    user_.watch.reset();
    user_.slave.reset();
    user_.companion.reset();
  }

  const Info& info() const override { return info_; }

 private:
  unsigned opened() const { return user_.watch ? user_.watch->opened() : 1; }
  /// Nobody has come yet: the first user will find what was written.
  bool is_awaited(unsigned known) const { return !user_.program && known == 0; }
  /// Whether a program could learn from the terminal that there is no more input.
  bool was_told() const { return finished_ && info_.traits.can_finish && settings(); }

  /// A program that was told of the end of input ends when it is done, and a hang-up would keep it from that.
  /// What it still says is dropped. One that turns its terminal raw meanwhile waits for keys that never come.
  Task<> let_program_end(const Limits& limits) {
    if (leaves_running_ || !was_told() || user_.program->ended) co_return;
    master_.resume(Descriptor::readable);
    bool reading = true;
    master_.loop().start(drop_output(), [&] {
      reading = false;
      user_.program->changed.notify();
    });
    std::function<bool()> told = [this] { return was_told(); };
    co_await ends_by_itself(*user_.program, user_.session, limits, std::move(told));
    master_.stop(Descriptor::readable);
    while (reading) co_await user_.program->changed.wait();
  }

  Task<> drop_output() {
    Batch scrap = Batch::of_bytes(kib(16));
    for (;;) {
      const Attempt attempt = master_.try_read(scrap.room());
      if (attempt.count == 0 || (attempt.error != 0 && !attempt.would_block())) co_return;
      // It may have changed the settings of its terminal.
      user_.program->changed.notify();
      if (attempt.count > 0) co_await master_.loop().yield();
      if (!co_await master_.wait(Descriptor::readable)) co_return;
    }
  }

  /// What has not been read yet goes with the master, so it is given time, as long as somebody reads on. So
  /// is a program that could not be told of the end, for what it does with what it has read. Returns how many
  /// bytes are left unread.
  Task<int> deliver(const Limits& limits) {
    const Duration patience = limits.cut ? limits.grace : limits.linger_or_default();
    const bool works_on = user_.program && !leaves_running_ && !limits.cut;
    Batch scrap = Batch::of_bytes(kib(16));
    auto last = Clock::now();
    // What was written last reaches the other side a moment later: one look at it is not enough.
    int before = last_ ? -1 : 0;
    int left = 0;
    Duration nap = std::chrono::milliseconds(1);
    while (!is_hung_up(master_.number())) {
      left = unread();
      master_.try_read(scrap.room());
      const bool over = left == 0 && before == 0 && !(works_on && !user_.program->ended);
      if (std::exchange(before, left) != left) last = Clock::now();
      if (over || Clock::now() - last >= patience) break;
      co_await master_.loop().sleep(nap);
      nap = std::min(2 * nap, longest_nap_in_closing);
    }
    co_return left;
  }

  /// Nobody has the slave open. Whether somebody has opened it since it had been so `known` often, or does so
  /// in time.
  Task<bool> comes_back(unsigned known, const bool& stopped) {
    if (!user_.watch) co_return false;
    const auto deadline = is_awaited(known) ? Clock::time_point::max() : Clock::now() + patience_;
    co_return co_await user_.watch->opened_since(known, stopped, deadline);
  }

  /// The terminal's, while it reads lines.
  std::optional<termios> settings() const {
    termios now{};
    if (::tcgetattr(master_.number(), &now) != 0 || (now.c_lflag & ICANON) == 0) return std::nullopt;
    return now;
  }

  /// Bytes that whoever has the slave open could read.
  int unread() const {
    const Fd slave = user_.slave ? user_.slave->duplicate() : open_slave(master_.number(), {});
    int count = 0;
    return slave && ::ioctl(slave.get(), FIONREAD, &count) == 0 ? count : 0;
  }

  Logger& log_;
  std::string what_;
  Descriptor master_;
  PtyUser user_;
  FinishBy finish_;
  Duration patience_;
  bool leaves_running_;  ///< closing ends no program
  Info info_;
  std::optional<char> last_;  ///< that was written
  bool finished_ = false;
  bool stopped_reading_ = false;
  bool stopped_writing_ = false;
};

/// PTY: one terminal, whose slave side others open.
class PtyEndpoint final : public Endpoint {
 public:
  PtyEndpoint(const Address& address, const Context& context) : address_(address), context_(context) {}

  Task<> prepare() override {
    if (pty_.master) co_return;
    pty_ = open_pty(address_, context_);
    if (ends_with_its_user()) {
      watch_ = watch_slave(address_, pty_, context_);
      pty_.slave.reset();
    } else {
      slave_ = std::make_shared<const Fd>(std::move(pty_.slave));
    }
  }
  std::vector<std::string> names() const override {
    if (!pty_.master) return {};
    return {"pty " + pty_.path};
  }

  Task<std::unique_ptr<Stream>> open(Session& session) override {
    co_await prepare();
    if (address_.flag("pty-wait-slave")) {
      context_.log.info("waiting until somebody opens " + pty_.path);
      co_await watch_->opened_since(0, stopped_, Clock::time_point::max());
    }
    if (stopped_) co_return nullptr;
    if (std::exchange(opened_before_, true) && watch_) watch_->begin_anew();
    co_return pty_stream(address_, context_, pty_.master.duplicate(),
                         {.session = session, .watch = watch_, .slave = slave_, .companion = pty_.link});
  }

  std::size_t descriptors() const override { return 3; }
  bool stays_open() const override { return true; }
  bool opens_once(bool) const override { return false; }
  void stop() override {
    stopped_ = true;
    if (watch_) watch_->wake();
  }

 private:
  bool ends_with_its_user() const {
    return address_.flag("pty-wait-slave") || address_.flag("pty-end-on-close") ||
           address_.find("sitout-eio") != nullptr;
  }

  Address address_;
  Context context_;
  Pty pty_;
  std::shared_ptr<SlaveWatch> watch_;
  std::shared_ptr<const Fd> slave_;
  bool opened_before_ = false;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<Stream> pty_stream(const Address& address, const Context& context, Fd master, PtyUser user) {
  return std::make_unique<PtyStream>(address, context, std::move(master), std::move(user));
}

std::unique_ptr<Endpoint> make_pty(const Address& address, Use, const Context& context) {
  return std::make_unique<PtyEndpoint>(address, context);
}

}  // namespace sluice
