#include "sluice/stream/decorators.h"

#include <algorithm>

namespace sluice {
namespace {

class LimitedReading final : public Decorator {
 public:
  LimitedReading(std::unique_ptr<Stream> inner, std::uint64_t count)
      : Decorator(std::move(inner)), left_(count), info_(this->inner().info()) {
    info_.traits.input_ends = true;
  }

  Task<End> read_some(Batch& into) override {
    if (left_ == 0) co_return End{End::finished, {}};
    if (into.carries_messages() || info_.traits.shape == Shape::messages || into.capacity() <= left_) {
      const End end = co_await inner().read_some(into);
      left_ -= std::min<std::uint64_t>(left_, into.size());
      co_return end;
    }
    // What is left is less than the room: a batch of just that size keeps the kernel from giving more.
    Batch exact = Batch::of_bytes(static_cast<std::size_t>(left_));
    const End end = co_await inner().read_some(exact);
    const auto bytes = exact.data();
    std::copy(bytes.begin(), bytes.end(), into.room().begin());
    into.added(bytes.size());
    left_ -= bytes.size();
    co_return end;
  }
  std::optional<std::uint64_t> size_left() const override {
    return std::min(left_, Decorator::size_left().value_or(left_));
  }
  const Info& info() const override { return info_; }

 private:
  std::uint64_t left_;
  Info info_;
};

class EndlessReading final : public Decorator {
 public:
  EndlessReading(std::unique_ptr<Stream> inner, Loop& loop)
      : Decorator(std::move(inner)), stop_(loop), info_(this->inner().info()) {
    info_.traits.input_ends = false;
    info_.traits.reading_tells_closed = false;
  }

  Task<End> read_some(Batch& into) override {
    constexpr auto pause = std::chrono::milliseconds(100);
    for (;;) {
      const End end = co_await inner().read_some(into);
      if (end.kind != End::finished) co_return end;
      if (co_await stop_.wait_until(Clock::now() + pause)) co_return End{End::abandoned, {}};
    }
  }
  void stop_reading() override {
    inner().stop_reading();
    stop_.notify();
  }
  std::optional<std::uint64_t> size_left() const override { return {}; }
  const Info& info() const override { return info_; }

 private:
  Event stop_;
  Info info_;
};

class EscapedReading final : public Decorator {
 public:
  EscapedReading(std::unique_ptr<Stream> inner, char end)
      : Decorator(std::move(inner)), end_(end), info_(this->inner().info()) {
    info_.traits.input_ends = true;
  }

  Task<End> read_some(Batch& into) override {
    if (over_) co_return End{End::finished, {}};
    const End end = co_await inner().read_some(into);
    if (end.kind != End::open) co_return end;
    cut(into);
    if (over_ && into.empty()) co_return End{End::finished, {}};
    co_return end;
  }
  std::optional<std::uint64_t> size_left() const override { return {}; }
  const Info& info() const override { return info_; }

 private:
  void cut(Batch& batch) {
    if (!batch.carries_messages()) {
      const auto bytes = batch.data();
      const auto place = std::find(bytes.begin(), bytes.end(), end_);
      over_ = place != bytes.end();
      if (over_) batch.keep_bytes(static_cast<std::size_t>(place - bytes.begin()));
      return;
    }
    const auto messages = batch.messages();
    for (std::size_t i = 0; i < messages.size() && !over_; ++i) {
      Bytes& data = messages[i].data;
      const auto place = std::find(data.begin(), data.end(), end_);
      over_ = place != data.end();
      if (!over_) continue;
      data = data.first(static_cast<std::size_t>(place - data.begin()));
      batch.keep(data.empty() ? i : i + 1);
    }
  }

  char end_;
  Info info_;
  bool over_ = false;
};

class WaryReading final : public Decorator {
 public:
  WaryReading(std::unique_ptr<Stream> inner, OwnOutput own) : Decorator(std::move(inner)), own_(own) {}

  Task<End> read_some(Batch& into) override {
    if (own_.is_met()) co_return End{End::broken, input_is_output()};
    const End end = co_await inner().read_some(into);
    if (end.kind != End::open || !own_.is_met(into.size())) co_return end;
    into.clear();
    co_return End{End::broken, input_is_output()};
  }

 private:
  OwnOutput own_;
};

class Keeping final : public Decorator {
 public:
  Keeping(std::unique_ptr<Stream> inner, std::shared_ptr<void> kept)
      : Decorator(std::move(inner)), kept_(std::move(kept)) {}

  // Nothing about the bytes is changed.
  Raw raw() override { return inner().raw(); }
  Awaited awaited() override { return inner().awaited(); }

 private:
  std::shared_ptr<void> kept_;
};

class Tapped final : public Decorator {
 public:
  Tapped(std::unique_ptr<Stream> inner, std::size_t chunk, std::unique_ptr<Tap> read,
         std::unique_ptr<Tap> written)
      : Decorator(std::move(inner)), chunk_(chunk), read_(std::move(read)), written_(std::move(written)) {}

  Task<End> read_some(Batch& into) override {
    if (into.carries_messages() || inner().info().traits.shape == Shape::messages ||
        into.capacity() <= chunk_) {
      const End end = co_await inner().read_some(into);
      if (end.kind == End::open) co_await see(read_.get(), into);
      co_return end;
    }
    Batch small = Batch::of_bytes(chunk_);
    const End end = co_await inner().read_some(small);
    if (end.kind == End::open) co_await see(read_.get(), small);
    const auto bytes = small.data();
    std::copy(bytes.begin(), bytes.end(), into.room().begin());
    into.added(bytes.size());
    co_return end;
  }

  void stop_writing() override {
    for (Tap* one : {read_.get(), written_.get()})
      if (one != nullptr) one->stop();
    inner().stop_writing();
  }

  Task<End> write_some(Batch& from) override {
    if (fresh_ == 0) {
      co_await see(written_.get(), from);
      fresh_ = units(from);
    }
    const End end = co_await inner().write_some(from);
    fresh_ = end.kind == End::open ? units(from) : 0;
    co_return end;
  }

 private:
  static Task<> see(Tap* tap, Batch& batch) {
    if (tap == nullptr) co_return;
    if (!batch.carries_messages()) {
      co_await tap->see(batch.data());
      co_return;
    }
    for (const Message& message : batch.messages()) co_await tap->see(message.data);
  }
  /// What is left of a batch that has been seen; 0 says that the next is a new one.
  static std::size_t units(Batch& batch) {
    return batch.carries_messages() ? batch.messages().size() : batch.size();
  }

  std::size_t chunk_;
  std::unique_ptr<Tap> read_;
  std::unique_ptr<Tap> written_;
  std::size_t fresh_ = 0;
};

class Joined final : public Stream {
 public:
  Joined(std::unique_ptr<Stream> reading, std::unique_ptr<Stream> writing)
      : reading_(std::move(reading)), writing_(std::move(writing)) {
    const Info& from = reading_->info();
    const Info& to = writing_->info();
    info_ = from;
    info_.out = to.out;
    info_.writable = to.writable;
    info_.no_output = to.no_output;
    if (from.peer != to.peer) info_.peer.clear();
    info_.echoes = from.echoes && to.echoes;
    // A datagram can only be kept whole where both sides keep edges.
    const bool same = from.traits.shape == to.traits.shape;
    info_.traits = {same ? from.traits.shape : Shape::bytes, from.traits.input_ends, to.traits.can_finish};
  }

  Task<End> read_some(Batch& into) override { return reading_->read_some(into); }
  Task<End> write_some(Batch& from) override { return writing_->write_some(from); }
  Task<End> finish() override { return writing_->finish(); }
  Task<> closed() override { return writing_->closed(); }
  Task<> discard_input() override { return reading_->discard_input(); }
  void stop_reading() override { reading_->stop_reading(); }
  void stop_writing() override { writing_->stop_writing(); }
  Task<> close(const Limits& limits) override {
    co_await writing_->close(limits);
    co_await reading_->close(limits);
  }
  void break_off() override {
    writing_->break_off();
    reading_->break_off();
  }
  std::optional<std::uint64_t> size_left() const override { return reading_->size_left(); }
  Raw raw() override { return {reading_->raw().in, writing_->raw().out}; }
  Awaited awaited() override { return {reading_->awaited().in, writing_->awaited().out}; }
  const Info& info() const override { return info_; }
  int exit_status() const override {
    return writing_->exit_status() != 0 ? writing_->exit_status() : reading_->exit_status();
  }
  bool reports_status() const override { return writing_->reports_status(); }

 private:
  std::unique_ptr<Stream> reading_;
  std::unique_ptr<Stream> writing_;
  Info info_;
};

}  // namespace

std::unique_ptr<Stream> limit_reading(std::unique_ptr<Stream> inner, std::uint64_t count) {
  return std::make_unique<LimitedReading>(std::move(inner), count);
}

std::unique_ptr<Stream> ignore_eof(std::unique_ptr<Stream> inner, Loop& loop) {
  return std::make_unique<EndlessReading>(std::move(inner), loop);
}

std::unique_ptr<Stream> end_at(std::unique_ptr<Stream> inner, char end) {
  return std::make_unique<EscapedReading>(std::move(inner), end);
}

std::unique_ptr<Stream> end_at_own_output(std::unique_ptr<Stream> inner, OwnOutput own) {
  return std::make_unique<WaryReading>(std::move(inner), own);
}

std::unique_ptr<Stream> keep_with(std::unique_ptr<Stream> inner, std::shared_ptr<void> kept) {
  return std::make_unique<Keeping>(std::move(inner), std::move(kept));
}

std::unique_ptr<Stream> tap(std::unique_ptr<Stream> inner, std::size_t chunk, std::unique_ptr<Tap> read,
                            std::unique_ptr<Tap> written) {
  return std::make_unique<Tapped>(std::move(inner), chunk, std::move(read), std::move(written));
}

std::unique_ptr<Stream> join(std::unique_ptr<Stream> reading, std::unique_ptr<Stream> writing) {
  return std::make_unique<Joined>(std::move(reading), std::move(writing));
}

}  // namespace sluice
