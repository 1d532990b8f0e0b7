#include "sluice/stream/mover.h"

#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "sluice/core/denied.h"
#include "sluice/core/pipe.h"

namespace sluice {
namespace {

/// So much one step moves at most.
constexpr std::size_t longest_step = mib(1);

/// Errors by which the kernel says that a call does not fit these descriptors (append mode, odd file systems
/// and devices), while read(2) and write(2) may; or that FdStream understands better (a terminal's EIO).
bool does_not_fit(int error) {
  switch (error) {
    case EINVAL:
    case EIO:
    case EBADF:
    case EXDEV:
    case ENOSYS:
    case EOPNOTSUPP:
    case EPERM:
    case ETXTBSY:
    case EOVERFLOW:
      return true;
    default:
      return false;
  }
}

/// Whether a socket of any family but AF_UNIX.
bool is_network_socket(int fd) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain != AF_UNIX;
}

/// Of calls whose source is a file. What ends it, and whose fault an error is, copying will show: they say 0
/// of files of /proc too.
Step copied(const Attempt& attempt) {
  if (attempt.count > 0) return {Step::moved, static_cast<std::size_t>(attempt.count)};
  if (attempt.would_block()) return {Step::target_waits};
  return {Step::refused};
}

class CopyRange final : public Mover {
 public:
  CopyRange(int source, int target) : source_(source), target_(target) {}
  Step step() override {
    return copied(uninterrupted(
        [&] { return ::copy_file_range(source_, nullptr, target_, nullptr, longest_step, 0); }));
  }

 private:
  int source_;
  int target_;
};

class SendFile final : public Mover {
 public:
  SendFile(int source, int target) : source_(source), target_(target) {}
  Step step() override {
    return copied(uninterrupted([&] { return ::sendfile(target_, source_, nullptr, longest_step); }));
  }

 private:
  int source_;
  int target_;
};

/// Of source and target, one is a pipe. The kernel's EAGAIN does not say which of them is to be waited for.
class Direct final : public Mover {
 public:
  Direct(int source, int target) : source_(source), target_(target), from_pipe_(is_pipe(source)) {}

  Step step() override {
    const auto attempt = try_splice(source_, target_, longest_step);
    if (attempt.count > 0) {
      disagreements_ = 0;
      return {Step::moved, static_cast<std::size_t>(attempt.count)};
    }
    if (attempt.would_block()) return who_waits();
    if (attempt.count == 0 || does_not_fit(attempt.error)) return {Step::refused};
    const bool target = from_pipe_ || attempt.error == EPIPE;
    return {target ? Step::target_ended : Step::source_ended, 0, attempt.error};
  }

 private:
  Step who_waits() {
    pollfd both[] = {{source_, POLLIN, 0}, {target_, POLLOUT, 0}};
    ::poll(both, 2, 0);
    if (both[0].revents == 0) return {Step::source_waits};
    if (both[1].revents == 0) return {Step::target_waits};
    // It has just become possible; or poll and splice never agree about these two.
    constexpr int most_disagreements = 8;
    return {++disagreements_ < most_disagreements ? Step::moved : Step::refused};
  }

  int source_;
  int target_;
  bool from_pipe_;
  int disagreements_ = 0;
};

class Through final : public Mover {
 public:
  Through(int source, int target, PipePool& pipes) : source_(source), target_(target), pipes_(pipes) {}
  ~Through() override { relax(); }

  Step step() override {
    Step step;
    if (!middle_) middle_ = pipes_.take();
    if (!middle_) return {Step::refused};
    if (middle_->held == 0) {
      step = fill();
      if (step.outcome != Step::moved) return step;
    }
    empty(step);
    return step;
  }

  void take_rest(Batch& into) override {
    if (!middle_ || middle_->held == 0) return;
    const Bytes room = into.room();
    const auto got = uninterrupted([&] { return ::read(middle_->out.get(), room.data(), room.size()); });
    if (got.count <= 0) return;
    middle_->held -= static_cast<std::size_t>(got.count);
    into.added(static_cast<std::size_t>(got.count));
  }

  bool holds_something() const override { return middle_ && middle_->held != 0; }

  void relax() override {
    if (!middle_ || middle_->held != 0) return;
    pipes_.give(std::move(*middle_));
    middle_.reset();
  }

 private:
  Step fill() {
    // What the target does not take yet stays in the source. One that took all of the last step at once is
    // not asked: poll(2) would call a socket full that still has a third of its room, and stop what flows.
    pollfd target{target_, POLLOUT, 0};
    if (!took_all_ && ::poll(&target, 1, 0) == 0) return {Step::target_waits};
    const auto filled = try_splice(source_, middle_->in.get(), longest_step);
    if (filled.count > 0) {
      middle_->held = static_cast<std::size_t>(filled.count);
      return {Step::moved, middle_->held};
    }
    if (filled.would_block()) return {Step::source_waits};
    if (filled.count == 0 || does_not_fit(filled.error)) return {Step::refused};
    return {Step::source_ended, 0, filled.error};
  }

  void empty(Step& step) {
    took_all_ = true;
    while (middle_->held > 0) {
      const auto sent = try_splice(middle_->out.get(), target_, middle_->held);
      if (sent.count > 0) {
        middle_->held -= static_cast<std::size_t>(sent.count);
        continue;
      }
      took_all_ = false;
      step.error = sent.error;
      step.outcome = sent.would_block()         ? Step::target_waits
                     : does_not_fit(sent.error) ? Step::refused
                                                : Step::target_ended;
      return;
    }
  }

  int source_;
  int target_;
  PipePool& pipes_;
  std::optional<Middle> middle_;
  bool took_all_ = false;  ///< the target, of the last step
};

}  // namespace

void Mover::take_rest(Batch&) {}

std::unique_ptr<Mover> copy_range(int source, int target) {
  return std::make_unique<CopyRange>(source, target);
}
std::unique_ptr<Mover> send_file(int source, int target) {
  return std::make_unique<SendFile>(source, target);
}
std::unique_ptr<Mover> splice_directly(int source, int target) {
  return std::make_unique<Direct>(source, target);
}
std::unique_ptr<Mover> splice_through(int source, int target, PipePool& pipes) {
  return std::make_unique<Through>(source, target, pipes);
}

std::unique_ptr<Mover> mover_between(Descriptor& source, Descriptor& target, PipePool& pipes) {
  if (denied(Facility::splice)) return nullptr;
  const mode_t from = source.kind();
  const mode_t to = target.kind();
  if (S_ISREG(from) && S_ISREG(to)) return copy_range(source.number(), target.number());
  if (S_ISREG(from) && S_ISSOCK(to)) return send_file(source.number(), target.number());
  // A pipe's pages go to a network one by one, and what a local socket holds is copied on its way into a
  // pipe: both are dearer to splice than to read and to write.
  const bool local = S_ISFIFO(from) || (S_ISSOCK(from) && !is_network_socket(source.number()));
  if (local && S_ISSOCK(to) && is_network_socket(target.number())) return nullptr;
  if (S_ISFIFO(from) || S_ISFIFO(to)) return splice_directly(source.number(), target.number());
  return splice_through(source.number(), target.number(), pipes);
}

}  // namespace sluice
