#include "sluice/endpoint/families.h"

namespace sluice {
namespace {

/// Never delivers anything, not even an end, and takes nothing: whoever writes to it waits.
class StallStream final : public Stream {
 public:
  explicit StallStream(Loop& loop) : reading_(loop), writing_(loop), closing_(loop) {}

  Task<End> read_some(Batch& into) override {
    into.relax();
    while (!stopped_reading_) co_await reading_.wait();
    co_return End{End::abandoned, {}};
  }
  Task<End> write_some(Batch&) override {
    while (!stopped_writing_) co_await writing_.wait();
    co_return End{End::abandoned, {}};
  }
  Task<End> finish() override { co_return End{}; }
  Task<> closed() override {
    while (!stopped_writing_) co_await closing_.wait();
  }
  Task<> discard_input() override { co_return; }
  void stop_reading() override {
    stopped_reading_ = true;
    reading_.notify();
  }
  void stop_writing() override {
    stopped_writing_ = true;
    writing_.notify();
    closing_.notify();
  }
  Task<> close(const Limits&) override { co_return; }
  const Info& info() const override { return info_; }

 private:
  Event reading_;
  Event writing_;
  Event closing_;
  Info info_{.traits = {Shape::either, false, false}};
  bool stopped_reading_ = false;
  bool stopped_writing_ = false;
};

class Stall final : public Endpoint {
 public:
  explicit Stall(const Context& context) : loop_(context.loop) {}

  std::size_t descriptors() const override { return 0; }
  Task<std::unique_ptr<Stream>> open(Session&) override { co_return std::make_unique<StallStream>(loop_); }

 private:
  Loop& loop_;
};

}  // namespace

std::unique_ptr<Endpoint> make_stall(const Address&, Use, const Context& context) {
  return std::make_unique<Stall>(context);
}

}  // namespace sluice
