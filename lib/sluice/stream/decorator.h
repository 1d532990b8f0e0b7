#pragma once

#include <memory>
#include <utility>

#include "sluice/stream/session.h"
#include "sluice/stream/stream.h"

namespace sluice {

/// A stream that changes one thing about another and passes on the rest. It hides the raw descriptors, since
/// what it changes would be spliced past. (The one place where a class stands between Stream and the final
/// ones: eight calls passed on in each decorator would hide what each is about.)
class Decorator : public Stream {
 public:
  explicit Decorator(std::unique_ptr<Stream> inner) : inner_(std::move(inner)) {}

  Task<End> read_some(Batch& into) override { return inner_->read_some(into); }
  Task<End> write_some(Batch& from) override { return inner_->write_some(from); }
  Task<End> finish() override { return inner_->finish(); }
  Task<> closed() override { return inner_->closed(); }
  Task<> discard_input() override { return inner_->discard_input(); }
  void stop_reading() override { inner_->stop_reading(); }
  void stop_writing() override { inner_->stop_writing(); }
  Task<> close(const Limits& limits) override { return inner_->close(limits); }
  void break_off() override { inner_->break_off(); }
  // What was made of input may be left, or be over, when the descriptor is not ready.
  Awaited awaited() override { return {nullptr, inner_->awaited().out}; }
  std::optional<std::uint64_t> size_left() const override { return inner_->size_left(); }
  const Info& info() const override { return inner_->info(); }
  int exit_status() const override { return inner_->exit_status(); }
  bool reports_status() const override { return inner_->reports_status(); }

 protected:
  Stream& inner() { return *inner_; }

 private:
  std::unique_ptr<Stream> inner_;
};

}  // namespace sluice
