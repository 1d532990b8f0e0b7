#include "sluice/endpoint/dump_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "sluice/core/new_file.h"
#include "sluice/core/standing_line.h"

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

DumpFile::DumpFile(std::optional<std::string> path) : path_(std::move(path)) { is_ready(); }

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
